"""Explaining: a decision made on the rows as they stand, and thrown away."""

from __future__ import annotations

from typing import Any

from orderflow.domain.engine.decide import Envelope, Flow, Read, ask, decide_command
from orderflow.domain.engine.workflow import Workflow
from orderflow.errors import InputError, Refusal
from orderflow.flows.handle import faults_in


def explain(workflow: Workflow, envelope: Envelope) -> Flow[tuple[Refusal, ...]]:
    """Every reason why a command would be refused now, by its row or by one that it would tell; changes nothing.

    If a row itself refuses, what it would have told others is not known.

    Raises:
        InputError: the command is malformed, or only the library may send it.
    """
    faults = faults_in(workflow, envelope)
    if faults:
        raise InputError(faults)
    refusals: list[Refusal] = []
    decision = decide_command(workflow, envelope, refusals)
    rows: Any = None
    try:
        while True:
            request: Any = decision.send(rows)
            rows = yield from ask(Read(request.keys))
    except StopIteration:
        return tuple(refusals)
