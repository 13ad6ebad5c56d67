"""How many rows or messages one call takes on."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from orderflow.flows.expire import expire
from orderflow.flows.rebalance import rebalance
from orderflow.flows.relay import relay
from orderflow.flows.worklists import worklist
from orderflow.shop import OrderFlow


def limit_of(call: Callable[..., Any]) -> object:
    """How many it takes on when nothing is said."""
    return inspect.signature(call).parameters["limit"].default


@pytest.mark.parametrize("flow", [expire, rebalance, relay, worklist])
def test_a_flow_takes_on_as_many_as_the_shop_does(flow: Callable[..., Any]) -> None:
    """Where nothing is said, a host that drives a flow itself gets what the shop's call of that name does."""
    assert limit_of(flow) == limit_of(getattr(OrderFlow, flow.__name__))
