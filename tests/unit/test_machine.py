"""The engine: a table keeps its law or is refused, and a step can only follow a row."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from attrs import frozen

from orderflow.domain.engine.machine import (
    ABSENT,
    Absent,
    Edge,
    Guard,
    Machine,
    Rule,
    Transition,
    refuse,
    rule,
    to,
    to_one_of,
)
from orderflow.domain.engine.stamp import Stamp
from orderflow.errors import CommandRefused, DefinitionError, InvariantBroken, Refusal

STAMP = Stamp(datetime(2026, 4, 1, 12, tzinfo=UTC), "tester", "c")


@frozen
class Lit:
    """The lamp is on."""

    bright: int = 1


@frozen
class Dark:
    """The lamp is off."""


@frozen
class Broken:
    """The lamp is no more."""


@frozen
class Switch:
    """Turn it on or off."""


@frozen
class Drop:
    """Let it fall."""

    metres: int = 1


@frozen
class TurnedOn:
    """It was turned on."""


@frozen
class TurnedOff:
    """It was turned off."""


@frozen
class Fallen:
    """It fell."""


def turn_on(state: Absent | Dark, command: Switch, stamp: Stamp) -> TurnedOn:
    """On."""
    return TurnedOn()


def turn_off(state: Lit, command: Switch, stamp: Stamp) -> TurnedOff:
    """Off."""
    return TurnedOff()


def drop(state: Lit | Dark, command: Drop, stamp: Stamp) -> Fallen:
    """Down."""
    return Fallen()


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


BEGIN = rule(Absent, Switch, turn_on, to(TurnedOn, Lit, lit))
OFF = rule(Lit, Switch, turn_off, to(TurnedOff, Dark, dark))
ON = rule(Dark, Switch, turn_on, to(TurnedOn, Lit, lit))
FALL = rule(Lit, Drop, drop, to(Fallen, Broken, broken), guards=(is_high, is_mine))


def lamp(
    *rules: Rule, final: tuple[type, ...] = (Broken,), commands: Any = Switch | Drop, events: Any = None
) -> Machine:
    """A lamp's machine of these rules."""
    declared = TurnedOn | TurnedOff | Fallen if events is None else events
    return Machine("lamp", commands=commands, events=declared, rules=rules, final=final, check=shines)


LAMP = lamp(BEGIN, OFF, ON, FALL)

# -- stepping


def test_a_step_follows_its_row() -> None:
    """A command that a row takes gives the row's event and the state it leads to."""
    assert LAMP.step(ABSENT, Switch(), STAMP) == (TurnedOn(), Lit())
    assert LAMP.step(Lit(), Switch(), STAMP) == (TurnedOff(), Dark())


def test_a_command_without_a_row_is_refused_with_a_code() -> None:
    """What no row takes is refused, naming state and command; a row that does not exist is not found."""
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


def test_an_event_that_no_row_gives_is_a_bug() -> None:
    """Replaying an event in a state that does not know it is an InvariantBroken, never a silent nothing."""
    with pytest.raises(InvariantBroken, match="no row leads from Dark by TurnedOff"):
        LAMP.evolve(Dark(), TurnedOff())


def test_a_target_that_was_not_declared_is_a_bug() -> None:
    """An evolve that leads elsewhere than its row says is an InvariantBroken."""
    astray = Rule(Absent, Switch, turn_on, (Transition(TurnedOn, (Lit,), lambda state, event: Broken()),))
    machine = lamp(astray, OFF, ON, FALL)
    with pytest.raises(InvariantBroken, match="TurnedOn led to undeclared Broken"):
        machine.step(ABSENT, Switch(), STAMP)


def test_every_state_that_is_reached_is_checked() -> None:
    """The machine's own invariants are asked of each new state."""
    dim = rule(Absent, Switch, turn_on, to(TurnedOn, Lit, lambda state, event: Lit(0)))
    with pytest.raises(InvariantBroken, match="lit, yet dark"):
        lamp(dim, OFF, rule(Dark, Switch, turn_on, to(TurnedOn, Lit, lit)), FALL).step(ABSENT, Switch(), STAMP)


# -- the law of a table


def test_edges_are_the_arrows_in_table_order() -> None:
    """A machine lists its arrows, its states and its rows."""
    assert [*LAMP.edges()][:2] == [Edge(Absent, Switch, TurnedOn, Lit), Edge(Lit, Switch, TurnedOff, Dark)]
    assert LAMP.states == (Absent, Lit, Dark, Broken)
    assert LAMP.rule_for(Lit, Drop) is FALL
    assert LAMP.rule_for(Dark, Drop) is None


