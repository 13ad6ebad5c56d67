"""Records: compared, printed and changed by their fields."""

from __future__ import annotations

import pytest

from orderflow.domain.engine.record import Record, replacing


class Box(Record):
    """A box."""

    screws: int = 4
    nails: int = 2


class Crate(Record):
    """The same fields, and yet another thing."""

    screws: int = 4
    nails: int = 2


def test_records_of_one_class_with_equal_fields_are_equal() -> None:
    """Class and fields count, and nothing else."""
    assert Box(1) == Box(1)
    assert hash(Box(1)) == hash(Box(1))
    assert Box(1) != Box(2)
    assert Box(1) != Crate(1)
    assert repr(Box(1)) == "Box(screws=1, nails=2)"


def test_a_field_that_is_not_there_cannot_be_replaced() -> None:
    """The mistake is found when the function is made."""
    assert replacing(Box, lambda box: box.nails)(Box(1), 9) == Box(1, 9)
    with pytest.raises(TypeError, match="Box has no field bolts"):
        replacing(Box, lambda box: box.bolts)  # type: ignore[attr-defined]
