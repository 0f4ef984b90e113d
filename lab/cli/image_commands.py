"""`lab images`: get every image, and say which are here."""

from typing import Annotated

import typer
from rich.table import Table

from lab.cli.console import terminal
from lab.cli.help import GIVEN_UP, examples
from lab.cluster import engine
from lab.core.consul import ConsulVersion
from lab.core.shipper import Shipper
from lab.core.vault import Storage
from lab.images import auto, build, pull, state

images = typer.Typer(
    no_args_is_help=True,
    help="Every image of the lab: get them, list them.",
    epilog=examples("lab images list", "lab images ensure", exits="", see=("lab up",)),
)


def register(app: typer.Typer) -> None:
    """Add the group to the command line."""
    app.add_typer(images, name="images")


@images.command("ensure", epilog=examples("lab images ensure", "lab images ensure --mode pull", exits=GIVEN_UP, see=("lab images list",)))
def ensure(
    mode: Annotated[
        auto.Mode, typer.Option(help="keep what is complete, else pull if a registry answers, else build (auto); or insist")
    ] = "auto",
) -> None:
    """Get what is missing.

    Pulled where a registry answers, else built from package registries. A second call does nothing.
    """
    shown = terminal()
    engine.ensure(shown)
    shown.line(f"images: {auto.ensure(shown, mode)}")


@images.command(
    "build",
    epilog=examples(
        "lab images build",
        "lab images build --clean",
        "lab images build --consul 1.2.3",
        "lab images build --shipper rsyslog",
        "lab images build --vault raft",
        exits=GIVEN_UP,
        see=("lab images list",),
    ),
)
def build_command(
    clean: Annotated[bool, typer.Option(help="build again what is built")] = False,
    consul: Annotated[ConsulVersion | None, typer.Option(help="only this version of Consul; the set holds none but the default")] = None,
    shipper: Annotated[Shipper | None, typer.Option(help="only the image of this shipper; the set holds none but the default's")] = None,
    vault: Annotated[Storage | None, typer.Option(help="only the Vault that keeps its data so; the set holds the one on Consul")] = None,
) -> None:
    """Build every image from package registries.

    Goes on where an interrupted build was. Some 15 minutes on 2 cores.
    """
    single = any(wanted is not None for wanted in (consul, shipper, vault))
    if clean and single:
        raise typer.BadParameter("throws all away, and the others build only one: use one of them", param_hint="--clean")
    shown = terminal()
    engine.ensure(shown)
    if consul is not None:
        build.build_consul(shown, consul)
    if shipper is not None:
        build.build_shipper(shown, shipper)
    if vault is not None:
        build.build_vault(shown, vault)
    if not single:
        build.build_all(shown, clean=clean)


@images.command(
    "pull", epilog=examples("lab images pull", "lab images pull --registry 127.0.0.1:5000", exits=GIVEN_UP, see=("lab images build",))
)
def pull_command(
    registry: Annotated[str, typer.Option(help="HOST:PORT of a registry that holds them; the engine's default if left out")] = "",
) -> None:
    """Pull the official images.

    The lab's node images are baked from them.
    """
    shown = terminal()
    engine.ensure(shown)
    pull.pull_all(shown, registry)


@images.command("list", epilog=examples("lab images list", see=("lab images ensure",)))
def list_command() -> None:
    """List every image: is it here, and where from."""
    shown = terminal()
    table = Table("image", "here", "source", "built from", box=None)
    for row in state.status():
        table.add_row(row.image.tag, "yes" if row.present else "no", row.source, row.image.built_from)
    shown.rich.print(table)
