"""The standard workflow: every machine, reaction and effect of the library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orderflow.domain.billing.account import ACCOUNT
from orderflow.domain.billing.credit_note import CREDIT_NOTE
from orderflow.domain.billing.invoice import INVOICE
from orderflow.domain.billing.numbering import SERIES
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.intake import INTAKE
from orderflow.domain.inventory.documents import STOCK_DOCUMENT
from orderflow.domain.inventory.stock import STOCK
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.parties.customer import CUSTOMER
from orderflow.domain.parties.party import PARTY
from orderflow.domain.payments.machine import PAYMENT
from orderflow.domain.returns import RETURN
from orderflow.domain.shipping.machine import SHIPMENT
from orderflow.domain.workflow.effects import CLOSED_COMMANDS, FOLLOW_UPS, NOTICES, notices
from orderflow.domain.workflow.reactions import OPEN_COMMANDS, REACTIONS

__all__ = ["MACHINES", "standard_workflow"]


MACHINES: Final = (
    CUSTOMER,
    PARTY,
    RETURN,
    CREDIT_NOTE,
    SHIPMENT,
    ORDER,
    INTAKE,
    PAYMENT,
    INVOICE,
    ACCOUNT,
    SERIES,
    STOCK_DOCUMENT,
    STOCK,
)


def standard_workflow(templates: Iterable[str] = tuple(NOTICES.values())) -> Workflow:
    """All machines, reactions and follow-ups; notices for ``templates`` only."""
    return Workflow(MACHINES, REACTIONS, (*FOLLOW_UPS, *notices(*templates)), OPEN_COMMANDS, CLOSED_COMMANDS)
