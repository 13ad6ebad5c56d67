"""What a customer may send back: a list of rules, each a pure function, that a shop may choose and add to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeAlias

from orderflow.domain.engine.machine import refuse
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.orders.guards import goods_fault
from orderflow.domain.orders.state import HasProgress
from orderflow.domain.returns.requesting import RequestReturn
from orderflow.domain.returns.state import CustomerReason
from orderflow.domain.values import summed
from orderflow.errors import Refusal

__all__ = [
    "STANDARD_RULES",
    "EligibilityRule",
    "ReturnCase",
    "no_more_than_delivered",
    "no_skus",
    "no_tags",
    "refusals_of",
    "within_days",
]


class ReturnCase(NamedTuple):
    """What the rules look at.

    ``asked`` are units by line that other returns of the order still wait for, or have claimed; ``delivered_at`` is the
    latest delivery of the order that a carrier has told, if one has.
    """

    order: HasProgress
    request: RequestReturn
    asked: Mapping[int, int]
    delivered_at: datetime | None


EligibilityRule: TypeAlias = Callable[[ReturnCase, Stamp], Refusal | None]

#: Reasons for which the shop is at fault: these are claims, not changes of mind.
CLAIMS: Final = frozenset(
    {
        CustomerReason.TOO_LATE,
        CustomerReason.MISSING,
        CustomerReason.WRONG_ITEM,
        CustomerReason.DEFECTIVE,
        CustomerReason.DAMAGED,
    }
)


def no_more_than_delivered(case: ReturnCase, stamp: Stamp) -> Refusal | None:
    """No more is asked back than was delivered, has not come back, and is not asked for already."""
    for line, wanted in summed(case.request.units).items():
        if fault := goods_fault(case.order, line):
            return fault
        vector = case.order.progress.lines[case.order.content.places[line]]
        found = max(0, vector.delivered - case.asked.get(line, 0))
        if wanted > found:
            sentence = "line {line}: {wanted} wanted, {found} delivered and not asked for yet"
            return refuse("not_returnable", sentence, line=line, wanted=wanted, found=found)
    return None


def within_days(days: int) -> EligibilityRule:
    """A rule: asked within so many days of the last delivery known; claims have no such limit."""

    def rule(case: ReturnCase, stamp: Stamp) -> Refusal | None:
        if case.delivered_at is None or case.request.reason in CLAIMS:
            return None
        if stamp.moment <= case.delivered_at + timedelta(days=days):
            return None
        delivered = case.delivered_at.isoformat()
        return refuse("too_late", "delivered {delivered}, more than {days} days ago", delivered=delivered, days=days)

    return rule


def no_skus(*skus: str) -> EligibilityRule:
    """A rule: these articles do not come back, such as food and what is made to measure."""

    def rule(case: ReturnCase, stamp: Stamp) -> Refusal | None:
        places = case.order.content.places
        asked = [case.order.content.line(item.line).sku for item in case.request.units if item.line in places]
        kept = sorted({sku for sku in asked if sku in skus})
        return refuse("not_taken_back", "{skus} cannot be returned", skus=", ".join(kept)) if kept else None

    return rule


def no_tags(*tags: str) -> EligibilityRule:
    """A rule: orders with one of these tags do not come back."""

    def rule(case: ReturnCase, stamp: Stamp) -> Refusal | None:
        found = sorted({*case.order.content.tags, *case.order.progress.tags}.intersection(tags))
        return refuse("order_not_taken_back", "the order is tagged {tags}", tags=", ".join(found)) if found else None

    return rule


STANDARD_RULES: Final[tuple[EligibilityRule, ...]] = (no_more_than_delivered, within_days(30))


def refusals_of(rules: Iterable[EligibilityRule], case: ReturnCase, stamp: Stamp) -> tuple[Refusal, ...]:
    """Every reason why what is asked for cannot come back."""
    return tuple([answer for rule in rules if (answer := rule(case, stamp)) is not None])
