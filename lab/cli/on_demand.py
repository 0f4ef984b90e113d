"""Commands whose module is loaded when they are called: a simulated run then needs neither the clients of an engine nor those of a cluster."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

MODULES: Mapping[str, str] = {
    "images": "image_commands",
    "doctor": "cluster_commands",
    "up": "cluster_commands",
    "down": "cluster_commands",
    "status": "cluster_commands",
    "heal": "cluster_commands",
    "calibrate": "calibrate_commands",
    "run": "run_commands",
    "watch": "watch_command",
    "sweep": "sweep_commands",
    "judge": "run_commands",
    "report": "run_commands",
    "why": "reading_commands",
    "diff": "reading_commands",
    "export": "reading_commands",
    "serve": "reading_commands",
    "experiments": "experiment_commands",
    "validate": "validate_commands",
    "compare-worlds": "compare_commands",
    "pool": "pool_commands",
}
"""Command -> the module of this package that registers it, in the order in which help lists them. A new command is one line here."""


class OnDemand(TyperGroup):
    """The commands of `MODULES`. Help loads them all, a call only its own."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names."""
        return list(dict.fromkeys([*MODULES, *super().list_commands(ctx)]))

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command, its module loaded; None if there is none of that name."""
        if cmd_name in MODULES and cmd_name not in self.commands:
            part = typer.Typer(rich_markup_mode=None)
            import_module(f"lab.cli.{MODULES[cmd_name]}").register(part)
            self.commands[cmd_name] = get_group(part).commands[cmd_name]
        return super().get_command(ctx, cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """As the base does; a wrong name loads all, so that the nearest right one can be named."""
        if args and args[0] not in MODULES:
            for name in MODULES:
                self.get_command(ctx, name)
        return super().resolve_command(ctx, args)
