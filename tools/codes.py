"""Write the lists of codes on ``docs/errors.md``, read off the source: ``python tools/codes.py``.

A code is an argument of a call such as ``refuse("on_hold", "held at {gate}: {reasons}")`` or ``Fault(path, "blank",
...)``. If a function passes one of its own parameters on as the code, the calls of that function are read as well.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

__all__ = ["PAGE", "Code", "codes", "page"]

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "orderflow"
PAGE = ROOT / "docs" / "errors.md"
SECTION = re.compile(r"(<!-- (\w+): made by tools/codes.py -->\n).*?(<!-- end -->)", re.DOTALL)
PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Maker(NamedTuple):
    """A function or class whose call makes a code: its parameters, and how they make up the code and the sentence."""

    list: str
    parameters: tuple[str, ...]
    code: str = "{code}"
    sentence: str = "{message}"


class Code(NamedTuple):
    """A code, its sentence and its module; ``{name}`` is a fact, ``...`` is anything else that is filled in."""

    list: str
    code: str
    sentence: str
    module: str


ROOTS: Mapping[str, Maker] = {
    "refuse": Maker("refusals", ("code", "message")),
    "Wait": Maker("refusals", ("standing", "of", "when", "condition", "list", "code", "message")),
    "Fault": Maker("faults", ("path", "code", "message")),
    "InputError.at": Maker("faults", ("path", "code", "message")),
    "RejectedRow": Maker("faults", ("line", "code", "message")),
    "_Unfit": Maker("faults", ("code", "message")),
    "Known": Maker("faults", ("has", "code", "what"), sentence="... is not {what}"),
}


class Call(NamedTuple):
    """A call, the name of what it calls, the function it is in, and the file."""

    node: ast.Call
    name: str
    function: ast.FunctionDef | None
    module: str


def codes() -> list[Code]:
    """Every code of the library, sorted by list and name."""
    calls = [call for path in sorted(PACKAGE.rglob("*.py")) for call in _calls(path)]
    makers, waiting = dict(ROOTS), dict(ROOTS)
    found: set[Code] = set()
    while waiting:
        more: dict[str, Maker] = {}
        for call in calls:
            maker = waiting.get(call.name)
            if maker is None:
                continue
            made = _made(call, maker)
            if made is None:
                continue
            if call.function is None or not _is_parameter(made.code, call.function):
                found.add(made._replace(sentence=made.sentence.replace("{message}", "...")))
            elif call.function.name not in makers:
                more[call.function.name] = Maker(made.list, _parameters(call.function), made.code, made.sentence)
        makers |= more
        waiting = more
    return sorted(found)


def _calls(path: Path) -> Iterator[Call]:
    module = path.relative_to(PACKAGE).as_posix()
    waiting: list[tuple[ast.AST, ast.FunctionDef | None]] = [(ast.parse(path.read_text(encoding="utf-8")), None)]
    while waiting:
        node, function = waiting.pop()
        if isinstance(node, ast.Call):
            yield Call(node, _name(node.func), function, module)
        inside = node if isinstance(node, ast.FunctionDef) else function
        waiting += [(child, inside) for child in ast.iter_child_nodes(node)]


def _name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name):
        return f"{called.value.id}.{called.attr}"
    return getattr(called, "id", "")


def _parameters(function: ast.FunctionDef) -> tuple[str, ...]:
    return tuple(argument.arg for argument in (*function.args.args, *function.args.kwonlyargs))


def _is_parameter(code: str, function: ast.FunctionDef) -> bool:
    return any(name in _parameters(function) for name in PLACEHOLDER.findall(code))


def _made(call: Call, maker: Maker) -> Code | None:
    """The code that a call makes; None if it passes on a code that was made elsewhere."""
    given: dict[str, ast.expr] = dict(zip(maker.parameters, call.node.args, strict=False))
    given |= {keyword.arg: keyword.value for keyword in call.node.keywords if keyword.arg}
    named = PLACEHOLDER.findall(maker.code)
    if any(isinstance(given.get(name), ast.Attribute) for name in named):
        return None
    texts = {name: _text(value, call.function) for name, value in given.items()}
    filled = {name: text for name, text in texts.items() if text is not None}
    if not filled.keys() >= set(named):
        raise ValueError(f"{call.module}:{call.node.lineno}: this code cannot be read off the source")
    code, sentence = (PLACEHOLDER.sub(lambda m: filled.get(m[1], m[0]), text) for text in (maker.code, maker.sentence))
    return Code(maker.list, code, sentence, call.module)


def _text(value: ast.expr, function: ast.FunctionDef | None) -> str | None:
    """The text of an expression, with its parameters in braces; None if it is not made of text."""
    if isinstance(value, ast.Constant):
        return value.value if isinstance(value.value, str) else None
    if isinstance(value, ast.JoinedStr):
        return "".join(map(_part, value.values))
    if isinstance(value, ast.Name) and function is not None:
        if value.id in _parameters(function):
            return f"{{{value.id}}}"
        assigned = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == value.id
        ]
        return _text(assigned[0], function) if assigned else None
    return None


def _part(part: ast.expr) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    inside = part.value if isinstance(part, ast.FormattedValue) else part
    if isinstance(inside, ast.Attribute):
        whole = ast.unparse(inside.value) if inside.attr == "__name__" else inside.attr
        name = whole.partition("(")[0]
    else:
        name = getattr(inside, "id", "")
    return f"{{{name.strip('_').lower()}}}" if name.strip("_").isidentifier() else "..."


def page(text: str) -> str:
    """The page with its lists written anew."""
    found = codes()

    def section(match: re.Match[str]) -> str:
        return f"{match[1]}\n{_table([code for code in found if code.list == match[2]])}\n{match[3]}"

    return SECTION.sub(section, text)


def _table(listed: list[Code]) -> str:
    """A row for each code, with all its sentences and the files that use it."""
    by_name: dict[str, dict[str, set[str]]] = {}
    for _, name, sentence, module in listed:
        by_name.setdefault(name, {}).setdefault(sentence.replace("|", "\\|"), set()).add(module)
    rows = []
    for name, sentences in by_name.items():
        modules = sorted({f"`{module}`" for each in sentences.values() for module in each})
        rows.append(f"| `{name}` | {'<br>'.join(sentences)} | {', '.join(modules)} |")
    return "\n".join(["| code | sentence | in |", "|---|---|---|", *rows, ""])


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
