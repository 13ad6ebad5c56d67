"""Money splitting as other money libraries publish it."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import lcm
from typing import Any

from orderflow.domain.money import share


def _whole(weights: list[Any]) -> list[int]:
    exact = [Fraction(weight) for weight in weights]
    scale = lcm(*(weight.denominator for weight in exact))
    return [int(weight * scale) for weight in exact]


def test_shares_agree_with_published_vectors(jsonl_vectors: Callable[[str], list[dict[str, Any]]]) -> None:
    """Every vector that the largest remainder can satisfy is met."""
    cases = [case for case in jsonl_vectors("conformance/allocation_vectors.jsonl") if case["largest_remainder_ok"]]
    assert len(cases) >= 19
    for case in cases:
        assert list(share(case["total"], _whole(case["weights"]))) == case["expected"], case
