"""Shares of laws are added up, and taken out again when a row says something else."""

from __future__ import annotations

from orderflow.domain.workflow.sums import Breach, Share, Sums
from orderflow.errors import Key

WRONG = Breach("B4", Key("main", "order", "O"), "off its share")


def test_what_a_row_said_is_taken_out_again() -> None:
    """A sum is named while rows differ; a breach by itself is said once; what is asked is counted."""
    sums, said = Sums(), (Share("A1", "x", 2), WRONG, Share("B4", None, 0))
    assert [*sums.add(said)] == [WRONG]
    assert [*sums.breaches()] == [Breach("A1", None, "x: differs by 2")]
    sums.take_out(said)
    assert [*sums.breaches()] == []
    assert sums.checked == {"A1": 1, "B4": 1}


def test_one_side_may_say_more_than_the_other() -> None:
    """More units may be in a parcel than its order prepares there, and none less."""
    sums = Sums()
    assert [*sums.add([Share("A2", "x", 1), Share("A2", "y", -1)])] == []
    assert [breach.found for breach in sums.breaches()] == ["y: differs by -1"]
