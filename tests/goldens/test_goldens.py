"""What the library does equals what it did at the tag before-house, but for renames and the differences that are meant.

300 walks as a rule; with ORDERFLOW_PROFILE=long all of them, and the real file where it is there.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lives
import pairs
import pytest
import record
from compare import Difference, Meant, Renames, differences, meant, renames, report

LONG = os.environ.get("ORDERFLOW_PROFILE") == "long"
USUAL = 300
needs_long = pytest.mark.skipif(not LONG, reason="takes a minute or more: set ORDERFLOW_PROFILE=long")


def check(part: str, old: Any, new: Any) -> None:
    """Every difference is meant, and all that is meant happens."""
    listed = meant()
    found = [each for each in differences(part, old, new) if not listed.covers(each)]
    if found:
        pytest.fail(report(found), pytrace=False)
    assert not listed.not_met(part), "listed in differences.json, and not so"


def compared(walks: Iterable[dict[str, Any]], words: Renames, listed: Meant) -> list[str]:
    """Each walk that differs in what is not meant, told by its steps up to the first such difference."""
    told = []
    for old in walks:
        seed, expected = old["seed"], words.walk(old)
        found = differences("walks", expected, record.walk(seed), f"seed {seed}")
        told += [walked(each, expected["steps"]) for each in [each for each in found if not listed.covers(each)][:1]]
    return told


def walked(found: Difference, steps: list[str]) -> str:
    """A difference with the steps that led there."""
    _, _, place = found.at.partition("/steps/")
    before = steps[max(0, int(place) - 4) : int(place)] if place else []
    return "\n".join([*(f"  ... {step}" for step in before), str(found)])


def test_walks_go_as_they_went() -> None:
    """The same seed takes the same steps with the same outcomes, and leaves the same rows."""
    walks = record.read("walks")[: record.WALKS if LONG else USUAL]
    listed = meant()
    told = compared(walks, renames(), listed)
    if told:
        pytest.fail(f"{len(told)} of {len(walks)} walks differ; the first:\n" + "\n".join(told[:3]), pytrace=False)
    assert not (LONG and listed.not_met("walks")), "listed in differences.json, and not so"


def test_a_life_goes_as_it_went() -> None:
    """The README's and the tutorial's calls give the same answers, events, states, versions and notices."""
    check("life", in_order(renames().tree(record.read("life"))), in_order(lives.life()))


def test_every_command_in_every_state_ends_as_it_ended() -> None:
    """Each sample state takes each sample command to the same event and state, or refuses it for the same reasons."""
    old = renames().pairs(record.read("pairs"))
    new = {
        kind: pairs.pairs_of(kind, found["commands"], [way for way, _, _ in found["states"]])
        for kind, found in old.items()
    }
    check("pairs", by_name(old), by_name(new))


def by_name(found: dict[str, Any]) -> dict[str, Any]:
    """Pairs by kind, way and command, so that a difference says what it is about."""
    return {
        kind: {
            way: {"state": state, **dict(zip(each["commands"], outcomes, strict=False))}
            for way, state, outcomes in each["states"]
        }
        for kind, each in found.items()
    }


def test_the_command_line_says_what_it_said() -> None:
    """Every command prints the same on a small file, times and paths left out."""
    check("command_line", in_order(renames().tree(record.read("command_line"))), in_order(lives.command_line()))


@pytest.mark.slow
@needs_long
def test_the_real_file_gives_the_figures_it_gave(shared_data: Path) -> None:
    """Documents, amounts, returns, both digests: of the file that the figures are of."""
    golden = json.loads((record.HERE / "uci.json").read_text("utf-8"))
    file = shared_data / golden["file"]
    if not file.exists() or lives.digest(file) != golden["file_sha256"]:
        pytest.skip(f"{golden['file']} is not there as it was: the figures are of that file")
    check("uci", renames().tree(golden["figures"]), lives.uci(file))


def in_order(tree: dict[str, Any]) -> dict[str, Any]:
    """Rows by kind and id, lines of lists and diagrams by what they are about: another name moves them."""
    if "rows" in tree:
        return {**tree, "rows": sorted(tree["rows"], key=lambda row: (row["kind"], row["id"]))}
    return {
        name: {**said, "said": by_place(said["said"])} if name.startswith(("diagram", "dry run")) else said
        for name, said in tree.items()
    }


def by_place(lines: list[str]) -> dict[str, str]:
    """Arrows and cells of tables by their place, all other lines by themselves with how often they stand there."""
    places: dict[str, str] = {}
    head: list[str] = []
    for line in lines:
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        arrow, colon, told = line.strip().partition(": ")
        if cells and head:
            places |= {f"{cells[0]} | {name}": cell for name, cell in zip(head, cells, strict=True) if cell}
        elif " --> " in arrow and colon:
            places[arrow] = ", ".join(sorted(told.split(", ")))
        else:
            at = ", ".join(sorted(cells)) or line
            places[at] = str(int(places.get(at, 0)) + 1)
        head = head or cells if cells else []
    return places


# -- the comparison itself


def test_a_difference_is_found_unless_it_is_renamed_or_meant() -> None:
    """A changed outcome is told with the steps before it; a rename, or an entry of the list, takes it away."""
    old, words = record.read("walks")[0], renames()
    at, was = next((n, step) for n, step in enumerate(old["steps"]) if re.fullmatch(r"[\w ]+: !\w+", step))
    name, code = was.split(": !")
    changed = {**old, "steps": [*old["steps"]], "worklists": record.walk(0)["worklists"]}
    changed["steps"][at] = f"{name}: !another"
    [told] = compared([changed], words, Meant([]))
    assert told.splitlines()[-2:] == [f"  golden: {name}: !another", f"  now:    {was}"]
    case = {"part": "walks", "at": "seed 0/steps/*", "old": f"{name}: !another", "new": was}
    listed = Meant([{"id": "a test", "cases": [case, {**case, "new": "something else"}]}])
    assert compared([changed], words, listed) == []
    assert listed.counted() == {"a test": 1}
    assert len(listed.not_met("walks")) == 1
    assert Renames({"codes": {"another": code}}).walk(changed)["steps"][at] == was


def test_an_outcome_may_say_more_only_in_the_words_that_are_listed() -> None:
    """What is added is one of the words; all else stands as it stood, and under that name alone."""
    case = {"part": "walks", "at": "*", "only": "explain: ", "adds": ["!b", "!c"]}
    listed = Meant([{"id": "a test", "cases": [case]}])

    def covered(old: str, new: str) -> bool:
        return listed.covers(Difference("walks", "seed 0/steps/1", old, new))

    assert covered("explain: !a", "explain: !a !b")
    assert covered("explain: nothing against it", "explain: !b !c")
    assert not covered("explain: !a", "explain: !b")
    assert not covered("explain: !b", "explain: !a !b")
    assert not covered("explain: !b", "explain: nothing against it")
    assert not covered("explain hand-over: !a", "explain hand-over: !a !b")


def test_words_are_renamed_by_their_role() -> None:
    """A word of one kind may have another name than the same word of another kind."""
    words = Renames(
        {"states": {"invoice.Draft": "DraftInvoice"}, "commands": {"Post": "PostEntry"}, "kinds": {"a": "b"}}
    )
    assert (words.word("states", "Draft", "invoice"), words.word("states", "Draft", "order")) == (
        "DraftInvoice",
        "Draft",
    )
    assert words.label("Post#0 Post#1+", "account") == "PostEntry#0 PostEntry#1+"
    assert words.tree({"class": "Post", "a": ["a Post"]}) == {"class": "PostEntry", "a": ["b PostEntry"]}
    with pytest.raises(AssertionError, match="no such role"):
        Renames({"verbs": {}})
