"""The two loops that answer a flow's asks: one for blocking code, one for async code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from orderflow.flows.asks import Ask, Flow

__all__ = ["run", "run_async"]

R = TypeVar("R")


def run(flow: Flow[R], answer: Callable[[Ask[Any]], Any]) -> R:
    """Run a flow to its end. An exception of ``answer`` is raised inside the flow, which may handle it."""
    try:
        request = next(flow)
        while True:
            try:
                reply = answer(request)
            except Exception as error:  # noqa: BLE001 - handed to the flow, which decides
                request = flow.throw(error)
            else:
                request = flow.send(reply)
    except StopIteration as stop:
        result: R = stop.value
        return result


async def run_async(flow: Flow[R], answer: Callable[[Ask[Any]], Awaitable[Any]]) -> R:
    """Run a flow to its end, awaiting each answer."""
    try:
        request = next(flow)
        while True:
            try:
                reply = await answer(request)
            except Exception as error:  # noqa: BLE001 - handed to the flow, which decides
                request = flow.throw(error)
            else:
                request = flow.send(reply)
    except StopIteration as stop:
        result: R = stop.value
        return result
