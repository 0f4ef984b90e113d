"""The Kafka client of both sidecars: kafka-python's producer, without the parts of the package that they never use.

Importing `kafka` runs its `__init__`, which brings the admin and consumer clients too: 50 ms of CPU, paid 2 times in each pod.
An empty package of that name, made first, leaves the producer as it is and skips the rest.
"""

import gc
import logging
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec

gc.disable()  # the import makes 100,000 objects that stay; looking for garbage among them costs a tenth of its time
_whole = PathFinder.find_spec("kafka")
_bare = ModuleSpec("kafka", None, is_package=True)
_bare.submodule_search_locations = _whole.submodule_search_locations
sys.modules["kafka"] = module_from_spec(_bare)

from kafka.errors import KafkaError  # noqa: E402 (after the empty package, or it is of no use)
from kafka.net.compat import KafkaNetClient  # noqa: E402
from kafka.producer.kafka import KafkaProducer  # noqa: E402

gc.freeze()
gc.enable()
logging.getLogger("kafka").setLevel(logging.ERROR)  # its warnings, ten a second while Kafka is away, would load the container runtime

DAY_MS = 24 * 3600 * 1000
"""As good as never: nothing may expire over an outage of minutes, and a line that has expired would have to be read again anyway."""

NOT_READY_MS = 100
"""The client's own `retry_backoff_ms`: how long it waits after an error. A socket that becomes ready ends the wait at once."""


class PatientClient(KafkaNetClient):
    """The client's network side, less a busy loop that burns a whole core in every pod while Kafka is away.

    Source: kafka-python 3.0.12 producer/sender.py `_send_producer_data` polls for `connection_delay(node)` milliseconds when lines wait
    and the broker's connection is not ready; net/manager.py gives seconds, and 0 while a connection is opened or has five requests out.
    Measured: 1.0 core over a freeze; with this 0.01.
    """

    def connection_delay(self, node_id: int) -> float:
        """Milliseconds, as its caller expects, and never none."""
        return max(super().connection_delay(node_id) * 1000, NOT_READY_MS)


def producer() -> KafkaProducer:
    """A producer that waits for Kafka for as long as it takes; returns once Kafka has answered.

    Chosen against the client's defaults: no idempotence (with it 3.0.12 stays stuck after a freeze that outlasts a time-out, so a
    resent batch may double lines: they are counted), time-outs of a day, and no client metrics, which nothing reads.
    All else, back-off and batch size too, is what the client does by itself: the flood is its default behaviour.
    """
    while True:
        try:
            return KafkaProducer(
                bootstrap_servers=os.environ.get("KAFKA", "kafka:9092"),
                client_id=os.environ.get("POD_NAME", "nopod"),
                acks="all",
                enable_idempotence=False,
                delivery_timeout_ms=DAY_MS,
                max_block_ms=DAY_MS,
                metrics_enabled=False,
                kafka_client=PatientClient,
            )
        except KafkaError as away:
            print(f"Kafka does not answer yet: {away}", file=sys.stderr, flush=True)
