"""The outbox of an SQLite file: leases, fencing tokens, dead letters. Done messages are kept as a record of effects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from orderflow.adapters.storage.columns import time_text
from orderflow.adapters.storage.conditions import check_limit
from orderflow.adapters.storage.session import Session
from orderflow.adapters.storage.unit import answer, moment
from orderflow.domain.engine.decide import Message
from orderflow.errors import Key, NotFound
from orderflow.ports.storage import DeadLetter, Lease

#: The message is the first pending one of its lane.
_HEAD: Final = """NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.tenant = m.tenant AND o.topic = m.topic
    AND o.lane_kind = m.lane_kind AND o.lane_id = m.lane_id AND o.n < m.n AND o.state = 'pending')"""
_DUE: Final = """
    SELECT m.id, m.token, m.sending, m.maybe_sent FROM outbox AS m
    WHERE m.tenant = ? AND m.topic = ? AND m.state = 'pending' AND m.due_at <= ? AND {head}
    ORDER BY m.due_at, m.n LIMIT ?
"""
DUE: Final = _DUE.format(head=_HEAD)
_DUE_TOPICS: Final = """
    WITH RECURSIVE topics (topic) AS (
        SELECT min(topic) FROM outbox WHERE tenant = :tenant AND state = 'pending'
        UNION ALL SELECT (SELECT min(topic) FROM outbox WHERE tenant = :tenant AND state = 'pending'
            AND topic > topics.topic) FROM topics WHERE topic IS NOT NULL)
    SELECT topic FROM topics WHERE topic IS NOT NULL AND EXISTS (SELECT 1 FROM outbox AS m
        WHERE m.tenant = :tenant AND m.topic = topics.topic AND m.state = 'pending' AND m.due_at <= :now AND {head})
"""
#: Skips from topic to topic in the index, however many messages each has.
DUE_TOPICS: Final = _DUE_TOPICS.format(head=_HEAD)
LEASE: Final = """
    UPDATE outbox SET since = CASE attempts WHEN 0 THEN ? ELSE since END, due_at = ?, attempts = attempts + 1,
        token = token + 1, sending = 1, maybe_sent = 1
    WHERE tenant = ? AND id = ? AND token = ? AND state = 'pending'
    RETURNING topic, lane_kind, lane_id, data, attempts, token, since
"""
_SETTLE: Final = "UPDATE outbox SET {sets} WHERE tenant = ? AND id = ? AND token = ? AND state = 'pending'"
RENEW: Final = _SETTLE.format(sets="due_at = ?")
RETRY: Final = _SETTLE.format(sets="due_at = ?, error = ?, maybe_sent = ?, token = token + 1, sending = 0")
DEAD_LETTER: Final = _SETTLE.format(sets="state = 'dead', done_at = ?, due_at = NULL, error = ?, maybe_sent = ?")
REQUEUE: Final = """
    UPDATE outbox SET state = 'pending', done_at = NULL, due_at = ?, attempts = 0, token = token + 1,
        sending = 0,
        n = 1 + (SELECT max(o.n) FROM outbox AS o WHERE o.tenant = outbox.tenant AND o.topic = outbox.topic
            AND o.lane_kind = outbox.lane_kind AND o.lane_id = outbox.lane_id AND (o.state = 'pending' OR o.id = ?))
    WHERE tenant = ? AND id = ? AND state = 'dead'
"""
DISCARD: Final = """
    UPDATE outbox SET state = 'done', done_at = ?, error = 'discarded by ' || ? || ': ' || error
    WHERE tenant = ? AND id = ? AND state = 'dead'
"""
DEAD_LETTERS: Final = """
    SELECT id, topic, lane_kind, lane_id, data, error, done_at, maybe_sent, n FROM outbox INDEXED BY outbox_dead
    WHERE tenant = :tenant AND state = 'dead' AND n > :cursor AND (:topic = '' OR topic = :topic)
        AND (:since IS NULL OR done_at >= :since) AND (:id = '' OR id = :id)
        AND (:kind IS NULL OR (lane_kind = :kind AND lane_id = :row)) ORDER BY n LIMIT :limit
