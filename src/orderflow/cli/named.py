"""What options name in text: an object as ``module:name``, a workflow, a file format."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final, cast

import click

from orderflow.domain.engine.workflow import Workflow
from orderflow.errors import DefinitionError, InputError
from orderflow.importing.documents import Format

#: The group of entry points under which packages register file formats.
FORMATS: Final = "orderflow.formats"


def object_named(reference: str) -> Any:
    """The object that ``module:name`` names; modules in the working directory are found as well as installed ones.

    Raises:
        InputError: the text is not of this form (``bad_form``), or there is no such module (``unknown_module``) or no
            such name in it (``unknown_name``).
        DefinitionError: the module is there, but fails when it is imported.
    """
    module, colon, name = reference.partition(":")
    if not (module and colon and name):
        raise InputError.at("", "bad_form", f"{reference!r} must be like package.module:name")
    found: Any = _module(module)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError as error:
            raise InputError.at("", "unknown_name", f"module {module} has no {name}") from error
    return found


def _module(name: str) -> Any:
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    try:
        return import_module(name)
    except Exception as error:
        missing = error.name if isinstance(error, ModuleNotFoundError) else None
        if missing and f"{name}.".startswith(f"{missing}."):
            raise InputError.at("", "unknown_module", f"there is no module {missing}") from error
        raise DefinitionError(f"importing {name} failed: {type(error).__name__}: {error}") from error


def workflow_named(reference: str) -> Workflow:
    """The workflow that ``module:name`` names.

    Raises:
        InputError: as :func:`object_named` does; or what is named is not a ``Workflow`` (``wrong_type``).
        DefinitionError: as :func:`object_named` does.
    """
    found = object_named(reference)
    if not isinstance(found, Workflow):
        raise InputError.at("", "wrong_type", f"{reference} must be a Workflow, not {type(found).__name__}")
    return found


def formats() -> list[str]:
    """The names of the formats that are registered."""
    return sorted(entry_points(group=FORMATS).names)


def format_named(name: str) -> Format:
    """The format that is registered under ``name``, or that ``module:name`` names.

    Raises:
        InputError: as :func:`object_named` does; no format is registered under the name (``not_a_choice``); or what is
            named cannot be called (``wrong_type``).
        DefinitionError: as :func:`object_named` does.
    """
    if ":" not in name:
        if name not in formats():
            raise InputError.at("", "not_a_choice", f"must be {', '.join(formats())} or module:name")
        name = next(iter(entry_points(group=FORMATS, name=name))).value
    found = object_named(name)
    if not callable(found):
        raise InputError.at("", "wrong_type", f"{name} must be a format, not {type(found).__name__}")
    return cast("Format", found)


def naming(find: Callable[[str], Any]) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """The callback of an option whose text names something; a text that names nothing is a usage error."""

    def found(context: click.Context, option: click.Parameter, text: str | None) -> Any:
        try:
            return None if text is None else find(text)
        except InputError as error:
            raise click.BadParameter(str(error), context, option) from error

    return found
