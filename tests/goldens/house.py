"""Every name of the library that the recorder uses: after a rename, this file is the first to be changed."""

from __future__ import annotations

from orderflow.adapters.carriers.memory import MemoryCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.ids import SequenceIds
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.batch.sample import write_sample
from orderflow.batch.uci import UciFile
from orderflow.cli.root import root as command_line
from orderflow.cli.run import work as run_file
from orderflow.domain import credit as cn
from orderflow.domain import customer as cu
from orderflow.domain import party as pa
from orderflow.domain import returns as rt
from orderflow.domain.allocation import Pick
from orderflow.domain.calendar import PaymentTerms
from orderflow.domain.invoice import messages as inv
from orderflow.domain.keys import PartyRef
from orderflow.domain.machine import ABSENT
from orderflow.domain.money import Money, Rounding
from orderflow.domain.order import messages as om
from orderflow.domain.order import values as ov
from orderflow.domain.payment import messages as pm
from orderflow.domain.price import Price
from orderflow.domain.records import account as ac
from orderflow.domain.records import intake as it
from orderflow.domain.records import series as se
from orderflow.domain.records import stock_note as sn
from orderflow.domain.shipment import messages as sm
from orderflow.domain.standard import standard_book
from orderflow.domain.stock import messages as sk
from orderflow.domain.tax import TaxCategory, TaxPolicy, TaxRounding
from orderflow.errors import CommandRefused, InputError
from orderflow.facade import Do, OrderFlow
from orderflow.flows.advance import Advanced, Plans
from orderflow.flows.allocate import Allocation
from orderflow.flows.relay import RelayReport
from orderflow.ports.storage import Ack, Query
from orderflow.worklists import WORKLISTS

__all__ = [
    "ABSENT",
    "WORKLISTS",
    "Ack",
    "Advanced",
    "Allocation",
    "CommandRefused",
    "Do",
    "FixedClock",
    "InputError",
    "MemoryCarrier",
    "MemoryNotifier",
    "MemoryStorage",
    "Money",
    "OrderFlow",
    "PartyRef",
    "PaymentTerms",
    "Pick",
    "Plans",
    "Price",
    "Query",
    "RelayReport",
    "Rounding",
    "SequenceIds",
    "SqliteStorage",
    "TaxCategory",
    "TaxPolicy",
    "TaxRounding",
    "UciFile",
    "ac",
    "cn",
    "command_line",
    "cu",
    "inv",
    "it",
    "om",
    "ov",
    "pa",
    "pm",
    "rt",
    "run_file",
    "se",
    "sk",
    "sm",
    "sn",
    "standard_book",
    "write_sample",
]
