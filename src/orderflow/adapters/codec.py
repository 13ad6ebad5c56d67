"""JSON for states, events and commands, derived from the machines that know them.

What the library wrote is read quickly, and a row that makes no sense is a :class:`~orderflow.errors.StorageError`.
What comes from outside is read strictly, and every fault of it is named in an :class:`~orderflow.errors.InputError`.

The form is compact and legible: fields equal to their default are left out, named tuples are arrays, times end in
``Z``, a price is ``"2.55 GBP"``, a tax category ``"S 25"``, a reference to a party ``"ACME@1"``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, TypeVar

from attrs import fields, has
from cattrs import Converter
from cattrs.errors import ForbiddenExtraKeysError

from orderflow.adapters.codec_flat import flat_writer, is_flat
from orderflow.adapters.codec_stored import (
    Reader,
    Writer,
    reader_beside_content,
    stored_converter,
    writer_without_content,
)
from orderflow.adapters.json_input import read_outside
from orderflow.domain.engine.machine import Machine
from orderflow.domain.orders.content import OrderContent
from orderflow.errors import DefinitionError, InputError, StorageError

__all__ = ["Codec", "Upcaster"]

T = TypeVar("T")

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns the fields of an event of one schema version into those of the next."""

_NOTHING: Final[Mapping[Any, Any]] = MappingProxyType({})
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, check_circular=False).encode


