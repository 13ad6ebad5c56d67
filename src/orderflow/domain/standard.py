"""The standard book: every machine, reaction and follow-up of the library."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from orderflow.domain.book import Book
from orderflow.domain.credit import CREDIT_NOTE
from orderflow.domain.customer import CUSTOMER
from orderflow.domain.follow_ups import CLOSED_COMMANDS, FOLLOW_UPS, NOTICES, notices
from orderflow.domain.invoice.machine import INVOICE
from orderflow.domain.order.machine import ORDER
from orderflow.domain.party import PARTY
from orderflow.domain.payment.machine import PAYMENT
from orderflow.domain.reactions import OPEN_COMMANDS, REACTIONS
from orderflow.domain.records.account import ACCOUNT
from orderflow.domain.records.intake import INTAKE
from orderflow.domain.records.series import SERIES
from orderflow.domain.records.stock_note import STOCK_NOTE
from orderflow.domain.returns import RETURN
from orderflow.domain.shipment.machine import SHIPMENT
from orderflow.domain.stock.machine import STOCK

__all__ = ["MACHINES", "standard_book"]

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
    STOCK_NOTE,
    STOCK,
)


def standard_book(templates: Iterable[str] = tuple(NOTICES.values())) -> Book:
    """All machines, reactions and follow-ups; notices for ``templates`` only."""
    return Book(MACHINES, REACTIONS, (*FOLLOW_UPS, *notices(*templates)), OPEN_COMMANDS, CLOSED_COMMANDS)
