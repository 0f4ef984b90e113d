"""Which program carries the pods' log lines to Kafka."""

from typing import Literal

Shipper = Literal["kafka-python", "rsyslog"]
"""kafka-python is the lab's own logging sidecar; rsyslog takes its place in the pod."""

DEFAULT_SHIPPER: Shipper = "kafka-python"