class Codec:
    """Writes and reads the messages and states of ``machines``; safe to share between threads.

    Args:
        machines: whose classes can be read, looked up by kind and class name.
        schema_versions: the present schema version of an event class, by its name, where it is not 1.
        upcasters: for an event class and a version below its present one, what makes the next version of the data.

    Raises:
        DefinitionError: two states, events or commands of a machine have one name, or an event class cannot be
            brought from version 1 to its present one.
    """

    def __init__(
        self,
        machines: Iterable[Machine],
        *,
        upcasters: Mapping[tuple[str, int], Upcaster] = _NOTHING,
        schema_versions: Mapping[str, int] = _NOTHING,
    ) -> None:
        machines = tuple(machines)
        self._states = {machine.kind: _by_name(machine.states) for machine in machines}
        self._events = {machine.kind: _by_name(machine.events) for machine in machines}
        self._commands = {machine.kind: _by_name(machine.commands) for machine in machines}
        self._upcasters, self._versions = dict(upcasters), dict(schema_versions)
        _check_chains(self._upcasters, self._versions)
        self._converter: Converter = stored_converter()
        self._writers: dict[type[Any], Writer] = {}
        self._texts: dict[type[Any], Callable[[Any], str]] = {}
        self._forms: dict[type[Any], tuple[str, int, Callable[[Any], str]]] = {}
        self._readers: dict[type[Any], Reader] = {}

    def encode(self, value: object) -> str:
        """Compact JSON of a state, an event, a command or a part of one.

        Raises:
            InputError: a time in it carries no zone.
        """
        return self._text_of(type(value))(value)

    def form_of(self, event: type[Any]) -> tuple[str, int, Callable[[Any], str]]:
        """How events of a class are written: under which name and schema version, and by what."""
        form = self._forms.get(event)
        if form is None:
            form = self._forms[event] = event.__name__, self.schema_of(event), self._text_of(event)
        return form

    def _text_of(self, kind: type[Any]) -> Callable[[Any], str]:
        write = self._texts.get(kind)
        if write is None:
            write = self._texts[kind] = self._text_writer(kind)
        return write

    def split(self, state: Any) -> tuple[str | None, str]:
        """A state as two texts: what was ordered, which never changes, and the rest; None and the whole of others."""
        content = getattr(state, "content", None)
        if isinstance(content, OrderContent):
            return self.encode(content), self.rest(state)
        return None, self.encode(state)

    def rest(self, state: Any) -> str:
        """A state of an order without what was ordered: what an update has to write."""
        kind = type(state)
        write = self._writers.get(kind)
        if write is None:
            write = self._writers[kind] = self._writer(kind)
        return _dumps(write(state))

    def state(self, kind: str, name: str, text: str) -> Any:
        """The state that was stored whole.

        Raises:
            StorageError: the text is not a state of class ``name`` of ``kind``.
        """
        with _reading(kind, name):
            found = self._states[kind][name]
            return self._converter.structure(json.loads(text), found)

    def join(self, kind: str, name: str, content: Any, rest: str) -> Any:
        """The state that was stored in two parts, see :meth:`split`. Content read before may be given as it is.

        Raises:
            StorageError: the texts are not the parts of a state of class ``name`` of ``kind``.
        """
        if content is None:
            return self.state(kind, name, rest)
        with _reading(kind, name):
            found = self._states[kind][name]
            read = self._readers.get(found)
            if read is None:
                read = self._readers[found] = reader_beside_content(self._converter, found)
            if type(content) is str:
                content = self._converter.structure(json.loads(content), fields(found).content.type)
            return read(json.loads(rest) | {"content": content}, found)

    def event(self, kind: str, name: str, text: str, schema: int = 1) -> Any:
        """The event that was stored under schema version ``schema``, brought to the present one.

        Raises:
            StorageError: the text is not an event of class ``name`` of ``kind``, or of a version not known here.
        """
        with _reading(kind, name):
            found = self._events[kind][name]
            data = json.loads(text)
            if schema != self.schema_of(found):
                data = self._upcast(found, data, schema)
            return self._converter.structure(data, found)

    def schema_of(self, event: type[Any]) -> int:
        """The schema version under which events of a class are written now."""
        return self._versions.get(event.__name__, 1)

    def command(self, kind: str, name: str, data: str | Mapping[str, Any]) -> Any:
        """A command from outside, as JSON text or as a mapping of what JSON text would give.

        Raises:
            InputError: with every fault of it.
        """
        found = self._commands.get(kind, {}).get(name)
        if found is None:
            raise InputError.at("", "unknown_command", f"there is no command {name!r} for {kind!r}")
        return read_outside(found, data)

    def read(self, kind: type[T], data: str | Mapping[str, Any]) -> T:
        """A part of a command from outside, such as what is ordered.

        Raises:
            InputError: with every fault of it.
        """
        return read_outside(kind, data)

    def _upcast(self, event: type[Any], data: dict[str, Any], schema: int) -> dict[str, Any]:
        present = self.schema_of(event)
        if not 1 <= schema <= present:
            raise ValueError(f"schema {schema} is not known, the present one is {present}")
        for version in range(schema, present):
            data = self._upcasters[event.__name__, version](data)
        return data

    def _text_writer(self, kind: type[Any]) -> Callable[[Any], str]:
        if is_flat(kind):
            return flat_writer(kind)
        write: Writer = self._converter.get_unstructure_hook(kind)
        return lambda value: _dumps(write(value))

    def _writer(self, kind: type[Any]) -> Writer:
        if has(kind) and hasattr(fields(kind), "content"):
            return writer_without_content(self._converter, kind)
        write: Writer = self._converter.get_unstructure_hook(kind)
        return write


def _by_name(classes: Sequence[type[Any]]) -> dict[str, type[Any]]:
    named = {kind.__name__: kind for kind in classes}
    if len(named) < len(classes):
        twice = sorted(kind.__name__ for kind in classes if named[kind.__name__] is not kind)
        raise DefinitionError(f"codec: two classes of one name: {', '.join(twice)}")
    return named


def _check_chains(upcasters: Iterable[tuple[str, int]], versions: Mapping[str, int]) -> None:
    asked = {(name, version) for name, present in versions.items() for version in range(1, present)}
    breaches = [f"no upcaster from {name} {version}" for name, version in asked - set(upcasters)]
    breaches += [f"the upcaster from {name} {version} leads nowhere" for name, version in set(upcasters) - asked]
    if breaches:
        raise DefinitionError("codec: " + "; ".join(sorted(breaches)))


@contextmanager
def _reading(kind: str, name: str) -> Generator[None]:
    """Turns whatever malformed data runs into; reading trusts, so it cannot be named beforehand."""
    try:
        yield
    except (
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
        RecursionError,
        ForbiddenExtraKeysError,
    ) as error:
        raise StorageError(f"{name} of {kind} cannot be read: {error!r}", retry=False) from error
