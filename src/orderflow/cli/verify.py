"""``orderflow verify``: a database against the numbered invariants."""

from __future__ import annotations

import time
from pathlib import Path

import click

from orderflow.adapters.storage.audit import SqliteAudit
from orderflow.audit.invariants import UNCHECKED, Violation
from orderflow.audit.verify import Finding, Report
from orderflow.audit.verify import verify as verified
from orderflow.cli.options import as_json, database
from orderflow.cli.output import print_json, table
from orderflow.cli.views import View
from orderflow.domain.engine.workflow import Workflow
from orderflow.domain.workflow.table import standard_workflow
from orderflow.importing.wiring import import_workflow


@click.command()
@database
@as_json
@click.option("--verbose", is_flag=True, help="Show the progress, and why the other rules are not checked.")
def verify(db: Path, tenant: str, workflow: Workflow | None, *, as_json: bool, verbose: bool) -> None:
    """Check the database against the invariants; exit 1 if one is violated, or if the tenant has no rows in it.

    The database is only read, as it is at one moment. What each event told other rows to do, and the effects it asked
    for, are checked for the decisions of one workflow: the one given, or the standard one of shops and `orderflow run`.
    """
    progress = _progress if verbose and not as_json else _silent
    began = time.perf_counter()
    workflows = (workflow or standard_workflow(), import_workflow(workflow))
    machines = {kind: machine for each in workflows for kind, machine in each.machines.items()}
    with SqliteAudit(db, machines.values(), tenant=tenant) as source:
        report = verified(source, *workflows, progress=progress)
    if not (report.rows or report.violations or report.unknown):
        raise click.ClickException(f"{db} holds nothing of tenant {tenant!r}, so there is nothing to verify")
    seconds = round(time.perf_counter() - began, 1)
    if as_json:
        print_json(_report(report) | {"seconds": seconds})
    else:
        _print(report, seconds, verbose=verbose)
    if report.violations:
        raise SystemExit(1)


def _progress(kind: str) -> None:
    click.echo(f"checking {kind}", err=True)


def _silent(kind: str) -> None:
    """Show no progress."""


def _print(report: Report, seconds: float, *, verbose: bool) -> None:
    heads = ("invariant", "checked", "violations", "rule")
    table("", heads, [(f.invariant, f.checked, f.violations, f.says) for f in report.findings])
    if verbose:
        table("not checked on a database", ("invariant", "reason"), [*UNCHECKED.items()])
    else:
        click.echo(f"\n{len(UNCHECKED)} rules are not checked on a database; --verbose says why")
    for kind in report.unknown:
        click.echo(f"not checked: rows of kind {kind!r}, which the workflow does not have")
    if report.unasked:
        entries = sum(entries for _, entries in report.unasked)
        others = len(report.unasked)
        click.echo(f"{entries} entries of {others} other workflows: events folded, decisions not checked")
    for finding in report.findings:
        _examples(finding)
    click.echo(f"\n{report.violations} violations, {seconds} s")


def _examples(finding: Finding) -> None:
    for violation in finding.examples:
        where = "" if violation.key is None else f"{violation.key}: "
        click.echo(f"{violation.invariant}: {where}{violation.detail}")
    if finding.violations > len(finding.examples):
        click.echo(f"{finding.invariant}: and {finding.violations - len(finding.examples)} more")


def _report(report: Report) -> View:
    findings = [
        {
            "invariant": finding.invariant,
            "rule": finding.says,
            "checked": finding.checked,
            "violations": finding.violations,
            "examples": [_violation(violation) for violation in finding.examples],
        }
        for finding in report.findings
    ]
    unchecked = [{"invariant": number, "reason": reason} for number, reason in UNCHECKED.items()]
    return {
        "violations": report.violations,
        "findings": findings,
        "unchecked": unchecked,
        "unknown_kinds": [*report.unknown],
        "unasked": dict(report.unasked),
    }


def _violation(violation: Violation) -> View:
    key = violation.key
    return {"kind": key.kind if key else None, "id": key.id if key else None, "detail": violation.detail}
