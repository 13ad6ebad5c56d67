"""The engine: a table keeps its law or is refused, and a step can only follow a rule."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orderflow.domain.engine.machine import (
    ABSENT,
    Absent,
    Edge,
    Guard,
    Machine,
    Rule,
    Transition,
    choice,
    refuse,
    rule,
    rules,
    to,
)
from orderflow.domain.engine.record import Command, Event, Internal, Record
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import CommandRefused, DefinitionError, InvariantBroken, Refusal

STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")


class Lit(Record):
    """The lamp is on."""

    bright: int = 1


class Dark(Record):
    """The lamp is off."""


class Broken(Record):
    """The lamp is no more."""


class Switch(Command):
    """Turn it on or off."""


class Drop(Command):
    """Let it fall."""

    metres: int = 1


class TurnedOn(Event):
    """It was turned on."""


class TurnedOff(Event):
    """It was turned off."""


class Fallen(Event):
    """It fell, when a source says it did."""

    metres: int
    at: datetime


def lit(state: Absent | Dark, event: TurnedOn) -> Lit:
    """It shines."""
    return Lit()


def dark(state: Lit, event: TurnedOff) -> Dark:
    """It does not."""
    return Dark()


def broken(state: Lit | Dark, event: Fallen) -> Broken:
    """In pieces."""
    return Broken()


def is_high(state: Any, command: Drop, stamp: Stamp) -> Refusal | None:
    """A lamp survives a short fall."""
    return None if command.metres > 0 else refuse("too_low", "{metres} m is no fall", metres=command.metres)


def is_mine(state: Any, command: Drop, stamp: Stamp) -> Refusal | None:
    """Only its owner may drop it."""
    return None if stamp.actor != "guest" else refuse("not_yours", "ask the owner")


def shines(state: Any) -> None:
    """A lit lamp is bright."""
    if isinstance(state, Lit) and state.bright < 1:
        raise InvariantBroken("lamp", "lit, yet dark")


BEGIN = rule(Absent, Switch, TurnedOn, Lit, lit)
OFF = rule(Lit, Switch, TurnedOff, Dark, dark)
ON = rule(Dark, Switch, TurnedOn, Lit, lit)
FALL = rule(Lit, Drop, Fallen, Broken, broken, guards=(is_high, is_mine))


def lamp(*lines: Rule | tuple[Rule, ...], final: tuple[type, ...] = (Broken,)) -> Machine:
    """A lamp's machine of these rules."""
    return Machine("lamp", rules=lines, final=final, check=shines)


LAMP = lamp(BEGIN, OFF, ON, FALL)

# -- stepping


def test_a_step_follows_its_rule() -> None:
    """A command that a rule takes gives the rule's event and the state it leads to."""
    assert LAMP.step(ABSENT, Switch(), STAMP) == (TurnedOn(), Lit())
    assert LAMP.step(Lit(), Switch(), STAMP) == (TurnedOff(), Dark())


def test_a_command_without_a_rule_is_refused_with_a_code() -> None:
    """What no rule takes is refused, naming state and command; a row that does not exist is not found."""
    with pytest.raises(CommandRefused) as caught:
        LAMP.step(Dark(), Drop(), STAMP)
    assert caught.value.codes == ("not_now",)
    assert caught.value.refusals[0]["state"] == "Dark"
    assert LAMP.explain(ABSENT, Drop(), STAMP)[0].code == "not_found"


def test_all_guards_are_asked_and_all_answers_reported() -> None:
    """A refusal holds every guard's answer, in the order of the table; explain says the same and changes nothing."""
    guest = Stamp(STAMP.at, "guest", "c")
    with pytest.raises(CommandRefused, match="too_low: 0 m is no fall; not_yours: ask the owner") as caught:
        LAMP.step(Lit(), Drop(0), guest)
    assert caught.value.codes == ("too_low", "not_yours")
    assert LAMP.explain(Lit(), Drop(0), guest) == caught.value.refusals
    assert LAMP.explain(Lit(), Drop(1), STAMP) == ()


def test_an_event_that_no_rule_gives_is_a_bug() -> None:
    """Replaying an event in a state that does not know it is an InvariantBroken, never a silent nothing."""
    with pytest.raises(InvariantBroken, match="no rule leads from Dark by TurnedOff"):
        LAMP.evolve(Dark(), TurnedOff())


def test_a_target_that_was_not_declared_is_a_bug() -> None:
    """An evolve that leads elsewhere than its rule says is an InvariantBroken."""
    astray = Rule(Absent, Switch, BEGIN.decide, (Transition(TurnedOn, (Lit,), lambda state, event: Broken()),))
    machine = lamp(astray, OFF, ON, FALL)
    with pytest.raises(InvariantBroken, match="TurnedOn led to undeclared Broken"):
        machine.step(ABSENT, Switch(), STAMP)


