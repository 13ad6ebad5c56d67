"""E08: what was erased is nowhere in the files any more, at once; and error texts never held it."""

from __future__ import annotations

import json
import random
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from unicodedata import normalize
from urllib.parse import quote

import pytest
from attrs import asdict
from click.testing import CliRunner
from small_shop import content, small_shop

from orderflow import (
    FixedClock,
    MemoryCarrier,
    MemoryNotifier,
    MemoryStorage,
    Person,
    PortError,
    Request,
    SqliteStorage,
)
from orderflow.adapters.payments.memory import MemoryProvider
from orderflow.adapters.storage import sqlite as sqlite_storage
from orderflow.adapters.storage.safety import Mode
from orderflow.cli.root import root
from orderflow.domain.money.money import Money
from orderflow.domain.parties.customer import RegisterCustomer
from orderflow.domain.parties.party import Erased, ErasePartyVersion, RecordParty
from orderflow.domain.payments.collecting import ExpectPayment
from orderflow.domain.payments.pending import RequestOperation
from orderflow.domain.payments.state import Operation, PaymentSource
from orderflow.ports.carrier import Label, LabelRequest
from orderflow.ports.notifier import Notice
from orderflow.ports.payments import Answer, Outcome, PaymentRequest

#: How a file may be written: the journal, and whether one connection has it to itself.
MODES = [("delete", False), ("delete", True), ("wal", False), ("wal", True)]

ANN = Person(
    name="Ann Petersen",
    company="Zephyrine Ltd",
    lines=("17 Quillfeather Road", "Attic 4"),
    city="Wexcombe",
    postal_code="QX7 4ZZ",
    country="GB",
    phone="+44 20 7946 0123",
    email="ann.petersen@wexcombe.example",
    delivery_note="Ring at the blue\ndoor twice",
    gift_message="Happy birthday, Thaddeus! " * 60,
)


@pytest.fixture(params=MODES, ids=lambda mode: f"{mode[0]}-{'exclusive' if mode[1] else 'shared'}")
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteStorage]:
    """An empty file in each mode, whichever this machine would choose."""
    journal, exclusive = request.param
    mode = Mode(journal, "full" if journal == "wal" else "extra", ("a test",))
    monkeypatch.setattr(sqlite_storage, "mode_for", lambda *_, **__: mode)
    with closing(SqliteStorage(tmp_path / "shop.db", exclusive=exclusive)) as storage:
        yield storage


def values_of(person: Person) -> list[str]:
    """Every value that could be recognised."""
    values = [part for value in asdict(person).values() for part in ([value] if isinstance(value, str) else value)]
    return [value for value in values if len(value) > 2]


def found_in(folder: Path, person: Person) -> list[tuple[str, str]]:
    """The values of a person that are in the bytes of any file of the database, as they are and as search keys."""
    texts = {path.name: path.read_bytes() for path in folder.glob("shop.db*")}
    values = {value.encode(): value for value in values_of(person)}
    values |= {json.dumps(value, ensure_ascii=False)[1:-1].encode(): value for value in values_of(person)}
    searched = (person.name, person.company, person.email)
    folded = [value.casefold() for value in searched if len(value) > 2]
    values |= {as_key.encode(): value for value in folded for as_key in (value, re.sub(r"[\W_]", "", value))}
    return [(name, value) for name, text in texts.items() for raw, value in values.items() if raw in text]


def test_e08_an_erased_person_is_nowhere_at_once(file: SqliteStorage, tmp_path: Path) -> None:
    """No byte of a value is left in the file, its log or its journal, while the shop is still open."""
    shop = small_shop(file)
    ann = shop.record_party("ann", ANN)
    shop.receive("o-1", content(bill_to=ann, ship_to=ann))
    shop.relay()
    assert found_in(tmp_path, ANN)
    shop.handle(str(ann), ErasePartyVersion())
    assert found_in(tmp_path, ANN) == []
    assert type(shop.parties.get(str(ann))).__name__ == "Erased"


