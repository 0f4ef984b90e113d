"""The real world: engine, kind cluster, network, shaping, and what can be asked of it."""
