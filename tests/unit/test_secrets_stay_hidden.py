"""No secret of the lab in anything that a run writes down, not even where every part that is given one says it back.

What a real run leaves is looked through by tests/cluster/test_secrets.py.
"""

import json

from pydantic import SecretStr

from lab.adapters.plain_http import Answer
from lab.checkers.judge import judge
from lab.cluster.gossip_key import gossip_file
from lab.core.errors import Unavailable
from lab.core.history import HISTORY_FILE, History, HistoryWriter
from lab.core.secrets import Deployer, VaultKeys
from lab.probes.deploys import DeployProbe, Held
from lab.probes.vault import VaultLogins, VaultProbe
from lab.report.page import render
from lab.runner.recorder import Recorder
from lab.runner.sampling import Asker
from tests import histories
from tests.fakes import FakeClock

MARK = "s3cr3t"
DEPLOYER = Deployer(role_id=SecretStr(f"{MARK}-role"), secret_id=SecretStr(f"{MARK}-secret"))
KEYS = VaultKeys(unseal_key=SecretStr(f"{MARK}-key"), root_token=SecretStr(f"{MARK}-root"), deployer=DEPLOYER)
TOKEN = SecretStr(f"{MARK}-token")


class Platform:
    """Says back all that it holds, in every answer and in every failure, as far as the types let it."""

    name = "vault-0"

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.held = [KEYS, DEPLOYER, TOKEN]

    def _act(self, step: str) -> None:
        if step == self.fails:
            raise Unavailable(f"{step} with {self.held}", f"refused {self.held!r} {self.held[-1]}")

    def health(self) -> "Platform":
        self._act("health")
        return self

    status = 200
    sealed = False

    def login(self, deployer: Deployer) -> SecretStr:
        self.held.append(deployer)  # type: ignore[arg-type]
        self._act("token")
        return TOKEN

    def revoke(self, token: SecretStr) -> None:
        self.held.append(token)
        self._act("revoke")

    def register(self, instance: str, service: str, address: tuple[str, int]) -> None:
        self._act("register")

    def deregister(self, instance: str) -> None:
        self._act("deregister")

    def serves(self, canary: str) -> bool:
        self._act("serve")
        return True


def probes(platform: Platform) -> list:
    clock = FakeClock()
    return [
        VaultProbe([platform]),
        VaultLogins([platform], DEPLOYER, clock),
        DeployProbe([platform], DEPLOYER, platform, platform, ("198.19.192.90", 8090), clock),
    ]


def test_no_secret_is_in_the_history_the_verdict_or_the_report_of_a_run(tmp_path) -> None:
    path = tmp_path / HISTORY_FILE
    recorder = Recorder(HistoryWriter(path, FakeClock()))
    steps = ("", "health", "token", "register", "serve", "deregister", "revoke")
    for step in steps:
        for probe in probes(Platform(step)):
            Asker(probe, recorder).ask(late=False)
    told = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len([line for line in told if line.get("reason", "").startswith("failed at")]) == 5
    story = histories.platform()
    for line in told:
        story.add(100.0, "sample", **{name: line[name] for name in line if name not in ("seq", "at_s", "kind", "cause")})
    history: History = story.history()
    found = judge(history, histories.requests())
    for text in (path.read_text(encoding="utf-8"), found.to_json(), render(history, found)):
        assert MARK not in text


def test_no_repr_of_what_holds_a_secret_shows_it() -> None:
    platform = Platform()
    gossip = gossip_file(SecretStr(f"{MARK}-gossip"), verify=True)
    shown = [
        KEYS,
        DEPLOYER,
        TOKEN,
        Held(platform, TOKEN),
        Answer(200, f"{MARK}".encode()),
        gossip,
        {"gossip.json": gossip},
        *probes(platform),
    ]
    assert MARK in gossip.get_secret_value()
    assert MARK not in f"{shown!r}{[str(one) for one in shown]}"


def test_a_secret_that_does_slip_through_would_be_found() -> None:
    assert MARK in TOKEN.get_secret_value()
    assert MARK in repr(Unavailable("log in", DEPLOYER.role_id.get_secret_value()))
