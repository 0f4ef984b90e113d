"""kafka-python warns when it is first imported; the adapter imports it quietly, so it goes first."""

import lab.adapters.kafka  # noqa: F401
