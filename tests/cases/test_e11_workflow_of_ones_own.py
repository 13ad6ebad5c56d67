"""E11: every command that reads a database knows a workflow of one's own."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from workflow_of_ones_own import WORKFLOW, GiftWrapped, RecordWrapped, ReviewOrder

from orderflow.adapters.clock import FixedClock
from orderflow.adapters.notifiers.memory import MemoryNotifier
from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.adapters.storage.sqlite import SqliteStorage
from orderflow.audit.verify import verify
from orderflow.cli.root import COMMANDS, root
from orderflow.domain.engine.workflow import Effect, Workflow, asks, on
from orderflow.domain.money.price import Price
from orderflow.domain.money.tax import TaxCategory, TaxPolicy
from orderflow.domain.orders.content import OrderContent, OrderLine
from orderflow.domain.orders.placing import ConfirmOrder
from orderflow.domain.parties.party import Person
from orderflow.domain.values import Gift, PartyRef
from orderflow.flows.relay import POLICIES
from orderflow.shop import OrderFlow

ANN = PartyRef("ann", 1)

SATURDAY = datetime(2026, 4, 4, 9, tzinfo=UTC)
SUNDAY = datetime(2026, 4, 5, 9, tzinfo=UTC)

TEA = OrderLine.of(1, "TEA", 2, Price.of("2.55", "GBP"), TaxCategory.of("S", 20))
GIFT = OrderContent("GBP", (TEA,), TaxPolicy(), gift=Gift("blue"), bill_to=ANN, ship_to=ANN)


def shop_on(path: Path, at: datetime) -> OrderFlow:
    """A shop with the workflow of its own."""
    return OrderFlow(SqliteStorage(path, WORKFLOW.machines.values()), workflow=WORKFLOW, clock=FixedClock(at))


@pytest.fixture(scope="module")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a confirmed and wrapped gift, an order under review, and one that waits to be confirmed."""
    path = tmp_path_factory.mktemp("e11") / "shop.db"
    shop = shop_on(path, SATURDAY)
    shop.record_party("ann", Person("Ann"))
    for order in ("wrapped", "reviewed", "waiting"):
        shop.receive(order, GIFT)
    shop.handle("wrapped", ConfirmOrder())
    shop.handle("wrapped", RecordWrapped())
    shop.handle("reviewed", ReviewOrder("a new customer"))
    shop.storage.close()  # type: ignore[attr-defined]
    return path


