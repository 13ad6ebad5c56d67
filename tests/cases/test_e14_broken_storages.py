"""E14: storages that are broken, each in one way; the contract names the breach."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

import pytest
from attrs import evolve

from orderflow.adapters.storage.memory import MemoryStorage
from orderflow.adapters.storage.memory_outbox import Posted
from orderflow.domain.engine.decide import NOTHING, Loaded, Message
from orderflow.domain.parties.searching import SearchTerm
from orderflow.errors import InputError, Key
from orderflow.ports.storage import Batch, DeadLetter, Lease, Query, Recorded, Row
from orderflow.testing.contracts import violations
from orderflow.testing.outbox_contract import OUTBOX
from orderflow.testing.storage_contract import STORAGE

CLAUSES = (*STORAGE, *OUTBOX)
AT = datetime(2026, 3, 31, tzinfo=UTC)


class Handles:
    """Keeps one memory storage for each tenant, as every handle must see the same content."""

    def __init__(self, make: Callable[[str], MemoryStorage]) -> None:
        self._make, self._made = make, dict[str, MemoryStorage]()

    def __call__(self, tenant: str) -> MemoryStorage:
        """The storage of a tenant."""
        return self._made.setdefault(tenant, self._make(tenant))


class LosesUpdates(MemoryStorage):
    """Writes whatever the version is."""

    def _commit(self, batch: Batch) -> None:
        rows = self._rows
        found = {write.key: rows[write.key].row.version if write.key in rows else 0 for write in batch.writes}
        super()._commit(evolve(batch, writes=tuple(w._replace(expected=found[w.key]) for w in batch.writes)))


class IgnoresReadVersions(MemoryStorage):
    """Does not look at the rows that were only read."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(evolve(batch, read=()))


class ForgetsTimes(MemoryStorage):
    """Says of every row that it was changed at the beginning of the century."""

    def _commit(self, batch: Batch) -> None:
        early = AT.replace(year=2000)
        super()._commit(evolve(batch, writes=tuple(write._replace(at=early) for write in batch.writes)))


class ForgetsRollback(MemoryStorage):
    """Stores row after row and stops at the one that conflicts."""

    def _commit(self, batch: Batch) -> None:
        for write in batch.writes[:-1]:
            super()._commit(Batch((), (write,), ()))
        super()._commit(evolve(batch, writes=batch.writes[-1:]))


class AcceptsCommandsTwice(MemoryStorage):
    """Does not look whether a command id is known."""

    def _commit(self, batch: Batch) -> None:
        known = {
            id_: self._remembered.pop(id_) for c in batch.commands if (id_ := c.ack.command_id) in self._remembered
        }
        super()._commit(batch)
        self._remembered.update(known)


class ForgetsCommands(MemoryStorage):
    """Remembers no command."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(batch)
        self._remembered.clear()


class ReadsNothing(MemoryStorage):
    """Finds nothing outside a unit."""

    def read(self, keys: Collection[Key]) -> Mapping[Key, Loaded]:
        """Says that nothing is there."""
        return dict.fromkeys(keys, NOTHING)


class KeepsStockOnly(MemoryStorage):
    """Keeps rows of one kind."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(evolve(batch, writes=tuple(write for write in batch.writes if write.key.kind == "stock")))


class FindsStockOnly(MemoryStorage):
    """Knows one kind when it is asked for rows."""

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Finds stock whatever is asked for."""
        return super().find(query) if query.kind == "stock" else []


class IgnoresDates(MemoryStorage):
    """Finds rows of all dates."""

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Drops the bounds."""
        return super().find(evolve(query, since=None, until=None))


class IgnoresTags(MemoryStorage):
    """Finds rows of all tags."""

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Drops the tag of orders."""
        return super().find(evolve(query, tag="") if query.kind == "order" else query)


class JournalsPeople(MemoryStorage):
    """Keeps personal data in the journal."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(batch)
        told = {(entry.key, entry.version): entry.event for entry in batch.entries}
        self._journal[:] = [e._replace(event=told.get((e.key, e.version), e.event)) for e in self._journal]


class DropsMessages(MemoryStorage):
    """Keeps the first message of a batch only."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(evolve(batch, messages=batch.messages[:1]))


class SkipsJournal(MemoryStorage):
    """Keeps the first event of each row only."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(evolve(batch, entries=tuple(entry for entry in batch.entries if entry.version == 1)))


