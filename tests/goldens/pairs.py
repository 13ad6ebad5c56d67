"""Every state of every machine against every command, from the samples of ``tests/model/test_all_pairs.py``."""

from __future__ import annotations

import importlib.util
from collections import Counter, deque
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

from house import ABSENT
from outcomes import told

SAMPLES = Path(__file__).resolve().parents[1] / "model" / "test_all_pairs.py"
MOST_OF_A_CLASS = 40

#: A state as the way that leads to it: sample commands by label, with ``+`` where time has gone by.
Way = tuple[str, ...]


@cache
def samples() -> Any:
    """The module with the sample commands and the two stamps."""
    spec = importlib.util.spec_from_file_location("samples_of_all_pairs", SAMPLES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def labelled(kind: str) -> dict[str, Any]:
    """The sample commands of a kind by class and number: ``PlaceOrder#0``."""
    seen = Counter[str]()
    found: dict[str, Any] = {}
    for command in samples().COMMANDS[kind]:
        name = type(command).__name__
        found[f"{name}#{seen[name]}"] = command
        seen[name] += 1
    return found


def all_pairs() -> dict[str, Any]:
    """For each kind the commands' labels, and for each way its state's class and every outcome."""
    return {
        kind: pairs_of(kind, [*labelled(kind)], [" ".join(way) for way in _ways(kind)]) for kind in samples().COMMANDS
    }


def pairs_of(kind: str, labels: list[str], ways: list[str]) -> dict[str, Any]:
    """The outcomes of these commands at the ends of these ways."""
    machine, known = samples().WORKFLOW.machines[kind], labelled(kind)
    states = []
    for way in ways:
        try:
            state = _walked(machine, known, way.split())
        except Exception as error:  # noqa: BLE001 - whatever it is, the way is cut off
            states.append([way, told(error), []])
        else:
            states.append([way, type(state).__name__, [_tried(machine, state, known[label]) for label in labels]])
    return {"commands": labels, "states": states}


def _walked(machine: Any, known: dict[str, Any], way: list[str]) -> Any:
    state = ABSENT
    for label in way:
        state = machine.step(state, known[label.rstrip("+")], _stamps()[label.endswith("+")])[1]
    return state


def _stamps() -> tuple[Any, Any]:
    return samples().STAMP, samples().LATER


def _tried(machine: Any, state: Any, command: Any) -> str:
    """What becomes of a command at once and much later, once where it is the same."""
    return " | ".join(dict.fromkeys(_outcome(machine, state, command, stamp) for stamp in _stamps()))


def _outcome(machine: Any, state: Any, command: Any, stamp: Any) -> str:
    try:
        event, after = machine.step(state, command, stamp)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what happened
        return told(error)
    return f">{type(event).__name__} ={type(after).__name__}"


def _ways(kind: str) -> Iterator[Way]:
    """Ways to many states, breadth first, a bounded number of each class for each beginning."""
    machine, known = samples().WORKFLOW.machines[kind], labelled(kind)
    found: dict[Any, Way] = {ABSENT: ()}
    yield ()
    for first, command in known.items():
        if not machine.explain(ABSENT, command, samples().STAMP):
            begun = machine.step(ABSENT, command, samples().STAMP)[1]
            yield from _onwards(machine, known, begun, (first,), found)


def _onwards(machine: Any, known: dict[str, Any], begun: Any, way: Way, found: dict[Any, Way]) -> Iterator[Way]:
    if begun in found:
        return
    found[begun] = way
    count, waiting = Counter[type[Any]](), deque([begun])
    yield way
    while waiting:
        state = waiting.popleft()
        for (label, command), late in product(known.items(), (False, True)):
            stamp = _stamps()[late]
            if machine.explain(state, command, stamp):
                continue
            after = machine.step(state, command, stamp)[1]
            if after not in found and count[type(after)] < MOST_OF_A_CLASS:
                count[type(after)] += 1
                found[after] = (*found[state], label + "+" * late)
                waiting.append(after)
                yield found[after]
