"""Which program carries the pods' log lines to Kafka."""

from typing import Literal

Shipper = Literal["kafka-python", "rsyslog", "rsyslog-daemonset"]
"""kafka-python is the lab's own logging sidecar; rsyslog takes its place in the pod; rsyslog-daemonset is one rsyslog a node, which collects what the
pods write to stdout."""

DEFAULT_SHIPPER: Shipper = "kafka-python"
