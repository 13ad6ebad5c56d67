"""What the table of attention names helps: no row is told to wait for a command that its state never takes."""

from __future__ import annotations

from typing import Any

import pytest

from orderflow.domain.engine.machine import Absent
from orderflow.domain.workflow.attention import TABLE
from orderflow.domain.workflow.standing import Standing, Wait
from orderflow.domain.workflow.table import standard_workflow

WORKFLOW = standard_workflow()


def states_of(kind: str) -> list[type[Any]]:
    """The states that rows of a kind come to."""
    return [state for state in WORKFLOW.machines[kind].states if state is not Absent]


LINES = [
    (kind, wait, state)
    for kind, waits in TABLE.items()
    for wait in waits
    for state in states_of(kind)
    if wait.of(state) and wait.standing is not Standing.ELSEWHERE
]


@pytest.mark.parametrize(
    "kind, wait, state", LINES, ids=[f"{kind}-{wait.code}-{state.__name__}" for kind, wait, state in LINES]
)
def test_a_command_that_is_named_is_taken(kind: str, wait: Wait, state: type[Any]) -> None:
    """In each state that a line speaks of: one of its commands at least is a rule's there, or begins at another row."""
    helps = [
        command
        for command in wait.commands
        if WORKFLOW.kind_of[command] != kind or WORKFLOW.machines[kind].rule_for(state, command)
    ]
    assert helps, f"{state.__name__} waits by {wait.code!r} for {[command.__name__ for command in wait.commands]}"


@pytest.mark.parametrize(
    "kind, wait, state",
    [line for line in LINES if line[1].standing is Standing.MOVING],
    ids=[f"{kind}-{wait.code}-{state.__name__}" for kind, wait, state in LINES if wait.standing is Standing.MOVING],
)
def test_what_moves_by_itself_has_a_rule(kind: str, wait: Wait, state: type[Any]) -> None:
    """The first command of a line that moves is what the next round sends: it is taken in each of its states."""
    command = wait.commands[0]
    assert WORKFLOW.kind_of[command] != kind or WORKFLOW.machines[kind].rule_for(state, command)


def test_every_command_of_the_table_is_taken_somewhere() -> None:
    """None is named in vain: of its own kind, in one state at least that the line speaks of."""
    for kind, waits in TABLE.items():
        for wait in waits:
            speaks_of = [state for state in states_of(kind) if wait.of(state)]
            assert speaks_of, f"{kind}: no state waits by {wait.code!r}"
            for command in wait.commands:
                taken = any(WORKFLOW.machines[kind].rule_for(state, command) for state in speaks_of)
                assert taken or WORKFLOW.kind_of[command] != kind, f"{wait.code!r} names {command.__name__} in vain"
