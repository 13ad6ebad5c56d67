"""Money splitting as other money libraries publish it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import lcm
from typing import Any

from orderflow.domain.money.split import share


def _whole(weights: list[Any]) -> list[int]:
    exact = [Fraction(weight) for weight in weights]
    scale = lcm(*(weight.denominator for weight in exact))
    return [int(weight * scale) for weight in exact]


def test_shares_agree_with_published_vectors(cases: Callable[[str], list[dict[str, Any]]]) -> None:
    """The largest remainder gives the shares of every vector."""
    found = cases("splits")
    assert len(found) == 19
    for case in found:
        assert list(share(case["total"], _whole(case["weights"]))) == case["shares"], case
