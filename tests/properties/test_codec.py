"""The codec's laws: what is written is read back equal, and nothing from outside gets in that should not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from attrs import fields, has
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderflow.adapters import json_input
from orderflow.adapters.codec import Codec
from orderflow.domain.engine.schema import faults_of
from orderflow.domain.orders.content import OrderContent
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.workflow.table import MACHINES
from orderflow.errors import InputError, StorageError
from orderflow.testing.strategies import message

CODEC = Codec(MACHINES)

JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.integers(10**30, 10**40), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=4)),
    max_leaves=8,
)


def of_all(part: str) -> pytest.MarkDecorator:
    """Runs a test for each class of that part of each machine."""
    cases = [(machine.kind, kind) for machine in MACHINES for kind in getattr(machine, part)]
    return pytest.mark.parametrize("kind, of", cases, ids=[f"{kind}.{of.__name__}" for kind, of in cases])


@of_all("states")
@settings(max_examples=20)
@given(st.data())
def test_a_state_is_read_back_as_it_was_written(kind: str, of: type[Any], data: st.DataObject) -> None:
    """decode(encode(state)) == state, for every state of every machine."""
    state = data.draw(message(of))
    assert CODEC.state(kind, of.__name__, CODEC.encode(state)) == state


@of_all("events")
@settings(max_examples=20)
@given(st.data())
def test_an_event_is_read_back_as_it_was_written(kind: str, of: type[Any], data: st.DataObject) -> None:
    """decode(encode(event)) == event, for every event of every machine."""
    event = data.draw(message(of))
    assert CODEC.event(kind, of.__name__, CODEC.encode(event), CODEC.schema_of(of)) == event


@of_all("commands")
@settings(max_examples=20)
@given(st.data())
def test_a_command_is_read_back_as_it_was_written(kind: str, of: type[Any], data: st.DataObject) -> None:
    """Strict reading takes every faultless command in the form the codec writes, as text and as a mapping."""
    command = data.draw(message(of))
    text = CODEC.encode(command)
    assert CODEC.command(kind, of.__name__, text) == command
    assert CODEC.command(kind, of.__name__, json.loads(text)) == command


@of_all("commands")
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_both_ways_of_reading_agree(kind: str, of: type[Any], data: st.DataObject) -> None:
    """What the quick way takes is what the walk takes, and what the walk refuses the quick way does not take."""
    tree = json.loads(CODEC.encode(data.draw(message(of))))
    places = list(every_place(tree))
    changed: bool = data.draw(st.booleans())
    if places and changed:
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(JSON)
    quick = json_input._read_quickly(of, json.dumps(tree))
    try:
        walked = json_input._read_with_faults(of, json.dumps(tree))
    except InputError:
        walked = None
    assert quick is None or quick == walked


@pytest.mark.parametrize("of", [kind for kind in ORDER.states if has(kind) and hasattr(fields(kind), "content")])
@settings(max_examples=20)
@given(st.data())
def test_a_state_in_two_parts_is_the_state(of: type[Any], data: st.DataObject) -> None:
    """The rest of a state read beside its content is the state."""
    state = data.draw(message(of))
    rest = CODEC.form_of(of).write_rest(state)
    assert "content" not in json.loads(rest)
    assert CODEC.state("order", of.__name__, rest, content=state.content) == state


@of_all("commands")
@settings(max_examples=20)
@given(JSON)
def test_arbitrary_json_is_a_command_or_an_input_error(kind: str, of: type[Any], tree: Any) -> None:
    """Whatever the JSON, the answer is a faultless command or an InputError that says what is wrong."""
    assert_read_or_refused(kind, of, json.dumps(tree))


@of_all("commands")
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_command_with_one_value_replaced_is_judged_at_its_place(
    kind: str, of: type[Any], data: st.DataObject
) -> None:
    """Any value of a good command replaced by any other is accepted or refused; a refusal names a path."""
    tree = json.loads(CODEC.encode(data.draw(message(of))))
    places = list(every_place(tree))
    if places:
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = data.draw(JSON)
    assert_read_or_refused(kind, of, json.dumps(tree))


@of_all("states")
@settings(max_examples=20)
@given(JSON, st.data())
def test_a_damaged_row_is_a_storage_error(kind: str, of: type[Any], tree: Any, data: st.DataObject) -> None:
    """A stored state with any value replaced is read, or is a StorageError; no other error escapes."""
    stored = json.loads(CODEC.encode(data.draw(message(of))))
    places = list(every_place(stored))
    if places:
        holder, key = data.draw(st.sampled_from(places))
        holder[key] = tree
    try:
        state = CODEC.state(kind, of.__name__, json.dumps(stored))
    except StorageError as error:
        cause = error.__cause__
    else:
        assert CODEC.state(kind, of.__name__, CODEC.encode(state)) == state
        return
    assert cause is not None


@given(message(OrderContent))
def test_a_content_is_written_without_defaults(content: OrderContent) -> None:
    """No field of the content that has its default appears in its text."""
    written = json.loads(CODEC.encode(content))
    assert set(written) == {
        field.name for field in fields(OrderContent) if getattr(content, field.name) != field.default
    }


def assert_read_or_refused(kind: str, of: type[Any], text: str) -> None:
    """Strict reading of ``text`` gives a faultless command, or an InputError whose faults all say something."""
    try:
        command = CODEC.command(kind, of.__name__, text)
    except InputError as error:
        faults = error.faults
    else:
        assert type(command) is of
        assert not faults_of(command)
        return
    assert faults
    assert all(fault.code and fault.message and fault.path.isprintable() for fault in faults)


def every_place(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a tree of dicts and lists."""
    keys = list(tree) if isinstance(tree, dict) else range(len(tree)) if isinstance(tree, list) else ()
    for key in keys:
        yield tree, key
        yield from every_place(tree[key])
