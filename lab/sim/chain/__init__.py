"""The chain around the gossip pool, at the lab's size: broker, logs, nodes, kubelets, evictions, agents, reads. One step is one second."""
