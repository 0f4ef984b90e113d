"""What the chain's small models need to know: timers are the lab's own settings; costs are chosen here, and fitted in lab/sim/fit."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds, as kind-config.yaml and manifests/workload/app.yaml set them.

    Args:
        lease_renew_s: a quarter of nodeLeaseDurationSeconds 8.
        lease_timeout_s: of a renewal: nodeStatusUpdateFrequency again.
        status_s: nodeStatusUpdateFrequency.
        status_timeout_s: of all that a status needs. Chosen: what runtimeRequestTimeout gives the calls to the runtime in it, so that it plays no part.
        monitor_s: node-monitor-period.
        grace_s: node-monitor-grace-period; a node silent for longer is NotReady.
        toleration_s: tolerationSeconds of the pods; then they are evicted.
        cri_every_s: interval of the lab's probe of the runtime.
        cri_timeout_ms: its time-out.
    """

    lease_renew_s: float = 2.0
    lease_timeout_s: float = 4.0
    status_s: float = 4.0
    status_timeout_s: float = 120.0
    monitor_s: float = 2.0
    grace_s: float = 12.0
    toleration_s: float = 10.0
    cri_every_s: int = 4
    cri_timeout_ms: float = 10_000.0


@dataclass(frozen=True, slots=True)
class Costs:
    """Work in core seconds, shares, and latencies in milliseconds.

    Chosen by order of magnitude and by eye on real runs of 35 pods. A calibration (calibration.json, `lab calibrate --sim`) takes the place of most of
    them, with intervals; what runs do not show stays as chosen.

    Args:
        system_cores: runtime and kubelet of a node at rest.
        pod_cores: a pod at rest, without the log lines it writes and ships.
        starved_pod_cores: the same on a full node, where every turn is cut into pieces and calls time out and are made again.
        line_written_s: the app writes one log line.
        line_shipped_s: the sidecar ships it; a sidecar has one thread, so it ships at most 1 / line_shipped_s lines a second.
        message_s: an agent sends or takes one gossip packet. Not seen at 35 agents; chosen as in lab/sim/constants.py: 20 us.
        create_s: the runtime's work to make a pod's containers; all pods of a node at once.
        stop_s: its work until the containers of a pod that is ended get their signal.
        remove_s: its work from then until they are gone.
        start_s: a pod's own work until it runs; it asks for `start_cores` of it at a time.
        start_cores: see there.
        calibration_excess: use of a node while the cap is measured, over its use at rest: agents and loggers have just started then.
        system_share: share of a full node's cap that reaches kubelet and runtime. Their weight alone would give 1,024 / 99,328 = 0.01
            (lab/cluster/shape.py); a scheduler that favours those who wake up gives more.
        lease_call_s: median time that the renewal of a lease takes a kubelet with half of the CPU it needs.
        status_call_s: the same for the status of the node, which is several calls, to the runtime too.
        call_spread: log-normal spread of both.
        throttle_power: throttled share of scheduler periods = load ** throttle_power.
        read_ms, read_spread: median and log-normal spread of a read through an agent on a node that is not full.
        starved_read_ms, starved_read_spread: the same on a full node.
        page_ms, page_spread: a user's request on a node that is not full.
        starved_page_ms, starved_page_spread: the same on a full node.
        cri_ms, cri_spread: a call to the runtime at rest.
        starved_cri_ms, starved_cri_spread: the same on a full node.
        turn_ms, turn_spread: how long an agent on a full node waits until it runs. Chosen so that false positives come as in real runs.
        write_ms, write_spread: a write to Consul's leader at rest, of which the leader's loop needs one a change.
        server_read_ms, server_read_spread: a consistent read at the servers.
        raft_writes_per_s: most that raft commits. Chosen: a quarter of the 3,780/s that HashiCorp measured on three servers of 8 cores
            (consul bench/results-0.7.1.md), as the lab's servers share 0.4 core; the figure of Target's servers is not known.
        core_cores: the core node at rest: Kafka, Consul's servers, Vault, balancer. Source: runs of 35 pods on containers, with watches and without.
        watch_answer_s: a server answers one blocking query of an agent. Chosen by eye on a cascade of 35 pods with 20 watches each, whose reads at the
            servers took 1.1 s on average in the flood and 2.6 s after it.
        login_ms: Vault's own work in a login. Chosen: a fast hash and a token.
        line_bytes: one log line. Source: images/workload/app.py LINE_BYTES.
        lines_per_request: Source: images/workload/app.py LINES_PER_REQUEST.
    """

    system_cores: float = 0.02
    pod_cores: float = 0.0058
    starved_pod_cores: float = 0.008
    line_written_s: float = 20e-6
    line_shipped_s: float = 180e-6
    message_s: float = 20e-6
    create_s: float = 0.5
    stop_s: float = 0.06
    remove_s: float = 0.4
    start_s: float = 0.3
    start_cores: float = 0.25
    calibration_excess: float = 1.3
    system_share: float = 0.05
    lease_call_s: float = 2.0
    status_call_s: float = 10.0
    call_spread: float = 1.0
    throttle_power: float = 2.5
    read_ms: float = 4.0
    read_spread: float = 0.85
    starved_read_ms: float = 500.0
    starved_read_spread: float = 1.28
    page_ms: float = 35.0
    page_spread: float = 0.5
    starved_page_ms: float = 140.0
    starved_page_spread: float = 1.0
    cri_ms: float = 1.5
    cri_spread: float = 1.2
    starved_cri_ms: float = 320.0
    starved_cri_spread: float = 2.1
    turn_ms: float = 300.0
    turn_spread: float = 1.28
    write_ms: float = 6.5
    write_spread: float = 0.38
    server_read_ms: float = 2.9
    server_read_spread: float = 0.3
    raft_writes_per_s: float = 1000.0
    core_cores: float = 0.16
    watch_answer_s: float = 1e-3
    login_ms: float = 10.0
    line_bytes: int = 200
    lines_per_request: int = 20
