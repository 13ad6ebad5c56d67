"""Every name of the library that the recorder uses: after a rename, this file is the first to be changed."""

from __future__ import annotations

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.memory_outbox import Posted
from orderflow.cli.root import root as command_line
from orderflow.cli.run import work as run_file
from orderflow.domain.billing.account import BlockAccount, SetCreditLimit, UnblockAccount
from orderflow.domain.billing.credit_note import CreditedBefore, CreditLine, CreditNoteContent, DraftCreditNote
from orderflow.domain.billing.invoice import MarkSent, VoidInvoice, WriteOff
from orderflow.domain.billing.numbering import ClosePeriod, OpenSeries
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.intake import RejectDocument
from orderflow.domain.inventory.counting import Adjust, CountStock, Quarantine, ReleaseQuarantine
from orderflow.domain.inventory.documents import PostAdjustment, PostReceipt, PostTransfer, SkuChange, SkuQuantity
from orderflow.domain.inventory.stock import ExpectGoods, ReceiveGoods
from orderflow.domain.money.calendar import PaymentTerms
from orderflow.domain.money.money import Money
from orderflow.domain.money.price import Price
from orderflow.domain.money.split import Rounding
from orderflow.domain.money.tax import TaxCategory, TaxPolicy, TaxRounding
from orderflow.domain.orders.allocating import AllocateStock, ExpireAllocation, FillBackorder, ReleaseStock
from orderflow.domain.orders.amending import AnnotateOrder
from orderflow.domain.orders.billing import BillUnits, CompleteOrder, RecordSettlement
from orderflow.domain.orders.cancelling import CancelUnits
from orderflow.domain.orders.content import (
    AllocateAt,
    CancelledBy,
    CompleteOn,
    Gate,
    Hold,
    HoldReason,
    InvoiceBasis,
    LineKind,
    OrderContent,
    OrderLine,
    Policy,
    ShipTogether,
)
from orderflow.domain.orders.holding import PlaceHold, ReleaseHold
from orderflow.domain.orders.placing import ConfirmOrder, DiscardDraft, EditDraft, OpenDraft, PlaceOrder, UnconfirmOrder
from orderflow.domain.orders.shipping import ResolveLoss
from orderflow.domain.parties.customer import (
    BlockCustomer,
    ChangeParty,
    CloseCustomer,
    RegisterCustomer,
    TagCustomer,
    UnblockCustomer,
)
from orderflow.domain.parties.party import ErasePartyVersion, Person, RecordParty
from orderflow.domain.payments.applying import ApplyPayment, UnapplyPayment
from orderflow.domain.payments.collecting import (
    AuthorisePayment,
    CapturePayment,
    ClosePayment,
    ExpectPayment,
    RecordPayment,
)
from orderflow.domain.payments.pending import MarkPending, ResolvePending
from orderflow.domain.payments.refunding import ChargeBackPayment, DisputePayment, RefundPayment, ResolveDispute
from orderflow.domain.payments.state import ApplicationTarget, Operation, PaymentSource
from orderflow.domain.returns import ReceiveReturn, ReturnedUnits, SettleReturn, UnmatchedReturn
from orderflow.domain.shipping.carriage import (
    DeclareLost,
    HandOver,
    ReceiveBack,
    RecordDelivered,
    RecordReturning,
    RecordTracking,
    TrackingStatus,
)
from orderflow.domain.shipping.labelling import RecordLabel, VoidLabel
from orderflow.domain.shipping.planning import DropItems, PackShipment, PlanShipment, RecordShortPick, VoidShipment
from orderflow.domain.shipping.state import Item, Plan, ReturnReason, ShippingLabel
from orderflow.domain.values import LineQuantity, PartyRef, Pick
from orderflow.domain.workflow.table import standard_workflow
from orderflow.errors import CommandRefused, InputError, Key
from orderflow.flows.advance import Advanced, ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.relay import RelayReport
from orderflow.flows.worklists import WORKLISTS
from orderflow.ports.storage import Ack, Lease
from orderflow.shop import OrderFlow, Request
from orderflow_examples.sample import write_sample
from orderflow_examples.uci import UciFile

__all__ = [
    "ABSENT",
    "WORKLISTS",
    "Ack",
    "Adjust",
    "Advanced",
    "AllocateAt",
    "AllocateStock",
    "AllocationSettings",
    "AnnotateOrder",
    "ApplicationTarget",
    "ApplyPayment",
    "AuthorisePayment",
    "BillUnits",
    "BlockAccount",
    "BlockCustomer",
    "CancelUnits",
    "CancelledBy",
    "CapturePayment",
    "ChangeParty",
    "ChargeBackPayment",
    "CloseCustomer",
    "ClosePayment",
    "ClosePeriod",
    "CommandRefused",
    "CompleteOn",
    "CompleteOrder",
    "ConfirmOrder",
    "CountStock",
    "CreditLine",
    "CreditNoteContent",
    "CreditedBefore",
    "DeclareLost",
    "DiscardDraft",
    "DisputePayment",
    "DraftCreditNote",
    "DropItems",
    "EditDraft",
    "ErasePartyVersion",
    "ExpectGoods",
    "ExpectPayment",
    "ExpireAllocation",
    "FillBackorder",
    "FixedClock",
    "Gate",
    "HandOver",
    "Hold",
    "HoldReason",
    "InputError",
    "InvoiceBasis",
    "Item",
    "Key",
    "Lease",
    "LineKind",
    "LineQuantity",
    "MarkPending",
    "MarkSent",
    "MemoryCarrier",
    "MemoryNotifier",
    "MemoryStorage",
    "Money",
    "OpenDraft",
    "OpenSeries",
    "Operation",
    "OrderContent",
    "OrderFlow",
    "OrderLine",
    "PackShipment",
    "PartyRef",
    "PaymentSource",
    "PaymentTerms",
    "Person",
    "Pick",
    "PlaceHold",
    "PlaceOrder",
    "Plan",
    "PlanShipment",
    "Policy",
    "PostAdjustment",
    "PostReceipt",
    "PostTransfer",
    "Posted",
    "Price",
    "Quarantine",
    "ReceiveBack",
    "ReceiveGoods",
    "ReceiveReturn",
    "RecordDelivered",
    "RecordLabel",
    "RecordParty",
    "RecordPayment",
    "RecordReturning",
    "RecordSettlement",
    "RecordShortPick",
    "RecordTracking",
    "RefundPayment",
    "RegisterCustomer",
    "RejectDocument",
    "RelayReport",
    "ReleaseHold",
    "ReleaseQuarantine",
    "ReleaseStock",
    "Request",
    "ResolveDispute",
    "ResolveLoss",
    "ResolvePending",
    "ReturnReason",
    "ReturnedUnits",
    "Rounding",
    "SequenceIds",
    "SetCreditLimit",
    "SettleReturn",
    "ShipTogether",
    "ShippingLabel",
    "ShopSettings",
    "SkuChange",
    "SkuQuantity",
    "TagCustomer",
    "TaxCategory",
    "TaxPolicy",
    "TaxRounding",
    "TrackingStatus",
    "UciFile",
    "UnapplyPayment",
    "UnblockAccount",
    "UnblockCustomer",
    "UnconfirmOrder",
    "UnmatchedReturn",
    "VoidInvoice",
    "VoidLabel",
    "VoidShipment",
    "WriteOff",
    "command_line",
    "run_file",
    "standard_workflow",
    "write_sample",
]
