"""The balancer's probes: how old what it has loaded is, and what is behind it."""

from probe_fakes import HandClock, reasons, silent, values

from lab.probes.lb import BalancerProbe, balancer_answers


class Platform:
    """Balancer and catalog in one."""

    def __init__(self):
        self.clock = HandClock()
        self.loaded = {"a:app": True, "b:app": True}
        self.made = 3
        self.catalog = {"a:app", "b:app"}
        self.probe = BalancerProbe(self, self, self.clock)

    def page(self):
        self.clock.sleep(0.006)

    def backends(self):
        return self.loaded

    def renders(self):
        return self.made

    def passing(self, service):
        assert service == "app"
        return self.catalog

    def sample(self, after_s=2.0):
        self.clock.sleep(after_s)
        return self.probe.sample()


def age(readings):
    return values(readings)["lb_config_age_s", "balancer"]


def test_while_both_sides_are_alike_the_configuration_is_new():
    assert values(Platform().sample()) == {
        ("lb_config_age_s", "balancer"): 0.0,
        ("lb_config_differs", "balancer"): 0.0,
        ("lb_backends_live", "balancer"): 2.0,
        ("lb_rerenders", "balancer"): 3.0,
    }


def test_a_change_that_is_not_loaded_ages_it_from_the_last_time_they_were_alike():
    rig = Platform()
    rig.sample()
    rig.catalog = {"b:app", "c:app"}
    assert [age(rig.sample()) for _ in range(3)] == [2.0, 4.0, 6.0]
    assert values(rig.sample())["lb_config_differs", "balancer"] == 2.0
    rig.loaded = {"b:app": True, "c:app": True}
    assert age(rig.sample()) == 0.0


def test_backends_count_as_live_only_while_they_answer():
    rig = Platform()
    rig.loaded = {"a:app": True, "b:app": False}
    assert values(rig.sample())["lb_backends_live", "balancer"] == 1.0


def test_a_catalog_that_does_not_answer_lets_the_configuration_grow_old():
    rig = Platform()
    rig.sample()
    rig.passing = silent
    found = rig.sample()
    assert age(found) == 2.0
    assert reasons(found)["lb_config_differs", "balancer"] == "timed out after 2 s"
    assert values(found)["lb_backends_live", "balancer"] == 2.0


def test_a_balancer_that_does_not_answer_is_a_gap_and_its_configuration_grows_old():
    rig = Platform()
    rig.sample()
    rig.backends = silent
    found = rig.sample(7.0)
    assert age(found) == 7.0
    assert values(found)["lb_backends_live", "balancer"] is None
    assert values(found)["lb_rerenders", "balancer"] is None


def test_what_was_never_alike_has_no_age():
    rig = Platform()
    rig.catalog = set()
    assert reasons(rig.sample())["lb_config_age_s", "balancer"] == "never seen to be the catalog's yet"


def test_a_page_through_the_balancer_is_timed():
    rig = Platform()
    assert round(values(balancer_answers(rig, rig.clock).sample())["lb_answer_ms", "balancer"], 6) == 6.0
