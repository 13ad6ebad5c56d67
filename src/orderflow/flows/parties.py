"""Keeping parties: a person's data is stored once, under the version that holds it already."""

from __future__ import annotations

from attrs import evolve

from orderflow.domain.engine.decide import Envelope, Flow
from orderflow.domain.engine.machine import ABSENT
from orderflow.domain.engine.stamp import Stamp
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.parties.party import PartyVersion, Person, RecordParty
from orderflow.domain.values import PartyRef, party_id
from orderflow.errors import CommandMismatch, Key
from orderflow.flows.handle import Work, accepted


def record_party(workflow: Workflow, party: Key, person: Person, stamp: Stamp, version: int | None) -> Flow[PartyRef]:
    """Keep a party and return the reference to it: ``version``, or the one that has the same data, else the next.

    Args:
        workflow: the rules.
        party: the party, without a version.
        person: its data.
        stamp: what the command is decided with, except its id.
        version: the version to record; None for the one that has this data, or the next.

    Raises:
        CommandMismatch: the version was recorded before with different data, or has been erased.
    """
    work = Work(workflow)
    number = version if version is not None else (yield from _version_for(work, party, person))
    key = party.beside("party", party_id(party.id, number))
    kept = (yield from work.load([key]))[key].state
    if kept is ABSENT:
        named = evolve(stamp, command_id=f"party/{key.id}")
        accepted((yield from work.take([Envelope(key, RecordParty(person), named)]))[0])
    elif not isinstance(kept, PartyVersion) or kept.person != person:
        raise CommandMismatch(f"party/{key.id}")
    yield from work.commit()
    return PartyRef(party.id, number)


def _version_for(work: Work, party: Key, person: Person) -> Flow[int]:
    """The version that has this data, whichever was recorded last; else the next."""
    number = 1
    while True:
        key = party.beside("party", party_id(party.id, number))
        state = (yield from work.load([key]))[key].state
        if state is ABSENT or (isinstance(state, PartyVersion) and state.person == person):
            return number
        number += 1
