"""`tapak rules`: what the discrepancy rules are, and what they say of a case in a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from server.terminal import Given, Terminal, command, read_input, surroundings, write_output
from sync.problems import problem

if TYPE_CHECKING:
    from checklists.discrepancies.case import Case, Finding
    from checklists.discrepancies.rule import Rule

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415

_MOST = 100_000_000


@click.group()
@surroundings
@click.pass_context
def rules(ctx: click.Context, data: Path | None, as_json: bool) -> None:
    """The discrepancy rules: list and explain them, and try them on a case."""
    ctx.obj = Given(data, as_json)


@rules.command("list")
@command
def list_command(terminal: Terminal) -> None:
    """List the rules."""
    from checklists.discrepancies.catalogue import RULES

    body = [
        {"rule": r.id, "version": r.version, "subject": r.subject, "title": r.title} for r in RULES
    ]
    rows = [(r.id, r.subject, r.title) for r in RULES]
    terminal.table(body, ("Rule", "Subject", "What it finds"), rows, "There are no rules.")


@rules.command("explain")
@click.argument("rule_id", metavar="RULE")
@command
def explain_command(terminal: Terminal, rule_id: str) -> None:
    """Say what RULE compares, what may be innocent, and what would settle it."""
    from checklists.discrepancies.catalogue import explain_rule, rule

    one = rule(rule_id.upper())
    body = {
        "rule": one.id,
        "version": one.version,
        "subject": one.subject,
        "title": one.title,
        "test": one.test,
        "innocent_causes": list(one.innocent_causes),
        "would_settle": one.would_settle,
    }
    terminal.say(body, explain_rule(one.id).rstrip())


@rules.command("try")
@click.option("--case", "file", required=True, metavar="FILE", help="A case; - is standard input.")
@click.option("--rule", "only", multiple=True, metavar="RULE", help="This rule alone; repeatable.")
@click.option("--thresholds", metavar="FILE", help="Judge by these thresholds instead.")
@command
def try_command(
    terminal: Terminal, file: str, only: tuple[str, ...], thresholds: str | None
) -> None:
    """Say what the rules find in a case that `tapak rules dump` or `fieldkit check --dump` wrote,
    or that was written by hand (docs/discrepancies.md). Nothing is stored.
    """
    from dataclasses import replace

    from checklists.discrepancies.case_file import read_case
    from checklists.discrepancies.catalogue import RULES, findings_to_json, rule
    from checklists.discrepancies.settings_file import load_settings

    case = read_case(read_input(file, _MOST))
    if thresholds is not None:
        case = replace(case, settings=load_settings(read_input(thresholds), thresholds))
    chosen = [rule(name.upper()) for name in only] or RULES
    findings = [found for one in chosen for found in _judged(one, case)]
    terminal.say({"findings": findings_to_json(findings)}, *_lines(findings))


@rules.command("dump")
@click.argument("inspection")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Else printed.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@command
def dump_command(terminal: Terminal, inspection: str, output: Path | None, force: bool) -> None:
    """Write what the rules read of an inspection, as a case for `tapak rules try`."""
    from checklists.discrepancies.case_file import case_bytes
    from server.services.assess import case_of_inspection

    with terminal.context() as ctx, ctx.db.read() as tx:
        data = case_bytes(case_of_inspection(tx, inspection))
    if output is None:
        click.echo(data, nl=False)
        return
    write_output(output, data, force)
    terminal.say({"file": str(output), "bytes": len(data)}, f"Written to {output}.")


def _judged(one: Rule, case: Case) -> Sequence[Finding]:
    """What a rule finds. A case written by hand may hold what no inspection can."""
    try:
        return one.find(case)
    except (ArithmeticError, LookupError, TypeError, ValueError) as exc:
        why = f"rule {one.id} cannot read it ({type(exc).__name__})"
        raise problem("case-malformed", where="the case", why=why) from exc


def _lines(findings: Sequence[Finding]) -> list[str]:
    from checklists.discrepancies.case import Flag

    lines: list[str] = []
    for flag in (f for f in findings if isinstance(f, Flag)):
        lines += [
            f"{flag.rule} {flag.severity}: {flag.title}",
            f"  {flag.explanation}",
            f"  threshold: {flag.threshold}",
            f"  margin: {flag.margin}",
            f"  may be innocent: {'; '.join(flag.innocent_causes)}",
            f"  would settle it: {flag.would_settle}",
            "",
        ]
    if not lines:
        lines = ["Nothing is flagged by the rules that could look."]
    rest = (f for f in findings if not isinstance(f, Flag))
    return [*lines, *(f"{f.rule} not evaluated: {f.needs}" for f in rest)]
