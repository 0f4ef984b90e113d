"""`lab`: every command, its help, and what its exit code means."""

import signal
import sys

import typer

from lab.cli.console import terminal
from lab.cli.help import examples
from lab.cli.on_demand import OnDemand
from lab.core.errors import Aborted, LabError
from lab.core.paths import STATE

EXIT_CODES = "0 as expected, 1 not as expected, 2 usage or refused, 3 verdict unknown, 4 aborted or interrupted, 5 not healed"
PLACES = (
    f"Files: runs/UTC-NAME holds a run; ~/.cache/cascade-lab what was downloaded, built and measured; {STATE} what the living cluster needs.",
    "Environment: CASCADE_LAB_CACHE, another folder for the cache. DOCKER_HOST, the engine to use. NO_COLOR, no colours.",
    "The documentation as a site: make docs.",
)

app = typer.Typer(
    name="lab",
    cls=OnDemand,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Target's cascade of January 2019 on real containers: Kafka lost and back, logs flood, nodes starve, pods move, Consul slows.\n\n"
    "Start with: lab doctor, then lab up, then lab run cascade.",
    epilog="\n\n".join([*PLACES, examples("lab doctor", "lab up", "lab run cascade", "lab down", exits=EXIT_CODES)]),
)


@app.callback()
def _lab() -> None:
    pass


INTERRUPTED_BY_CLICK = 130
"""What Typer exits with on Ctrl-C; the lab's own code for it is 4."""


def main() -> None:
    """Run the command line; a `LabError` becomes one message and its exit code."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        app()
    except LabError as error:
        terminal().error(error)
        sys.exit(error.exit_code)
    except SystemExit as ended:
        if ended.code != INTERRUPTED_BY_CLICK:
            raise
        terminal().line("interrupted; see what is left with: lab status")
        sys.exit(Aborted.exit_code)


def _as_interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
