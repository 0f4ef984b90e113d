"""The lab's own CPU, with Locust apart."""

from probe_fakes import HandClock, values

from lab.probes.lab import LabCpu


def test_the_runner_and_its_children_count_and_locust_counts_apart():
    clock, family = HandClock(), {1: "lab run cascade", 2: "watchdog", 3: "python -m locust -f steady.py"}
    used = {1: 10.0, 2: 1.0, 3: 50.0}
    probe = LabCpu(lambda: family, lambda pids: {pid: used[pid] for pid in pids}, clock)
    assert set(values(probe.sample()).values()) == {None}
    clock.sleep(5)
    used.update({1: 10.1, 2: 1.05, 3: 51.0})
    assert values(probe.sample()) == {("lab_cpu_cores", "lab"): 0.03, ("locust_cpu_cores", "locust"): 0.2}


def test_a_child_that_began_in_between_counts_whole_and_one_that_ended_not_at_all():
    clock, family, used = HandClock(), {1: "lab", 2: "ended"}, {1: 1.0, 2: 9.0}
    probe = LabCpu(lambda: family, lambda pids: {pid: used[pid] for pid in pids}, clock)
    probe.sample()
    clock.sleep(5)
    del family[2]
    family[4], used[4] = "kubectl", 0.5
    assert values(probe.sample()) == {("lab_cpu_cores", "lab"): 0.1, ("locust_cpu_cores", "locust"): 0.0}


def test_a_process_that_one_look_missed_does_not_count_from_zero_at_the_next():
    clock, family, used = HandClock(), {1: "lab"}, {1: 100.0}
    probe = LabCpu(lambda: family, lambda pids: {pid: used[pid] for pid in pids}, clock)
    probe.sample()
    clock.sleep(5)
    del family[1]
    probe.sample()
    clock.sleep(5)
    family[1], used[1] = "lab", 100.2
    assert values(probe.sample())["lab_cpu_cores", "lab"] == 0.04
