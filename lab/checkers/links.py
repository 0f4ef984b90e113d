"""The table of links. A new link is one new file and one line here."""

from collections.abc import Callable

from lab.checkers import broker_away, consul_slow, gossip_churn, log_flood, node_starved, nodes_not_ready, not_calming_down, pods_evicted
from lab.checkers.order import with_lags
from lab.checkers.result import LinkResult
from lab.checkers.watch import Watch
from lab.core.history import History

Check = Callable[[History, Watch], LinkResult]

CHECKS: dict[int, Check] = {
    0: broker_away.check,
    1: log_flood.check,
    2: node_starved.check,
    3: nodes_not_ready.check,
    4: pods_evicted.check,
    5: gossip_churn.check,
    6: consul_slow.check,
}
"""In order of cause. Link 10 is judged last, from the others."""

TITLES = {
    0: broker_away.TITLE,
    1: log_flood.TITLE,
    2: node_starved.TITLE,
    3: nodes_not_ready.TITLE,
    4: pods_evicted.TITLE,
    5: gossip_churn.TITLE,
    6: consul_slow.TITLE,
    10: not_calming_down.TITLE,
}


def check_all(history: History, watch: Watch | None) -> list[LinkResult]:
    """Every link judged, with lags; all unknown where there was no steady phase to compare with."""
    if watch is None:
        return [_unknown(link) for link in TITLES]
    results = [check(history, watch) for check in CHECKS.values()]
    return with_lags([*results, not_calming_down.check(history, watch, results)])


def _unknown(link: int) -> LinkResult:
    return LinkResult(link=link, title=TITLES[link], status="unknown", measure="", unit="", reason="the steady phase never ended")
