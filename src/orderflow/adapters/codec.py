"""JSON for states, events and commands, derived from the machines that define them.

Records are written as the canonical text of ``domain.engine.text``. Stored text is read quickly, and text that cannot
be decoded is a :class:`~orderflow.errors.StorageError`. Text from outside is read strictly, and an
:class:`~orderflow.errors.InputError` names all its faults.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeVar

from attrs import fields, has

from orderflow.adapters.json_input import read_outside
from orderflow.adapters.structure import UNREADABLE, reader_beside_content, structuring
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.text import writer
from orderflow.domain.orders.content import OrderContent
from orderflow.errors import DefinitionError, InputError, StorageError

__all__ = ["Codec", "StoredForm"]

T = TypeVar("T")


class StoredForm(NamedTuple):
    """How records of a class are written: name, schema version, and writers with and without their ``content``."""

    name: str
    schema: int
    write: Callable[[Any], str]
    write_rest: Callable[[Any], str]


class Codec:
    """Writes and reads the messages and states of ``machines``; safe to share between threads.

    An order's content is stored only in the event that brought it, so a state's upcasters never see
    it.

    Args:
        machines: their classes can be read, looked up by kind and class name.

    Raises:
        DefinitionError: two states, events or commands of a machine share a name.
    """

    def __init__(self, machines: Iterable[Machine]) -> None:
        machines = tuple(machines)
        self._states = {machine.kind: _by_name(machine.states) for machine in machines}
        self._events = {machine.kind: _by_name(machine.events) for machine in machines}
        self._commands = {machine.kind: _by_name(machine.commands) for machine in machines}
        self._upcasters = {kind: chain for machine in machines for kind, chain in machine.upcasters.items()}
        self._converter = structuring(forms_matched=False)
        self._forms: dict[type[Any], StoredForm] = {}
        self._readers: dict[type[Any], Callable[[Any, Any], Any]] = {}

    def encode(self, value: object) -> str:
        """Compact JSON of a state, event or command, or of part of one.

        Raises:
            InputError: it contains a time without a time zone.
        """
        return self.form_of(type(value)).write(value)

    def form_of(self, kind: Any) -> StoredForm:
        """How records of a class are currently written."""
        form = self._forms.get(kind)
        if form is None:
            rest = writer(kind, "content") if _has_content(kind) else writer(kind)
            form = self._forms[kind] = StoredForm(kind.__name__, self.schema_of(kind), writer(kind), rest)
        return form

    def schema_of(self, kind: type[Any]) -> int:
        """The current schema version of a class."""
        return 1 + len(self._upcasters.get(kind, ()))

    def state(self, kind: str, name: str, text: str, schema: int = 1, content: OrderContent | None = None) -> Any:
        """A state stored under schema version ``schema``, upgraded to the current one.

        ``content`` is the order's content, where the text does not include it.

        Raises:
            StorageError: the text is not a ``name`` state of ``kind``, or its version is unknown.
        """
        return self._read(self._states, kind, name, text, schema, content)

    def event(self, kind: str, name: str, text: str, schema: int = 1) -> Any:
        """An event stored under schema version ``schema``, upgraded to the current one.

        Raises:
            StorageError: the text is not a ``name`` event of ``kind``, or its version is unknown.
        """
        return self._read(self._events, kind, name, text, schema, None)

    def command(self, kind: str, name: str, data: str | Mapping[str, Any]) -> Any:
        """A command from outside, as JSON text or as the mapping that JSON text would give.

        Raises:
            InputError: lists every fault.
        """
        found = self._commands.get(kind, {}).get(name)
        if found is None:
            raise InputError.at("", "unknown_command", f"there is no command {name!r} for {kind!r}")
        return read_outside(found, data)

    def read(self, kind: type[T], data: str | Mapping[str, Any]) -> T:
        """Part of a command from outside, such as an order's content.

        Raises:
            InputError: lists every fault.
        """
        return read_outside(kind, data)

    def _read(
        self,
        classes: Mapping[str, Mapping[str, type[Any]]],
        kind: str,
        name: str,
        text: str,
        schema: int,
        content: OrderContent | None,
    ) -> Any:
        with _reading(kind, name):
            found = classes[kind][name]
            data = self._upcast(found, json.loads(text), schema)
            if content is None:
                return self._converter.structure(data, found)
            return self._beside_content(found)(data | {"content": content}, found)

    def _beside_content(self, kind: type[Any]) -> Callable[[Any, Any], Any]:
        read = self._readers.get(kind)
        if read is None:
            read = self._readers[kind] = reader_beside_content(self._converter, kind)
        return read

    def _upcast(self, kind: type[Any], data: dict[str, Any], schema: int) -> dict[str, Any]:
        chain = self._upcasters.get(kind, ())
        if not 1 <= schema <= 1 + len(chain):
            raise ValueError(f"unknown schema version {schema}; the current one is {1 + len(chain)}")
        for upcast in chain[schema - 1 :]:
            data = upcast(data)
        return data


def _has_content(kind: Any) -> bool:
    return has(kind) and hasattr(fields(kind), "content")


def _by_name(classes: Sequence[type[Any]]) -> dict[str, type[Any]]:
    named = {kind.__name__: kind for kind in classes}
    if len(named) < len(classes):
        twice = sorted(kind.__name__ for kind in classes if named[kind.__name__] is not kind)
        raise DefinitionError(f"codec: two classes have the same name: {', '.join(twice)}")
    return named


@contextmanager
def _reading(kind: str, name: str) -> Generator[None]:
    """Translates whatever malformed data raises; reading does not check first, so it can fail anywhere."""
    try:
        yield
    except UNREADABLE as error:
        raise StorageError(f"{name} of {kind} cannot be read: {error!r}", retry=False) from error
