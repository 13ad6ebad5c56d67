"""Order processing to embed in a shop: receive, confirm, allocate, prepare, ship, complete, tell the customer.

Names are loaded on first use, so importing the package costs next to nothing. What a typical host needs is here; to
build your own workflow, use the modules of ``orderflow.domain.engine``.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from orderflow.adapters.carriers.memory import MemoryCarrier as MemoryCarrier
    from orderflow.adapters.clock import FixedClock as FixedClock
    from orderflow.adapters.notifiers.memory import MemoryNotifier as MemoryNotifier
    from orderflow.adapters.payments.memory import MemoryProvider as MemoryProvider
    from orderflow.adapters.storage.memory import MemoryStorage as MemoryStorage
    from orderflow.adapters.storage.sqlite import SqliteStorage as SqliteStorage
    from orderflow.domain.billing.account import SetCreditLimit as SetCreditLimit
    from orderflow.domain.billing.credit_note import AccountLine as AccountLine
    from orderflow.domain.billing.credit_note import CreditItem as CreditItem
    from orderflow.domain.billing.credit_note import CreditNoteContent as CreditNoteContent
    from orderflow.domain.billing.credit_note import DraftCreditNote as DraftCreditNote
    from orderflow.domain.billing.credit_note import UseCredit as UseCredit
    from orderflow.domain.billing.invoice import VoidInvoice as VoidInvoice
    from orderflow.domain.billing.invoice_money import WriteOff as WriteOff
    from orderflow.domain.engine.machine import refuse as refuse
    from orderflow.domain.engine.record import Command as Command
    from orderflow.domain.engine.stamp import Stamp as Stamp
    from orderflow.domain.engine.workflow import Workflow as Workflow
    from orderflow.domain.inventory.stock import ReceiveGoods as ReceiveGoods
    from orderflow.domain.money.calendar import PaymentTerms as PaymentTerms
    from orderflow.domain.money.money import Money as Money
    from orderflow.domain.money.price import Price as Price
    from orderflow.domain.money.tax import TaxCategory as TaxCategory
    from orderflow.domain.money.tax import TaxPolicy as TaxPolicy
    from orderflow.domain.orders.billing import BillUnits as BillUnits
    from orderflow.domain.orders.cancelling import CancelUnits as CancelUnits
    from orderflow.domain.orders.content import AllocateAt as AllocateAt
    from orderflow.domain.orders.content import CancelledBy as CancelledBy
    from orderflow.domain.orders.content import CaptureOn as CaptureOn
    from orderflow.domain.orders.content import CompleteOn as CompleteOn
    from orderflow.domain.orders.content import Gate as Gate
    from orderflow.domain.orders.content import Hold as Hold
    from orderflow.domain.orders.content import HoldReason as HoldReason
    from orderflow.domain.orders.content import InvoiceBasis as InvoiceBasis
    from orderflow.domain.orders.content import LineKind as LineKind
    from orderflow.domain.orders.content import OrderContent as OrderContent
    from orderflow.domain.orders.content import OrderLine as OrderLine
    from orderflow.domain.orders.content import PayBefore as PayBefore
    from orderflow.domain.orders.content import Policy as Policy
    from orderflow.domain.orders.content import RefundOn as RefundOn
    from orderflow.domain.orders.content import ShipTogether as ShipTogether
    from orderflow.domain.orders.holding import PlaceHold as PlaceHold
    from orderflow.domain.orders.holding import ReleaseHold as ReleaseHold
    from orderflow.domain.orders.placing import ConfirmOrder as ConfirmOrder
    from orderflow.domain.orders.placing import PlaceOrder as PlaceOrder
    from orderflow.domain.orders.reinstating import ReinstateOrder as ReinstateOrder
    from orderflow.domain.parties.customer import RegisterCustomer as RegisterCustomer
    from orderflow.domain.parties.party import Person as Person
    from orderflow.domain.payments.applying import ApplyPayment as ApplyPayment
    from orderflow.domain.payments.applying import UnapplyPayment as UnapplyPayment
    from orderflow.domain.payments.collecting import AuthorisePayment as AuthorisePayment
    from orderflow.domain.payments.collecting import CapturePayment as CapturePayment
    from orderflow.domain.payments.collecting import ClosePayment as ClosePayment
    from orderflow.domain.payments.collecting import EndAuthorisation as EndAuthorisation
    from orderflow.domain.payments.collecting import ExpectPayment as ExpectPayment
    from orderflow.domain.payments.collecting import RecordPayment as RecordPayment
    from orderflow.domain.payments.facts import ClosePaymentTask as ClosePaymentTask
    from orderflow.domain.payments.pending import RequestOperation as RequestOperation
    from orderflow.domain.payments.pending import ResolvePending as ResolvePending
    from orderflow.domain.payments.refunding import ChargeBackPayment as ChargeBackPayment
    from orderflow.domain.payments.refunding import DisputePayment as DisputePayment
    from orderflow.domain.payments.refunding import RefundPayment as RefundPayment
    from orderflow.domain.payments.refunding import ResolveDispute as ResolveDispute
    from orderflow.domain.payments.state import ApplicationTarget as ApplicationTarget
    from orderflow.domain.payments.state import Operation as Operation
    from orderflow.domain.payments.state import PaymentSource as PaymentSource
    from orderflow.domain.returns.receiving import ReceiveReturn as ReceiveReturn
    from orderflow.domain.returns.receiving import ReturnedUnits as ReturnedUnits
    from orderflow.domain.shipping.carriage import RecordDelivered as RecordDelivered
    from orderflow.domain.shipping.leaving import HandOver as HandOver
    from orderflow.domain.values import CreditIntent as CreditIntent
    from orderflow.domain.values import LineQuantity as LineQuantity
    from orderflow.domain.values import PartyRef as PartyRef
    from orderflow.domain.workflow.table import standard_workflow as standard_workflow
    from orderflow.errors import CommandMismatch as CommandMismatch
    from orderflow.errors import CommandRefused as CommandRefused
    from orderflow.errors import ConcurrencyConflict as ConcurrencyConflict
    from orderflow.errors import DefinitionError as DefinitionError
    from orderflow.errors import Fault as Fault
    from orderflow.errors import InputError as InputError
    from orderflow.errors import Key as Key
    from orderflow.errors import NotFound as NotFound
    from orderflow.errors import OrderFlowError as OrderFlowError
    from orderflow.errors import PortError as PortError
    from orderflow.errors import Refusal as Refusal
    from orderflow.errors import StorageError as StorageError
    from orderflow.flows.advance import ShopSettings as ShopSettings
    from orderflow.flows.allocate import AllocationSettings as AllocationSettings
    from orderflow.flows.prepare import ShippingSettings as ShippingSettings
    from orderflow.flows.receive import Changed as Changed
    from orderflow.flows.receive import Created as Created
    from orderflow.flows.receive import Unchanged as Unchanged
    from orderflow.ports.storage import Ack as Ack
    from orderflow.shop import OrderFlow as OrderFlow
    from orderflow.shop import Request as Request

_NAMES_OF_MODULES = {
    "adapters.carriers.memory": "MemoryCarrier",
    "adapters.clock": "FixedClock",
    "adapters.notifiers.memory": "MemoryNotifier",
    "adapters.payments.memory": "MemoryProvider",
    "adapters.storage.memory": "MemoryStorage",
    "adapters.storage.sqlite": "SqliteStorage",
    "domain.billing.account": "SetCreditLimit",
    "domain.billing.credit_note": "AccountLine CreditItem CreditNoteContent DraftCreditNote UseCredit",
    "domain.billing.invoice": "VoidInvoice",
    "domain.billing.invoice_money": "WriteOff",
    "domain.engine.machine": "refuse",
    "domain.engine.record": "Command",
    "domain.engine.stamp": "Stamp",
    "domain.engine.workflow": "Workflow",
    "domain.inventory.stock": "ReceiveGoods",
    "domain.money.calendar": "PaymentTerms",
    "domain.money.money": "Money",
    "domain.money.price": "Price",
    "domain.money.tax": "TaxCategory TaxPolicy",
    "domain.orders.billing": "BillUnits",
    "domain.orders.cancelling": "CancelUnits",
    "domain.orders.content": "AllocateAt CancelledBy CaptureOn CompleteOn Gate Hold HoldReason InvoiceBasis"
    " LineKind OrderContent OrderLine PayBefore Policy RefundOn ShipTogether",
    "domain.orders.holding": "PlaceHold ReleaseHold",
    "domain.orders.placing": "ConfirmOrder PlaceOrder",
    "domain.orders.reinstating": "ReinstateOrder",
    "domain.parties.customer": "RegisterCustomer",
    "domain.parties.party": "Person",
    "domain.payments.applying": "ApplyPayment UnapplyPayment",
    "domain.payments.collecting": "AuthorisePayment CapturePayment ClosePayment EndAuthorisation"
    " ExpectPayment RecordPayment",
    "domain.payments.facts": "ClosePaymentTask",
    "domain.payments.pending": "RequestOperation ResolvePending",
    "domain.payments.refunding": "ChargeBackPayment DisputePayment RefundPayment ResolveDispute",
    "domain.payments.state": "ApplicationTarget Operation PaymentSource",
    "domain.returns.receiving": "ReceiveReturn ReturnedUnits",
    "domain.shipping.carriage": "RecordDelivered",
    "domain.shipping.leaving": "HandOver",
    "domain.values": "CreditIntent LineQuantity PartyRef",
    "domain.workflow.table": "standard_workflow",
    "errors": "CommandMismatch CommandRefused ConcurrencyConflict DefinitionError Fault InputError Key"
    " NotFound OrderFlowError PortError Refusal StorageError",
    "flows.advance": "ShopSettings",
    "flows.allocate": "AllocationSettings",
    "flows.prepare": "ShippingSettings",
    "flows.receive": "Changed Created Unchanged",
    "ports.storage": "Ack",
    "shop": "OrderFlow Request",
}
_MODULE_OF_NAME = {name: module for module, names in _NAMES_OF_MODULES.items() for name in names.split()}

if not TYPE_CHECKING:  # a type checker that saw this would accept any name as exported
    __all__ = list(_MODULE_OF_NAME)

    def __getattr__(name: str) -> Any:
        module = _MODULE_OF_NAME.get(name)
        if module is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{module}"), name)
        return value

    def __dir__() -> list[str]:
        return [*__all__]
