"""The one table of images: what each is called, how it is pulled, how it is built, and from which parts.

Manifests and kind-config.yaml use these names; they are the same whether an image was pulled or built.
"""

from dataclasses import dataclass

from lab.images import versions


@dataclass(frozen=True, slots=True)
class Image:
    """One image.

    Args:
        name: repository part of the tag, as an official registry has it, or `cascade-lab/...` for our own.
        version: the tag.
        pulled_from: what to ask a registry for; None for images that only we make.
        built_from: one sentence: what goes in when we build it.
        part: the part (lab.images.build) that builds it.
        needs: parts that must be there first.
        on: where it runs: "node" itself, "core" nodes, "app" nodes, or "build" for what only other images need.
    """

    name: str
    version: str
    pulled_from: str | None
    built_from: str
    part: str
    needs: tuple[str, ...]
    on: str

    @property
    def tag(self) -> str:
        """`name:version`."""
        return f"{self.name}:{self.version}"


def _official(name: str, version: str, part: str, needs: tuple[str, ...], on: str, built_from: str) -> Image:
    return Image(name, version, f"{name}:{version}", built_from, part, needs, on)


NODE = f"v{versions.KUBERNETES}"

IMAGES: tuple[Image, ...] = (
    Image("debian", f"{versions.DEBIAN}-slim", None, "debootstrap, minbase, less manuals", "debian", (), "build"),
    Image(
        "cascade-lab/node-base",
        NODE,
        None,
        "Debian's systemd and containerd with kind's own files",
        "node-base",
        ("debian", "go-kind"),
        "build",
    ),
    _official(
        "kindest/node",
        NODE,
        "kindest-node",
        ("node-base", "go-kubernetes", "go-coredns", "go-pause"),
        "node",
        "node-base with Kubernetes, etcd, CoreDNS and pause from Go modules",
    ),
    _official("consul", versions.CONSUL, "consul", ("debian", "go-consul"), "core app", "Go modules with the pins of its release"),
    _official("apache/kafka", versions.KAFKA, "kafka", ("debian", "jars"), "core", "Maven jars by jars.lock on Debian's OpenJDK 17"),
    _official("python", versions.PYTHON, "python", ("debian",), "app", "Debian's Python 3.11"),
    _official("haproxy", versions.HAPROXY, "haproxy", ("debian",), "core", "Debian's HAProxy 2.6"),
    _official("vault", versions.VAULT, "vault", ("debian", "go-vault"), "core", "Go modules with the pins of its release"),
    _official(
        "hashicorp/consul-template",
        versions.CONSUL_TEMPLATE,
        "consul-template",
        ("debian", "go-consul-template"),
        "core",
        "Go modules",
    ),
    Image("cascade-lab/workload", "1", None, "images/workload: app, logger and metrics sidecar", "workload", ("python",), "app"),
    Image(
        "cascade-lab/node-core",
        NODE,
        None,
        "kindest/node with the core's images in its store",
        "node-core",
        ("kindest-node", "kafka", "consul", "vault", "haproxy", "consul-template"),
        "node",
    ),
    Image(
        "cascade-lab/node-app",
        NODE,
        None,
        "kindest/node with the workload's images in its store",
        "node-app",
        ("kindest-node", "workload", "consul"),
        "node",
    ),
)


ON_REQUEST: tuple[Image, ...] = (
    *(
        Image("consul", version, None, f"Go modules with the pins in images/{recipe}", recipe, ("debian", f"go-{recipe}"), "core app")
        for version, recipe in versions.CONSUL_RECIPES.items()
        if version != versions.CONSUL
    ),
    Image(
        "vault",
        versions.VAULT_RAFT,
        None,
        f"Go modules with the pins in images/{versions.VAULT_RAFT_RECIPE}",
        versions.VAULT_RAFT_RECIPE,
        ("debian", f"go-{versions.VAULT_RAFT_RECIPE}"),
        "core",
    ),
    Image("cascade-lab/rsyslog", "1", None, "Debian's rsyslog with omkafka, and images/rsyslog", "rsyslog", ("debian",), "app"),
)
"""Images of single experiments: made when one asks for them, and loaded into the nodes of a running cluster, not into the node images."""


def by_part(part: str) -> Image:
    """The image that a part makes."""
    return next(image for image in (*IMAGES, *ON_REQUEST) if image.part == part)
