"""The table of attention as a page, written from the lines that run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from orderflow.domain.engine.machine import Absent, Machine
from orderflow.domain.workflow.attention import TABLE
from orderflow.domain.workflow.standing import RESTING, Standing, Wait

__all__ = ["attention_page"]

_HEAD = """# What rows wait for

Law D, nothing in limbo: a row is at rest, or by one of these lines it waits for something. `attention` says so of a
row, worklists are views of it, `verify` and the tests ask it of every row. `orderflow diagram --write` makes this page
from the table.

- *listed*: somebody is to do something; one of the commands leads on.
- *moving*: the shop's next round takes it ahead, unless something refuses that, which the worklist says.
- *due*: a time; from then on it is listed.
- *elsewhere*: other rows say what they wait for.

Effects that were given up are listed as well, on `dead_letters`, whatever the state of their row. Each section names
the states in which a row for which no line holds is at rest. Rows of other kinds are always at rest."""

_IS = {Standing.DUE: "due, then listed"}


def attention_page(machines: Iterable[Machine]) -> str:
    """The table as Markdown, a section for each kind of row."""
    return "\n".join([_HEAD, *[line for machine in machines for line in _section(machine)], ""])


def _section(machine: Machine) -> Iterator[str]:
    waits = TABLE.get(machine.kind, ())
    if not waits:
        return
    states = [state for state in machine.states if state is not Absent]
    resting = ", ".join(state.__name__ for state in states if state.__name__ in RESTING[machine.kind])
    yield from ("", f"## {machine.kind}", "", f"May be at rest: {resting}.", "")
    yield from ("| state | when | is | worklist | reason | commands |", "|---|---|---|---|---|---|")
    yield from (_row(wait, states) for wait in waits)


def _row(wait: Wait, states: list[Any]) -> str:
    commands = [command.__name__ for command in wait.commands]
    cells = (
        _states(wait, states),
        wait.condition,
        _IS.get(wait.standing, wait.standing.value),
        f"`{wait.worklist}`" if wait.worklist else "",
        f"`{wait.code}`: {wait.message.replace('{command}', ''.join(commands[:1]))}",
        ", ".join(commands),
    )
    return f"| {' | '.join(cells)} |"


def _states(wait: Wait, states: list[Any]) -> str:
    named = [state.__name__ for state in states if wait.of(state)]
    others = [state.__name__ for state in states if not wait.of(state)]
    if len(others) > 1:
        return ", ".join(named)
    return f"any but {others[0]}" if others else "any"