"""
#: The index is named, because the planner would scan all done messages.
PENDING: Final = "SELECT count(*) FROM outbox INDEXED BY outbox_due WHERE tenant = ? AND state = 'pending'"


def due(session: Session, tenant: str, now: datetime) -> set[str]:
    """The topics with a message that may be leased."""
    return {topic for (topic,) in session.rows(DUE_TOPICS, {"tenant": tenant, "now": time_text(now)})}


def lease(
    session: Session, tenant: str, topic: str, limit: int, now: datetime, until: datetime, done: Sequence[str]
) -> list[Lease]:
    """Mark messages done, then lease up to ``limit`` due messages of a topic, the longest overdue first."""
    check_limit(limit)
    wanted = (tenant, topic, time_text(now), limit)
    times = time_text(now), time_text(until)
    if not done:
        found = session.rows(DUE, wanted)
        if len(found) < 2:
            return [*_begun(session, tenant, times, found)]
    session.run("BEGIN IMMEDIATE")
    try:
        answer(session, tenant, done, now)
        leases = [*_begun(session, tenant, times, session.rows(DUE, wanted))]
        session.run("COMMIT")
    except BaseException:
        session.rollback()
        raise
    return leases


def _begun(session: Session, tenant: str, times: tuple[str, str], found: Sequence[tuple[Any, ...]]) -> Iterator[Lease]:
    """Lease messages that were found due, except those that another worker has leased since."""
    for message_id, before, abandoned, maybe_sent in found:
        for topic, kind, lane, data, attempts, token, since in session.rows(
            LEASE, (*times, tenant, message_id, before)
        ):
            message = _message(tenant, message_id, topic, kind, lane, data)
            yield Lease(message, attempts, token, moment(since), bool(abandoned), bool(maybe_sent))


def renew(session: Session, tenant: str, lease: Lease, until: datetime) -> None:
    """Extend a lease. Ignored if it was lost."""
    session.run(RENEW, (time_text(until), tenant, lease.message.id, lease.token))


def retry(session: Session, tenant: str, lease: Lease, due: datetime, error: str, *, maybe_sent: bool) -> None:
    """Make the message due again at ``due``. Ignored if the lease was lost."""
    session.run(RETRY, (time_text(due), error, maybe_sent, tenant, lease.message.id, lease.token))


def dead_letter(session: Session, tenant: str, lease: Lease, now: datetime, error: str, *, maybe_sent: bool) -> None:
    """Give up on the message. Ignored if the lease was lost."""
    session.run(DEAD_LETTER, (time_text(now), error, maybe_sent, tenant, lease.message.id, lease.token))


def dead_letters(
    session: Session,
    tenant: str,
    limit: int,
    *,
    cursor: int,
    topic: str,
    since: datetime | None,
    lane: Key | None,
    message_id: str,
) -> list[DeadLetter]:
    """The oldest dead letters that meet all conditions."""
    check_limit(limit)
    values = {
        "tenant": tenant,
        "cursor": cursor,
        "topic": topic,
        "since": None if since is None else time_text(since),
        "id": message_id,
        "kind": lane and lane.kind,
        "row": lane and lane.id,
        "limit": limit,
    }
    return [
        DeadLetter(_message(tenant, *message), error or "", moment(at), bool(maybe_sent), n)
        for *message, error, at, maybe_sent, n in session.rows(DEAD_LETTERS, values)
    ]


def requeue(session: Session, tenant: str, message_id: str, now: datetime) -> None:
    """Make a dead letter due again, at the end of its lane, with all its attempts to come.

    Raises:
        NotFound: no dead letter has that id.
    """
    if session.run(REQUEUE, (time_text(now), message_id, tenant, message_id)).rowcount == 0:
        raise NotFound(Key(tenant, "message", message_id))


def discard(session: Session, tenant: str, message_id: str, now: datetime, by: str) -> None:
    """Close a dead letter.

    Raises:
        NotFound: no dead letter has that id.
    """
    if session.run(DISCARD, (time_text(now), by, tenant, message_id)).rowcount == 0:
        raise NotFound(Key(tenant, "message", message_id))


def pending(session: Session, tenant: str) -> int:
    """Messages neither done nor dead."""
    ((count,),) = session.rows(PENDING, (tenant,))
    return int(count)


def _message(tenant: str, id_: str, topic: str, kind: str, lane: str, data: str) -> Message:
    return Message(id_, topic, Key(tenant, kind, lane), tuple((name, value) for name, value in json.loads(data)))
