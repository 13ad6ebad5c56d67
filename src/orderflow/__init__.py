"""Order processing to build into a shop: receive, confirm, allocate, prepare, ship, complete, tell the customer.

Names are loaded when they are first used, so importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orderflow.adapters.carriers.memory import MemoryCarrier as MemoryCarrier
    from orderflow.adapters.carriers.table import TableRateCarrier as TableRateCarrier
    from orderflow.adapters.clock import FixedClock as FixedClock
    from orderflow.adapters.clock import SystemClock as SystemClock
    from orderflow.adapters.notifiers.maildir import MaildirNotifier as MaildirNotifier
    from orderflow.adapters.notifiers.memory import MemoryNotifier as MemoryNotifier
    from orderflow.adapters.storage.memory import MemoryStorage as MemoryStorage
    from orderflow.adapters.storage.sqlite import SqliteStorage as SqliteStorage
    from orderflow.domain.billing.credit_note import CreditLine as CreditLine
    from orderflow.domain.billing.credit_note import CreditNoteContent as CreditNoteContent
    from orderflow.domain.billing.credit_note import DraftCreditNote as DraftCreditNote
    from orderflow.domain.engine.machine import Absent as Absent
    from orderflow.domain.engine.machine import Machine as Machine
    from orderflow.domain.engine.machine import refuse as refuse
    from orderflow.domain.engine.machine import rule as rule
    from orderflow.domain.engine.machine import to as to
    from orderflow.domain.engine.machine import to_one_of as to_one_of
    from orderflow.domain.engine.stamp import Stamp as Stamp
    from orderflow.domain.engine.workflow import Effect as Effect
    from orderflow.domain.engine.workflow import FollowUp as FollowUp
    from orderflow.domain.engine.workflow import Reaction as Reaction
    from orderflow.domain.engine.workflow import Send as Send
    from orderflow.domain.engine.workflow import Workflow as Workflow
    from orderflow.domain.inventory.stock import ReceiveGoods as ReceiveGoods
    from orderflow.domain.money.calendar import PaymentTerms as PaymentTerms
    from orderflow.domain.money.money import Money as Money
    from orderflow.domain.money.price import Price as Price
    from orderflow.domain.money.split import Rounding as Rounding
    from orderflow.domain.money.tax import TaxCategory as TaxCategory
    from orderflow.domain.money.tax import TaxPolicy as TaxPolicy
    from orderflow.domain.orders.billing import BillUnits as BillUnits
    from orderflow.domain.orders.billing import CompleteOrder as CompleteOrder
    from orderflow.domain.orders.cancelling import CancelUnits as CancelUnits
    from orderflow.domain.orders.content import AllocateAt as AllocateAt
    from orderflow.domain.orders.content import CancelledBy as CancelledBy
    from orderflow.domain.orders.content import CompleteOn as CompleteOn
    from orderflow.domain.orders.content import Gate as Gate
    from orderflow.domain.orders.content import Hold as Hold
    from orderflow.domain.orders.content import HoldReason as HoldReason
    from orderflow.domain.orders.content import InvoiceBasis as InvoiceBasis
    from orderflow.domain.orders.content import LineKind as LineKind
    from orderflow.domain.orders.content import OrderContent as OrderContent
    from orderflow.domain.orders.content import OrderLine as OrderLine
    from orderflow.domain.orders.content import Policy as Policy
    from orderflow.domain.orders.content import ShipTogether as ShipTogether
    from orderflow.domain.orders.holding import PlaceHold as PlaceHold
    from orderflow.domain.orders.holding import ReleaseHold as ReleaseHold
    from orderflow.domain.orders.placing import ConfirmOrder as ConfirmOrder
    from orderflow.domain.orders.placing import PlaceOrder as PlaceOrder
    from orderflow.domain.parties.customer import RegisterCustomer as RegisterCustomer
    from orderflow.domain.parties.party import Person as Person
    from orderflow.domain.payments.applying import ApplyPayment as ApplyPayment
    from orderflow.domain.payments.collecting import RecordPayment as RecordPayment
    from orderflow.domain.payments.state import ApplicationTarget as ApplicationTarget
    from orderflow.domain.payments.state import PaymentSource as PaymentSource
    from orderflow.domain.returns import ReceiveReturn as ReceiveReturn
    from orderflow.domain.shipping.carriage import HandOver as HandOver
    from orderflow.domain.shipping.carriage import RecordDelivered as RecordDelivered
    from orderflow.domain.shipping.planning import PlanShipment as PlanShipment
    from orderflow.domain.values import LineQuantity as LineQuantity
    from orderflow.domain.values import PartyRef as PartyRef
    from orderflow.domain.workflow.table import standard_workflow as standard_workflow
    from orderflow.errors import CommandMismatch as CommandMismatch
    from orderflow.errors import CommandRefused as CommandRefused
    from orderflow.errors import ConcurrencyConflict as ConcurrencyConflict
    from orderflow.errors import DefinitionError as DefinitionError
    from orderflow.errors import InputError as InputError
    from orderflow.errors import Key as Key
    from orderflow.errors import NotFound as NotFound
    from orderflow.errors import OrderFlowError as OrderFlowError
    from orderflow.errors import PortError as PortError
    from orderflow.errors import Refusal as Refusal
    from orderflow.flows.advance import ShopSettings as ShopSettings
    from orderflow.flows.allocate import AllocationSettings as AllocationSettings
    from orderflow.flows.prepare import ShippingSettings as ShippingSettings
    from orderflow.flows.receive import Changed as Changed
    from orderflow.flows.receive import Created as Created
    from orderflow.flows.receive import Unchanged as Unchanged
    from orderflow.ports.storage import Ack as Ack
    from orderflow.ports.storage import Query as Query
    from orderflow.shop import OrderFlow as OrderFlow
    from orderflow.shop import Request as Request

__all__ = [
    "Absent",
    "Ack",
    "AllocateAt",
    "AllocationSettings",
    "ApplicationTarget",
    "ApplyPayment",
    "BillUnits",
    "CancelUnits",
    "CancelledBy",
    "Changed",
    "CommandMismatch",
    "CommandRefused",
    "CompleteOn",
    "CompleteOrder",
    "ConcurrencyConflict",
    "ConfirmOrder",
    "Created",
    "CreditLine",
    "CreditNoteContent",
    "DefinitionError",
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
    "LineQuantity",
    "Machine",
    "MaildirNotifier",
    "MemoryCarrier",
    "MemoryNotifier",
    "MemoryStorage",
    "Money",
    "NotFound",
    "OrderContent",
    "OrderFlow",
    "OrderFlowError",
    "OrderLine",
    "PartyRef",
    "PaymentSource",
    "PaymentTerms",
    "Person",
    "PlaceHold",
    "PlaceOrder",
    "PlanShipment",
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
    "Request",
    "Rounding",
    "Send",
    "ShipTogether",
    "ShippingSettings",
    "ShopSettings",
    "SqliteStorage",
    "Stamp",
    "SystemClock",
    "TableRateCarrier",
    "TaxCategory",
    "TaxPolicy",
    "Unchanged",
    "Workflow",
    "__version__",
    "refuse",
    "rule",
    "standard_workflow",
    "to",
    "to_one_of",
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
    "domain.billing.credit_note": "CreditLine CreditNoteContent DraftCreditNote",
    "domain.engine.machine": "Absent Machine refuse rule to to_one_of",
    "domain.engine.stamp": "Stamp",
    "domain.engine.workflow": "Effect FollowUp Reaction Send Workflow",
    "domain.inventory.stock": "ReceiveGoods",
    "domain.money.calendar": "PaymentTerms",
    "domain.money.money": "Money",
    "domain.money.price": "Price",
    "domain.money.split": "Rounding",
    "domain.money.tax": "TaxCategory TaxPolicy",
    "domain.orders.billing": "BillUnits CompleteOrder",
    "domain.orders.cancelling": "CancelUnits",
    "domain.orders.content": "AllocateAt CancelledBy CompleteOn Gate Hold HoldReason InvoiceBasis LineKind OrderContent"
    " OrderLine Policy ShipTogether",
    "domain.orders.holding": "PlaceHold ReleaseHold",
    "domain.orders.placing": "ConfirmOrder PlaceOrder",
    "domain.parties.customer": "RegisterCustomer",
    "domain.parties.party": "Person",
    "domain.payments.applying": "ApplyPayment",
    "domain.payments.collecting": "RecordPayment",
    "domain.payments.state": "ApplicationTarget PaymentSource",
    "domain.returns": "ReceiveReturn",
    "domain.shipping.carriage": "HandOver RecordDelivered",
    "domain.shipping.planning": "PlanShipment",
    "domain.values": "LineQuantity PartyRef",
    "domain.workflow.table": "standard_workflow",
    "errors": "CommandMismatch CommandRefused ConcurrencyConflict DefinitionError InputError Key NotFound"
    " OrderFlowError PortError Refusal",
    "flows.advance": "ShopSettings",
    "flows.allocate": "AllocationSettings",
    "flows.prepare": "ShippingSettings",
    "flows.receive": "Changed Created Unchanged",
    "ports.storage": "Ack Query",
    "shop": "OrderFlow Request",
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULES.items() for name in names.split()}

if not TYPE_CHECKING:  # a checker that saw this would take any name for exported

    def __getattr__(name: str) -> Any:
        module = _MODULE_OF_NAME.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
        return value


def __dir__() -> list[str]:
    return [*__all__]
