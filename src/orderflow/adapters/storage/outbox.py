"""The outbox of an SQLite file: leases, fencing tokens, dead letters. Done messages stay, as the record of effects."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final

from orderflow.adapters.storage import statements as sql
from orderflow.adapters.storage.columns import time_text
from orderflow.adapters.storage.conditions import check_limit
from orderflow.adapters.storage.session import Session
from orderflow.domain.engine.decide import Message
from orderflow.errors import Key, NotFound
from orderflow.ports.storage import Lease

__all__ = [
    "CLAIM_ANY",
    "CLAIM_TOPICS",
    "DEAD_LETTER",
    "DEAD_LETTERS",
    "PENDING",
    "REQUEUE",
    "RETRY",
    "claim",
    "dead_letter",
    "dead_letters",
    "done",
    "pending",
    "requeue",
    "retry",
]

_CLAIM: Final = """
    UPDATE outbox SET lease_until = ?, attempts = attempts + 1, token = token + 1 WHERE n IN (
        SELECT m.n FROM outbox AS m
        WHERE m.tenant = ? AND m.state = 'pending' AND m.due_at <= ? AND m.lease_until <= ? {topics}
            AND m.n = (SELECT min(o.n) FROM outbox AS o WHERE o.tenant = m.tenant AND o.lane_kind = m.lane_kind
                AND o.lane_id = m.lane_id AND o.state = 'pending')
        ORDER BY m.n LIMIT ?)
    RETURNING n, id, topic, lane_kind, lane_id, data, attempts, token
"""
CLAIM_ANY: Final = _CLAIM.format(topics="")
CLAIM_TOPICS: Final = _CLAIM.format(topics="AND m.topic IN (SELECT value FROM json_each(?))")
RETRY: Final = (
    "UPDATE outbox SET due_at = ?, lease_until = '', error = ?"
    " WHERE tenant = ? AND id = ? AND token = ? AND state = 'pending'"
)
DEAD_LETTER: Final = (
    "UPDATE outbox SET state = 'dead', done_at = ?, error = ?"
    " WHERE tenant = ? AND id = ? AND token = ? AND state = 'pending'"
)
REQUEUE: Final = (
    "UPDATE outbox SET state = 'pending', done_at = NULL, due_at = ?, lease_until = '', attempts = 0"
    " WHERE tenant = ? AND id = ? AND state = 'dead'"
)
DEAD_LETTERS: Final = (
    "SELECT id, topic, lane_kind, lane_id, data, error FROM outbox"
    " WHERE tenant = ? AND state = 'dead' ORDER BY n LIMIT ?"
)
PENDING: Final = "SELECT count(*) FROM outbox WHERE tenant = ? AND state = 'pending'"


def claim(
    session: Session, tenant: str, limit: int, now: datetime, lease_seconds: int, topics: Collection[str] | None
) -> list[Lease]:
    """Lease due messages, each the first unfinished one of its lane, oldest first."""
    check_limit(limit)
    moment = time_text(now)
    values: list[Any] = [time_text(now + timedelta(seconds=lease_seconds)), tenant, moment, moment]
    if topics is None:
        rows = session.rows(CLAIM_ANY, [*values, limit])
    else:
        rows = session.rows(CLAIM_TOPICS, [*values, json.dumps(sorted(topics)), limit])
    return [
        Lease(_message(tenant, id_, topic, kind, lane, data), attempts, token)
        for _, id_, topic, kind, lane, data, attempts, token in sorted(rows)
    ]


def done(session: Session, tenant: str, leases: Iterable[Lease], now: datetime) -> None:
    """The effects are carried out; those whose lease was lost are ignored."""
    listed = list(leases)
    if not listed:
        return
    session.run("BEGIN IMMEDIATE")
    try:
        for part in sql.chunks(len(listed)):
            values = chain.from_iterable((lease.message.id, lease.token) for lease in listed[part])
            session.run(sql.answered_text(len(listed[part])), [*values, time_text(now), tenant])
        session.run("COMMIT")
    except BaseException:
        session.rollback()
        raise


def retry(session: Session, tenant: str, lease: Lease, due: datetime, error: str) -> None:
    """The effect failed and is due again at ``due``; ignored if the lease was lost."""
    session.run(RETRY, (time_text(due), error, tenant, lease.message.id, lease.token))


def dead_letter(session: Session, tenant: str, lease: Lease, now: datetime, error: str) -> None:
    """Make the message a dead letter; ignored if the lease was lost."""
    session.run(DEAD_LETTER, (time_text(now), error, tenant, lease.message.id, lease.token))


def dead_letters(session: Session, tenant: str, limit: int) -> list[tuple[Message, str]]:
    """The oldest dead letters with their last error."""
    check_limit(limit)
    return [(_message(tenant, *row[:5]), row[5]) for row in session.rows(DEAD_LETTERS, (tenant, limit))]


def requeue(session: Session, tenant: str, message_id: str, now: datetime) -> None:
    """Make a dead letter due again, with its attempts counted anew.

    Raises:
        NotFound: there is no dead letter of that id.
    """
    if session.run(REQUEUE, (time_text(now), tenant, message_id)).rowcount == 0:
        raise NotFound(Key(tenant, "message", message_id))


def pending(session: Session, tenant: str) -> int:
    """Messages neither done nor dead."""
    ((count,),) = session.rows(PENDING, (tenant,))
    return int(count)


def _message(tenant: str, id_: str, topic: str, kind: str, lane: str, data: str) -> Message:
    return Message(id_, topic, Key(tenant, kind, lane), tuple((name, value) for name, value in json.loads(data)))
