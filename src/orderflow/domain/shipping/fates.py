"""What becomes of the units of a shipment once they have left: every unit has one fate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

ON_THE_WAY: Final = "on_the_way"


class Fate(NamedTuple):
    """What has become of the units of one item; the rest of them are on the way.

    ``lost`` units were written off. ``replaced`` ones were sent again and belong to no order any more; those of them
    that turned up at the customer are a ``gift``. ``surplus`` units left though no order owed them. What comes back of
    units that belong to no order is ``recovered``. ``left_behind`` units never left. Of the ``delivered`` ones,
    ``expected_back`` are said to be coming back.
    """

    delivered: int = 0
    returned: int = 0
    lost: int = 0
    replaced: int = 0
    gift: int = 0
    recovered: int = 0
    surplus: int = 0
    left_behind: int = 0
    expected_back: int = 0


class Move(NamedTuple):
    """Units of the item at a ``place``, from one field of its fate, or the way, to another."""

    place: int
    source: str
    target: str
    quantity: int


#: What comes back is taken from these, in this order; what belongs to no order is recovered.
COMING_BACK: Final = {
    ON_THE_WAY: "returned",
    "delivered": "returned",
    "lost": "returned",
    "surplus": "recovered",
    "gift": "recovered",
    "replaced": "recovered",
}
#: What an arrival makes of the units of a shipment.
ARRIVING: Final = {ON_THE_WAY: "delivered", "lost": "delivered", "replaced": "gift"}


def on_the_way(quantity: int, fate: Fate) -> int:
    """Units of an item, of which ``quantity`` were sent, that are on the way."""
    return quantity - sum(fate) + fate.expected_back


def units_in(quantity: int, fate: Fate, name: str) -> int:
    """Units of an item with one fate, or on the way."""
    found: int = on_the_way(quantity, fate) if name == ON_THE_WAY else getattr(fate, name)
    return found


def turned(fates: Sequence[Fate], moves: Iterable[Move]) -> tuple[Fate, ...]:
    """The fates after the moves."""
    after = list(fates)
    for place, source, target, quantity in moves:
        after[place] = _turned(after[place], source, target, quantity)
    return tuple(after)


def _turned(fate: Fate, source: str, target: str, quantity: int) -> Fate:
    changes = {
        name: getattr(fate, name) + sign * quantity for name, sign in ((source, -1), (target, 1)) if name != ON_THE_WAY
    }
    after = fate._replace(**changes)
    return after._replace(expected_back=min(after.expected_back, after.delivered))


def units_taken(
    place: int, quantity: int, fate: Fate, ways: Mapping[str, str], most: int | None = None
) -> Iterator[Move]:
    """Up to ``most`` units of an item, or all of them, each from its source to its target."""
    for source, target in ways.items():
        units = units_in(quantity, fate, source)
        taken = units if most is None else min(units, most)
        if taken:
            yield Move(place, source, target, taken)
        most = None if most is None else most - taken
