"""What stands on Consul: its servers, Vault, the load balancer, deploys; stepped together and sampled as the lab's probes would."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lab.sim.chain.answers import TIMEOUT_MS, Answers
from lab.sim.chain.balancer import Balancer
from lab.sim.chain.consul import Servers
from lab.sim.chain.deploys import EVERY_S as DEPLOY_EVERY_S
from lab.sim.chain.deploys import WRITES, Deploys
from lab.sim.chain.parameters import Costs
from lab.sim.chain.platform import Change, Platform
from lab.sim.chain.pods import EVICTED, RUNNING
from lab.sim.chain.vault import ACTIVE, INSTANCES, LOGIN_WRITES, SEALED, Vault
from lab.sim.chain.watches import Watches

LOOK_EVERY_S = 2
LOGIN_EVERY_S = 3
"""Intervals of the probes of Vault and balancer, and of logins. Source: lab/probes/vault.py, lb.py."""
SESSION_OWNER = -2
"""Vault's session belongs to the node of the second server: pods count from 0, servers below. Chosen: the observer is the first."""
PROBE_WRITES = 1.0
"""Writes a second of the lab's own probe. Source: lab/probes/consul.py."""

LATE = "timed out after 10 s"

Values = Mapping[tuple[str, str], float | None]


@dataclass(slots=True)
class Services:
    """All of them."""

    servers: Servers
    vault: Vault
    balancer: Balancer
    deploys: Deploys
    writes: float = 0.0

    @classmethod
    def at_rest(cls, pods: int, names: int, costs: Costs, chance: np.random.Generator, watches: Watches) -> "Services":
        """Everything passes, the first instance of Vault leads, the balancer holds what the catalog does."""
        servers = Servers.at_rest(pods, names, costs, chance, watches)
        return cls(servers, Vault(costs, chance), Balancer(servers.passing(0.0).copy()), Deploys(chance))

    def step(self, at_s: int, noted: Sequence[tuple[int, str]], changes: Sequence[Change]) -> None:
        """One second, with gossip's news and what became of pods."""
        usual = PROBE_WRITES + LOGIN_WRITES / LOGIN_EVERY_S + WRITES / DEPLOY_EVERY_S
        self.servers.step(at_s, noted, changes, usual + self.writes)
        failed = any(member == SESSION_OWNER and state == "failed" for member, state in noted)
        self.writes = self.vault.step(at_s, self.servers, owner_failed=failed)
        self.balancer.step(at_s, self.servers)

    def samples(self, at_s: int, answers: Answers, platform: Platform) -> Iterator[tuple[Values, str]]:
        """What the probes read at this second, each with the reason for what is missing."""
        servers = self.servers
        yield (
            {
                ("consul_read_ms", "servers"): _in_time(servers.read_ms(at_s)),
                ("consul_write_ms", "servers"): _in_time(servers.write_ms(at_s)),
            },
            LATE,
        )
        if at_s % LOOK_EVERY_S == 0:
            yield {("leader_changes", "servers"): servers.leader_changes}, ""
            yield from self._vault_samples(at_s)
            yield self._balancer_values(at_s, platform), ""
        if at_s % LOGIN_EVERY_S == 0:
            target = INSTANCES[at_s // LOGIN_EVERY_S % len(INSTANCES)]
            yield {("vault_login_ms", target): self.vault.login_ms(at_s, servers)}, LATE
        yield {("lb_answer_ms", "balancer"): self._page_ms(answers, platform)}, LATE
        if at_s % DEPLOY_EVERY_S == 0:
            took_ms, reason = self.deploys.try_one(at_s, self.vault, servers, self.balancer)
            yield {("deploy_ms", "canary"): took_ms}, reason
            yield {("deploys_failed", step): float(count) for step, count in self.deploys.failed.items()}, ""

    def _vault_samples(self, at_s: int) -> Iterator[tuple[Values, str]]:
        for name, status in zip(INSTANCES, self.vault.health(at_s, self.servers), strict=True):
            yield (
                {
                    ("vault_health_code", name): status,
                    ("vault_sealed", name): None if status is None else float(status == SEALED),
                    ("vault_leader", name): None if status is None else float(status == ACTIVE),
                },
                "timed out after 5 s",
            )

    def _balancer_values(self, at_s: int, platform: Platform) -> Values:
        return {
            ("lb_config_age_s", "balancer"): max(0.0, at_s - 1 - self.balancer.alike_s),
            ("lb_config_differs", "balancer"): self.balancer.differs,
            ("lb_backends_live", "balancer"): self.balancer.live(self._answering(platform)),
            ("lb_rerenders", "balancer"): self.balancer.renders,
        }

    def _answering(self, platform: Platform) -> np.ndarray:
        """(K,) of the pods that the balancer knows, those whose containers serve."""
        answering = np.zeros(len(self.balancer.loaded), bool)
        numbers = platform.pods.number[platform.pods.of(RUNNING, EVICTED)]
        answering[numbers[numbers < len(answering)]] = True
        return answering

    def _page_ms(self, answers: Answers, platform: Platform) -> float | None:
        """A page through the balancer, from whichever backend answers; None: none does."""
        if not self.balancer.live(self._answering(platform)):
            return None
        return _in_time(answers.page_ms(platform))


def _in_time(took_ms: float | None) -> float | None:
    return None if took_ms is None or took_ms > TIMEOUT_MS else took_ms