class NumbersBeforeCommit(MemoryStorage):
    """Gives positions first and stores the entries later, so that a reader may pass over them."""

    def entries(self, after: int, limit: int) -> Sequence[Recorded]:
        """Passes over the entry that is stored next."""
        page = super().entries(after, limit)
        if len(page) == limit or not page:
            return page
        return [*page[:-1], page[-1]._replace(position=page[-1].position + 1)]


class ForgetsAnswers(MemoryStorage):
    """Leaves answered messages waiting."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(evolve(batch, answered=()))


class AsksForLeasesOfAnswers(MemoryStorage):
    """Takes an answer only while the message was leased once."""

    def _answer(self, message_ids: Iterable[str]) -> None:
        super()._answer(id_ for id_ in message_ids if id_ in self._posted and self._posted[id_].token < 2)


class PostsBeforeChecking(MemoryStorage):
    """Posts the messages of a batch that it then rejects."""

    def _commit(self, batch: Batch) -> None:
        self._post(batch.messages, AT)
        super()._commit(evolve(batch, messages=()))


class PostsTwice(MemoryStorage):
    """Takes a message id again."""

    def _check_new(self, messages: Sequence[Message]) -> None:
        pass


class IgnoresLeases(MemoryStorage):
    """Hands out what is leased."""

    def lease(
        self, topic: str, limit: int, now: datetime, until: datetime, done: Collection[str] = ()
    ) -> Sequence[Lease]:
        """Leases as if no lease had been given."""
        for posted in self._posted.values():
            posted.due = min(posted.due, now) if posted.sending else posted.due
        return super().lease(topic, limit, now, until, done)


class IgnoresTokens(MemoryStorage):
    """Lets any worker settle a message, whoever holds it now."""

    def _held(self, lease: Lease) -> list[Posted]:
        return super()._held(lease._replace(token=self._posted[lease.message.id].token))


class LeasesWithoutLock(MemoryStorage):
    """Looks for what is due, and leases it later."""

    def lease(
        self, topic: str, limit: int, now: datetime, until: datetime, done: Collection[str] = ()
    ) -> Sequence[Lease]:
        """Lets others in between."""
        ready = [posted for posted in [*self._heads()] if posted.message.topic == topic and posted.due <= now]
        time.sleep(0.002)
        for posted in ready:
            posted.due = now
        return super().lease(topic, limit, now, until, done)


class ForgetsRenewals(MemoryStorage):
    """Does not make leases longer."""

    def renew(self, lease: Lease, until: datetime) -> None:
        """Does nothing."""


class ForgetsWhatIsDone(MemoryStorage):
    """Leases without noting what is done."""

    def lease(
        self, topic: str, limit: int, now: datetime, until: datetime, done: Collection[str] = ()
    ) -> Sequence[Lease]:
        """Leases."""
        return super().lease(topic, limit, now, until)


class LanesAcrossTopics(MemoryStorage):
    """Has one lane for all topics of a row."""

    def _heads(self) -> Iterator[Posted]:
        lanes: set[Key] = set()
        for posted in self._posted.values():
            if posted.standing == "pending" and posted.message.lane not in lanes:
                lanes.add(posted.message.lane)
                yield posted


class IgnoresLanes(MemoryStorage):
    """Hands out every due message."""

    def _heads(self) -> Iterator[Posted]:
        return (posted for posted in self._posted.values() if posted.standing == "pending")


class IgnoresOrder(MemoryStorage):
    """Hands out what was committed first, however long it has been due."""

    def lease(
        self, topic: str, limit: int, now: datetime, until: datetime, done: Collection[str] = ()
    ) -> Sequence[Lease]:
        """Sorts by id."""
        return sorted(super().lease(topic, limit, now, until, done), key=lambda lease: lease.message.id)


class ForgetsDead(MemoryStorage):
    """Drops dead letters."""

    def dead_letter(self, lease: Lease, now: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """Treats the message as done."""
        self._answer([lease.message.id])


class RequeuesAsItWas(MemoryStorage):
    """Counts on where it was."""

    def requeue(self, message_id: str, now: datetime) -> None:
        """Keeps attempts and the time of the first."""
        before = self._posted.get(message_id)
        super().requeue(message_id, now)
        if before is not None:
            self._posted[message_id].attempts, self._posted[message_id].since = before.attempts, before.since


class RetriesAtOnce(MemoryStorage):
    """Does not wait for the time a message is due again."""

    def retry(self, lease: Lease, due: datetime, error: str, *, maybe_sent: bool = True) -> None:
        """Makes it due since ever."""
        super().retry(lease, AT.replace(year=2000), error, maybe_sent=maybe_sent)


class DiscardsForNow(MemoryStorage):
    """Only hides what is discarded."""

    def discard(self, message_id: str, now: datetime, by: str) -> None:
        """Makes it pending again."""
        self.requeue(message_id, now)


class ForgetsWhatMayBeSent(MemoryStorage):
    """Takes a requeued message for one that was never sent."""

    def requeue(self, message_id: str, now: datetime) -> None:
        """Begins anew."""
        super().requeue(message_id, now)
        self._posted[message_id].maybe_sent = False


class IgnoresTheConditions(MemoryStorage):
    """Lists all dead letters, whatever is asked for."""

    def dead_letters(self, limit: int = 100, **conditions: Any) -> Sequence[DeadLetter]:
        """All there are."""
        return super().dead_letters(limit)


class TellsNoTopics(MemoryStorage):
    """Says that every topic is due."""

    def due(self, now: datetime) -> Collection[str]:
        """All topics there are."""
        return {posted.message.topic for posted in self._posted.values()}


class ShowsPagesAgain(MemoryStorage):
    """Does not go on from the cursor."""

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Begins from the start."""
        return super().find(evolve(query, cursor=0))


