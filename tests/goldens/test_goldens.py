"""What the library does equals what it did at the tag before-house, but for renames and the differences that are meant.

300 walks as a rule; with ORDERFLOW_PROFILE=long all of them, and the real file where it is there.
"""

from __future__ import annotations

import json
import os
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
#: Of all walks, the part that may leave the golden by a step that is meant to differ.
MOST_LEFT = 0.2


def check(part: str, old: Any, new: Any) -> None:
    """Every difference is meant, and all that is meant happens."""
    listed = meant()
    found = [each for each in differences(part, old, new) if not listed.covers(each)]
    if found:
        pytest.fail(report(found), pytrace=False)
    assert not listed.not_met(part), "listed in differences.json, and not so"


def compared(walks: Iterable[dict[str, Any]], words: Renames, listed: Meant) -> tuple[list[str], int]:
    """Each walk that differs, told by its steps up to the first difference; how many leave by a meant one."""
    told, left = [], 0
    for old in walks:
        seed, expected = old["seed"], words.walk(old)
        got = record.walk(seed)
        for found in differences("walks", expected, got, f"seed {seed}"):
            # What comes after a step that is meant to differ follows from it.
            if listed.covers(found):
                left += 1
            else:
                told.append(walked(found, expected["steps"]))
            break
    return told, left


def walked(found: Difference, steps: list[str]) -> str:
    """A difference with the steps that led there."""
    _, _, place = found.at.partition("/steps/")
    before = steps[max(0, int(place) - 4) : int(place)] if place else []
    return "\n".join([*(f"  ... {step}" for step in before), str(found)])


def test_walks_go_as_they_went() -> None:
    """The same seed takes the same steps with the same outcomes, and leaves the same rows."""
    walks = record.read("walks")[: record.WALKS if LONG else USUAL]
    listed = meant()
    told, left = compared(walks, renames(), listed)
    if told:
        pytest.fail(f"{len(told)} of {len(walks)} walks differ; the first:\n" + "\n".join(told[:3]), pytrace=False)
    assert left <= MOST_LEFT * len(walks), f"{left} walks leave by a meant difference: record them anew"
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
    """Rows by kind and id, lines of diagrams by their text: another name moves them."""
    if "rows" in tree:
        return {**tree, "rows": sorted(tree["rows"], key=lambda row: (row["kind"], row["id"]))}
    return {
        name: {**said, "said": sorted(said["said"])} if name.startswith("diagram") else said
        for name, said in tree.items()
    }


# -- the comparison itself


def test_a_difference_is_found_unless_it_is_renamed_or_meant() -> None:
    """A changed outcome is told with the steps before it; a rename, or an entry of the list, takes it away."""
    old = record.read("walks")[0]
    at = next(n for n, step in enumerate(old["steps"]) if "!" in step)
    code = old["steps"][at].partition("!")[2].split()[0].rstrip(",")
    changed = {**old, "steps": [*old["steps"]]}
    changed["steps"][at] = old["steps"][at].replace(f"!{code}", "!another")
    [told] = compared([changed], Renames({}), Meant([]))[0]
    assert told.splitlines()[-2:] == [f"  golden: {changed['steps'][at]}", f"  now:    {old['steps'][at]}"]
    back = [{"part": "walks", "at": "seed 0/steps/*", "old": "*!another*", "new": f"*!{code}*", "reason": "a test"}]
    assert compared([changed], Renames({}), Meant(back)) == ([], 1)
    other = Renames({"codes": {"another": code}}).walk(changed)
    assert other["steps"][at] == old["steps"][at]


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
