"""Writes tests/sim/approximation.md: `python -m tests.sim.compare_pools [SIZE ...]`. Takes minutes; at the sizes named there when none are given."""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from lab.sim.approximation import FOLLOWED, SCENARIOS, Line, compare, render, run
from lab.sim.warm import warm

SIZES = (250, 500)
EXACT_SEEDS, SAMPLED_SEEDS = range(4), range(100, 108)
TABLE = Path(__file__).with_name("approximation.md")
HEAD = f"""# The sampled pool against the exact one, simulated

{FOLLOWED} members followed; means over {len(EXACT_SEEDS)} seeds of the exact pool and {len(SAMPLED_SEEDS)} of the sampled one. Tolerances were committed before the first comparison
(`lab/sim/approximation.py`). Made by `python -m tests.sim.compare_pools`.

Not agreeing, and why: queues under "slow members". Members that are blocked for 12 of 13 s keep four times too many messages, steady ones agree. Pings that wait in
the socket of a blocked member are answered when it wakes, and each ack carries a packet of its queue; in the sample only pings of followed members wait there.

"""


def one(case: tuple[str, int, int, int]) -> dict[str, float]:
    return run(*case)


def lines_of(sizes: list[int]) -> list[Line]:
    cases = [(name, members, seed, 0) for name in SCENARIOS for members in sizes for seed in EXACT_SEEDS]
    cases += [(name, members, seed, FOLLOWED) for name in SCENARIOS for members in sizes for seed in SAMPLED_SEEDS]
    warm()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as executor:
        found = dict(zip(cases, executor.map(one, cases), strict=True))
    lines = []
    for name in SCENARIOS:
        for members in sizes:
            exact = [found[name, members, seed, 0] for seed in EXACT_SEEDS]
            sampled = [found[name, members, seed, FOLLOWED] for seed in SAMPLED_SEEDS]
            lines += compare(name, members, exact, sampled)
    return lines


if __name__ == "__main__":
    begin_s = time.perf_counter()
    lines = lines_of([int(word) for word in sys.argv[1:]] or list(SIZES))
    outside = [line for line in lines if not line.agrees]
    TABLE.write_text(f"{HEAD}```\n{render(lines)}```\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines)} lines, {len(outside)} do not agree, {time.perf_counter() - begin_s:.0f} s\n")
