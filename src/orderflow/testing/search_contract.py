"""The contract of finding customers by who they are. Part of ``STORAGE``."""

from __future__ import annotations

from typing import Final

from orderflow.domain.engine.decide import NOTHING
from orderflow.domain.parties.customer import CUSTOMER, ChangeParty, RegisterCustomer
from orderflow.domain.parties.party import PARTY, ErasePartyVersion, Person, RecordParty
from orderflow.domain.parties.searching import terms_of
from orderflow.domain.values import PartyRef
from orderflow.errors import InputError, Key
from orderflow.testing.contracts import Clause, Expect
from orderflow.testing.storage_material import StorageMaker, loaded, stepped, store

__all__ = ["SEARCH"]


def _search(make: StorageMaker, expect: Expect) -> None:
    storage, ann, bob = make("main"), Key("main", "party", "ann@1"), Key("main", "party", "bob@1")
    person = Person(name="Ann Ｏ'Hara", kana="ｱﾝ オハラ", phone="+81 (90) 1234-5678", email="Ann@Example.org")
    store(storage, stepped(PARTY, "ann", ann, NOTHING, RecordParty(person)))
    store(storage, stepped(PARTY, "bob", bob, NOTHING, RecordParty(Person(name="Bob Annan", phone="90"))))
    for id_, version in (("C-2", "ann"), ("C-1", "ann"), ("C-3", "bob")):
        customer = Key("main", "customer", id_)
        store(storage, stepped(CUSTOMER, id_, customer, NOTHING, RegisterCustomer(PartyRef(version, 1))))

    def found(text: str, after: str = "", limit: int = 100) -> list[str]:
        return [key.id for key in storage.search(terms_of(text), after, limit)]

    both, everybody = ["C-1", "C-2"], ["C-1", "C-2", "C-3"]
    expect.equal("a name in another spelling", both, found("ann o'h"))
    expect.equal("the beginning of any word, by id", everybody, found("ANN"))
    expect.equal("the middle of a word", [], found("nnan"))
    expect.equal("a reading in hiragana", both, found("あん"))
    expect.equal("a telephone number in another form", both, found("８１９０-1234-5678"))
    expect.equal("the beginning of a telephone number", [], found("8190 1234"))
    expect.equal("a mail address in another case", both, found("ann@example.ORG"))
    expect.equal("the beginning of a mail address", [], found("ann@example"))
    expect.equal("a wildcard, taken as nothing", [], found("%"))
    expect.equal("page by page", [["C-1"], ["C-2"]], [found("ann o", after, 1) for after in ("", "C-1")])
    expect.equal("another tenant", [], [*make("other").search(terms_of("ann"))])
    expect.raises("beyond the limit", InputError, lambda: storage.search(terms_of("ann"), limit=1001))


def _search_follows(make: StorageMaker, expect: Expect) -> None:
    storage, first, second = make("main"), Key("main", "party", "ann@1"), Key("main", "party", "ann@2")
    customer = Key("main", "customer", "C-1")
    store(storage, stepped(PARTY, "first", first, NOTHING, RecordParty(Person(name="Ann Early"))))
    store(storage, stepped(PARTY, "second", second, NOTHING, RecordParty(Person(name="Ann Late"))))
    store(storage, stepped(CUSTOMER, "add", customer, NOTHING, RegisterCustomer(PartyRef("ann", 1))))

    def found(text: str) -> list[str]:
        return [key.id for key in storage.search(terms_of(text))]

    expect.equal("the first name, then the later one", [["C-1"], []], [found("early"), found("late")])
    store(storage, stepped(CUSTOMER, "move", customer, loaded(storage, customer), ChangeParty(PartyRef("ann", 2))))
    expect.equal("after a change of party", [[], ["C-1"]], [found("early"), found("late")])
    store(storage, stepped(PARTY, "erase", second, loaded(storage, second), ErasePartyVersion()))
    expect.equal("after an erasure", [[], []], [found("early"), found("late")])


SEARCH: Final[tuple[Clause[StorageMaker], ...]] = (
    Clause("STORAGE-SEARCH-01", "Customers are found by name, reading, telephone number and mail address.", _search),
    Clause(
        "STORAGE-SEARCH-02",
        "A search knows the party that a customer uses now, and nothing of one that is erased.",
        _search_follows,
    ),
)
