"""The lab's network: one Docker bridge in a reserved range, and a static CNI without a daemon.

Each node gets a ptp/host-local configuration of its own range and one route per other node. Nothing of it needs CPU later, so a starved
node still forwards packets. It is written while the nodes boot: a kubelet that finds it is Ready, and starts pods, as soon as it has joined.
"""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from lab.adapters.docker import Docker

SUBNET = "198.18.1.0/24"
PREFIX = 24
"""254 pods for a node, as Kubernetes' own default for IPv4 (`--node-cidr-mask-size`)."""
EXEC_TIMEOUT_S = 60.0
"""Chosen: an exec takes 0.1 s on an idle node and seconds while all nodes boot on 2 cores."""


def ensure(docker: Docker) -> None:
    """Make the bridge if it is missing. kind then uses it by name (`KIND_EXPERIMENTAL_DOCKER_NETWORK`)."""
    docker.ensure_network(SUBNET)


def ranges(nodes: Sequence[str], pods: str) -> dict[str, str]:
    """Node name to the range of its pods: its place among the nodes, in `pods`, the range of all of them.

    Raises:
        ValueError: there are more nodes than ranges.
    """
    held = list(ipaddress.ip_network(pods).subnets(new_prefix=PREFIX))
    if len(nodes) > len(held):
        raise ValueError(f"{pods} holds {len(held)} ranges of /{PREFIX}, and there are {len(nodes)} nodes")
    return {node: str(held[place]) for place, node in enumerate(nodes)}


def connect(docker: Docker, addresses: Mapping[str, str], cidrs: Mapping[str, str], services: str) -> None:
    """Write each node's routes and its CNI configuration; all nodes at once.

    A service's address that kube-proxy does not serve yet is answered with "unreachable". Without that the host swallows the packet, and
    a CoreDNS that starts before kube-proxy has its rules waits 30 s for the API server, and Consul's servers with it for their names.

    Args:
        docker: the engine.
        addresses: node name to its address on the bridge.
        cidrs: node name to the range of its pods.
        services: the range of the services' addresses.
    """

    def one(node: str) -> None:
        routes = [f"ip route replace unreachable {services}"]
        routes += [f"ip route replace {cidr} via {addresses[other]}" for other, cidr in cidrs.items() if other != node]
        script = f"cat > /etc/cni/net.d/10-lab.conflist.new <<'END'\n{conflist(cidrs[node])}\nEND\nmv /etc/cni/net.d/10-lab.conflist.new /etc/cni/net.d/10-lab.conflist\n"
        docker.run_checked(node, ["sh", "-ec", "\n".join([*routes, "mkdir -p /etc/cni/net.d", script])], timeout_s=EXEC_TIMEOUT_S)

    with ThreadPoolExecutor(len(cidrs)) as pool:
        list(pool.map(one, cidrs))


def route(docker: Docker, nodes: Sequence[str], ways: Mapping[str, str]) -> None:
    """Have nodes send what is for other ranges over these addresses; all nodes at once. Idempotent.

    Args:
        docker: the engine.
        nodes: names.
        ways: range to the address on the bridge that it is sent to.
    """
    _on_all(docker, nodes, [f"ip route replace {cidr} via {address}" for cidr, address in ways.items()])


def unroute(docker: Docker, nodes: Sequence[str], cidrs: Sequence[str]) -> None:
    """Have them forget it. Idempotent."""
    _on_all(docker, nodes, [f"ip route del {cidr} 2>/dev/null || true" for cidr in cidrs])


def _on_all(docker: Docker, nodes: Sequence[str], commands: Sequence[str]) -> None:
    with ThreadPoolExecutor(max(1, len(nodes))) as pool:
        list(pool.map(lambda node: docker.run_checked(node, ["sh", "-ec", "\n".join(commands)], timeout_s=EXEC_TIMEOUT_S), nodes))


def conflist(cidr: str) -> str:
    """The CNI configuration of a node whose pods live in `cidr`."""
    ipam = {"type": "host-local", "ranges": [[{"subnet": cidr}]], "routes": [{"dst": "0.0.0.0/0"}], "dataDir": "/run/cni-ipam-state"}
    ptp = {"type": "ptp", "ipMasq": False, "mtu": 1500, "ipam": ipam}
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    return json.dumps({"cniVersion": "0.4.0", "name": "lab", "plugins": [ptp, portmap]}, indent=1)
