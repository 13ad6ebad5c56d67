"""A shop set up to work a file: with an SQLite file of its own, a table-rate carrier and a place for notices."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import as_file, files
from pathlib import Path
from typing import Final

from orderflow.adapters.carriers.rates import RateTable
from orderflow.adapters.carriers.table import TableRateCarrier
from orderflow.adapters.clock import FixedClock
from orderflow.adapters.notifiers.jsonl import JsonLinesNotifier
from orderflow.adapters.notifiers.maildir import MaildirNotifier
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.workflow.table import standard_workflow
from orderflow.flows.advance import ShopSettings
from orderflow.flows.allocate import AllocationSettings
from orderflow.flows.prepare import ShippingSettings
from orderflow.importing.progress import PROGRESS
from orderflow.ports.notifier import Notifier
from orderflow.ports.storage import Storage
from orderflow.shop import OrderFlow

#: The notices that customers in a file get: when their order is complete, and when money is credited.
NOTICES: Final = ("order_completed", "credit_note_issued")


CARRIER: Final = "table"


#: The library's own zones: that of each country; every other country is in zone ``world``.
ZONES: Final = {
    **dict.fromkeys(("United Kingdom", "GB", "Channel Islands"), "domestic"),
    **dict.fromkeys(
        (
            "Austria", "Belgium", "Cyprus", "Czech Republic", "Denmark", "EIRE", "European Community", "Finland",
            "France", "Germany", "Greece", "Iceland", "Italy", "Lithuania", "Malta", "Netherlands", "Norway", "Poland",
            "Portugal", "Spain", "Sweden", "Switzerland", "AT", "BE", "CH", "CY", "CZ", "DE", "DK", "ES", "FI", "FR",
            "GR", "IE", "IS", "IT", "LT", "MT", "NL", "NO", "PL", "PT", "SE",
        ),
        "europe",
    ),
}  # fmt: skip


def import_workflow(workflow: Workflow | None = None) -> Workflow:
    """The workflow of a run: ``workflow``, or the standard one with few notices, extended to record progress."""
    return (workflow or standard_workflow(NOTICES)).extended(machines=(PROGRESS,))


def storage_at(path: Path, workflow: Workflow, *, exclusive: bool = True, read_only: bool = False) -> SqliteStorage:
    """The database of a run. No other process uses the file, which makes WAL safe with every version of SQLite."""
    return SqliteStorage(path, workflow.machines.values(), exclusive=exclusive, read_only=read_only)


def carrier(rates: Path | None = None, zones: Mapping[str, str] | None = None) -> TableRateCarrier:
    """The table-rate carrier of ``rates``, or of the table that comes with the library.

    A country is in the zone that ``zones`` gives for it; else in the zone of its own name, or in the library's zone for
    it, where the table has that; else in the zone ``world``, or in the first of a table that has none.

    Raises:
        InputError: the table has faults, or has no zone of a name in ``zones``.
    """
    if rates is None:
        with as_file(files("orderflow.importing") / "rates.csv") as path:
            return carrier(path, zones)
    table = RateTable.from_file(rates)
    usual = {country: zone for country, zone in ZONES.items() if zone in table.zones}
    own = {zone: zone for zone in table.zones}
    default = "world" if "world" in table.zones else table.rates[0].zone
    return TableRateCarrier(CARRIER, table, zones={**usual, **own, **(zones or {})}, default_zone=default)


def shop_for(
    storage: Storage,
    workflow: Workflow,
    clock: FixedClock,
    *,
    notifier: Notifier,
    rates: Path | None = None,
    zones: Mapping[str, str] | None = None,
    locations: tuple[str, ...] = ("main",),
) -> OrderFlow:
    """An :class:`OrderFlow` over ``storage`` whose clock the file drives; its leases run out at once."""
    return OrderFlow(
        storage,
        workflow=workflow,
        carriers=[carrier(rates, zones)],
        notifier=notifier,
        clock=clock,
        settings=ShopSettings(allocation=AllocationSettings(locations), shipping=ShippingSettings(carrier=CARRIER)),
        actor="batch",
        lease_seconds=0,
    )


def start_clock() -> FixedClock:
    """A clock set to a time before every document of any file."""
    return FixedClock(datetime(1970, 1, 1, tzinfo=UTC))


def notifier_for(database: Path, mail: Path | None) -> Notifier:
    """Where notices go: a mail folder where one is named, else a file of JSON lines beside the database."""
    if mail is not None:
        return MaildirNotifier(mail, "shop@orderflow.invalid")
    return JsonLinesNotifier(notices_of(database))


def notices_of(database: Path) -> Path:
    """The file of notices beside a database."""
    return database.with_name(database.name + ".notices.jsonl")
