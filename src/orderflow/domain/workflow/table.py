"""The standard workflow in one table: what each event tells other rows in its commit, and asks afterwards.

The machines are listed in lock order. An event tells only rows of later kinds; what an earlier kind must hear is an
effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from orderflow.domain.billing import account as ac
from orderflow.domain.billing import credit_note as cn
from orderflow.domain.billing import invoice as inv
from orderflow.domain.billing import invoice_credit as ic
from orderflow.domain.billing import invoice_money as im
from orderflow.domain.billing import numbering as nu
from orderflow.domain.billing import prefixes as px
from orderflow.domain.engine.record import Record
from orderflow.domain.engine.workflow import (
    Asks,
    Effect,
    EventContext,
    Line,
    On,
    Part,
    Requires,
    Workflow,
    asks,
    completes,
    names,
    on,
    requires,
    tells,
)
from orderflow.domain.intake import INTAKE, AcceptDocument
from orderflow.domain.inventory import documents as do
from orderflow.domain.inventory import stock as st
from orderflow.domain.inventory.counting import Adjust
from orderflow.domain.inventory.machine import STOCK
from orderflow.domain.orders import allocating as oa
from orderflow.domain.orders import amending as oam
from orderflow.domain.orders import annotating as oan
from orderflow.domain.orders import billing as ob
from orderflow.domain.orders import cancelling as oc
from orderflow.domain.orders import crediting as ocr
from orderflow.domain.orders import exceeding as oex
from orderflow.domain.orders import holding as oh
from orderflow.domain.orders import parcels as opa
from orderflow.domain.orders import placing as op
from orderflow.domain.orders import prepaying as om
from orderflow.domain.orders import readdressing as ora
from orderflow.domain.orders import reinstating as ori
from orderflow.domain.orders import returning as ore
from orderflow.domain.orders import shipping as osh
from orderflow.domain.orders.content import Gate
from orderflow.domain.orders.machine import ORDER
from orderflow.domain.parties import customer as cu
from orderflow.domain.parties import merging as mg
from orderflow.domain.parties.party import PARTY
from orderflow.domain.payments import applying as pa
from orderflow.domain.payments import collecting as pc
from orderflow.domain.payments import facts as pf
from orderflow.domain.payments import pending as pp
from orderflow.domain.payments import refunding as pr
from orderflow.domain.payments.machine import PAYMENT
from orderflow.domain.returns import inspecting as ri
from orderflow.domain.returns import receiving as rg
from orderflow.domain.returns import requesting as rq
from orderflow.domain.returns.machine import RETURN
from orderflow.domain.shipping import carriage as sc
from orderflow.domain.shipping import choosing as sh
from orderflow.domain.shipping import labelling as sl
from orderflow.domain.shipping import leaving as sv
from orderflow.domain.shipping import planning as sp
from orderflow.domain.shipping import rejecting as sj
from orderflow.domain.shipping import resolving as sw
from orderflow.domain.shipping import returning as sb
from orderflow.domain.shipping.machine import SHIPMENT
from orderflow.domain.workflow import (
    billing_accounts,
    customers_accounts,
    goods_stock,
    orders_billing,
    orders_parties,
    orders_payments,
    orders_stock,
    payments_billing,
    returns_orders,
    returns_shipments,
    series_prefixes,
    shipments_orders,
)

__all__ = ["MACHINES", "NOTICES", "TABLE", "standard_workflow"]

MACHINES: Final = (
    cu.CUSTOMER,
    PARTY,
    RETURN,
    cn.CREDIT_NOTE,
    PAYMENT,
    SHIPMENT,
    ORDER,
    INTAKE,
    inv.INVOICE,
    nu.SERIES,
    px.PREFIX,
    ac.ACCOUNT,
    do.STOCK_DOCUMENT,
    STOCK,
)

#: The templates of notices that customers may get.
NOTICES: Final = (
    "order_received",
    "order_confirmed",
    "order_cancelled",
    "order_completed",
    "shipment_sent",
    "invoice_issued",
    "credit_note_issued",
)


class NoticeBy(Record):
    """Tells the customer, by the named template."""

    template: str

    def __call__(self, context: EventContext) -> Iterator[Effect]:
        yield Effect("notify", context.key, (("template", self.template),))


def notifies(template: str) -> Asks:
    """The customer is told."""
    return asks(NoticeBy(template), "notify")


EXPOSED: Final = tells(orders_billing.post_exposure, ac.Post)
MONEY_MOVED: Final = tells(orders_billing.move_money, im.RecordPrepaid)
ORDER_HEARS: Final = tells(orders_billing.record_due, om.RecordDue, known=True)
GONE: Final = tells(payments_billing.withdraw_released, om.WithdrawPrepayment, im.WithdrawApplication)
KEPT: Final = tells(payments_billing.keep, om.RecordAuthorisation, om.RecordCapture)
UNRESERVED: Final = tells(payments_billing.end_reservation, om.RecordAuthorisation)
BY_POLICY: Final = asks(orders_payments.request_operations, "request_operation")
AGAIN: Final = asks(payments_billing.ask_again, "request_operation")
TENDED: Final = asks(orders_stock.tend, "fill_backorders", "rebalance")
SERVED: Final = asks(orders_stock.serve, "fill_backorders")
#: Of a shipment that nobody handed over.
DEPARTED: Final = tells(shipments_orders.depart, opa.RecordDeparture)
DATES_QUESTIONED: Final = tells(shipments_orders.question_dates, sv.RecordOrderDate, known=True)
LOOKED_AT_AGAIN: Final = tells(
    shipments_orders.look_again,
    sc.RecordTracking,
    sc.RecordDelivered,
    sc.RecordReturning,
    sc.RecordLost,
    sb.ReceiveBack,
    sb.ReceiveReturned,
    known=True,
)
SET_APART: Final = tells(returns_shipments.set_apart, rg.RecordLoose, known=True)
#: Of a shipment that is left with the goods of fewer lines.
FEWER_LINES: Final = asks(shipments_orders.readdress_rest, "readdress")
UNPREPARED: Final = tells(shipments_orders.cancel_preparation, osh.CancelPreparation)
LABEL_WANTED: Final = asks(shipments_orders.buy_label, "buy_label")
LABEL_VOIDED: Final = asks(shipments_orders.void_label, "void_label")
#: Of units that an order is not to have any more.
UNITS_FREED: Final = (
    EXPOSED,
    tells(orders_stock.free_units, st.Release, st.DropBackorder),
    asks(shipments_orders.drop_items, "drop_items"),
    BY_POLICY,
)
WRITTEN_BACK: Final = tells(billing_accounts.post_written_back, ac.Post)


def _each(events: Iterable[type[Any]], part: Part) -> list[On]:
    return [on(event, part) for event in events]


def settled_at(gate: Gate) -> Requires:
    """Where the order waits for money at this gate, its invoices are settled."""
    return requires(orders_billing.settled_at(gate), "invoice")


TABLE: Final[tuple[Line, ...]] = (
    # -- orders
    names(op.PlaceOrder, orders_parties.named_parties),
    on(
        op.OrderPlaced,
        requires(orders_parties.recorded, "party", known=True),
        tells(orders_billing.take_in, AcceptDocument),
        notifies("order_received"),
    ),
    on(
        op.OrderConfirmed,
        settled_at(Gate.CONFIRM),
        tells(orders_billing.reserve_credit, ac.ReserveCredit),
        notifies("order_confirmed"),
    ),
    on(op.OrderUnconfirmed, EXPOSED),
    on(
        oa.StockAllocated,
        settled_at(Gate.ALLOCATE),
        tells(orders_stock.allocate_units, st.DropBackorder, st.Allocate, st.Backorder),
    ),
    on(oh.HoldReleased, SERVED),
    on(oa.ReturnedToQueue, tells(orders_stock.return_units, st.Release, st.Backorder)),
    on(osh.PreparationCancelled, asks(orders_stock.look_for_shortfall, "rebalance")),
    on(oa.StockReleased, tells(orders_stock.release_units, st.Release)),
    on(oa.AllocationExpired, tells(orders_stock.release_units, st.Release)),
    on(osh.ShortUnitsTakenOut, tells(orders_stock.take_out_short, st.TakeOutShort)),
    on(
        oex.ExcessAdded,
        EXPOSED,
        tells(orders_stock.allocate_excess, st.Allocate),
        tells(shipments_orders.add_items, sp.AddItems, known=True),
        BY_POLICY,
    ),
    on(osh.ShipmentPrepared, settled_at(Gate.PREPARE)),
    on(
        osh.ShipmentDispatched,
        settled_at(Gate.SHIP),
        requires(shipments_orders.others_ready, "shipment", known=True),
        tells(orders_stock.ship_units, st.Ship),
        DATES_QUESTIONED,
        BY_POLICY,
    ),
    on(
        opa.DepartureRecorded,
        EXPOSED,
        tells(orders_stock.depart_units, st.Ship, st.Release, st.DropBackorder),
        tells(shipments_orders.answer_departure, sv.RecordAnswer, known=True),
        DATES_QUESTIONED,
        BY_POLICY,
    ),
    on(opa.UnitsDelivered, EXPOSED),
    on(opa.UnitsReturned, EXPOSED, tells(orders_stock.restock_units, *orders_stock.RESTOCKING), BY_POLICY),
    on(ore.UnitsInspected, tells(returns_orders.move_stock, *returns_orders.DECISIONS)),
    on(ore.UnitsRejected, EXPOSED, tells(returns_orders.send_back, *returns_orders.DECISIONS), BY_POLICY),
    on(opa.UnitsLost, EXPOSED, BY_POLICY),
    on(opa.UnitsOwedAgain, EXPOSED, tells(orders_stock.restock_left_behind, st.Restock)),
    on(oc.UnitsCancelled, *UNITS_FREED),
    on(oc.OrderCancelled, *UNITS_FREED, notifies("order_cancelled")),
    on(ori.OrderReinstated, EXPOSED),
    names(oam.ConfirmAmendment, orders_parties.amended_parties),
    on(oam.AmendmentConfirmed, requires(orders_parties.recorded, "party", known=True), *UNITS_FREED),
    names(ora.ChangeAddress, orders_parties.named_address),
    on(
        ora.AddressChanged,
        requires(orders_parties.address_recorded, "party", known=True),
        asks(shipments_orders.readdress, "readdress"),
    ),
    on(ob.UnitsBilled, EXPOSED, tells(orders_billing.draft_invoice, inv.DraftInvoice), BY_POLICY),
    on(ocr.UnitsCredited, EXPOSED, MONEY_MOVED, BY_POLICY),
    on(ocr.UnitsUnbilled, EXPOSED, MONEY_MOVED, BY_POLICY),
    on(om.PrepaymentRecorded, EXPOSED, MONEY_MOVED, tells(billing_accounts.paid, ac.Post), BY_POLICY),
    on(om.PrepaymentWithdrawn, EXPOSED, MONEY_MOVED, tells(billing_accounts.unpaid, ac.Post)),
    on(om.AuthorisationRecorded, asks(orders_payments.operations_on_more, "request_operation")),
    on(om.DueRecorded, MONEY_MOVED, BY_POLICY),
    on(ob.OrderCompleted, requires(orders_billing.settled_if_asked, "invoice"), notifies("order_completed")),
    # -- shipments
    on(sp.ShipmentPlanned, tells(shipments_orders.prepare, osh.PrepareShipment)),
    on(sp.OverPickRecorded, tells(shipments_orders.exceed, oex.AddExcess)),
    on(sp.ShipmentPacked, LABEL_WANTED),
    on(sp.ShortPickRecorded, tells(shipments_orders.take_out_short, osh.TakeOutShort), FEWER_LINES),
    on(sp.ItemsDropped, UNPREPARED, LABEL_VOIDED, FEWER_LINES),
    on(sp.ShipmentVoided, UNPREPARED, LABEL_VOIDED),
    on(sl.LabelRequested, LABEL_WANTED),
    on(sl.CarrierChanged, LABEL_VOIDED, LABEL_WANTED),
    on(sl.ShipmentReaddressed, LABEL_VOIDED, LABEL_WANTED),
    on(sh.CarrierChosen, LABEL_WANTED),
    on(sl.LabelVoided, LABEL_VOIDED),
    on(sl.SpareLabelRecorded, asks(shipments_orders.void_spare, "void_label")),
    names(sv.HandOver, shipments_orders.travels_with),
    on(
        sv.HandedOver,
        tells(shipments_orders.dispatch, osh.DispatchShipment),
        LOOKED_AT_AGAIN,
        notifies("shipment_sent"),
    ),
    on(sv.DispatchRecorded, DEPARTED),
    on(sv.ShipmentLeft, DEPARTED, notifies("shipment_sent")),
    on(sv.AnswerRecorded, LOOKED_AT_AGAIN),
    on(sc.ShipmentDelivered, tells(shipments_orders.deliver, opa.RecordDelivery)),
    on(sb.ReceivedBack, tells(shipments_orders.take_back, opa.RecordBack), SET_APART),
    on(sb.ReportedUnsent, tells(shipments_orders.recount, opa.RecordBack), SET_APART),
    on(sj.UnitsSentBack, tells(shipments_orders.reject, ore.RecordRejection)),
    on(sw.ParcelWrittenOff, tells(shipments_orders.write_off, opa.RecordLoss)),
    on(sw.ParcelResupplied, tells(shipments_orders.resupply, opa.OweAgain)),
    on(
        sv.LeftBehindRecorded,
        tells(shipments_orders.leave_behind, opa.OweAgain, opa.RecordBack),
        asks(shipments_orders.void_unused, "void_label"),
    ),
    # -- returns, credit notes, invoices, numbers
    completes(rg.ReceiveReturn, returns_shipments.find_shipments),
    on(rg.ReturnReceived, tells(returns_shipments.take_back, sb.ReceiveReturned, opa.RecordBack, st.Restock)),
    on(
        ri.ReturnInspected,
        tells(returns_shipments.send_back, sj.SendBack),
        tells(returns_orders.inspect, ore.RecordInspection, *returns_orders.DECISIONS),
    ),
    on(ri.ReturnSettled, requires(returns_orders.credited, "order")),
    on(rq.ExchangeLinked, tells(returns_orders.link_exchange, oan.AnnotateOrder)),
    names(cn.DraftCreditNote, billing_accounts.rows_of_credit),
    on(cn.CreditNoteDrafted, tells(billing_accounts.credit, ic.ApplyCredit, nu.AllotNumber)),
    on(cn.CreditNoteIssued, tells(billing_accounts.post_credit_note, ac.Post), notifies("credit_note_issued")),
    names(cn.UseCredit, billing_accounts.order_of_use),
    on(cn.CreditUsed, tells(billing_accounts.use_credit, im.RecordCreditUse)),
    on(inv.InvoiceDrafted, tells(billing_accounts.number_invoice, nu.AllotNumber)),
    on(inv.InvoiceIssued, tells(billing_accounts.post_invoice, ac.Post), notifies("invoice_issued")),
    on(im.ApplicationRecorded, ORDER_HEARS, tells(billing_accounts.paid, ac.Post), WRITTEN_BACK),
    on(im.ApplicationWithdrawn, ORDER_HEARS, tells(billing_accounts.unpaid, ac.Post)),
    on(im.CreditUseRecorded, ORDER_HEARS),
    on(
        ic.CreditApplied,
        tells(orders_billing.record_credit, ocr.RecordCredit, known=True),
        tells(billing_accounts.record_credited, cn.RecordCredited, known=True),
        tells(billing_accounts.free, cn.ReleaseCreditUse, pa.ReleaseApplication, known=True),
        tells(billing_accounts.post_freed, ac.Post),
    ),
    names(im.WriteOff, orders_billing.order_of_invoice),
    on(im.WrittenOff, ORDER_HEARS, tells(billing_accounts.post_write_off, ac.Post)),
    names(im.TakeBackWriteOff, orders_billing.order_of_invoice),
    on(im.WriteOffTakenBack, ORDER_HEARS, tells(billing_accounts.post_write_off_back, ac.Post)),
    names(inv.VoidInvoice, orders_billing.order_of_invoice),
    on(
        inv.InvoiceVoided,
        tells(orders_billing.unbill, ocr.RecordUnbilling, known=True),
        tells(billing_accounts.post_void, ac.Post),
    ),
    on(nu.SeriesOpened, tells(series_prefixes.hold, px.ReleasePrefix, px.ClaimPrefix)),
    on(nu.NumberAllotted, tells(billing_accounts.issue, inv.IssueInvoice, cn.IssueCreditNote, known=True)),
    # -- payments
    on(pc.PaymentExpected, requires(payments_billing.for_an_order, "order")),
    on(pc.PaymentAuthorised, tells(payments_billing.reserve, om.RecordAuthorisation)),
    on(pc.PaymentReceived, KEPT, tells(payments_billing.post_payment, ac.Post)),
    on(pc.PaymentCaptured, KEPT, tells(payments_billing.post_payment, ac.Post)),
    on(pc.AuthorisationEnded, UNRESERVED),
    on(pc.PaymentClosed, UNRESERVED),
    names(pp.RequestOperation, payments_billing.orders_of_applications),
    on(
        pp.OperationRequested,
        GONE,
        requires(payments_billing.unneeded, "order"),
        asks(payments_billing.operate, "operate_payment"),
    ),
    on(pp.OperationFailed, tells(payments_billing.give_back, om.RecordCapture), AGAIN),
    on(pf.PaymentTaskClosed, AGAIN),
    on(pr.DisputeWon, AGAIN),
    names(pr.RefundPayment, payments_billing.orders_of_applications),
    names(pr.ChargeBackPayment, payments_billing.orders_of_applications),
    names(pr.ResolveDispute, payments_billing.orders_of_applications),
    names(pp.ResolvePending, payments_billing.orders_of_applications),
    on(
        pr.PaymentRefunded,
        GONE,
        tells(payments_billing.post_repayment, ac.Post),
        asks(payments_billing.ask_after_answer, "request_operation"),
    ),
    on(pr.ChargedBack, GONE, tells(payments_billing.post_repayment, ac.Post)),
    on(pr.DisputeLost, GONE, tells(payments_billing.post_repayment, ac.Post)),
    names(pa.ApplyPayment, payments_billing.orders_of_target),
    on(pa.PaymentApplied, tells(payments_billing.apply, om.RecordPrepayment, im.RecordApplication)),
    names(pa.UnapplyPayment, payments_billing.orders_of_target),
    on(pa.PaymentUnapplied, tells(payments_billing.unapply, om.WithdrawPrepayment, im.WithdrawApplication)),
    # -- customers and stock documents
    on(cu.CustomerBlocked, tells(customers_accounts.block, ac.BlockAccount)),
    on(cu.CustomerUnblocked, tells(customers_accounts.unblock, ac.UnblockAccount)),
    on(cu.CustomerClosed, tells(customers_accounts.block, ac.BlockAccount)),
    # -- stock
    *_each(orders_stock.TENDING, TENDED),
    names(mg.MergeCustomers, customers_accounts.duplicate),
    on(mg.CustomersMerged, tells(customers_accounts.record_merge, mg.RecordMerge, known=True)),
    on(mg.MergeRecorded, tells(customers_accounts.block_merged, ac.BlockAccount)),
    on(do.ReceiptPosted, tells(goods_stock.receive, st.ReceiveGoods)),
    on(do.AdjustmentPosted, tells(goods_stock.adjust, Adjust)),
    on(do.TransferPosted, tells(goods_stock.transfer, st.TransferOut, st.TransferIn)),
)


def standard_workflow(templates: Iterable[str] = NOTICES) -> Workflow:
    """All machines and the whole table, with notices for ``templates`` only."""
    wanted = frozenset(templates)
    return Workflow(MACHINES, [_noticing(line, wanted) if isinstance(line, On) else line for line in TABLE])


def _noticing(line: On, templates: frozenset[str]) -> On:
    return on(line.event, *(part for part in line.parts if _template(part) in {None, *templates}))


def _template(part: Part) -> str | None:
    notice = part.effects if isinstance(part, Asks) else None
    return notice.template if isinstance(notice, NoticeBy) else None
