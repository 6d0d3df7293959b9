"""What came of the demonstration, as an officer would be told it: a table and the reasons."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from server.context import open_context
from server.demo.processes import Stage
from server.demo.region import SITES
from server.pages.wording import score_line
from server.store import assessments, flags


def show(stage: Stage, console: Console) -> None:
    """Print each facility's grade, or why it has none, and its flags."""
    table = Table(title="The example region (fictional)", title_justify="left")
    for heading in ("Facility", "Grade", "Score", "Why", "Flags"):
        table.add_column(heading, overflow="fold")
    ctx = open_context(stage.settings())
    try:
        with ctx.db.read() as tx:
            for site in SITES:
                found = assessments.find(tx, "facility", site.id)
                score = json.loads(found.score) if found else None
                raised = [f"{row.rule} {row.severity}" for row in flags.of_facility(tx, site.id)]
                table.add_row(
                    f"{site.name} ({site.country})", *_grade(score), "\n".join(raised) or "none"
                )
    finally:
        ctx.db.close()
    console.print(table)
    console.print("A score is a finding of inspections, not a proof of compliance.")


def _grade(score: dict[str, Any] | None) -> tuple[str, str, str]:
    if score is None or not any(visit["counts"] for visit in score["visits"]):
        return "none", "-", "not inspected yet"
    why = " ".join(reason["text"] for reason in score["reasons"]) or "nothing withholds it"
    return score["grade"] or score["grade_state"], score_line(score), why


def show_accounts(stage: Stage, console: Console) -> None:
    """Print the accounts of the example region; they open nothing else."""
    made = json.loads((stage.folder / "example-region.json").read_text("utf-8"))
    table = Table(title="Accounts of the example region", title_justify="left")
    for heading in ("Name", "Role", "Password"):
        table.add_column(heading)
    for login, account in made["accounts"].items():
        table.add_row(login, account["role"], account["password"])
    console.print(table)
