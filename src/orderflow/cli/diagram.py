"""``orderflow diagram``: the tables as pages, written from the machines that run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import click

from orderflow.cli.attention_page import attention_page
from orderflow.cli.commands_page import commands_page
from orderflow.cli.options import own_workflow
from orderflow.domain.engine.diagram import overview, page
from orderflow.domain.engine.machine import Machine
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.workflow.table import MACHINES


def pages(machines: Iterable[Machine] = MACHINES) -> Mapping[str, str]:
    """File name to Markdown: a page for each machine, what their rows wait for, the commands, and an index."""
    listed = sorted(machines, key=lambda machine: machine.kind)
    each = {f"{machine.kind}.md": page(machine) for machine in listed}
    others = {"attention.md": attention_page(listed), "commands.md": commands_page(listed)}
    return {"index.md": _index(listed), **others, **each}


def _index(machines: Iterable[Machine]) -> str:
    rows = [_row(machine) for machine in machines]
    return "\n".join(
        [
            "# Machines",
            "",
            "Each kind of row has one machine. `orderflow diagram --write` makes these pages from the tables.",
            "",
            "When a machine is made, it is checked: every state can be reached, and can reach a final one.",
            "A dead end is a state without any rule: no command is possible in it.",
            "What rows wait for in each state stands on [a page of its own](attention.md), and so does where each",
            "[command](commands.md) is imported from, with its fields.",
            "",
            "| machine | states | commands | arrows | final | dead ends |",
            "|---|---|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _row(machine: Machine) -> str:
    seen = overview(machine)
    # The state before the first event is drawn, not counted.
    cells = (len(seen.states) - 1, len(machine.commands), seen.edges, ", ".join(seen.final), ", ".join(seen.dead_ends))
    return f"| [{machine.kind}]({machine.kind}.md) | " + " | ".join(map(str, cells)) + " |"


@click.command(
    epilog=f"KIND is one of {', '.join(sorted(machine.kind for machine in MACHINES))}, or of your own workflow."
)
@click.argument("kind", required=False)
@own_workflow
@click.option("--write", type=click.Path(file_okay=False, path_type=Path), help="Write all pages into this folder.")
@click.option("--check", type=click.Path(file_okay=False, path_type=Path), help="Compare this folder; exit 1 if stale.")
def diagram(kind: str | None, workflow: Workflow | None, write: Path | None, check: Path | None) -> None:
    """Print the state machine of KIND, or an index of all of them, as Markdown with a Mermaid diagram."""
    machines = MACHINES if workflow is None else tuple(workflow.machines.values())
    made = pages(machines)
    if kind is not None and f"{kind}.md" not in made:
        kinds = ", ".join(sorted(machine.kind for machine in machines))
        raise click.BadParameter(f"{kind!r} is not one of {kinds}", param_hint="KIND")
    if write is not None:
        write.mkdir(parents=True, exist_ok=True)
        for name, text in made.items():
            (write / name).write_text(text, encoding="utf-8")
    elif check is not None:
        _check(check, made)
    else:
        click.echo(made["index.md" if kind is None else f"{kind}.md"], nl=False)


def _check(folder: Path, made: Mapping[str, str]) -> None:
    found = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.md")}
    stale = sorted(name for name in made if made[name] != found.get(name))
    if stale:
        raise click.ClickException(f"stale in {folder}: {', '.join(stale)}; run orderflow diagram --write {folder}")
    foreign = sorted(found.keys() - made.keys())
    if foreign:
        raise click.ClickException(f"pages of no machine in {folder}: {', '.join(foreign)}; remove them")