class ReadsFeedAnew(MemoryStorage):
    """Skips an entry at every page."""

    def entries(self, after: int, limit: int) -> Sequence[Recorded]:
        """Reads one too far."""
        return super().entries(after + 1 if after else 0, limit)


class WrongSums(MemoryStorage):
    """Adds up roughly."""

    def sums(
        self, kind: str, columns: Sequence[str], by: Sequence[str] = ()
    ) -> Mapping[tuple[str, ...], tuple[int, ...]]:
        """Rounds to thousands."""
        exact = super().sums(kind, columns, by)
        return {group: tuple(number // 1000 * 1000 for number in sums) for group, sums in exact.items()}


class SkipsMovements(MemoryStorage):
    """Looks at the last movement of each row only."""

    def movements(self) -> Mapping[tuple[str, str, str], int]:
        """Sums what is left."""
        whole, self._journal = self._journal, [stream[-1] for stream in self._streams.values()]
        try:
            return super().movements()
        finally:
            self._journal = whole


class CommitsAgain(MemoryStorage):
    """Leaves its unit open after a commit."""

    def _commit(self, batch: Batch) -> None:
        super()._commit(batch)
        if self._unit is not None:
            self._unit.finished = False


class AnswersAnything(MemoryStorage):
    """Finds nothing where it is asked what cannot be asked."""

    def find(self, query: Query) -> Sequence[Row[Any]]:
        """Swallows the error."""
        try:
            return super().find(query)
        except InputError:
            return []


class SharesTenants(MemoryStorage):
    """Has one journal and one outbox for all tenants."""

    journal: ClassVar[list[Recorded]] = []
    posted: ClassVar[dict[str, Posted]] = {}

    def __init__(self, tenant: str) -> None:
        super().__init__(tenant)
        if tenant == "main":
            self.journal.clear()
            self.posted.clear()
        self._journal, self._posted = self.journal, self.posted


class NeverForgets(MemoryStorage):
    """Keeps finding whom it has found once."""

    def search(self, terms: Sequence[SearchTerm], after: str = "", limit: int = 100) -> Sequence[Key]:
        seen = self.__dict__.setdefault("seen", {})
        return seen.setdefault((*terms,), super().search(terms, after, limit)) or super().search(terms, after, limit)


class FindsParts(MemoryStorage):
    """Takes every term for the beginning of a value."""

    def search(self, terms: Sequence[SearchTerm], after: str = "", limit: int = 100) -> Sequence[Key]:
        return super().search([term._replace(prefix=True) for term in terms], after, limit)


class FindsWholeNames(MemoryStorage):
    """Takes no term for the beginning of a value."""

    def search(self, terms: Sequence[SearchTerm], after: str = "", limit: int = 100) -> Sequence[Key]:
        return super().search([term._replace(prefix=False) for term in terms], after, limit)


class Unbounded(MemoryStorage):
    """Returns all there are, from the first."""

    def search(self, terms: Sequence[SearchTerm], after: str = "", limit: int = 100) -> Sequence[Key]:
        return super().search(terms, "", 1000)


BROKEN: tuple[tuple[type[MemoryStorage], set[str]], ...] = (
    (LosesUpdates, {"STORAGE-VERSION-01", "STORAGE-VERSION-02", "STORAGE-ATOMIC-01"}),
    (IgnoresReadVersions, {"STORAGE-VERSION-04"}),
    (ForgetsTimes, {"STORAGE-ROW-01", "STORAGE-ROW-02", "STORAGE-ROW-04", "STORAGE-ATOMIC-02"}),
    (ForgetsRollback, {"STORAGE-ATOMIC-01"}),
    (AcceptsCommandsTwice, {"STORAGE-COMMAND-01"}),
    (ForgetsCommands, {"STORAGE-COMMAND-02"}),
    (CommitsAgain, {"STORAGE-ATOMIC-03"}),
    (AnswersAnything, {"STORAGE-FIND-02"}),
    (ReadsNothing, {"STORAGE-ROW-05"}),
    (KeepsStockOnly, {"STORAGE-ROW-06"}),
    (FindsStockOnly, {"STORAGE-FIND-05"}),
    (IgnoresDates, {"STORAGE-FIND-05"}),
    (IgnoresTags, {"STORAGE-FIND-05"}),
    (JournalsPeople, {"STORAGE-VAULT-01"}),
    (DropsMessages, {"OUTBOX-DELIVER-01"}),
    (SkipsJournal, {"STORAGE-JOURNAL-01", "STORAGE-ROW-03", "STORAGE-VERSION-03"}),
    (NumbersBeforeCommit, {"STORAGE-JOURNAL-03"}),
    (ForgetsAnswers, {"OUTBOX-ATOMIC-02"}),
    (AsksForLeasesOfAnswers, {"OUTBOX-ANSWER-01"}),
    (ForgetsWhatIsDone, {"OUTBOX-ANSWER-02"}),
    (PostsBeforeChecking, {"OUTBOX-ATOMIC-01"}),
    (PostsTwice, {"OUTBOX-ONCE-01"}),
    (IgnoresLeases, {"OUTBOX-LEASE-01", "OUTBOX-LANE-01"}),
    (IgnoresTokens, {"OUTBOX-LEASE-02"}),
    (SharesTenants, {"STORAGE-TENANT-01", "OUTBOX-TENANT-01"}),
    (ForgetsRenewals, {"OUTBOX-LEASE-03"}),
    (LeasesWithoutLock, {"OUTBOX-LEASE-04"}),
    (LanesAcrossTopics, {"OUTBOX-LANE-02"}),
    (IgnoresLanes, {"OUTBOX-LANE-01"}),
    (IgnoresOrder, {"OUTBOX-ORDER-01"}),
    (ForgetsDead, {"OUTBOX-DEAD-01"}),
    (RequeuesAsItWas, {"OUTBOX-DEAD-02"}),
    (RetriesAtOnce, {"OUTBOX-RETRY-01"}),
    (DiscardsForNow, {"OUTBOX-DEAD-03"}),
    (IgnoresTheConditions, {"OUTBOX-DEAD-04"}),
    (ForgetsWhatMayBeSent, {"OUTBOX-SENT-01"}),
    (TellsNoTopics, {"OUTBOX-DELIVER-02"}),
    (ShowsPagesAgain, {"STORAGE-FIND-01"}),
    (ReadsFeedAnew, {"STORAGE-JOURNAL-02"}),
    (WrongSums, {"STORAGE-FIND-03"}),
    (SkipsMovements, {"STORAGE-FIND-04"}),
    (NeverForgets, {"STORAGE-SEARCH-02"}),
    (FindsParts, {"STORAGE-SEARCH-01"}),
    (FindsWholeNames, {"STORAGE-SEARCH-01"}),
    (Unbounded, {"STORAGE-SEARCH-01"}),
)


@pytest.mark.parametrize("broken, clauses", BROKEN, ids=lambda value: getattr(value, "__name__", ""))
def test_e14_each_broken_storage_fails_the_clause_that_names_its_breach(
    broken: type[MemoryStorage], clauses: set[str]
) -> None:
    """The contract bites: a storage that breaks a promise breaks the clause that states it."""
    found = {violation.clause for violation in violations(CLAUSES, lambda: Handles(broken))}
    assert clauses <= found


def test_e14_every_clause_is_broken_by_some_storage() -> None:
    """No clause of the contract is a promise that no storage could break."""
    assert set().union(*(clauses for _, clauses in BROKEN)) == {clause.id for clause in CLAUSES}
