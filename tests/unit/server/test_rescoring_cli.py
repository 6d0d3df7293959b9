"""What a version would change of the stored scores, and what it leaves alone."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from region import HILL, VALLEY, VISIT_1, Clock, enrolled_device, visit

from checklists import published
from checklists.load import load_checklist
from server.cli import main
from server.context import Context
from server.schedule import run_once
from server.services.rescoring import effects
from server.store import assessments

NAME = "rare-earth-site"
BODY = published.checklist_bytes(NAME).decode()


def reweighed(item: str) -> str:
    """The published checklist with one item's severity another."""
    head, found, rest = BODY.partition(f"id: {item}\n")
    severity = re.search(r"severity: (\w+)", rest)
    assert found and severity is not None
    other = "minor" if severity[1] == "critical" else "critical"
    return head + found + rest.replace(severity[0], f"severity: {other}", 1)


def scored(ctx: Context) -> None:
    visit(enrolled_device(ctx), VISIT_1, HILL)
    run_once(ctx)


def stored(ctx: Context) -> list[bytes]:
    with ctx.db.read() as tx:
        return [row.score for one in (HILL, VALLEY) for row in assessments.of_facility(tx, one)]


def test_a_version_scores_again_what_it_touches_and_stores_nothing(region: Context) -> None:
    scored(region)
    before = stored(region)
    newer = load_checklist(reweighed("GEN-G5").encode(), NAME)
    with region.db.read() as tx:
        found = effects(tx, newer)
    touched = {one.after.subject: one for one in found.touched}
    assert (set(touched), found.untouched, found.named) == ({HILL, VALLEY}, 0, 1)
    changed = [one for one in touched[HILL].items if one.item == "GEN-G5"]
    assert {change.field for _, change in changed[0].because if change} == {"severity", "weight"}
    assert stored(region) == before


def test_a_version_that_no_score_reads_is_not_computed(region: Context) -> None:
    scored(region)
    checklist = load_checklist(BODY.encode(), NAME)
    with region.db.read() as tx:
        again = effects(tx, replace(checklist, version="another", digest="d" * 64))
        other = effects(tx, replace(checklist, id="another"))
    assert (again.touched, again.untouched, again.named) == ((), 2, 1)
    assert (other.touched, other.untouched, other.named) == ((), 0, 0)


def run(folder: Path, *words: str) -> Any:
    found = CliRunner(env={"TAPAK_DATA": str(folder), "COLUMNS": "200"}).invoke(main, list(words))
    assert found.exit_code == 0, (found.stdout, found.stderr, found.exception)
    return found.stdout


def test_the_command_names_each_item_that_changes_and_the_reason(
    region: Context, tmp_path: Path, clock: Clock
) -> None:
    scored(region)
    file = tmp_path / "newer.yaml"
    file.write_text(reweighed("GEN-G5"), "utf-8")
    text = run(tmp_path / "server", "checklist", "rescore", str(file))
    assert f"facility {HILL}, as of " in text
    assert "~ GEN-G5  " in text
    assert "because severity: " in text
    assert "Scored again: 2, of which 2 change." in text
    assert "Inspections that keep the version they name: 1." in text
    data = json.loads(run(tmp_path / "server", "checklist", "rescore", str(file), "--json"))
    (hill,) = [one for one in data["touched"] if one["subject"] == HILL]
    assert "GEN-G5" in [one["item"] for one in hill["items"]]
    table = tmp_path / "limits.yaml"
    table.write_bytes(published.limits_bytes("example"))
    same = run(tmp_path / "server", "checklist", "rescore", str(table))
    assert same == "Scored again: 0, of which 0 change.\nNot touched: 3.\n"
