"""The table of a return, and nothing else."""

from __future__ import annotations

from typing import Final

from orderflow.domain.engine.machine import Absent, Machine, Rule, choice, rule, rules, to
from orderflow.domain.returns import inspecting as i
from orderflow.domain.returns import receiving as g
from orderflow.domain.returns import requesting as q
from orderflow.domain.returns.state import (
    Authorised,
    Cancelled,
    Declined,
    HasReturn,
    Inspected,
    InTransit,
    PartlyReceived,
    Received,
    Rejected,
    Requested,
    Settled,
    check_return,
)

__all__ = ["RETURN"]

States = tuple[type[HasReturn], ...]

AWAITED: States = (Authorised, InTransit)
HERE: tuple[type[PartlyReceived | Received], ...] = (PartlyReceived, Received)
DONE: States = (Inspected, Settled, Rejected)
OVER: States = (Declined, Cancelled)
KNOWN: States = (Requested, *AWAITED, *HERE, *DONE, *OVER)
CAME: tuple[type[PartlyReceived | Received | Inspected], ...] = (*HERE, Inspected)
LANDED = (PartlyReceived, Received, Inspected, Rejected)

DECIDE: Final = (
    rule(Absent, q.RequestReturn, q.ReturnRequested, Requested, q.requested, guards=(q.asks_for_units,)),
    rule(
        Requested, q.AuthoriseReturn, q.ReturnAuthorised, (Authorised, InTransit, Inspected), q.authorised,
        guards=(q.not_over_yet,),
    ),
    rules(AWAITED, q.AuthoriseReturn, q.ReturnAuthorised, AWAITED, q.authorised, guards=(q.not_over_yet,)),
    rule(Requested, q.DeclineReturn, q.ReturnDeclined, Declined, q.declined),
    rules((Requested, *AWAITED), q.CancelReturn, q.ReturnCancelled, Cancelled, q.cancelled),
    rules(KNOWN, q.LinkExchange, q.ExchangeLinked, None, q.exchange_linked, guards=(q.not_exchanged,)),
)  # fmt: skip


def _received(source: type[HasReturn]) -> Rule:
    """Goods are taken in in every state; an arrival told again changes nothing."""
    return choice(
        source, g.ReceiveReturn, g.receive,
        to(g.ArrivalRepeated, source, g.repeated), to(g.ReturnReceived, LANDED, g.came),
        guards=(g.brings_goods,),
    )  # fmt: skip


#: Facts: none is refused in any state.
FACTS: Final = (
    rule(Authorised, q.RecordReturnSent, q.ReturnSent, InTransit, q.sent_off),
    rules(
        tuple([state for state in KNOWN if state is not Authorised]),
        q.RecordReturnSent, q.ReturnSent, None, q.sent,
    ),
    rule(
        Absent, g.ReceiveReturn, g.ReturnReceived, (Received, Inspected), g.came_unannounced, guards=(g.brings_goods,)
    ),
    tuple(_received(state) for state in KNOWN),
    rules(CAME, g.RecordLoose, g.LooseRecorded, None, g.loosened, guards=(g.are_held,)),
)  # fmt: skip

FINISH: Final = (
    rules(
        HERE,
        i.InspectReturn,
        i.ReturnInspected,
        LANDED,
        i.inspected,
        guards=(i.something_inspected, i.enough_waiting),
        decide=i.inspect,
    ),
    rule(PartlyReceived, i.CloseShort, i.ReturnClosedShort, (Received, Inspected, Rejected), i.closed_short),
    rule(Inspected, i.SettleReturn, i.ReturnSettled, Settled, i.settled),
)

RETURN: Final = Machine(
    "return",
    rules=(*DECIDE, *FACTS, *FINISH),
    # Goods that come reopen what was over, so these lead to one another.
    final=(*OVER, *HERE, *DONE),
    check=check_return,
)
