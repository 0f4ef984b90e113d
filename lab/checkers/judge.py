"""Judge a history: every link, then the whole."""

from collections.abc import Sequence

from lab.checkers import trust
from lab.checkers.claims import claims
from lab.checkers.links import check_all
from lab.checkers.neighbour import NeighbourVerdict, judge_neighbour
from lab.checkers.order import monotonic, out_of_order
from lab.checkers.pool import measure
from lab.checkers.requests import Request, summary
from lab.checkers.result import LinkResult
from lab.checkers.verdict import Answer, Evidence, ExpectedVerdict, Metastable, Verdict
from lab.checkers.watch import Watch
from lab.core.history import History


def judge(history: History, requests: Sequence[Request] | None) -> Verdict:
    """The verdict on a stored run.

    Args:
        history: all that happened.
        requests: users' requests; None if there is no file of them.

    Raises:
        Refused: the history has no opening event.
    """
    header = history.header
    expected = ExpectedVerdict.model_validate(header["experiment"]["expected"])
    watch = Watch.of(history)
    links = check_all(history, watch)
    doubts = trust.doubts(history, watch, requests)
    wrong_order = out_of_order(links)
    answer = merge(links, doubts, bitten=not trust.no_bite(history))
    cost = trust.lab_cost(history)
    status, _ = trust.end(history)
    beside = judge_neighbour(history, watch) if watch else None
    sound = status == "completed" and not doubts and neighbour_as_expected(beside, expected)
    told = [*_reasons(links), *_neighbour_reasons(beside, expected), *wrong_order, *_missed(links, expected)] if watch else []
    return Verdict.model_validate(
        {
            "experiment": header["experiment"]["name"],
            "status": status,
            "verdict": answer,
            "expected": expected,
            "as_expected": sound and as_expected(answer, links, expected),
            "reasons": [*doubts, *told],
            "warnings": trust.warnings(cost),
            "links": links,
            "metastable": _metastable(links),
            "logs": trust.logs(history),
            "requests": None if requests is None else summary(requests),
            "fidelity": header.get("fidelity"),
            "lab": cost,
            "evidence": Evidence(
                claims=claims(history, watch) if watch else None,
                strict_order=monotonic(links),
                out_of_order=wrong_order,
                pool=measure(history, watch) if watch else None,
                neighbour=beside,
            ),
        }
    )


def merge(links: Sequence[LinkResult], doubts: Sequence[str], *, bitten: bool) -> Answer:
    """Worst wins: deviated, unknown, held; but where a fault was not seen to bite, nothing that happened says anything about it."""
    if not bitten:
        return "unknown"
    if any(result.status == "fired" for result in links):
        return "deviated"
    return "unknown" if doubts or any(result.status == "unknown" for result in links) else "held"


def as_expected(answer: Answer, links: Sequence[LinkResult], expected: ExpectedVerdict) -> bool:
    """The expected verdict, and every expected link fired, in order of cause."""
    fired = {result.link for result in links if result.status == "fired"}
    chain = [result for result in links if result.link in expected.links]
    return answer == expected.verdict and set(expected.links) <= fired and not out_of_order(chain)


def neighbour_as_expected(found: NeighbourVerdict | None, expected: ExpectedVerdict) -> bool:
    """Of the neighbour what was expected, if anything was."""
    return expected.neighbour == "unasked" or (found is not None and found.condition == expected.neighbour)


def _neighbour_reasons(found: NeighbourVerdict | None, expected: ExpectedVerdict) -> list[str]:
    if found is None:
        return []
    missed = "" if neighbour_as_expected(found, expected) else f", and was expected to be {expected.neighbour}"
    word = "is unknown" if found.condition == "unknown" else f"was {found.condition}"
    return [f"the neighbour {word}{missed}: {found.reason}"]


def _reasons(links: Sequence[LinkResult]) -> list[str]:
    told = [result for result in links if result.status in ("fired", "unknown")]
    if not told:
        return ["no link fired"]
    return [
        f"link {result.link} ({result.title}) {'fired' if result.status == 'fired' else 'is unknown'}: {result.reason}" for result in told
    ]


def _missed(links: Sequence[LinkResult], expected: ExpectedVerdict) -> list[str]:
    words = {"quiet": "did not", "unmeasured": "was not measured"}
    return [
        f"link {result.link} was expected to fire and {words[result.status]}"
        for result in links
        if result.status in words and result.link in expected.links
    ]


def _metastable(links: Sequence[LinkResult]) -> Metastable:
    last = links[-1]
    out = [result for result in links if result.link in range(3, 10) and result.status == "fired"]
    back = [result.recovered_at_s for result in out if result.recovered_at_s is not None]
    return Metastable(
        verdict=None if last.status == "unknown" else last.status == "fired",
        reason=last.reason,
        judged_at_s=last.evidence.get("judged_at_s"),
        recovered_at_s=max(back) if back and len(back) == len(out) else None,
    )
