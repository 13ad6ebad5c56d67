"""Intake: what became of each document a channel has sent, one row for each (channel, external id)."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

from orderflow.domain.engine.bounds import Count, Id, Length, Name
from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, rules
from orderflow.domain.engine.record import Command, Event, Fields, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Key, Refusal


def intake_key(tenant: str, channel: str, external_id: str) -> Key:
    """The intake row of a document; its id is ``channel/external id``, a slash in the channel written ``%2F``."""
    channel = channel.replace("%", "%25").replace("/", "%2F")
    return Key(tenant, "intake", f"{channel}/{external_id}")


class _Acceptance(Fields):
    kind: Id
    id: Id


class AcceptDocument(_Acceptance, Internal):
    """The document became a row of its own: ``kind`` and ``id``."""


class DocumentAccepted(_Acceptance, Event):
    """The document became a row."""


class Accepted(_Acceptance, Record):
    """Taken; it will not be taken again."""


class _Rejection(Fields):
    line: Count
    codes: Annotated[tuple[Name, ...], Length(1, 50)]


class RejectDocument(_Rejection, Command):
    """The document was not taken: where it stands in its source, and why."""


class DocumentRejected(_Rejection, Event):
    """The document was not taken."""


class Rejected(_Rejection, Record):
    """Not taken; a mended document may come again."""


def not_received_before(state: Accepted, command: AcceptDocument, stamp: Stamp) -> Refusal | None:
    """A document is taken once."""
    return refuse("already_received", "already taken, as {kind} {id}", kind=state.kind, id=state.id)


def _accepted(state: Absent | Accepted | Rejected, event: DocumentAccepted) -> Accepted:
    return Accepted(event.kind, event.id)


def _rejected(state: Absent | Rejected, event: DocumentRejected) -> Rejected:
    return Rejected(event.line, event.codes)


_Open: TypeAlias = Absent | Rejected
OPEN: tuple[type[_Open], ...] = (Absent, Rejected)

INTAKE: Final = Machine(
    "intake",
    rules=(
        rules(OPEN, AcceptDocument, DocumentAccepted, Accepted, _accepted),
        rules(OPEN, RejectDocument, DocumentRejected, Rejected, _rejected),
        rule(Accepted, AcceptDocument, DocumentAccepted, Accepted, _accepted, guards=(not_received_before,)),
    ),
    final=(Accepted, Rejected),
)
