"""The only door out: shell, docker, kube, kafka, consul, clock. Foreign exceptions are translated here, once."""
