"""Intake: what became of each document a channel has sent, one row for each (channel, external id)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from attrs import frozen

from orderflow.domain.engine.machine import Absent, Machine, refuse, rule, to
from orderflow.domain.engine.schema import Count, Id, Length, Name
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import Key, Refusal

__all__ = [
    "INTAKE",
    "AcceptDocument",
    "Accepted",
    "DocumentAccepted",
    "DocumentRejected",
    "IntakeCommand",
    "IntakeEvent",
    "RejectDocument",
    "Rejected",
    "intake_key",
]


def intake_key(tenant: str, channel: str, external_id: str) -> Key:
    """The intake row of a document; its id is ``channel/external id``, a slash in the channel written ``%2F``."""
    channel = channel.replace("%", "%25").replace("/", "%2F")
    return Key(tenant, "intake", f"{channel}/{external_id}")


@frozen
class AcceptDocument:
    """The document became a row of its own: ``kind`` and ``id``."""

    kind: Id
    id: Id


@frozen
class RejectDocument:
    """The document was not taken: where it stands in its source, and why."""

    line: Count
    codes: Annotated[tuple[Name, ...], Length(1, 50)]


@frozen
class DocumentAccepted:
    """The document became a row."""

    kind: str
    id: str


@frozen
class DocumentRejected:
    """The document was not taken."""

    line: int
    codes: tuple[str, ...]


@frozen
class Accepted:
    """Taken; it will not be taken again."""

    kind: str
    id: str


@frozen
class Rejected:
    """Not taken; a mended document may come again."""

    line: int
    codes: tuple[str, ...]


IntakeCommand: TypeAlias = AcceptDocument | RejectDocument


IntakeEvent: TypeAlias = DocumentAccepted | DocumentRejected


def _not_again(state: Accepted, command: AcceptDocument, stamp: Stamp) -> Refusal | None:
    """A document is taken once."""
    return refuse("already_received", "became {kind} {id}", kind=state.kind, id=state.id)


def _accept(state: Absent | Accepted | Rejected, command: AcceptDocument, stamp: Stamp) -> DocumentAccepted:
    return DocumentAccepted(command.kind, command.id)


def _accepted(state: Absent | Accepted | Rejected, event: DocumentAccepted) -> Accepted:
    return Accepted(event.kind, event.id)


def _reject(state: Absent | Rejected, command: RejectDocument, stamp: Stamp) -> DocumentRejected:
    return DocumentRejected(command.line, command.codes)


def _rejected(state: Absent | Rejected, event: DocumentRejected) -> Rejected:
    return Rejected(event.line, event.codes)


def _check(state: object) -> None:
    """An intake row has no invariant beyond its table."""


INTAKE = Machine(
    "intake",
    commands=IntakeCommand,
    events=IntakeEvent,
    final=(Accepted, Rejected),
    check=_check,
    rules=(
        rule(Absent, AcceptDocument, _accept, to(DocumentAccepted, Accepted, _accepted)),
        rule(Absent, RejectDocument, _reject, to(DocumentRejected, Rejected, _rejected)),
        rule(Rejected, AcceptDocument, _accept, to(DocumentAccepted, Accepted, _accepted)),
        rule(Rejected, RejectDocument, _reject, to(DocumentRejected, Rejected, _rejected)),
        rule(Accepted, AcceptDocument, _accept, to(DocumentAccepted, Accepted, _accepted), guards=(_not_again,)),
    ),
)
