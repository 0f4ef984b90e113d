"""How a series of the lab is called where Prometheus reads it: base units, full words, one name for each idea."""

from dataclasses import dataclass

PREFIX = "cascade_lab_"

_ENDINGS = (("_per_s", "_per_second", 1.0), ("_ms", "_seconds", 1e-3), ("_s", "_seconds", 1.0))
"""Ending of a series -> ending of the metric, factor. The first that fits counts."""

HELP = {
    "kafka_answer_ms": "Time of a metadata request at the broker.",
    "kafka_end_offset": "End offset of the topic of logs.",
    "shipped_lines_per_s": "Log lines that reached the broker per second.",
    "log_backlog_bytes": "Log bytes of a node written and not yet at the broker.",
    "log_backlog_bytes_max": "The same in the fullest pod.",
    "sidecar_cpu_cores": "Cores used by the logging sidecars of a node.",
    "node_cpu_cores": "Cores used by a node.",
    "node_throttled_ratio": "Share of scheduler periods in which the cap stopped a node.",
    "lease_gap_s": "Time since the kubelet last renewed the lease of its node.",
    "cri_latency_ms": "Time of a call to the container runtime of a node.",
    "nodes_not_ready": "Nodes whose Ready condition is not True.",
    "pods_running": "Workload pods that run.",
    "pods_pending": "Workload pods that wait for a place or a start.",
    "pods_terminating": "Workload pods that are ending.",
    "evictions_total": "Workload pods evicted since the run began.",
    "members_alive": "Members of the gossip pool that are alive.",
    "members_failed": "Members of the gossip pool held for failed.",
    "members_left": "Members that left the gossip pool.",
    "joins_per_s": "Members that joined the gossip pool per second.",
    "gossip_false_positives": "Members held for failed whose process runs.",
    "gossip_missing": "Agents whose process runs and that a server does not hold for alive.",
    "serf_queue_intent": "Queued intents of Serf.",
    "memberlist_health_score": "Health score of memberlist, 0 is well, 8 is worst.",
    "consul_read_ms": "Time of a consistent read at the Consul servers.",
    "consul_write_ms": "Time of a write at the Consul servers.",
    "agent_read_ms": "Time of a read through the own agent of a pod.",
    "leader_changes": "Changes of the leader of Consul since the run began.",
    "members_returned": "Members that came back after they were held for failed, since the run began.",
    "gossip_phantoms": "Members held for alive whose process is gone.",
    "gossip_fp": "Living members that a random agent holds for failed.",
    "gossip_fp_minus": "Living members that a healthy agent holds for failed.",
    "gossip_handoff_dropped": "Messages that the agents of a node threw away as their hand-off queue was full, since their pods began.",
    "vault_health_code": "HTTP status of the health of an instance of Vault: 200 leads, 429 stands by, 503 is sealed.",
    "vault_sealed": "1 if an instance of Vault is sealed.",
    "vault_leader": "1 if an instance of Vault leads.",
    "vault_login_ms": "Time of a login at Vault.",
    "lb_config_age_s": "Time since the backends of the load balancer were those of the catalog.",
    "lb_config_differs": "Backends that only the load balancer or only the catalog has.",
    "lb_backends_live": "Backends of the load balancer that answer.",
    "lb_rerenders": "Times that the configuration of the load balancer was made.",
    "lb_answer_ms": "Time of a page through the load balancer.",
    "deploy_ms": "Time of a canary deploy until its first answer.",
    "deploys_failed": "Canary deploys that failed at a step since the run began.",
}


@dataclass(frozen=True, slots=True)
class Metric:
    """A series as a metric: `value * factor` in the base unit that the name ends with."""

    name: str
    factor: float
    counter: bool
    unit: str
    help: str


def metric_of(series: str) -> Metric:
    """The metric of a series; one that the table of help texts does not know is still exported."""
    told = HELP.get(series, f"The series {series} of the lab.")
    if series.endswith("_total"):
        return Metric(PREFIX + series.removesuffix("_total"), 1.0, counter=True, unit="", help=told)
    ending, word, factor = next(((e, w, f) for e, w, f in _ENDINGS if series.endswith(e)), ("", "", 1.0))
    name = PREFIX + series.removesuffix(ending) + word
    unit = next((unit for unit in ("seconds", "bytes") if name.endswith(f"_{unit}")), "")
    return Metric(name, factor, counter=False, unit=unit, help=told)
