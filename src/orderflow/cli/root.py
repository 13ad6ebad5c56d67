"""The group of all commands. Each lives in a module of its own, loaded when it is called."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import click

from orderflow import __version__
from orderflow.errors import OrderFlowError


class Listed(NamedTuple):
    """A command: the module and name it is found under, and the line that the help shows."""

    module: str
    name: str
    help: str


COMMANDS: Final[Mapping[str, Listed]] = {
    "run": Listed("orderflow.cli.run", "run", "Take a file of orders through all six steps."),
    "show": Listed(
        "orderflow.cli.show", "show", "Show an order, parcel, invoice, payment or return, and what it waits for."
    ),
    "orders": Listed("orderflow.cli.lists", "orders", "List orders, filtered."),
    "worklist": Listed("orderflow.cli.lists", "worklist", "List what is waiting for somebody, with the reasons."),
    "requeue": Listed("orderflow.cli.requeue", "requeue", "Have effects that were given up sent again."),
    "discard": Listed("orderflow.cli.requeue", "discard", "Close an effect that was given up."),
    "customers": Listed("orderflow.cli.customers", "customers", "Find customers by name, reading, phone or mail."),
    "customer": Listed("orderflow.cli.customers", "customer", "Show a customer: orders, balance, open invoices."),
    "stock": Listed("orderflow.cli.lists", "stock", "Show stock levels by SKU and location."),
    "history": Listed("orderflow.cli.show", "history", "Show every event of one row, such as an invoice."),
    "diagram": Listed("orderflow.cli.diagram", "diagram", "Print the state machines, or write them as pages."),
    "verify": Listed("orderflow.cli.verify", "verify", "Check a database against the invariants."),
    "doctor": Listed("orderflow.cli.doctor", "doctor", "Show storage settings, whether they are safe, and what waits."),
}


class _Commands(click.Group):
    """A group that imports a command's module when the command is called, not before."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order the help shows them."""
        return [*COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, whose module is imported here; None if there is no command of that name."""
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        command: click.Command = getattr(import_module(listed.module), listed.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands in the help, without importing their modules."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.help) for name, listed in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; what the library or the system refuses becomes one sentence on stderr and exit status 1."""
        try:
            return super().invoke(ctx)
        except OrderFlowError as error:
            raise click.ClickException(str(error)) from error
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(_sentence(error)) from error


def _sentence(error: OSError) -> str:
    """What the system refused, and the file concerned."""
    reason = error.strerror or str(error)
    return f"{error.filename}: {reason}" if error.filename else reason


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="orderflow")
def root() -> None:
    """Order processing: run files of orders, look at a shop's database, and check it.

    Exit status: 0 done, 1 refused, not found or violations found, 2 wrong usage.
    """
