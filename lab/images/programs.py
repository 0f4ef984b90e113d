"""The Go programs of the lab as parts: Kubernetes, etcd, kind, CoreDNS, Consul, Vault, consul-template, pause."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.core.paths import project
from lab.images import golang, versions
from lab.images.parts import Bench, Part, files_made, files_present

KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubeadm", "kubectl")


@dataclass(frozen=True, slots=True)
class Program:
    """What one `go build` makes. All of it goes into the part's key.

    Args:
        recipe: folder below images/ with the module's pins.
        packages: import paths of the main packages.
        names: what `go build` calls the programs, and what they are to be called, as `is` or `is=shall`.
        stamped: package variables set by the linker, `path.name=value`.
        flags: more flags for `go build`.
        expect_s: seconds on 2 cores, cold.
    """

    recipe: str
    packages: tuple[str, ...]
    names: tuple[str, ...]
    stamped: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    expect_s: float = 60.0


def _kubernetes() -> Program:
    major, minor, _ = versions.KUBERNETES.split(".")
    facts = {"gitVersion": f"v{versions.KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    homes = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamped = tuple(f"{home}.{name}={value}" for home in homes for name, value in facts.items())
    # etcd's server in the same module, at the version that Kubernetes' own go.mod names: it shares most packages with the API server.
    packages = (*(f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES), "go.etcd.io/etcd/server/v3")
    return Program("kubernetes", packages, (*KUBERNETES, "server=etcd"), stamped, expect_s=420)


def _consul(version: str, expect_s: float) -> Program:
    """Consul at a version of `versions.CONSUL_RECIPES`. Without the stamp 1.2.2 calls itself "1.2.2-dev"; 1.22.3 has no such variable and no need."""
    recipe = versions.CONSUL_RECIPES[version]
    main = "github.com/hashicorp/consul"
    names = ("consul",) if recipe == "consul" else (f"consul={recipe}",)
    stamped = (f"{main}/version.GitDescribe={version}",) if version.startswith("1.2.") else ()
    return Program(recipe, (main,), names, stamped, expect_s=expect_s)


PROGRAMS = (
    _kubernetes(),
    Program("coredns", (".",), ("coredns",), expect_s=60),
    _consul(versions.CONSUL, expect_s=120),
    Program("pause", (".",), ("pause",), expect_s=3),
    Program("vault", ("github.com/hashicorp/vault",), ("vault",), flags=("-tags=vault",), expect_s=220),
    Program("consul-template", ("github.com/hashicorp/consul-template",), ("consul-template",), expect_s=60),
)


CONSULS = {version: _consul(version, expect_s) for version, expect_s in {"1.2.2-newgossip": 120.0, "1.2.3": 160.0, "1.22.3": 440.0}.items()}
"""Programs that are built on request alone, by version of Consul."""

VAULT_RAFT = Program(
    versions.VAULT_RAFT_RECIPE,
    ("github.com/hashicorp/vault",),
    (f"vault={versions.VAULT_RAFT_RECIPE}",),
    flags=("-tags=vault",),
    expect_s=300.0,
)
"""Built on request alone."""


def consul_program(version: str) -> Part:
    """The Go program of one version of Consul that is built on request."""
    return _part(CONSULS[version], golang.toolchain())


def vault_program() -> Part:
    """The Go program of the Vault that has storage of its own."""
    return _part(VAULT_RAFT, golang.toolchain())


def programs() -> list[Part]:
    """Every Go program as a part, kind included."""
    toolchain = golang.toolchain()
    kind = Part("go-kind", _install_kind, files_present, settings=(toolchain, versions.KIND), expect_s=30)
    return [kind, *(_part(program, toolchain) for program in PROGRAMS)]


def _part(program: Program, toolchain: str) -> Part:
    def make(bench: Bench) -> dict[str, Any]:
        stamped = " ".join(f"-X {word}" for word in program.stamped)
        flags = [f"-ldflags=-s -w {stamped}".rstrip(), *program.flags]
        return files_made(*golang.build(bench, program.recipe, program.packages, program.names, flags=flags))

    settings = (toolchain, *program.packages, *program.names, *program.stamped, *program.flags)
    return Part(f"go-{program.recipe}", make, files_present, (), _pins(program.recipe), settings, program.expect_s)


def _pins(recipe: str) -> tuple[Path, ...]:
    folder = project() / "images" / recipe
    return tuple(sorted(leaf for leaf in folder.iterdir() if leaf.suffix in {".go", ".mod", ".sum"}))


def _install_kind(bench: Bench) -> dict[str, Any]:
    return files_made(golang.install(bench, f"sigs.k8s.io/kind@v{versions.KIND}", "kind"))