def test_every_state_that_is_reached_is_checked() -> None:
    """The machine's own invariants are asked of each new state."""
    dim = rule(Absent, Switch, TurnedOn, Lit, lambda state, event: Lit(0))
    with pytest.raises(InvariantBroken, match="lit, yet dark"):
        lamp(dim, OFF, ON, FALL).step(ABSENT, Switch(), STAMP)


def test_a_guard_that_refuses_leaves_decide_unasked() -> None:
    """What would be decided is not even computed where a guard refuses."""

    def never(state: Lit, command: Drop, stamp: Stamp) -> Fallen:
        raise AssertionError("decide was asked")

    careful = lamp(BEGIN, OFF, ON, rule(Lit, Drop, Fallen, Broken, broken, guards=(is_high,), decide=never))
    with pytest.raises(CommandRefused, match="too_low"):
        careful.step(Lit(), Drop(0), STAMP)


# -- events that record their command


def test_an_event_records_its_command_and_the_moment() -> None:
    """Without a decide the fields are copied by name, and a last ``at`` is when the source says it happened."""
    told = Stamp(STAMP.at, "tester", "c", datetime(2026, 3, 31, tzinfo=UTC))
    assert LAMP.step(Lit(), Drop(3), STAMP)[0] == Fallen(3, STAMP.at)
    assert LAMP.step(Lit(), Drop(3), told)[0] == Fallen(3, datetime(2026, 3, 31, tzinfo=UTC))


class Sunk(Event):
    """Of another name than the command's field."""

    depth: int


class Begun(Event):
    """Its ``at`` does not come last."""

    at: datetime
    metres: int


def test_only_classes_of_attrs_are_recorded() -> None:
    """A class of another kind has no fields to copy, and is named."""
    with pytest.raises(DefinitionError, match="Shout is not made with attrs"):
        rule(Lit, Shout, TurnedOff, Dark, dark)


@pytest.mark.parametrize("event", [Sunk, Begun, TurnedOn])
def test_an_event_of_other_fields_needs_a_decide(event: type[Any]) -> None:
    """An event that is not the command's fields, with at most ``at`` behind them, is never guessed."""
    with pytest.raises(DefinitionError, match=f"{event.__name__} does not record Drop: give the rule a decide"):
        rule(Lit, Drop, event, Broken, lambda state, event: Broken())


# -- the law of a table


def test_edges_are_the_arrows_in_table_order() -> None:
    """A machine lists its arrows, its states, its messages and its rules."""
    assert [*LAMP.edges()][:2] == [Edge(Absent, Switch, TurnedOn, Lit), Edge(Lit, Switch, TurnedOff, Dark)]
    assert LAMP.states == (Absent, Lit, Dark, Broken)
    assert LAMP.commands == (Switch, Drop)
    assert LAMP.events == (TurnedOn, TurnedOff, Fallen)
    assert LAMP.rule_for(Lit, Drop) is FALL
    assert LAMP.rule_for(Dark, Drop) is None


class Shout:
    """Nothing that a machine is told."""


