"""Order processing to build into a shop: receive, confirm, allocate, prepare, ship, complete, tell the customer.

Names are loaded when they are first used, so importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderflow.adapters.carriers.memory import MemoryCarrier as MemoryCarrier
    from orderflow.adapters.carriers.table import TableRateCarrier as TableRateCarrier
    from orderflow.adapters.clock import (
        FixedClock as FixedClock,
    )
    from orderflow.adapters.clock import (
        SystemClock as SystemClock,
    )
    from orderflow.adapters.notifiers.maildir import MaildirNotifier as MaildirNotifier
    from orderflow.adapters.notifiers.memory import MemoryNotifier as MemoryNotifier
    from orderflow.adapters.storage.memory import MemoryStorage as MemoryStorage
    from orderflow.adapters.storage.sqlite import SqliteStorage as SqliteStorage
    from orderflow.domain.book import (
        Book as Book,
    )
    from orderflow.domain.book import (
        Effect as Effect,
    )
    from orderflow.domain.book import (
        FollowUp as FollowUp,
    )
    from orderflow.domain.book import (
        Reaction as Reaction,
    )
    from orderflow.domain.book import (
        Told as Told,
    )
    from orderflow.domain.calendar import PaymentTerms as PaymentTerms
    from orderflow.domain.credit import (
        CreditLine as CreditLine,
    )
    from orderflow.domain.credit import (
        CreditTerms as CreditTerms,
    )
    from orderflow.domain.credit import (
        DraftCreditNote as DraftCreditNote,
    )
    from orderflow.domain.customer import RegisterCustomer as RegisterCustomer
    from orderflow.domain.keys import (
        Key as Key,
    )
    from orderflow.domain.keys import (
        PartyRef as PartyRef,
    )
    from orderflow.domain.machine import (
        Absent as Absent,
    )
    from orderflow.domain.machine import (
        Machine as Machine,
    )
    from orderflow.domain.machine import (
        Refusal as Refusal,
    )
    from orderflow.domain.machine import (
        refuse as refuse,
    )
    from orderflow.domain.machine import (
        rule as rule,
    )
    from orderflow.domain.machine import (
        to as to,
    )
    from orderflow.domain.machine import (
        to_any as to_any,
    )
    from orderflow.domain.money import (
        Money as Money,
    )
    from orderflow.domain.money import (
        Rounding as Rounding,
    )
    from orderflow.domain.order.messages import (
        BillUnits as BillUnits,
    )
    from orderflow.domain.order.messages import (
        CancelUnits as CancelUnits,
    )
    from orderflow.domain.order.messages import (
        CompleteOrder as CompleteOrder,
    )
    from orderflow.domain.order.messages import (
        ConfirmOrder as ConfirmOrder,
    )
    from orderflow.domain.order.messages import (
        PlaceHold as PlaceHold,
    )
    from orderflow.domain.order.messages import (
        PlaceOrder as PlaceOrder,
    )
    from orderflow.domain.order.messages import (
        ReleaseHold as ReleaseHold,
    )
    from orderflow.domain.order.values import (
        AllocateAt as AllocateAt,
    )
    from orderflow.domain.order.values import (
        Basket as Basket,
    )
    from orderflow.domain.order.values import (
        By as By,
    )
    from orderflow.domain.order.values import (
        CompleteOn as CompleteOn,
    )
    from orderflow.domain.order.values import (
        Gate as Gate,
    )
    from orderflow.domain.order.values import (
        Hold as Hold,
    )
    from orderflow.domain.order.values import (
        HoldReason as HoldReason,
    )
    from orderflow.domain.order.values import (
        InvoiceBasis as InvoiceBasis,
    )
    from orderflow.domain.order.values import (
        LineKind as LineKind,
    )
    from orderflow.domain.order.values import (
        OrderLine as OrderLine,
    )
    from orderflow.domain.order.values import (
        Policy as Policy,
    )
    from orderflow.domain.order.values import (
        Together as Together,
    )
    from orderflow.domain.order.values import (
        Units as Units,
    )
    from orderflow.domain.party import Person as Person
    from orderflow.domain.payment.messages import (
        AllocatePayment as AllocatePayment,
    )
    from orderflow.domain.payment.messages import (
        AllocationTarget as AllocationTarget,
    )
    from orderflow.domain.payment.messages import (
        Origin as Origin,
    )
    from orderflow.domain.payment.messages import (
        RecordPayment as RecordPayment,
    )
    from orderflow.domain.price import Price as Price
    from orderflow.domain.returns import ReceiveReturn as ReceiveReturn
    from orderflow.domain.shipment.messages import (
        HandOver as HandOver,
    )
    from orderflow.domain.shipment.messages import (
        PlanShipment as PlanShipment,
    )
    from orderflow.domain.shipment.messages import (
        RecordDelivered as RecordDelivered,
    )
    from orderflow.domain.stamp import Stamp as Stamp
    from orderflow.domain.standard import standard_book as standard_book
    from orderflow.domain.stock.messages import ReceiveGoods as ReceiveGoods
    from orderflow.domain.tax import (
        TaxCategory as TaxCategory,
    )
    from orderflow.domain.tax import (
        TaxPolicy as TaxPolicy,
    )
    from orderflow.errors import (
        CommandMismatch as CommandMismatch,
    )
    from orderflow.errors import (
        CommandRefused as CommandRefused,
    )
    from orderflow.errors import (
        ConcurrencyConflict as ConcurrencyConflict,
    )
    from orderflow.errors import (
        DefinitionError as DefinitionError,
    )
    from orderflow.errors import (
        InputError as InputError,
    )
    from orderflow.errors import (
        NotFound as NotFound,
    )
    from orderflow.errors import (
        OrderFlowError as OrderFlowError,
    )
    from orderflow.errors import (
        PortError as PortError,
    )
    from orderflow.facade import (
        Do as Do,
    )
    from orderflow.facade import (
        OrderFlow as OrderFlow,
    )
    from orderflow.flows.advance import Plans as Plans
    from orderflow.flows.allocate import Allocation as Allocation
    from orderflow.flows.prepare import Parcelling as Parcelling
    from orderflow.flows.receive import (
        Changed as Changed,
    )
    from orderflow.flows.receive import (
        Created as Created,
    )
    from orderflow.flows.receive import (
        Unchanged as Unchanged,
    )
    from orderflow.ports.storage import (
        Ack as Ack,
    )
    from orderflow.ports.storage import (
        Query as Query,
    )

__all__ = [
    "Absent",
    "Ack",
    "AllocateAt",
    "AllocatePayment",
    "Allocation",
    "AllocationTarget",
    "Basket",
    "BillUnits",
    "Book",
    "By",
    "CancelUnits",
    "Changed",
    "CommandMismatch",
    "CommandRefused",
    "CompleteOn",
    "CompleteOrder",
    "ConcurrencyConflict",
    "ConfirmOrder",
    "Created",
    "CreditLine",
    "CreditTerms",
    "DefinitionError",
    "Do",
    "DraftCreditNote",
    "Effect",
    "FixedClock",
    "FollowUp",
    "Gate",
    "HandOver",
    "Hold",
    "HoldReason",
    "InputError",
    "InvoiceBasis",
    "Key",
    "LineKind",
    "Machine",
    "MaildirNotifier",
    "MemoryCarrier",
    "MemoryNotifier",
    "MemoryStorage",
    "Money",
    "NotFound",
    "OrderFlow",
    "OrderFlowError",
    "OrderLine",
    "Origin",
    "Parcelling",
    "PartyRef",
    "PaymentTerms",
    "Person",
    "PlaceHold",
    "PlaceOrder",
    "PlanShipment",
    "Plans",
    "Policy",
    "PortError",
    "Price",
    "Query",
    "Reaction",
    "ReceiveGoods",
    "ReceiveReturn",
    "RecordDelivered",
    "RecordPayment",
    "Refusal",
    "RegisterCustomer",
    "ReleaseHold",
    "Rounding",
    "SqliteStorage",
    "Stamp",
    "SystemClock",
    "TableRateCarrier",
    "TaxCategory",
    "TaxPolicy",
    "Together",
    "Told",
    "Unchanged",
    "Units",
    "__version__",
    "refuse",
    "rule",
    "standard_book",
    "to",
    "to_any",
]

__version__ = "0.1.0"

_NAMES_OF_MODULES = {
    "adapters.carriers.memory": "MemoryCarrier",
    "adapters.carriers.table": "TableRateCarrier",
    "adapters.clock": "FixedClock SystemClock",
    "adapters.notifiers.maildir": "MaildirNotifier",
    "adapters.notifiers.memory": "MemoryNotifier",
    "adapters.storage.memory": "MemoryStorage",
    "adapters.storage.sqlite": "SqliteStorage",
    "domain.book": "Book Effect FollowUp Reaction Told",
    "domain.calendar": "PaymentTerms",
    "domain.credit": "CreditLine CreditTerms DraftCreditNote",
    "domain.customer": "RegisterCustomer",
    "domain.keys": "Key PartyRef",
    "domain.machine": "Absent Machine Refusal refuse rule to to_any",
    "domain.money": "Money Rounding",
    "domain.order.messages": ("BillUnits CancelUnits CompleteOrder ConfirmOrder PlaceHold PlaceOrder ReleaseHold"),
    "domain.order.values": (
        "AllocateAt Basket By CompleteOn Gate Hold HoldReason InvoiceBasis LineKind OrderLine Policy Together Units"
    ),
    "domain.party": "Person",
    "domain.payment.messages": "AllocatePayment AllocationTarget Origin RecordPayment",
    "domain.price": "Price",
    "domain.returns": "ReceiveReturn",
    "domain.shipment.messages": "HandOver PlanShipment RecordDelivered",
    "domain.stamp": "Stamp",
    "domain.standard": "standard_book",
    "domain.stock.messages": "ReceiveGoods",
    "domain.tax": "TaxCategory TaxPolicy",
    "errors": (
        "CommandMismatch CommandRefused ConcurrencyConflict DefinitionError InputError NotFound "
        "OrderFlowError PortError"
    ),
    "facade": "Do OrderFlow",
    "flows.advance": "Plans",
    "flows.allocate": "Allocation",
    "flows.prepare": "Parcelling",
    "flows.receive": "Changed Created Unchanged",
    "ports.storage": "Ack Query",
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    module = _MODULE_OF_NAME.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__]
