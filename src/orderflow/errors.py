"""Every exception the library raises on purpose, and the three values they carry.

::

    OrderFlowError
    ├── CommandRefused        the rules say no: show ``refusals`` to whoever asked
    ├── InputError            bad data: every fault with its path
    │   └── CurrencyMismatch  two currencies met in one sum
    ├── NotFound              no such row
    ├── ConcurrencyConflict   a row has changed since it was loaded: load again, decide again
    ├── CommandMismatch       a known command id came with different content
    ├── PortError             an adapter failed; the foreign error is the cause
    │   └── StorageError      the storage failed; a batch is never stored in part
    └── DefinitionError       a table contradicts itself; found at start-up

    InvariantBroken(AssertionError)   a bug in the rules; never caught here
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from attrs import frozen

__all__ = [
    "CommandMismatch",
    "CommandRefused",
    "ConcurrencyConflict",
    "CurrencyMismatch",
    "DefinitionError",
    "Fault",
    "InputError",
    "InvariantBroken",
    "Key",
    "NotFound",
    "OrderFlowError",
    "PortError",
    "Refusal",
    "StorageError",
]


class Key(NamedTuple):
    """Names one row: ``tenant`` and ``id`` are opaque text, ``kind`` names one of the workflow's machines."""

    tenant: str
    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"

    def beside(self, kind: str, id: str) -> Key:  # noqa: A002 - the field's own name
        """The key of another row of the same tenant."""
        return Key(self.tenant, kind, id)


@frozen
class Refusal:
    """Why a command is refused: a stable code, a sentence, and the facts behind it."""

    code: str
    message: str
    facts: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    def __getitem__(self, name: str) -> object:
        return dict(self.facts)[name]


@frozen
class Fault:
    """One thing wrong with the input: where, a stable code, a sentence."""

    path: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" if self.path else self.message

    def under(self, prefix: str) -> Fault:
        """The same fault, its path seen from one level further out."""
        joiner = "" if not self.path or self.path.startswith("[") else "."
        return Fault(f"{prefix}{joiner}{self.path}", self.code, self.message)


def _restored(kind: type[BaseException], arguments: tuple[Any, ...], facts: dict[str, Any]) -> BaseException:
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(facts)
    return error


class OrderFlowError(Exception):
    """Root of everything a caller may want to catch."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its attributes, because the constructor takes other arguments than ``args``."""
        return _restored, (type(self), self.args, self.__dict__)


class CommandRefused(OrderFlowError):
    """The rules refuse the command; nothing has changed.

    ``refusals`` holds every refusal, not only the first.
    """

    def __init__(self, refusals: Iterable[Refusal]) -> None:
        self.refusals = tuple(refusals)
        super().__init__("; ".join(str(refusal) for refusal in self.refusals))

    @property
    def codes(self) -> tuple[str, ...]:
        """The stable codes, in the order of the guards in the table."""
        return tuple(refusal.code for refusal in self.refusals)


class InputError(OrderFlowError, ValueError):
    """The input is invalid; ``faults`` lists everything that is wrong with it."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(str(fault) for fault in self.faults))

    @classmethod
    def at(cls, path: str, code: str, message: str) -> InputError:
        """An error with a single fault."""
        return cls((Fault(path, code, message),))


class CurrencyMismatch(InputError):
    """Amounts of two currencies were added, subtracted or compared."""

    def __init__(self, left: str, right: str) -> None:
        self.left, self.right = left, right
        super().__init__((Fault("", "currency_mismatch", f"{left} and {right} do not mix"),))


class NotFound(OrderFlowError, LookupError):
    """Nothing is stored under ``key``."""

    def __init__(self, key: Key) -> None:
        self.key = key
        super().__init__(f"no {key.kind} {key.id!r}")


class ConcurrencyConflict(OrderFlowError):
    """A row has moved on since it was loaded; safe to try again."""

    def __init__(self, key: Key | None, expected: int = 0, found: int = 0) -> None:
        self.key, self.expected, self.found = key, expected, found
        what = f"{key.kind} {key.id!r}" if key else "storage"
        super().__init__(f"{what}: expected version {expected}, found {found}")


class CommandMismatch(OrderFlowError):
    """The command id was used before for something else; nothing has changed."""

    def __init__(self, command_id: str) -> None:
        self.command_id = command_id
        super().__init__(f"command id {command_id!r} was used before with different content")


class PortError(OrderFlowError):
    """An adapter failed. ``__cause__`` is the foreign error where there is one.

    Args:
        port: which adapter.
        message: what it says; cut to 500 characters, those that cannot be printed replaced by blanks.
        retry: whether asking again may help.
        retry_after_seconds: how long the other side asks us to wait, if it does.
        timed_out: no answer came in time, so nobody knows whether it was done.
    """

    def __init__(
        self,
        port: str,
        message: str,
        *,
        retry: bool = True,
        retry_after_seconds: int | None = None,
        timed_out: bool = False,
    ) -> None:
        self.port, self.retry = port, retry
        self.retry_after_seconds, self.timed_out = retry_after_seconds, timed_out
        super().__init__(f"{port}: {printable(message)}")


def printable(text: str) -> str:
    """A text of at most 500 characters, with blanks for those that cannot be printed."""
    return "".join(character if character.isprintable() else " " for character in text[:500])


class StorageError(PortError):
    """The storage failed; the batch is stored whole or not at all, never in part."""

    def __init__(self, message: str, *, retry: bool = True) -> None:
        super().__init__("storage", message, retry=retry)


class DefinitionError(OrderFlowError):
    """A machine or a workflow contradicts itself."""


class InvariantBroken(AssertionError):
    """A rule produced a state that must not exist: a bug, not an input error."""

    def __init__(self, invariant: str, detail: str) -> None:
        self.invariant = invariant
        super().__init__(f"{invariant}: {detail}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled with its attributes, as :class:`OrderFlowError` is."""
        return _restored, (type(self), self.args, self.__dict__)
