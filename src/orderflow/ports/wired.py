"""What a shop is wired with: faults that a typo makes, told at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orderflow.errors import Fault

__all__ = ["wiring_faults"]


def wiring_faults(storage: object, carriers: object, providers: object, notifier: object) -> Iterator[Fault]:
    """The adapters that are none: a class in place of an object, one in place of a list of them, a file's name."""
    yield from _class("storage", storage)
    if not (isinstance(storage, type) or hasattr(storage, "tenant")):
        yield Fault("storage", "wrong_type", "must be a storage, such as SqliteStorage('shop.db')")
    yield from _class("notifier", notifier)
    for name, adapters in (("carriers", carriers), ("providers", providers)):
        if not isinstance(adapters, Iterable):
            yield Fault(name, "wrong_type", "must be a list of adapters, not one of them")
        for at, adapter in enumerate(adapters if isinstance(adapters, list | tuple) else ()):
            yield from _class(f"{name}[{at}]", adapter)


def _class(path: str, adapter: object) -> Iterator[Fault]:
    if isinstance(adapter, type):
        yield Fault(path, "wrong_type", f"must be an object: {adapter.__name__}()")
