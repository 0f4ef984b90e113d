"""`lab`: every command, its help, and what its exit code means."""

import signal
import sys

import typer

from lab.cli.console import terminal
from lab.cli.help import examples
from lab.cli.on_demand import OnDemand
from lab.core.errors import Aborted, LabError

EXIT_CODES = (
    """Exit codes: 0 as expected, 1 not as expected, 2 usage or refused, 3 verdict unknown, 4 aborted or interrupted, 5 not healed."""
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
    epilog=f"{EXIT_CODES}\n\n{examples('lab doctor', 'lab up', 'lab run cascade', 'lab down')}",
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
