"""The rows of the oracle: lines, invoices and payments, and the tax of an amount, counted in fractions."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import floor


class RefusedError(Exception):
    """The law does not allow it; nothing has changed."""


def need(condition: object) -> None:
    """Refuse unless the condition holds."""
    if not condition:
        raise RefusedError


def half_up(value: Fraction) -> int:
    """To the nearest, a half away from zero."""
    return floor(value + Fraction(1, 2)) if value >= 0 else -floor(-value + Fraction(1, 2))


@dataclass(frozen=True)
class Tax:
    """A tax of a line; what is taxed alike is rounded together. ``price`` holds the rates of all taxes inside it."""

    code: str
    rate: Fraction
    price: tuple[tuple[str, Fraction], ...] = ()

    @property
    def inside(self) -> bool:
        """Whether prices contain it."""
        return bool(self.price)

    def on(self, minor: int) -> int:
        """The tax on, or within, one amount."""
        return half_up(Fraction(minor) * self.rate / (1 + sum(rate for _, rate in self.price)))

    def of_units(self, minor: int, units: int) -> int:
        """Each unit on its own; units of one line differ by one minor unit at most."""
        if not units:
            return 0
        sign = -1 if minor < 0 else 1
        least, more = divmod(abs(minor), abs(units))
        return sign * (self.on(least) * (abs(units) - more) + self.on(least + 1) * more)


#: Tax in minor units, each rounded on its own.
Taxes = dict[Tax, int]


@dataclass
class Line:
    """A line of goods: where its units are, and what was charged of it."""

    ordered: int
    net: int
    taxes: tuple[Tax, ...]
    open: int = 0
    delivered: int = 0
    returned: int = 0
    lost: int = 0
    cancelled: int = 0
    moved: int = 0
    invoiced: int = 0
    credited: int = 0
    forgiven: int = 0
    forgiven_back: int = 0
    ahead: int = 0
    unit: int = 0
    reduced: int = 0

    @property
    def live(self) -> int:
        """Units that are still the line's."""
        return self.ordered - self.cancelled - self.moved

    @property
    def owed(self) -> int:
        """Units the customer has or is still to get."""
        return self.live - self.returned - self.lost

    @property
    def waived(self) -> int:
        """Units credited for good and not back here, as far as units are owed."""
        return min(self.forgiven - self.forgiven_back, self.owed)

    @property
    def charged(self) -> int:
        """Units billed and not credited."""
        return self.invoiced - self.credited

    @property
    def uncharged(self) -> int:
        """Units still to be billed; below 0, to be credited."""
        return self.owed - self.charged - self.waived - self.ahead

    def price(self, units: int) -> int:
        """What so many charged units cost."""
        return half_up(Fraction(self.net * units, self.ordered))

    def leave(self, units: int) -> None:
        """Units are owed no longer: they settle what was credited ahead."""
        self.ahead -= min(units, self.ahead)

    def come_back(self, units: int) -> None:
        """Units come back: they settle what was credited ahead, then what was waived."""
        settled = min(units - min(units, self.ahead), self.waived)
        self.leave(units)
        self.forgiven_back += settled
        self.delivered -= units
        self.returned += units

    def go_again(self, units: int) -> None:
        """Units that came back are the customer's again, and what was waived is waived as before."""
        self.forgiven_back -= min(units, self.forgiven_back)
        self.returned -= units
        self.delivered += units


def on_top(taxes: Taxes) -> int:
    """What comes on top of prices."""
    return sum(minor for tax, minor in taxes.items() if not tax.inside)


@dataclass
class Item:
    """Units of a line on an invoice, and what was credited of them."""

    units: int
    minor: int
    credited: int = 0
    given: int = 0
    reduced: int = 0

    @property
    def left(self) -> tuple[int, int]:
        """Units and minor units it still charges."""
        return self.units - self.credited, self.minor - self.given - self.reduced


@dataclass
class Invoice:
    """An invoice of the order: its items by line, and what was taken off its total."""

    items: dict[int, Item]
    taxes: Taxes
    gross: int
    rounding: int
    prepaid: int = 0
    credited: int = 0
    written_off: int = 0
    paid: dict[str, int] = field(default_factory=dict)
    void: bool = False

    @property
    def due(self) -> int:
        """What is due before the order's own money."""
        return 0 if self.void else self.gross - self.credited - self.written_off - sum(self.paid.values())

    @property
    def open(self) -> int:
        """What is still to be paid."""
        return self.due - self.prepaid


@dataclass
class Payment:
    """Money of a customer: what is kept of it, and what it pays, oldest first; the order is ``""``.

    ``reserved`` is still to be taken, for the order; ``asked`` is to be refunded, and nobody knows yet whether it was,
    ``of_order`` if the order had it.
    """

    customer: str
    kept: int
    pays: dict[str, int] = field(default_factory=dict)
    reserved: int = 0
    asked: int = 0
    of_order: bool = False
    came: bool = True

    @property
    def unused(self) -> int:
        """What pays nothing."""
        return self.kept - sum(self.pays.values())

    @property
    def aside(self) -> int:
        """What of it is in the refund."""
        return min(self.asked, self.unused)

    @property
    def free(self) -> int:
        """What pays nothing yet."""
        return self.unused - self.aside
