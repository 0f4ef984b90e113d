"""The table of links. A new link is one new file and one line here."""

from collections.abc import Callable

from lab.checkers import (
    broker_away,
    consul_slow,
    deploys_failed,
    gossip_churn,
    lb_down,
    log_flood,
    node_starved,
    nodes_not_ready,
    not_calming_down,
    pods_evicted,
    vault_down,
)
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
    7: vault_down.check,
    8: lb_down.check,
    9: deploys_failed.check,
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
    7: vault_down.TITLE,
    8: lb_down.TITLE,
    9: deploys_failed.TITLE,
    10: not_calming_down.TITLE,
}


OPTIONAL = {7: vault_down.SERIES, 8: lb_down.SERIES, 9: deploys_failed.SERIES}
"""Links that an older run, or a simulated one, has no probe for, and the series that each is judged by. Without a single sample of it the link is
unmeasured, which says nothing of the run; with missing values it is unknown, which does."""


def check_all(history: History, watch: Watch | None) -> list[LinkResult]:
    """Every link judged, with lags; all unknown where there was no steady phase to compare with."""
    if watch is None:
        return [_unknown(link) for link in TITLES]
    results = [_unmeasured(link) if _has_no_probe(history, link) else check(history, watch) for link, check in CHECKS.items()]
    return with_lags([*results, not_calming_down.check(history, watch, results)])


def _has_no_probe(history: History, link: int) -> bool:
    return link in OPTIONAL and not history.targets(OPTIONAL[link])


def _unmeasured(link: int) -> LinkResult:
    return LinkResult(link=link, title=TITLES[link], status="unmeasured", measure="", unit="", reason="the run has no probe for it")


def _unknown(link: int) -> LinkResult:
    return LinkResult(link=link, title=TITLES[link], status="unknown", measure="", unit="", reason="the steady phase never ended")