def test_e08_the_next_to_come_do_not_bring_it_back(file: SqliteStorage, tmp_path: Path) -> None:
    """Hundreds of people of all sizes, restricted, erased and recorded in turn: those erased are nowhere."""
    shop = small_shop(file)
    chance = random.Random(8)
    people: dict[str, Person] = {}

    def recorded(number: int) -> Request:
        name = f"p{number}"
        mark = f"{chance.choice('abcdefgh')}-{number}-thimble"
        people[name] = Person(name=f"{mark}-name", delivery_note=f"{mark}-note " * chance.choice([1, 3, 30, 90]))
        until = chance.choice([None, date(2020, 1, 1), date(2030, 1, 1)])
        return Request(f"{name}@1", RecordParty(people[name], retain_until=until))

    shop.handle_many([recorded(number) for number in range(250)])
    for turn in range(6):
        gone = chance.sample(sorted(people), 20)
        shop.handle_many([Request(f"{name}@1", ErasePartyVersion()) for name in gone])
        erased = [name for name in gone if type(shop.parties.get(f"{name}@1")).__name__ == "Erased"]
        assert [found for name in erased for found in found_in(tmp_path, people[name])] == []
        for name in gone:
            del people[name]
        shop.handle_many([recorded(1000 * (turn + 1) + number) for number in range(15)])


def test_e08_no_search_key_is_left(file: SqliteStorage, tmp_path: Path) -> None:
    """Keys of all lengths, of which many go at once, so that what stays moves from page to page."""
    shop, chance = small_shop(file), random.Random(3)
    people = {}
    for n in range(1500):
        name = f"{chance.random()}-marigold-{n}-{'x' * chance.choice([1, 40, 90])}"
        mail = f"{chance.random()}{n}{chr(97 + n % 26) * chance.choice([1, 30, 80])}@example.org"
        people[f"p{n}"] = Person(name=name, email=mail, phone=str(chance.random()))
    names = sorted(people)
    for start in range(0, len(names), 250):
        shop.handle_many([Request(f"{name}@1", RecordParty(people[name])) for name in names[start : start + 250]])
    gone = chance.sample(names, 700)
    assert all(found_in(tmp_path, people[name]) for name in gone[:20])
    for start in range(0, len(gone), 350):
        shop.handle_many([Request(f"{name}@1", ErasePartyVersion()) for name in gone[start : start + 350]])
    assert [found for name in gone for found in found_in(tmp_path, people[name])] == []


def test_e08_neither_indexes_nor_views_of_a_host_keep_it(file: SqliteStorage, tmp_path: Path) -> None:
    """An index over the values has copies of its own in the slack of its pages; they go too. A host's view stays."""
    with file._sessions.writing() as session:
        session.run("CREATE INDEX hosts_own ON parties (state)")
        session.run("CREATE VIEW hosts_view AS SELECT id, state FROM parties")
    shop, chance = small_shop(file), random.Random(3)
    notes = ["", "ring twice", "leave it at the gate " * 6, "third floor " * 150]
    people = {
        f"p{n}": Person(name=f"{chance.random()}-marigold-{n}", gift_message=chance.choice(notes)) for n in range(1500)
    }
    names = sorted(people)
    for start in range(0, len(names), 250):
        shop.handle_many([Request(f"{name}@1", RecordParty(people[name])) for name in names[start : start + 250]])
    gone = chance.sample(names, 700)
    shop.handle_many([Request(f"{name}@1", ErasePartyVersion()) for name in gone])
    assert [found for name in gone for found in found_in(tmp_path, Person(name=people[name].name))] == []
    with file._sessions.reading() as session:
        assert session.rows("SELECT count(*) FROM hosts_view WHERE state <> '{}'") == [(801,)]
        assert session.rows("PRAGMA integrity_check") == [("ok",)]
    assert shop.parties.get(f"{min(set(names) - set(gone))}@1") != Erased()


