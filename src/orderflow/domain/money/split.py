"""Rounding and splitting of integers, so that the parts of an amount always sum to it."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from orderflow.errors import InputError

__all__ = ["Rounding", "round_ratio", "share"]


class Rounding(enum.Enum):
    """How a fraction of a minor unit is rounded; -x always rounds to minus the rounding of x."""

    HALF_UP = "half_up"
    """To the nearest, a half away from zero (四捨五入)."""
    DOWN = "down"
    """Towards zero (切り捨て)."""
    UP = "up"
    """Away from zero (切り上げ)."""
    HALF_EVEN = "half_even"
    """To the nearest, a half to the even neighbour."""


_HALF_UP, _DOWN, _UP = Rounding.HALF_UP, Rounding.DOWN, Rounding.UP  # looking up enum members is slow


def round_ratio(numerator: int, denominator: int, rounding: Rounding = Rounding.HALF_UP) -> int:
    """``numerator / denominator`` as an integer, exactly rounded.

    Raises:
        InputError: the denominator is 0.
    """
    if not denominator:
        raise InputError.at("denominator", "out_of_range", "must not be 0")
    if denominator < 0:
        numerator, denominator = -numerator, -denominator
    whole, rest = divmod(-numerator if numerator < 0 else numerator, denominator)
    if rest and _rounds_away(whole, 2 * rest - denominator, rounding):
        whole += 1
    return -whole if numerator < 0 else whole


def _rounds_away(whole: int, over_half: int, rounding: Rounding) -> bool:
    """Whether a magnitude of ``whole`` and a fraction goes up; ``over_half`` has the sign of fraction - 1/2."""
    if rounding is _HALF_UP:
        return over_half >= 0
    if rounding is _DOWN or rounding is _UP:
        return rounding is _UP
    return over_half > 0 or (over_half == 0 and whole % 2 == 1)


def share(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """``total`` over ``weights`` by the largest remainder, ties to the earliest; sums to ``total`` exactly.

    A negative total gives the negated shares of the positive one. Weights that are all 0 share equally.

    Raises:
        InputError: a weight is negative, or there is no weight.
    """
    if not weights or min(weights) < 0:
        raise InputError.at("weights", "out_of_range", "must be one or more weights, none negative")
    if not (whole := sum(weights)):
        weights, whole = (1,) * len(weights), len(weights)
    parts = [divmod(abs(total) * weight, whole) for weight in weights]
    shares = [floor for floor, _ in parts]
    by_remainder = sorted(range(len(parts)), key=lambda at: -parts[at][1])
    for at in by_remainder[: abs(total) - sum(shares)]:
        shares[at] += 1
    return tuple(shares) if total >= 0 else tuple(-part for part in shares)
