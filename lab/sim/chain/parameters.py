"""What the chain's small models need to know. Timers are the lab's own settings; costs are chosen and not yet fitted to real runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds, as kind-config.yaml and manifests/workload/app.yaml set them.

    Args:
        lease_renew_s: a quarter of nodeLeaseDurationSeconds 8.
        monitor_s: node-monitor-period.
        grace_s: node-monitor-grace-period; a node silent for longer is NotReady.
        toleration_s: tolerationSeconds of the pods; then they are evicted.
        cfs_period_s: scheduler period in which a capped node is throttled. Source: Linux sched-bwc, cpu.cfs_period_us 100,000.
    """

    lease_renew_s: float = 2.0
    monitor_s: float = 2.0
    grace_s: float = 12.0
    toleration_s: float = 10.0
    cfs_period_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Costs:
    """Work, in core seconds, and sizes. All chosen, from the order of magnitude of the lab's runs; these are what a fit would replace.

    Args:
        system_cores: runtime and kubelet of a node at rest.
        pod_cores: a pod at rest. With 10 pods a node then uses 0.15 core, a lab run's 0.23 core of cap over 1.5.
        line_written_s: the app writes one log line.
        line_shipped_s: the sidecar ships it.
        ship_lines_per_s: most that one sidecar ships.
        start_s: a pod's own work until it runs; it asks for `start_cores` of it at a time.
        create_s: runtime's and kubelet's work before that; they ask for at most `create_cores`, one pod after the other.
        start_cores, create_cores: see there.
        traffic_spread: log-normal spread of the traffic of pods, so that nodes differ.
        line_bytes: one log line.
        system_weight: share of a node that the system gets in contention: 1,024 against 98,304 of a 96-core host. Source: lab/cluster/shape.py.
        read_ms: a read through an agent at rest.
        cri_ms: a call to the runtime at rest.
    """

    system_cores: float = 0.05
    pod_cores: float = 0.0103
    line_written_s: float = 50e-6
    line_shipped_s: float = 50e-6
    ship_lines_per_s: float = 1000.0
    start_s: float = 0.5
    create_s: float = 0.3
    start_cores: float = 0.25
    create_cores: float = 0.2
    traffic_spread: float = 0.3
    line_bytes: int = 200
    system_weight: float = 1024 / (1024 + 98_304)
    read_ms: float = 2.2
    cri_ms: float = 60.0