def test_e08_a_reader_delays_it_until_the_next_commit_at_most(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where another process reads the log for longer than the timeout, the next commit clears it."""
    monkeypatch.setattr(sqlite_storage, "mode_for", lambda *_, **__: Mode("wal", "full", ("a test",)))
    with closing(SqliteStorage(tmp_path / "shop.db", timeout_seconds=0.1)) as storage:
        shop = small_shop(storage)
        ann = shop.record_party("ann", ANN)
        with closing(sqlite3.connect(tmp_path / "shop.db", isolation_level=None)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM parties").fetchone()
            shop.handle(str(ann), ErasePartyVersion())
            assert found_in(tmp_path, ANN)
        shop.receive("o-1", content())
        assert found_in(tmp_path, ANN) == []


def test_e08_a_killed_process_leaves_nothing_in_the_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends between the erasing commit and the clearing: opening the file again clears it."""
    monkeypatch.setattr("orderflow.adapters.storage.session.Sessions.clear_log", lambda *_: None)
    with closing(SqliteStorage(tmp_path / "alive.db", exclusive=True)) as storage:
        shop = small_shop(storage)
        shop.handle(str(shop.record_party("ann", ANN)), ErasePartyVersion())
        for name in ("alive.db", "alive.db-wal"):
            (tmp_path / name.replace("alive", "shop")).write_bytes((tmp_path / name).read_bytes())
    assert found_in(tmp_path, ANN)
    monkeypatch.undo()
    with closing(SqliteStorage(tmp_path / "shop.db", exclusive=True)):
        assert found_in(tmp_path, ANN) == []


# -- error texts


def forms(person: Person) -> list[str]:
    """How an adapter may say what it knows of a person."""
    said = " | ".join(values_of(person))
    return [
        said,
        repr(person.lines) + repr(asdict(person)),
        said.upper(),
        quote(said),
        json.dumps(asdict(person)),
        str(said.encode()),
        f"Mrs {person.name.split()[-1]}, {person.email.split('@')[0]}",
        re.sub(r"[^0-9+]", "", normalize("NFKC", person.phone)),
        ", ".join(f"{value}," for value in values_of(person)).replace(" ", "  "),
        "\u200b".join(["to ", person.name, f" {person.email}\x00\ud800"]),
        *(f"{'x' * (500 - 25 - cut)}{person.name} {person.email}" for cut in range(0, 40, 3)),
        "to " + person.gift_message,
        f"cannot send to {person.name[:9]}... at {person.lines[0][:12]}... of {person.city[:5]}. (and so on)",
    ]


YAMADA = Person(
    name="山田 太郎", lines=("千代田区九段南1-2-3",), phone="０３-1234-5678", email="taro@rei.example", city="東京"
)
KIM = Person(name="李", lines=("서울특별시 중구",), delivery_note="벨을 누르지 마세요")


class Telltale(MemoryNotifier):
    """Says all it knows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def send(self, notice: Notice) -> None:
        raise ValueError(self.text)


class TelltaleCarrier(MemoryCarrier):
    """Says all it knows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text

    def buy_label(self, request: LabelRequest) -> Label:
        raise PortError("carrier", self.text)


def errors_of(storage: MemoryStorage | SqliteStorage) -> list[str]:
    """The error texts that a storage keeps with its messages."""
    if isinstance(storage, MemoryStorage):
        return [posted.error for posted in storage._posted.values() if posted.error]
    with storage._sessions.reading() as session:
        return [error for (error,) in session.rows("SELECT error FROM outbox WHERE error IS NOT NULL")]


#: Words, so that what is left of a value can be recognised even where it was cut or changed.
WORDS = re.compile(
    r"petersen|quillf|zephyr|wexcom|birthd|thaddeus|door|QX7|7946|山|太郎|千代|九段|5678|taro|東京|李|서울|벨을",
    re.IGNORECASE,
)


@pytest.mark.parametrize("person", [ANN, YAMADA, KIM], ids=["ann", "yamada", "kim"])
def test_e08_no_error_text_holds_a_value_of_the_vault(storage: MemoryStorage | SqliteStorage, person: Person) -> None:
    """Whatever an adapter says, and however it writes it; it is cut and can be printed, and names the fields."""
    clock = FixedClock(small_shop()._ports.clock.now())
    for number, text in enumerate(forms(person)):
        shop = small_shop(storage, notifier=Telltale(text), carriers=[TelltaleCarrier(text)], clock=clock)
        who = shop.record_party("who", person)
        shop.receive(f"o-{number}", content(external_id=f"o-{number}", bill_to=who, ship_to=who))
        shop.advance(f"o-{number}")
        assert shop.relay().retried >= 2
    errors = errors_of(storage)
    assert len(errors) >= 2 * len(forms(person))
    for error in errors:
        assert (WORDS.search(error), len(error) < 600, error.isprintable()) == (None, True, True), error
    assert sum("<name>" in error for error in errors) > len(errors) / 2


def test_e08_what_was_said_while_the_person_was_erased_is_not_kept(storage: MemoryStorage | SqliteStorage) -> None:
    """When it comes to storing the error, nobody knows the values any more; so the text goes too."""

    class Slow(MemoryNotifier):
        def send(self, notice: Notice) -> None:
            shop.handle("ann@1", ErasePartyVersion())
            raise ValueError(f"no such address: {notice.to}")

    class SlowCarrier(TelltaleCarrier):
        def buy_label(self, request: LabelRequest) -> Label:
            shop.handle("bob@1", ErasePartyVersion())
            return super().buy_label(request)

    shop = small_shop(storage, notifier=Slow(), carriers=[SlowCarrier("5 Quillfeather Road")])
    ann, bob = (
        shop.record_party("ann", ANN),
        shop.record_party("bob", Person(name="Bob", lines=("5 Quillfeather Road",))),
    )
    shop.receive("o-1", content(bill_to=ann, ship_to=bob))
    shop.advance("o-1")
    shop.relay()
    errors = errors_of(storage)
    assert errors
    assert all(WORDS.search(error) is None for error in errors), errors


class TelltaleBank(MemoryProvider):
    """Declines with all it knows."""

    def __init__(self, text: str, *, refuses: bool) -> None:
        super().__init__("card")
        self.text, self.refuses = text, refuses

    def operate(self, request: PaymentRequest) -> Answer:
        if self.refuses:
            raise PortError("payments", self.text, retry=False)
        return Answer(Outcome.DECLINED, reason=self.text)


@pytest.mark.parametrize("refuses", [True, False])
@pytest.mark.parametrize("names", ["order", "customer"])
def test_e08_the_reason_of_a_decline_is_a_fact_without_values(
    storage: MemoryStorage | SqliteStorage, tmp_path: Path, names: str, *, refuses: bool
) -> None:
    """What a payment provider says goes into the payment's row and journal: it is cleaned like any error text."""
    shop = small_shop(storage, providers=[TelltaleBank(f"the card of {ANN.name}, {ANN.email}", refuses=refuses)])
    ann = shop.record_party("ann", ANN)
    shop.handle("ann", RegisterCustomer(ann))
    shop.receive("o-1", content(bill_to=ann, ship_to=ann))
    source = PaymentSource("card", "1", authorises=True, **{names: {"order": "o-1", "customer": "ann"}[names]})
    shop.handle("card/1", ExpectPayment(source, Money.of("3.06", "GBP")))
    shop.handle("card/1", RequestOperation(Operation.AUTHORISE))
    shop.relay()
    [task] = shop.payments.get("card/1").notes.tasks
    assert dict(task.facts)["reason"].endswith("the card of <name>, <email>")
    shop.handle(str(ann), ErasePartyVersion())
    assert found_in(tmp_path, ANN) == []


def test_e08_doctor_shows_nothing_of_it(tmp_path: Path) -> None:
    """A dead letter's error, as the command line prints it."""
    with closing(SqliteStorage(tmp_path / "shop.db")) as storage:
        shop = small_shop(storage, notifier=Telltale(forms(ANN)[0]))
        ann = shop.record_party("ann", ANN)
        shop.receive("o-1", content(bill_to=ann, ship_to=ann))
        clock = shop._ports.clock
        for _ in range(80):
            clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
            shop.relay()
        shop.handle(str(ann), ErasePartyVersion())
    printed = CliRunner().invoke(root, ["doctor", "--db", str(tmp_path / "shop.db")]).output
    assert "dead letters: 1" in printed
    [dead] = [line for line in printed.splitlines() if line.startswith("dead: ")]
    assert "<email>" in dead
    assert [value for value in values_of(ANN) if value in printed] == []
    assert WORDS.search(dead) is None
    assert found_in(tmp_path, ANN) == []
