"""Errors: what they carry crosses to other processes with them."""

from __future__ import annotations

import pickle

import pytest

from orderflow.domain.engine.machine import refuse
from orderflow.errors import (
    CommandMismatch,
    CommandRefused,
    ConcurrencyConflict,
    CurrencyMismatch,
    DefinitionError,
    InputError,
    InvariantBroken,
    Key,
    NotFound,
    PortError,
    StorageError,
)

KEY = Key("main", "order", "o-1")


@pytest.mark.parametrize(
    "error",
    [
        CommandRefused([refuse("late", "{order} is late", order="o-1")]),
        InputError.at("lines[0]", "out_of_range", "must be 1 to 9"),
        CurrencyMismatch("EUR", "GBP"),
        NotFound(KEY),
        ConcurrencyConflict(KEY, 3, 4),
        CommandMismatch("c-1"),
        PortError("carrier", "busy", retry_after_seconds=120, timed_out=True),
        StorageError("disk full", retry=False),
        DefinitionError("two machines"),
        InvariantBroken("I02", "negative"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_crosses_to_another_process_whole(error: Exception) -> None:
    """Pickled and read again it is of the same class, says the same and carries the same facts."""
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert copy.__dict__ == error.__dict__
