"""Deploys: every few seconds one, through Vault, the catalog and the balancer, and the step at which it failed.

Time until the first answer = login + write to the catalog + quiescence of the balancer's template (1 s to 3 s) + half a poll, and as long as the
template has not reached Consul. A step that finds no
leader, or takes longer than it may, fails the deploy; so does an instance that is not served 15 s after the begin.

Sources: lab/probes/deploys.py (steps, 4 s, 15 s, poll 0.25 s), manifests/core/balancer-config.yaml.
"""

from dataclasses import dataclass, field

import numpy as np

from lab.sim.chain.balancer import QUIET_MAX_S, QUIET_S, Balancer
from lab.sim.chain.consul import Servers
from lab.sim.chain.vault import LOGIN_WRITES, Vault

STEPS = ("token", "register", "serve", "deregister", "revoke")
EVERY_S = 4
GIVE_UP_MS = 15_000.0
STEP_TIMEOUT_MS = 5_000.0
POLL_MS = 250.0
WRITES = LOGIN_WRITES + 4
"""Of one deploy: login, register, deregister, revoke (two). Chosen from the probe's steps."""


@dataclass(slots=True)
class Deploys:
    """One deploy after the other."""

    chance: np.random.Generator
    failed: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STEPS, 0))

    def try_one(self, at_s: int, vault: Vault, servers: Servers, balancer: Balancer) -> tuple[float | None, str]:
        """Milliseconds until the first answer, or None and why."""
        took_ms, step = self._went(at_s, vault, servers, balancer)
        if step is None:
            return took_ms, ""
        self.failed[step] += 1
        return None, f"failed at {step}: too late or nobody answers"

    def _went(self, at_s: int, vault: Vault, servers: Servers, balancer: Balancer) -> tuple[float, str | None]:
        login_ms = vault.login_ms(at_s, servers)
        if login_ms is None or login_ms > STEP_TIMEOUT_MS:
            return 0.0, "token"
        write_ms = servers.write_ms(at_s)
        if write_ms is None or write_ms > STEP_TIMEOUT_MS:
            return 0.0, "register"
        quiet_ms = 1000 * float(self.chance.uniform(QUIET_S, QUIET_MAX_S))
        stale_ms = 1000 * max(0.0, at_s - balancer.reached_s)
        took_ms = login_ms + write_ms + quiet_ms + stale_ms + POLL_MS / 2
        return (took_ms, None) if took_ms <= GIVE_UP_MS else (0.0, "serve")