def unreachable() -> Machine:
    """Nothing leads to Dark."""
    return lamp(BEGIN, ON, FALL, events=TurnedOn | Fallen)


BREACHES: dict[str, Any] = {
    r"\(Lit, Switch\) stands twice": lambda: lamp(BEGIN, OFF, OFF, ON, FALL),
    "Dark cannot be reached": unreachable,
    "Dark can reach no final state": lambda: lamp(BEGIN, OFF, FALL),
    "Lit is final, yet leads to Dark": lambda: lamp(BEGIN, OFF, ON, FALL, final=(Lit, Broken)),
    "command Drop appears in no row": lambda: lamp(BEGIN, OFF, ON, final=(Lit, Dark), events=TurnedOn | TurnedOff),
    "command Drop is not declared": lambda: lamp(BEGIN, OFF, ON, FALL, commands=Switch),
    "event Fallen appears in no row": lambda: lamp(BEGIN, OFF, ON, final=(Lit, Dark), commands=Switch),
    "event Fallen is not declared": lambda: lamp(BEGIN, OFF, ON, FALL, events=TurnedOn | TurnedOff),
    r"\(Lit, Fallen\) leads two ways": lambda: lamp(
        BEGIN, OFF, ON, FALL, Rule(Lit, Fallen, drop, (to(Fallen, Dark, broken),)), commands=Switch | Drop | Fallen
    ),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_table_that_breaks_the_law_is_refused(breach: str) -> None:
    """Every breach of a table's law is a DefinitionError that names it."""
    with pytest.raises(DefinitionError, match=breach):
        BREACHES[breach]()


def test_every_breach_is_named_at_once() -> None:
    """One error names all that is wrong with a table."""
    with pytest.raises(DefinitionError, match=r"stands twice; .*command Drop is not declared"):
        lamp(BEGIN, OFF, OFF, ON, FALL, commands=Switch)


def test_an_outcome_may_have_several_targets() -> None:
    """Where quantities decide, an outcome names every state it may lead to."""

    def half(state: Lit, event: TurnedOff) -> Lit | Dark:
        return Dark() if state.bright == 1 else Lit(state.bright - 1)

    dimmer = lamp(BEGIN, rule(Lit, Switch, turn_off, to_one_of(TurnedOff, half, Lit, Dark)), ON, FALL)
    assert dimmer.step(Lit(2), Switch(), STAMP)[1] == Lit(1)
    assert dimmer.step(Lit(1), Switch(), STAMP)[1] == Dark()


# -- other machines out of one


def test_an_extended_machine_is_checked_in_full() -> None:
    """More rows give a new machine under the same law; the old one stays as it was."""
    more = LAMP.extended(rule(Dark, Drop, drop, to(Fallen, Broken, broken)))
    assert more.step(Dark(), Drop(), STAMP)[1] == Broken()
    assert LAMP.rule_for(Dark, Drop) is None
    assert more.fingerprint != LAMP.fingerprint
    with pytest.raises(DefinitionError, match="stands twice"):
        LAMP.extended(FALL)


def test_an_extension_may_bring_a_final_state() -> None:
    """A new way to end is declared with the rows that lead there."""

    @frozen
    class Sold:
        """Somebody else's now."""

    @frozen
    class Sell:
        """Give it away for money."""

    @frozen
    class WasSold:
        """It was sold."""

    sale = rule(Lit, Sell, lambda s, c, stamp: WasSold(), to(WasSold, Sold, lambda s, e: Sold()))
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


def test_a_guard_on_a_command_that_no_row_takes_is_an_error() -> None:
    """Guarding what cannot happen is a mistake in the definition."""
    with pytest.raises(DefinitionError, match="no row takes Fallen"):
        LAMP.guarded(Fallen, lambda state, command, stamp: None)


def test_one_command_and_one_event_need_no_union() -> None:
    """A union of one class is the class."""
    short = lamp(BEGIN, final=(Lit,), commands=Switch, events=TurnedOn)
    assert short.commands == (Switch,)
    assert short.events == (TurnedOn,)


def test_a_refusal_gives_its_facts() -> None:
    """A refusal carries its facts as fields and says them in its sentence."""
    refusal = refuse("too_low", "{metres} m is no fall", metres=0)
    assert refusal["metres"] == 0
    assert str(refusal) == "too_low: 0 m is no fall"
