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
from orderflow.domain.keys import Key
from orderflow.errors import NotFound
from orderflow.ports.storage import Message, Parcelled

__all__ = [
    "BURY",
    "CLAIM_ANY",
    "CLAIM_TOPICS",
    "DEAD",
    "RETRY",
    "REVIVE",
    "WAITING",
    "bury",
    "claim",
    "dead",
    "done",
    "retry",
    "revive",
    "waiting",
]

_CLAIM: Final = """
    UPDATE outbox SET lease_until = ?, attempts = attempts + 1, token = token + 1 WHERE n IN (
        SELECT m.n FROM outbox AS m
        WHERE m.tenant = ? AND m.state = 'waiting' AND m.due_at <= ? AND m.lease_until <= ? {topics}
            AND m.n = (SELECT min(o.n) FROM outbox AS o WHERE o.tenant = m.tenant AND o.lane_kind = m.lane_kind
                AND o.lane_id = m.lane_id AND o.state = 'waiting')
        ORDER BY m.n LIMIT ?)
    RETURNING n, id, topic, lane_kind, lane_id, data, attempts, token
"""
CLAIM_ANY: Final = _CLAIM.format(topics="")
CLAIM_TOPICS: Final = _CLAIM.format(topics="AND m.topic IN (SELECT value FROM json_each(?))")
RETRY: Final = (
    "UPDATE outbox SET due_at = ?, lease_until = '', error = ?"
    " WHERE tenant = ? AND id = ? AND token = ? AND state = 'waiting'"
)
BURY: Final = (
    "UPDATE outbox SET state = 'dead', done_at = ?, error = ?"
    " WHERE tenant = ? AND id = ? AND token = ? AND state = 'waiting'"
)
REVIVE: Final = (
    "UPDATE outbox SET state = 'waiting', done_at = NULL, due_at = ?, lease_until = '', attempts = 0"
    " WHERE tenant = ? AND id = ? AND state = 'dead'"
)
DEAD: Final = (
    "SELECT id, topic, lane_kind, lane_id, data, error FROM outbox"
    " WHERE tenant = ? AND state = 'dead' ORDER BY n LIMIT ?"
)
WAITING: Final = "SELECT count(*) FROM outbox WHERE tenant = ? AND state = 'waiting'"


def claim(
    session: Session, tenant: str, limit: int, now: datetime, lease_seconds: int, topics: Collection[str] | None
) -> list[Parcelled]:
    """Lease due messages, each the first unfinished one of its lane, oldest first."""
    check_limit(limit)
    moment = time_text(now)
    values: list[Any] = [time_text(now + timedelta(seconds=lease_seconds)), tenant, moment, moment]
    if topics is None:
        rows = session.rows(CLAIM_ANY, [*values, limit])
    else:
        rows = session.rows(CLAIM_TOPICS, [*values, json.dumps(sorted(topics)), limit])
    return [
        Parcelled(_message(tenant, id_, topic, kind, lane, data), attempts, token)
        for _, id_, topic, kind, lane, data, attempts, token in sorted(rows)
    ]


def done(session: Session, tenant: str, parcels: Iterable[Parcelled], now: datetime) -> None:
    """The effects are carried out; parcels whose lease was lost are ignored."""
    listed = list(parcels)
    if not listed:
        return
    session.run("BEGIN IMMEDIATE")
    try:
        for part in sql.chunks(len(listed)):
            values = chain.from_iterable((parcel.message.id, parcel.token) for parcel in listed[part])
            session.run(sql.answered_text(len(listed[part])), [*values, time_text(now), tenant])
        session.run("COMMIT")
    except BaseException:
        session.rollback()
        raise


def retry(session: Session, tenant: str, parcel: Parcelled, due: datetime, error: str) -> None:
    """The effect failed and is due again at ``due``; ignored if the lease was lost."""
    session.run(RETRY, (time_text(due), error, tenant, parcel.message.id, parcel.token))


def bury(session: Session, tenant: str, parcel: Parcelled, now: datetime, error: str) -> None:
    """Make the message a dead letter; ignored if the lease was lost."""
    session.run(BURY, (time_text(now), error, tenant, parcel.message.id, parcel.token))


def dead(session: Session, tenant: str, limit: int) -> list[tuple[Message, str]]:
    """The oldest dead letters with their last error."""
    check_limit(limit)
    return [(_message(tenant, *row[:5]), row[5]) for row in session.rows(DEAD, (tenant, limit))]


def revive(session: Session, tenant: str, message_id: str, now: datetime) -> None:
    """Make a dead letter due again, with its attempts counted anew.

    Raises:
        NotFound: there is no dead letter of that id.
    """
    if session.run(REVIVE, (time_text(now), tenant, message_id)).rowcount == 0:
        raise NotFound(Key(tenant, "message", message_id))


def waiting(session: Session, tenant: str) -> int:
    """Messages neither done nor dead."""
    ((count,),) = session.rows(WAITING, (tenant,))
    return int(count)


def _message(tenant: str, id_: str, topic: str, kind: str, lane: str, data: str) -> Message:
    return Message(id_, topic, Key(tenant, kind, lane), tuple((name, value) for name, value in json.loads(data)))
