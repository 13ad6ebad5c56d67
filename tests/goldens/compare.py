"""Goldens through the rename map, and where what is produced anew differs from them.

``renames.json`` has a table for each role a word may play: ``kinds``, ``states``, ``events``, ``commands``, ``codes``,
``errors``, ``answers``, ``fields``, ``topics``, ``words``. A key is the old word, or ``kind.word`` where the word means
something else elsewhere (the kind by its old name; of a field, the class by its old name). Free text and values are
translated word by word with all tables together, ``words`` first; a key of more than one word is looked for before.

``differences.json`` lists what is meant to differ: an ``id``, ``what`` differs, the ``reason``; and the ``driver``
that says the same to the library in another way, or ``cases``: {"part", "at", "old", "new"}, where ``at`` is the place
as the test prints it, with ``*`` and ``?`` as in file names, and the others are exact texts. A case with ``adds`` and
``only`` in place of both is an outcome of that name to which one or more of these words are added.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ROLES = ("words", "kinds", "states", "events", "commands", "codes", "errors", "answers", "fields", "topics")
#: The role of a word in an outcome, by the sign before it.
SIGNS = {"!": "codes", "?": "codes", "#": "errors", "+": "answers", "=": "states", ">": "events"}
MISSING = "(nothing)"
#: What ``explain`` says of a command that would be accepted.
NO_REASON = "nothing against it"


class Renames:
    """The map from old words to new ones."""

    def __init__(self, tables: dict[str, dict[str, str]]) -> None:
        unknown = set(tables) - set(ROLES)
        assert not unknown, f"renames.json: no such role: {unknown}"
        self._tables = {role: tables.get(role, {}) for role in ROLES}
        plain = {old: new for role in reversed(ROLES) for old, new in self._tables[role].items() if "." not in old}
        self._text = plain
        phrases = [re.escape(old) for old in plain if not old.isidentifier()]
        self._words = re.compile("|".join([*phrases, r"[A-Za-z_]\w*"]))

    def word(self, role: str, word: str, of: str = "") -> str:
        """The new word for an old one in a role, of a kind or class where the map tells them apart."""
        table = self._tables[role]
        return table.get(f"{of}.{word}", table.get(word, word))

    def outcome(self, text: str, kind: str = "") -> str:
        """An outcome, word by word; codes stay in the order of the alphabet."""
        said = re.sub(r"([!?#+=>])(\w+)", lambda m: m[1] + self.word(SIGNS[m[1]], m[2], kind), text)
        return re.sub(r"[!?]\w+(?: [!?]\w+)+", lambda m: " ".join(sorted(m[0].split())), said)

    def label(self, text: str, kind: str) -> str:
        """A way of sample commands."""
        return re.sub(r"(\w+)#", lambda m: self.word("commands", m[1], kind) + "#", text)

    def text(self, text: str) -> str:
        """Free text, word by word."""
        return self._words.sub(lambda m: self._text.get(m[0], m[0]), text)

    def tree(self, tree: Any, of: str = "") -> Any:
        """Free JSON: names of fields, and words in texts."""
        if isinstance(tree, dict):
            inner = str(tree.get("class", of))
            return {self.word("fields", name, inner): self.tree(each, inner) for name, each in tree.items()}
        if isinstance(tree, list):
            return [self.tree(each, of) for each in tree]
        return self.text(tree) if isinstance(tree, str) else tree

    # -- each golden

    def walk(self, old: dict[str, Any]) -> dict[str, Any]:
        """A walk in new words."""
        rows = []
        for kind, id_, state, version, events, sums in old["rows"]:
            happened = " ".join(self.word("events", event, kind) for event in events.split())
            rows.append([self.word("kinds", kind), id_, self.word("states", state, kind), version, happened, sums])
        return {
            **old,
            # Only of an order a step names the state.
            "steps": [self.outcome(step, "order" if ": =" in step else "") for step in old["steps"]],
            "rows": sorted(rows),
            "notices": [self._first("topics", notice) for notice in old["notices"]],
            "dead": [self._first("topics", dead) for dead in old["dead"]],
            "worklists": [self.outcome(self._first("words", task, ":")) for task in old["worklists"]],
        }

    def _first(self, role: str, text: str, end: str = " ") -> str:
        word, rest = text.split(end, 1)
        return f"{self.word(role, word)}{end}{rest}"

    def pairs(self, old: dict[str, Any]) -> dict[str, Any]:
        """All pairs in new words."""
        return {self.word("kinds", kind): self._pairs(kind, found) for kind, found in old.items()}

    def _pairs(self, kind: str, found: dict[str, Any]) -> dict[str, Any]:
        states = [
            [self.label(way, kind), self.word("states", state, kind), [self.outcome(each, kind) for each in outcomes]]
            for way, state, outcomes in found["states"]
        ]
        return {"commands": [self.label(label, kind) for label in found["commands"]], "states": states}


def renames() -> Renames:
    """The map of this tree."""
    return Renames(json.loads((HERE / "renames.json").read_text("utf-8")))


# -- differences


class Difference(NamedTuple):
    """A place where a golden and what is produced anew do not say the same."""

    part: str
    at: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.part} {self.at}\n  golden: {self.old}\n  now:    {self.new}"


class Meant:
    """The differences that are meant, and how often each of their cases was met."""

    def __init__(self, listed: list[dict[str, Any]]) -> None:
        self._cases = [(entry["id"], case) for entry in listed for case in entry.get("cases", ())]
        self.met = Counter[int]()

    def covers(self, found: Difference) -> bool:
        """Whether a difference is meant."""
        for number, (_, case) in enumerate(self._cases):
            if case["part"] == found.part and fnmatchcase(found.at, case["at"]) and _is(case, found):
                self.met[number] += 1
                return True
        return False

    def not_met(self, part: str) -> list[str]:
        """The cases that are listed for a part and did not happen."""
        return [f"{id_}: {c}" for n, (id_, c) in enumerate(self._cases) if c["part"] == part and not self.met[n]]

    def counted(self) -> dict[str, int]:
        """How often each difference was met."""
        counted = Counter[str]()
        for number, (id_, _) in enumerate(self._cases):
            counted[id_] += self.met[number]
        return dict(counted)


def _is(case: dict[str, Any], found: Difference) -> bool:
    if "adds" not in case:
        return (found.old, found.new) == (case["old"], case["new"])
    if not found.old.startswith(case["only"]):
        return False
    added = {word for word in case["adds"] if f" {word} " in f"{found.new} " and f" {word} " not in f"{found.old} "}
    left = " ".join(word for word in found.new.split() if word not in added)
    return bool(added) and found.old.replace(f": {NO_REASON}", ":") == left


def meant() -> Meant:
    """The list of this tree."""
    return Meant(json.loads((HERE / "differences.json").read_text("utf-8")))


def differences(part: str, old: Any, new: Any, at: str = "") -> Iterator[Difference]:
    """Where two trees differ, leaf by leaf in the golden's order."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in dict.fromkeys((*old, *new)):
            yield from differences(part, old.get(name, MISSING), new.get(name, MISSING), f"{at}/{name}")
    elif isinstance(old, list) and isinstance(new, list) and old != new:
        for number, (one, other) in enumerate(zip_longest(old, new, fillvalue=MISSING)):
            yield from differences(part, one, other, f"{at}/{number}")
    elif old != new:
        yield Difference(part, at, _shown(old), _shown(new))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def report(found: list[Difference], most: int = 5) -> str:
    """The first differences, to be read by people."""
    more = f"\n... and {len(found) - most} more" if len(found) > most else ""
    return "\n".join(map(str, found[:most])) + more
