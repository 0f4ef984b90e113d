"""Where an experiment runs, and what each of the two worlds refuses before anything is touched."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from lab.core.consul import Consul
from lab.core.errors import Refused
from lab.core.experiment import Experiment
from lab.core.shipper import DEFAULT_SHIPPER
from lab.core.vault import DEFAULT_STORAGE

KUSTOMIZATION = "kustomization.yaml"
World = Annotated[Literal["kind", "sim"], typer.Option(help="kind: containers of this machine; sim: the simulator, in seconds")]


def refuse_to_simulate(chosen: Experiment) -> None:
    """Only containers can do some fields as they are set.

    Raises:
        Refused: there are such.
    """
    workload = chosen.workload
    wanted = {
        "consul": chosen.consul != Consul(),
        "remedies": bool(chosen.remedies),
        "components": bool(chosen.components),
        "neighbour.pods": chosen.neighbour.pods > 0,
        "workload.agents_per_pod": workload.agents_per_pod > 1,
        "workload.logging": not workload.logging,
        "workload.shipper": workload.shipper != DEFAULT_SHIPPER,
        "vault.storage": chosen.vault.storage != DEFAULT_STORAGE,
    }
    if real := [field for field, there in wanted.items() if there]:
        knows = (
            "the simulator knows one Consul of one agent a pod, one shipper, one cluster, a Vault on Consul, no remedies and no manifests"
        )
        raise Refused(f"simulate {', '.join(real)}", knows, "lab run NAME")


def refuse_on_containers(chosen: Experiment) -> None:
    """Only the simulator has as many agents as are asked for, and what is put over the manifests must be there.

    Raises:
        Refused: `agents` is set, or a folder of `components` holds no kustomization.
    """
    if chosen.agents is not None:
        raise Refused(
            f"run {chosen.agents} agents on containers",
            "only the simulator knows `agents`",
            "lab run NAME --world sim, or --set workload.pods=50",
        )
    for component in chosen.components:
        if not (Path(component) / KUSTOMIZATION).is_file():
            raise Refused(
                f"put the component {component} over the manifests",
                f"there is no {Path(component).resolve() / KUSTOMIZATION}",
                "name a folder that has one of kind Component, such as manifests/mitigations/sidecar-limit",
            )
