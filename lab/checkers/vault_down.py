"""Link 7: nobody can get a token from Vault: no instance leads, one sealed itself, or logins fail."""

from collections.abc import Sequence
from typing import Any

from lab.checkers.conditions import Condition, broken, merged, rows
from lab.checkers.result import LinkResult
from lab.checkers.series import Point, after, between, censored, peak, percentile, range_of, read, steady, values
from lab.checkers.watch import Watch
from lab.core.history import History
from lab.core.vault import ACTIVE

TITLE = "Vault down"
MEASURE = "seconds since an instance of Vault was last seen to be active"
SERIES = "vault_health_code"
SILENCE_S = 6
"""Chosen: three looks in a row that found none; a take-over waits for Consul's lock delay of 15 s, so it is never missed, and a look lost on a
busy host (2 s) is none."""
SEALED_S = 2
"""Chosen: two looks. Nothing but a restart or Vault itself seals it."""
LOGINS = 3
"""Failed logins in a row. Chosen: they go to all instances in turn, so one bad instance alone makes no row; three are some 9 s."""
LOGIN_TIMEOUT_MS = 10_000
"""Time-out of the probe's logins, where the reason does not name it."""


def check(history: History, watch: Watch) -> LinkResult:
    """Fires when no instance is active for `SILENCE_S`, when one that was open is sealed, or when `LOGINS` in a row fail."""
    common: dict[str, Any] = {"link": 7, "title": TITLE, "measure": MEASURE, "unit": "s"}
    health = merged(read(history, SERIES))
    silence = {"vault": _silence(health)}
    later = after(silence, watch)
    usual = range_of(values(steady(silence, watch)))
    led = any(point.value == ACTIVE for point in between(health, watch.settled_s, watch.steady_end_s))
    if usual is None or not led or not values(later):
        return LinkResult(
            status="unknown", reason="no instance was seen to be active in the steady phase, or none was asked after it", **common
        )
    common |= {"steady": usual, "peak": peak(later), "evidence": _evidence(history, watch)}
    found = broken(_conditions(history, watch, later), watch.steady_end_s)
    if found is None:
        return LinkResult(status="quiet", reason="an instance was active all along, and logins went through", **common)
    return LinkResult(status="fired", fired_at_s=found.fired_at_s, recovered_at_s=found.recovered_at_s, reason=found.reason, **common)


def _conditions(history: History, watch: Watch, silence: dict[str, list[Point]]) -> list[Condition]:
    sealed = read(history, "vault_sealed")
    opened = {target: points for target, points in sealed.items() if not any(values(steady({target: points}, watch)))}
    failed = {"logins": rows(merged(read(history, "vault_login_ms")))}
    return [
        Condition(silence, SILENCE_S, SILENCE_S * 2 / 3, "no instance was active for up to {peak} s", since=True),
        Condition(after(opened, watch), 1, 0, "an instance was sealed", SEALED_S),
        Condition(after(failed, watch), LOGINS, 0, "up to {peak} logins in a row failed"),
    ]


def _silence(health: Sequence[Point]) -> list[Point]:
    """Seconds since any instance was last seen active, at each answer or missing answer of any."""
    silent: list[Point] = []
    active_s = health[0].at_s if health else 0.0
    for point in health:
        if point.value == ACTIVE:
            active_s = point.at_s
        silent.append(Point(point.at_s, point.at_s - active_s))
    return silent


def _evidence(history: History, watch: Watch) -> dict[str, object]:
    logins = merged(read(history, "vault_login_ms"))
    calm = values(steady({"": logins}, watch))
    then = values({"": censored(after({"": logins}, watch)[""], LOGIN_TIMEOUT_MS)})
    leaders = after(read(history, "vault_leader"), watch)
    return {
        "led_after": sorted(target for target, points in leaders.items() if any(point.value == 1 for point in points)),
        "login_ms_p99_steady": percentile(calm, 0.99) if calm else None,
        "login_ms_p99_after": percentile(then, 0.99) if then else None,
        "logins_after": len(then),
        "logins_failed_after": sum(point.value is None and point.asked for point in after({"": logins}, watch)[""]),
    }
