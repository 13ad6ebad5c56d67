"""Every state against every command: the machine does what its table says.

This works for your own machines as for ours: give a state of each class and a command of each class::

    def test_every_pair():
        assert not all_pairs(MACHINE, STATES, COMMANDS, STAMP).guarded
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from orderflow.domain.engine.machine import ABSENT, Machine
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import CommandRefused, Refusal

__all__ = ["Pairs", "PairsBroken", "all_pairs", "fold"]


class PairsBroken(AssertionError):
    """A pair of state and command does not do what the table says."""


@frozen
class Pairs:
    """The outcomes for the pairs of state class and command class.

    Args:
        stepped: pairs in which a sample took an arrow of the table.
        guarded: pairs that have a rule, but whose guards refused every sample; (state, command) to their codes.
        refused: pairs that have no rule, and whose command was refused for that reason.
    """

    stepped: frozenset[tuple[type[Any], type[Any]]]
    guarded: Mapping[tuple[type[Any], type[Any]], tuple[str, ...]]
    refused: frozenset[tuple[type[Any], type[Any]]]


def all_pairs(machine: Machine, states: Iterable[Any], commands: Iterable[Any], stamp: Stamp) -> Pairs:
    """Try every command in every state, including ``ABSENT``, the one before the first event.

    Raises:
        PairsBroken: a class in the table has no sample, a command without a rule was accepted, or refused for another
            reason, ``explain`` and ``step`` disagree, an event left the table, or a state was changed in place.
    """
    tried_states, tried_commands = (ABSENT, *states), tuple(commands)
    _complete(machine, tried_states, tried_commands)
    stepped: set[tuple[type[Any], type[Any]]] = set()
    refused: set[tuple[type[Any], type[Any]]] = set()
    guarded: dict[tuple[type[Any], type[Any]], tuple[str, ...]] = {}
    for state in tried_states:
        for command in tried_commands:
            pair = (type(state), type(command))
            before = hash(state)
            codes = _codes(machine, state, command, stamp)
            _check(hash(state) == before, pair, "changed the state in place")
            if machine.rule_for(*pair) is None:
                _check(codes == (_no_rule(state),), pair, f"has no rule, yet ended as {codes or 'a step'}")
                refused.add(pair)
            elif codes:
                guarded[pair] = codes
            else:
                stepped.add(pair)
    only_guarded = {pair: codes for pair, codes in guarded.items() if pair not in stepped}
    return Pairs(frozenset(stepped), only_guarded, frozenset(refused))


def fold(machine: Machine, events: Iterable[Any], state: Any = ABSENT) -> Any:
    """The state that ``events`` lead to, oldest first, as replaying a row's journal does."""
    for event in events:
        state = machine.evolve(state, event)
    return state


def _complete(machine: Machine, states: tuple[Any, ...], commands: tuple[Any, ...]) -> None:
    missing = (set(machine.states) - set(map(type, states))) | (set(machine.commands) - set(map(type, commands)))
    if missing:
        raise PairsBroken(f"{machine.kind}: no sample of {', '.join(sorted(item.__name__ for item in missing))}")


def _codes(machine: Machine, state: Any, command: Any, stamp: Stamp) -> tuple[str, ...]:
    """The codes of the refusal; empty if the command took an arrow of the table."""
    pair = (type(state), type(command))
    explained = machine.explain(state, command, stamp)
    try:
        event, after = machine.step(state, command, stamp)
    except CommandRefused as refusal:
        _check(refusal.refusals == explained and bool(explained), pair, "step and explain disagree")
        return refusal.codes
    _check(not explained, pair, f"explain says {_said(explained)}, but step accepted it")
    arrow = (*pair, type(event), type(after))
    _check(arrow in set(machine.edges()), pair, f"led to {type(after).__name__}, which is not in the table")
    return ()


def _no_rule(state: Any) -> str:
    return "not_found" if state is ABSENT else "not_now"


def _said(refusals: tuple[Refusal, ...]) -> str:
    return "; ".join(map(str, refusals))


def _check(holds: bool, pair: tuple[type[Any], type[Any]], what: str) -> None:  # noqa: FBT001 - it is the condition
    if not holds:
        raise PairsBroken(f"{pair[1].__name__} in state {pair[0].__name__} {what}")
