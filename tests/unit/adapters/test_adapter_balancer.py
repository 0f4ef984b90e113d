"""The balancer's client against what HAProxy 2.6 says, and the addresses against the manifests."""

import pytest
from adapter_fakes import web
from ruamel.yaml import YAML

from lab.adapters import balancer as adapter
from lab.adapters.balancer import Balancer
from lab.core.errors import Unavailable
from lab.core.paths import project

STATS = b"""# pxname,svname,qcur,status,check_status,last_chk,
app,app-1:app,0,UP,L7OK,Layer7 check passed,
app,app-2:app,0,UP 1/2,* L7TOUT,"Layer7 timeout, at step 1",
app,app-3:app,0,DOWN,L4CON,,
app,BACKEND,0,UP,,,
"""


@pytest.fixture
def server(monkeypatch):
    with web() as state:
        monkeypatch.setattr(adapter, "USERS_PORT", state.port)
        monkeypatch.setattr(adapter, "LAB_PORT", state.port)
        yield state


@pytest.fixture
def balancer(server):
    return Balancer(timeout_s=0.5)


def test_backends_are_named_as_in_the_catalog_and_live_while_they_are_up(server, balancer):
    server.routes["GET /stats;csv"] = (200, STATS)
    assert balancer.backends() == {"app-1:app": True, "app-2:app": True, "app-3:app": False}


def test_a_table_of_another_kind_is_a_failure(server, balancer):
    server.routes["GET /stats;csv"] = (200, b"# pxname,name\napp,a\n")
    with pytest.raises(Unavailable, match="no column 'svname'"):
        balancer.backends()


def test_renderings_are_a_number_or_a_failure(server, balancer):
    server.routes["GET /renders"] = (200, b"17\n")
    assert balancer.renders() == 17
    server.routes["GET /renders"] = (200, b"")
    with pytest.raises(Unavailable, match="it says ''"):
        balancer.renders()


@pytest.mark.parametrize(
    ("answer", "served"),
    [((200, b"/canary/canary-7\n"), True), ((200, b"/canary/canary-6\n"), False), ((404, b""), False), ((503, b"none"), False)],
)
def test_a_canary_is_served_when_it_answers_for_itself(server, balancer, answer, served):
    server.routes["GET /canary/canary-7"] = answer
    assert balancer.serves("canary-7") is served


def test_a_page_that_no_backend_gives_is_a_failure(server, balancer):
    server.routes["GET /healthz"] = (503, b"no server is available")
    with pytest.raises(Unavailable, match="status 503"):
        balancer.page()


def test_the_canarys_address_is_its_services():
    spec = YAML(typ="safe").load((project() / "manifests/core/canary-service.yaml").read_text())["spec"]
    assert (spec["clusterIP"], spec["ports"][0]["port"]) == adapter.CANARY