def told(path: Path, *command: str) -> Any:
    """What a command says, as JSON, with the workflow named."""
    named = ("--workflow", "workflow_of_ones_own:WORKFLOW")
    result = CliRunner().invoke(root, [*command, "--db", str(path), *named, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_e11_every_command_takes_a_workflow() -> None:
    """``--workflow`` is an option of every command of the command line."""
    for name in COMMANDS:
        assert "--workflow" in CliRunner().invoke(root, [name, "--help"]).stdout, name


def test_e11_orders_and_show_know_a_state_of_ones_own(worked: Path) -> None:
    """An order in a state of one's own is listed, found by that state, and shown."""
    assert [order["id"] for order in told(worked, "orders", "--state", "UnderReview")["orders"]] == ["reviewed"]
    assert len(told(worked, "orders")["orders"]) == 3
    shown = told(worked, "show", "reviewed")
    assert (shown["state"], shown["timeline"][-1]["event"]) == ("UnderReview", "ReviewBegun")


def test_e11_history_knows_a_machine_of_ones_own(worked: Path) -> None:
    """The events of a row of one's own kind are told."""
    events = told(worked, "history", "gift_wrapping", "wrapped")["events"]
    assert [event["event"] for event in events] == ["GiftOrdered", "GiftWrapped"]


def test_e11_worklists_and_explain_give_a_reason_of_ones_own(worked: Path, tmp_path: Path) -> None:
    """What a guard of one's own refuses is a reason on the worklist, and what explain says."""
    shop = shop_on(Path(shutil.copy(worked, tmp_path / "copy.db")), SUNDAY)
    [task] = shop.worklist("to_confirm")
    assert (task.key.id, [reason.code for reason in task.reasons]) == ("waiting", ["sunday"])
    assert [reason.code for reason in shop.explain("waiting", ConfirmOrder())] == ["sunday"]
    assert [reason.code for reason in shop.explain("reviewed", ConfirmOrder())] == ["not_now"]
    shop.storage.close()  # type: ignore[attr-defined]
    assert [task["id"] for task in told(worked, "worklist", "to_confirm")["tasks"]] == ["waiting"]


def test_e11_verify_asks_the_workflow_given(worked: Path) -> None:
    """Rows of one's own are folded, and what they tell and ask is asked; no entry is another workflow's."""
    report = told(worked, "verify")
    assert (report["violations"], report["unknown_kinds"], report["unasked"]) == (0, [], {})


PLANTED = {
    "a gift that nobody ordered": (
        "I42",
        """UPDATE journal SET data = '{"wrapping":"red"}' WHERE type = 'GiftOrdered'""",
    ),
    "a gift of another colour": ("I43", """UPDATE x_gift_wrapping SET state = '{"wrapping":"red"}'"""),
    "a card that was not sent": ("I32", "DELETE FROM outbox WHERE topic = 'print_card'"),
    "a review that did not begin": ("I41", "DELETE FROM journal WHERE type = 'ReviewBegun'"),
    "an order that is in no such state": ("I54", "UPDATE orders SET status = 'Reviewed' WHERE id = 'reviewed'"),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_e11_verify_finds_faults_in_rows_of_ones_own(worked: Path, tmp_path: Path, fault: str) -> None:
    """What is changed by hand in rows of one's own is found, by the law it breaks."""
    invariant, statement = PLANTED[fault]
    path = Path(shutil.copy(worked, tmp_path / "copy.db"))
    connection = sqlite3.connect(path)
    assert connection.execute(statement).rowcount > 0
    connection.commit()
    connection.close()
    named = ("--workflow", "workflow_of_ones_own:WORKFLOW")
    result = CliRunner().invoke(root, ["verify", "--db", str(path), *named, "--json"])
    assert result.exit_code == 1
    broken = {finding["invariant"] for finding in json.loads(result.stdout)["findings"] if finding["violations"]}
    assert invariant in broken


#: What the file says where it was written by a release that called the wrapping a paper.
OLDER = (
    """UPDATE journal SET data = '{"paper":"blue"}' WHERE type = 'GiftOrdered'""",
    """UPDATE x_gift_wrapping SET state = '{"paper":"blue"}'""",
)
RENAMED: tuple[str, ...] = ("GiftOrdered", "ToWrap", "Wrapped")


def renamed(data: dict[str, Any]) -> dict[str, Any]:
    """From schema 1 to 2."""
    return {"wrapping": data["paper"]}


def upcasting(workflow: Workflow) -> Workflow:
    """The workflow with upcasters for what was renamed."""
    machines = {**workflow.machines}
    for machine in workflow.machines.values():
        for kind in (*machine.states, *machine.events):
            if kind.__name__ in RENAMED:
                machines[machine.kind] = machines[machine.kind].upcasting(kind, renamed)
    return workflow.extended(machines=machines.values())


def test_e11_verify_reads_states_and_events_of_an_older_schema(worked: Path, tmp_path: Path) -> None:
    """What an older release wrote is brought to the present schema, then folded and compared; without, it is found."""
    path = Path(shutil.copy(worked, tmp_path / "copy.db"))
    connection = sqlite3.connect(path)
    for statement in OLDER:
        assert connection.execute(statement).rowcount == 1
    connection.commit()
    connection.close()
    for workflow, sound in ((WORKFLOW, False), (upcasting(WORKFLOW), True)):
        with SqliteAudit(path, workflow.machines.values()) as source:
            assert (verify(source, workflow).violations == 0) is sound


def unfamiliar(topic: str) -> Workflow:
    """Rules of one's own, by which a wrapped gift asks something that the library's relay carries out."""
    effect = lambda h: [Effect(topic, h.key, (("template", "gift_wrapped"),))]  # noqa: E731
    return WORKFLOW.extended(table=(on(GiftWrapped, asks(effect, topic)),))


@pytest.mark.parametrize("relays", ["its own rules", "the standard rules"])
@pytest.mark.parametrize("topic", [*POLICIES])
def test_e11_a_message_nobody_understands_stops_no_other(topic: str, relays: str, tmp_path: Path) -> None:
    """A message from a row of one's own, of a topic that is not for it, fails alone; the relay does not raise."""
    workflow, path, mail = unfamiliar(topic), tmp_path / "shop.db", MemoryNotifier()
    shop = OrderFlow(SqliteStorage(path, workflow.machines.values()), workflow=workflow, clock=FixedClock(SATURDAY))
    shop.record_party("ann", Person("Ann"))
    shop.receive("o-1", GIFT)
    shop.handle("o-1", ConfirmOrder())
    shop.handle("o-1", RecordWrapped())
    if relays == "the standard rules":
        shop = OrderFlow(SqliteStorage(path), clock=FixedClock(SATURDAY), notifier=mail)
    else:
        shop = OrderFlow(shop.storage, workflow=workflow, clock=FixedClock(SATURDAY), notifier=mail)
    report = shop.relay()
    assert (report.done, report.retried + report.dead) == (2, 1)
    assert [notice.template for notice in mail.delivered] == ["order_received", "order_confirmed"]
    assert shop.relay().taken == 0