OFF_AGAIN = (OFF.decide, OFF.transitions)
BREACHES: dict[str, Any] = {
    r"\(Lit, Switch\) stands twice": lambda: lamp(BEGIN, OFF, OFF, ON, FALL),
    "Dark cannot be reached": lambda: lamp(BEGIN, ON, FALL),
    "Dark can reach no final state": lambda: lamp(BEGIN, OFF, FALL),
    "Lit is final, yet leads to Dark": lambda: lamp(BEGIN, OFF, ON, FALL, final=(Lit, Broken)),
    r"\(Lit, TurnedOff\) leads two ways": lambda: lamp(
        BEGIN, OFF, ON, FALL, Rule(Lit, Drop, OFF.decide, (to(TurnedOff, Broken, lambda state, event: Broken()),))
    ),
    "Shout is not a Command, Internal or Event": lambda: lamp(BEGIN, OFF, ON, FALL, Rule(Lit, Shout, *OFF_AGAIN)),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_table_that_breaks_the_law_is_refused(breach: str) -> None:
    """Every breach of a table's law is a DefinitionError that names it."""
    with pytest.raises(DefinitionError, match=breach):
        BREACHES[breach]()


def test_every_breach_is_named_at_once() -> None:
    """One error names all that is wrong with a table, and the machine."""
    with pytest.raises(DefinitionError, match=r"machine 'lamp': .*stands twice; .*Dark can reach no final state"):
        lamp(BEGIN, OFF, OFF, FALL)


def test_an_event_may_lead_to_several_states() -> None:
    """Where quantities decide, a rule names every state its event may lead to."""

    def half(state: Lit, event: TurnedOff) -> Lit | Dark:
        return Dark() if state.bright == 1 else Lit(state.bright - 1)

    dimmer = lamp(BEGIN, rule(Lit, Switch, TurnedOff, (Lit, Dark), half), ON, FALL)
    assert dimmer.step(Lit(2), Switch(), STAMP)[1] == Lit(1)
    assert dimmer.step(Lit(1), Switch(), STAMP)[1] == Dark()


def test_a_choice_decides_between_events() -> None:
    """A rule may have several events, each with its own way."""

    def fall(state: Lit, command: Drop, stamp: Stamp) -> Fallen | TurnedOff:
        return Fallen(command.metres, stamp.moment) if command.metres > 1 else TurnedOff()

    line = choice(Lit, Drop, fall, to(Fallen, Broken, broken), to(TurnedOff, Dark, dark))
    sturdy = lamp(BEGIN, ON, line)
    assert sturdy.step(Lit(), Drop(1), STAMP)[1] == Dark()
    assert sturdy.step(Lit(), Drop(2), STAMP)[1] == Broken()
    assert [edge.target for edge in sturdy.edges() if edge.command is Drop] == [Broken, Dark]


def test_one_line_may_stand_for_several_states() -> None:
    """The same line for several states leads each where it says, or leaves each what it is."""

    class Polish(Command):
        """Make it shine."""

    class Polished(Event):
        """It was polished."""

    either: tuple[type[Lit | Dark], ...] = (Lit, Dark)
    kept = rules(either, Polish, Polished, None, lambda state, event: state)
    fallen = rules(either, Drop, Fallen, Broken, broken)
    polished = lamp(BEGIN, OFF, ON, kept, fallen)
    assert [(edge.source, edge.target) for edge in polished.edges() if edge.command is Polish] == [
        (Lit, Lit),
        (Dark, Dark),
    ]
    assert polished.step(Dark(), Polish(), STAMP)[1] == Dark()
    assert polished.step(Dark(), Drop(), STAMP)[1] == Broken()


# -- other machines out of one


def test_an_extended_machine_is_checked_in_full() -> None:
    """More rules give a new machine under the same law; the old one stays as it was."""
    more = LAMP.extended(rule(Dark, Drop, Fallen, Broken, broken))
    assert more.step(Dark(), Drop(), STAMP)[1] == Broken()
    assert LAMP.rule_for(Dark, Drop) is None
    assert more.fingerprint != LAMP.fingerprint
    with pytest.raises(DefinitionError, match="stands twice"):
        LAMP.extended(FALL)


def test_an_extension_may_bring_a_final_state() -> None:
    """A new way to end is declared with the rules that lead there."""

    class Sold(Record):
        """Somebody else's now."""

    class Sell(Internal):
        """Give it away for money."""

    class WasSold(Event):
        """It was sold."""

    sale = rule(Lit, Sell, WasSold, Sold, lambda state, event: Sold())
    assert LAMP.extended(sale, final=(Sold,)).step(Lit(), Sell(), STAMP)[1] == Sold()
    with pytest.raises(DefinitionError, match="Sold can reach no final state"):
        LAMP.extended(sale)


def test_a_guard_can_only_narrow() -> None:
    """A guarded machine refuses what the guard refuses, wherever the command is taken, and takes nothing more."""
    at_night: Guard[Any, Switch] = lambda state, command, stamp: refuse("asleep", "not at night")  # noqa: E731
    quiet = LAMP.guarded(Switch, at_night)
    assert [answer.code for answer in quiet.explain(Lit(), Switch(), STAMP)] == ["asleep"]
    assert [answer.code for answer in quiet.explain(Dark(), Switch(), STAMP)] == ["asleep"]
    assert not quiet.explain(Lit(), Drop(), STAMP)
    assert [*quiet.edges()] == [*LAMP.edges()]


def test_a_guard_on_a_command_that_no_rule_takes_is_an_error() -> None:
    """Guarding what cannot happen is a mistake in the definition."""
    with pytest.raises(DefinitionError, match="no rule takes Fallen"):
        LAMP.guarded(Fallen, lambda state, command, stamp: None)


def test_a_refusal_gives_its_facts() -> None:
    """A refusal carries its facts as fields and says them in its sentence."""
    refusal = refuse("too_low", "{metres} m is no fall", metres=0)
    assert refusal["metres"] == 0
    assert str(refusal) == "too_low: 0 m is no fall"
