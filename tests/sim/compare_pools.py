"""Writes tests/sim/approximation.md: `python -m tests.sim.compare_pools [SIZE ...]`. Takes minutes; at the sizes named there when none are given.

With the word `thinned` it writes tests/sim/thinned.md, at 1,000 members.
"""

import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from lab.sim.approximation import FOLLOWED, SCENARIOS, TIMES, Line, compare, render, run
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


THINNED = Path(__file__).with_name("thinned.md")
THINNED_HEAD = f"""# The thinned pool against the exact one, simulated

1,000 members, of which every {TIMES}th name is held, {FOLLOWED} of them followed; means over {len(EXACT_SEEDS)} seeds of the exact pool and {len(SAMPLED_SEEDS)} of the thinned one. The
tolerances are those of the sampled pool, committed long before. Made by `python -m tests.sim.compare_pools thinned`. "sampled" is the thinned one here.

Not agreeing, and why, as far as known:
- Packets and bytes where little is told ("deaths", "leaving", a cut): a member gossips when its queue holds something, and queues with news of names that are not held alone
  send nothing here. Under load, when all queues hold something, packets and bytes agree.
- Queues that are just about full ("slow members, SWIM"), or full for seconds (a cut): where a little room more or less decides, these names get a
  little more. Queues of an overload, of a churn and of a pool in which everybody waits agree.
- Failures are rare and decided by refutations that come just in time: of slow members 1.6 to 2.5 times as many (the sampled pool at this size: 1.3 to 1.7 times), where
  everybody waits 42 % fewer (16 % fewer). Suspicions, refutations and queues of the latter agree.
- "Held dead by all": the last of 64 followed members hears of a death before the last of 1,000; the sampled pool errs as much.
- "Failed in the end", after encryption and back: a few are found later by the last ones, as in the sampled pool.

At full size, `lab run cascade` with 41,000 agents, one run each: members failed at the observer with all names held and with every 17th, those of them that run, phantoms; by
seconds after the outage began. 280 s: 15,706 and 16,869, 5,838 and 6,138, 906 and 622. 480 s: 23,515 and 28,595, 6,462 and 8,977, 4,274 and 1,853. 680 s: 26,397 and
26,422, 3,087 and 3,021, 786 and 472. 880 s: 24,142 and 24,089, 51 and 69, 44 and 41. 1,080 s: 24,128 and 24,106, none and 35, 8 and none.

"""


def one(case: tuple[str, int, int, int, int]) -> dict[str, float]:
    return run(*case)


def lines_of(sizes: list[int], times: int) -> list[Line]:
    cases = [(name, members, seed, 0, 1) for name in SCENARIOS for members in sizes for seed in EXACT_SEEDS]
    cases += [(name, members, seed, FOLLOWED, times) for name in SCENARIOS for members in sizes for seed in SAMPLED_SEEDS]
    warm()
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as executor:
        found = dict(zip(cases, executor.map(one, cases), strict=True))
    lines = []
    for name in SCENARIOS:
        for members in sizes:
            exact = [found[name, members, seed, 0, 1] for seed in EXACT_SEEDS]
            sampled = [found[name, members, seed, FOLLOWED, times] for seed in SAMPLED_SEEDS]
            lines += compare(name, members, exact, sampled)
    return lines


if __name__ == "__main__":
    begin_s = time.perf_counter()
    thinned = sys.argv[1:] == ["thinned"]
    lines = lines_of([1000], TIMES) if thinned else lines_of([int(word) for word in sys.argv[1:]] or list(SIZES), 1)
    outside = [line for line in lines if not line.agrees]
    place, head = (THINNED, THINNED_HEAD) if thinned else (TABLE, HEAD)
    place.write_text(f"{head}```\n{render(lines)}```\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines)} lines, {len(outside)} do not agree, {time.perf_counter() - begin_s:.0f} s\n")
