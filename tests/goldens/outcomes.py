"""What came of a call, in one short text. A sign tells what a word is: !refusal ?fault #error +answer =state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from house import Ack, Advanced, CommandRefused, InputError, PartyRef, RelayReport


def outcome(do: Callable[[], Any]) -> str:
    """An outcome in one short text."""
    try:
        result = do()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what happened
        result = error
    return told(result)


def told(result: Any) -> str:  # noqa: PLR0911 - a line for each thing a call may answer
    """The version of an Ack, the codes of a refusal, the class of another error."""
    match result:
        case Ack():
            return f"v{result.version}"
        case CommandRefused():
            return codes(result.refusals)
        case InputError():
            return " ".join(sorted({f"?{fault.code}" for fault in result.faults}))
        case Exception():
            return f"#{type(result).__name__}"
        case Advanced():
            return f"={result.state} {codes(result.refusals)}".strip()
        case RelayReport():
            return f"{result.done} {result.retried} {result.dead}"
        case PartyRef() | str():
            return str(result)
        case list():
            return ", ".join(map(told, result)) or "none"
        case tuple():
            return codes(result) or "nothing against it"
        case _:
            return f"+{type(result).__name__}"


def codes(refusals: Sequence[Any]) -> str:
    """Refusal codes in the order of the alphabet."""
    return " ".join(sorted({f"!{refusal.code}" for refusal in refusals}))
