"""Records what the library does as plain JSON: walks, a whole life, every state and command, the command line.

``python tests/goldens/record.py`` writes the goldens anew, with ``src`` and ``examples`` on the path;
``test_goldens.py`` compares.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from actions import steps
from house import WORKLISTS
from lives import command_line, life
from outcomes import codes
from pairs import all_pairs
from world import World

HERE = Path(__file__).resolve().parent
WALKS = 2_000


# -- walks


def walk(seed: int) -> dict[str, Any]:
    """One walk: each step with its outcome, then every row as it ended, notices, messages and worklists."""
    world = World(seed)
    taken = [f"{name}: {came}" for name, came in steps(world, seed)]
    shop = world.shop
    events: dict[Any, list[str]] = {}
    for entry in shop.storage.entries(0, 1_000):
        events.setdefault(entry.key, []).append(type(entry.event).__name__)
    return {
        "seed": seed,
        "steps": taken,
        "rows": sorted(row(shop, key, happened) for key, happened in events.items()),
        "notices": [f"{notice.template} {notice.order} {notice.to}" for notice in world.mail.delivered],
        "waiting": shop.storage.pending(),
        "dead": [f"{message.topic} {message.lane.id}" for message, _ in shop.storage.dead_letters()],
        "worklists": [
            f"{name}: {task.key.id} {codes(task.reasons)}".strip() for name in WORKLISTS for task in shop.worklist(name)
        ],
    }


def row(shop: Any, key: Any, events: list[str]) -> list[Any]:
    """A row: kind, id, state, version, events, sums."""
    held = shop.read([key])[key]
    return [key.kind, key.id, type(held.state).__name__, held.version, " ".join(events), SUMS[key.kind](held.state)]


def _order(state: Any) -> list[Any]:
    progress = getattr(state, "progress", None)
    if progress is None:
        return []
    counted = [progress.exposed_minor, progress.prepaid_minor, len(progress.holds), progress.shipments]
    billed = [len(progress.invoices), len(progress.settled)]
    return [[*counted, *billed], *([*map(int, _vector(line))] for line in progress.lines)]


def _vector(line: Any) -> Iterable[int]:
    yield from (line.open, line.backordered_quantity, line.allocated_quantity, line.preparing_quantity)
    yield from (line.shipped, line.delivered, line.returned, line.lost, line.cancelled, line.moved)
    yield from (line.invoiced, line.credited)


def _totals(totals: Any) -> list[Any]:
    groups = [[str(g.rate), g.taxable_minor, g.tax_minor, g.gross_minor] for g in totals.groups]
    return [totals.net_minor, totals.tax_minor, totals.gross_minor, groups]


def _invoice(state: Any) -> list[Any]:
    said = [*_totals(state.totals), state.due_date.isoformat(), getattr(state, "number", "")]
    amounts = getattr(state, "amounts", None)
    if amounts is None:
        return said
    return [*said, state.open_minor, amounts.applied, amounts.credited, amounts.written_off, int(amounts.sent)]


def _payment(state: Any) -> list[Any]:
    pending = [[item.operation.value, item.minor] for item in state.pending] if hasattr(state, "pending") else []
    funds = getattr(state, "funds", None)
    if funds is None:
        return [getattr(state, "amount", None) is not None, pending]
    paid = [[item.target.value, item.id, item.minor] for item in funds.applications]
    return [funds.received, funds.refunded, funds.charged_back, state.free, paid, pending]


def _account(state: Any) -> list[Any]:
    limit = [] if state.limit is None else [state.limit.minor, state.limit.currency]
    each = [
        [s.currency, s.ordered, s.invoiced, s.credited, s.paid, s.written_off, s.balance, s.exposure]
        for s in state.sums
    ]
    return [limit, int(state.blocked), each]


def _shipment(state: Any) -> list[Any]:
    items = [[item.order, item.line, item.location, item.quantity] for item in getattr(state, "items", ())]
    label = getattr(state, "label", None) or getattr(getattr(state, "carriage", None), "label", None)
    return [items, int(label is not None), len(state.tracking.log), len(state.tracking.parked)]


def _stock(state: Any) -> list[Any]:
    s = state
    return [s.on_hand, s.allocated, s.unavailable, s.incoming, s.backordered, s.shortfall, s.available, s.promised]


def _returned(state: Any) -> list[Any]:
    units = [[unit.order, unit.line, unit.quantity] for unit in state.units]
    return [units, [[unmatched.sku, unmatched.quantity] for unmatched in state.unmatched], int(state.usable)]


#: Of each kind, its sums, in an order of our own.
SUMS: dict[str, Callable[[Any], list[Any]]] = {
    "customer": lambda s: [[*getattr(s, "tags", ())], str(s.party)],
    "party": lambda s: [],
    "return": _returned,
    "credit_note": lambda s: [*_totals(s.totals), getattr(s, "number", "")],
    "shipment": _shipment,
    "order": _order,
    "intake": lambda s: [getattr(s, "id", "")],
    "payment": _payment,
    "invoice": _invoice,
    "account": _account,
    "series": lambda s: [s.next],
    "number_prefix": lambda s: [getattr(s, "series", "")],
    "stock_document": lambda s: [s.lines],
    "stock": _stock,
}


def coverage(walks: Iterable[dict[str, Any]]) -> tuple[Counter[str], Counter[str], Counter[str]]:
    """How often each action was accepted, each code was given, each event happened."""
    actions, given, events = Counter[str](), Counter[str](), Counter[str]()
    for each in walks:
        for step in each["steps"]:
            name, _, came = step.partition(": ")
            given.update(word.strip(",") for word in came.split() if word[0] in "!?#")
            actions[name] += came[0] not in "!?#"
        for kind, _, _, _, happened, _ in each["rows"]:
            events.update(f"{kind}.{event}" for event in happened.split())
    return actions, given, events


# -- files


def write(name: str, value: Any) -> None:
    """Keep a golden, packed; the same content gives the same bytes."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    (HERE / f"{name}.json.gz").write_bytes(gzip.compress(text.replace("},{", "},\n{").encode(), 9, mtime=0))


def read(name: str) -> Any:
    """A golden as it was kept."""
    return json.loads(gzip.decompress((HERE / f"{name}.json.gz").read_bytes()))


def main() -> None:
    """Record everything but the real file, which is recorded by hand, and say what was met."""
    walks = [walk(seed) for seed in range(WALKS)]
    write("walks", walks)
    for counted in coverage(walks):
        print(len(counted), *(f"{name}={count}" for name, count in sorted(counted.items())), sep="  ")
    for name, make in {"life": life, "pairs": all_pairs, "command_line": command_line}.items():
        write(name, make())


if __name__ == "__main__":
    main()
