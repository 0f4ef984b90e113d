"""The Go programs of the lab as parts: Kubernetes, etcd, kind, CoreDNS, Consul, Vault, pause."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lab.core.paths import project
from lab.images import golang, versions
from lab.images.parts import Bench, Part, files_made, files_present

KUBERNETES = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy", "kubelet", "kubeadm", "kubectl")


def programs() -> list[Part]:
    """Every Go program; the times are those of 2 cores with an empty cache."""
    toolchain = golang.toolchain()
    return [
        _part("kubernetes", _kubernetes, toolchain, 420),
        _part("kind", _kind, toolchain, 30, versions.KIND, recipe=None),
        _part("coredns", _coredns, toolchain, 60),
        _part("consul", _consul, toolchain, 120),
        _part("pause", _pause, toolchain, 3),
        _part("vault", _vault, toolchain, 220),
    ]


def _part(
    name: str, make: Callable[[Bench], dict[str, Any]], toolchain: str, expect_s: float, *settings: str, recipe: str | None = ""
) -> Part:
    files = () if recipe is None else _pins(recipe or name)
    return Part(
        name=f"go-{name}",
        make=make,
        present=files_present,
        files=files,
        settings=(toolchain, *settings),
        expect_s=expect_s,
        last=name == "vault",
    )


def _pins(recipe: str) -> tuple[Path, ...]:
    folder = project() / "images" / recipe
    return tuple(sorted(leaf for leaf in folder.iterdir() if leaf.suffix in {".go", ".mod", ".sum"}))


def _kubernetes(bench: Bench) -> dict[str, Any]:
    major, minor, _ = versions.KUBERNETES.split(".")
    facts = {"gitVersion": f"v{versions.KUBERNETES}", "gitMajor": major, "gitMinor": minor, "gitTreeState": "clean"}
    homes = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    stamped = [f"-X {home}.{name}={value}" for home in homes for name, value in facts.items()]
    packages = [f"k8s.io/kubernetes/cmd/{name}" for name in KUBERNETES] + ["go.etcd.io/etcd/server/v3"]
    return _static(bench, "kubernetes", packages, [*KUBERNETES, "server=etcd"], stamped)


def _kind(bench: Bench) -> dict[str, Any]:
    return files_made(golang.install(bench, f"sigs.k8s.io/kind@v{versions.KIND}", "kind"))


def _coredns(bench: Bench) -> dict[str, Any]:
    return _static(bench, "coredns", ["."], ["coredns"])


def _consul(bench: Bench) -> dict[str, Any]:
    return _static(bench, "consul", ["github.com/hashicorp/consul"], ["consul"])


def _vault(bench: Bench) -> dict[str, Any]:
    return _static(bench, "vault", ["github.com/hashicorp/vault"], ["vault"], flags=["-tags=vault"])


def _pause(bench: Bench) -> dict[str, Any]:
    return _static(bench, "pause", ["."], ["pause"])


def _static(
    bench: Bench, recipe: str, packages: Sequence[str], names: Sequence[str], stamped: Sequence[str] = (), flags: Sequence[str] = ()
) -> dict[str, Any]:
    linked = f"-ldflags=-s -w {' '.join(stamped)}".rstrip()
    return files_made(*golang.build(bench, recipe, packages, names, flags=[linked, *flags]))
