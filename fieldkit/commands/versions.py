"""checklist: which version an inspection is on, what a newer one would change, and moving to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

from checklists.moved import Affected
from fieldkit import show
from fieldkit.commands.desk import Desk, desk, inspection_option
from fieldkit.versions import Move


@click.command()
@click.option("--move", "moving", is_flag=True, help="Go on with that version from here on.")
@click.option("--to", default="", metavar="VERSION", help="Another than the one in force here.")
@inspection_option
@desk
def checklist(at: Desk, moving: bool, to: str, inspection: str | None) -> None:
    """See which version of its checklist the inspection is on, and what the one that is in force
    would change; with --move go on with that one.

    Nothing that was recorded is touched. Answers to be looked at again are listed.
    """
    from fieldkit.versions import look, move

    recorder, which = at.recorder(), at.inspection(inspection)
    found = (move if moving else look)(recorder, which, to)
    at.say(_facts(found, moving), _data(which, found))


def again_lines(found: Sequence[Affected]) -> list[str]:
    """Each answer that is not what it was: its item, how it fares, and what changed."""
    lines = []
    for one in found:
        version = f"version {one.version}" if one.version else f"checklist {one.answered[:12]}"
        fields = dict.fromkeys(change.field for change in one.changes)
        what = f": {', '.join(fields)}" if fields else ""
        lines.append(f"{one.item}  {one.words} ({version}{what})")
    return lines


def _facts(found: Move, moving: bool) -> list[show.Fact]:
    before, after = found.before, found.after
    on = after if moving else before
    rows: list[show.Fact] = [
        ("checklist", f"{on.title}, version {on.version}"),
        ("digest", on.digest),
    ]
    if moving:
        rows.append(("moved", "now" if found.new else "earlier; nothing was added"))
    elif before.digest == after.digest:
        rows.append(("in force", "this version"))
    else:
        rows.append(("in force", f"version {after.version}  {after.digest}"))
    for name, items in (("new items", found.added), ("not asked there", found.removed)):
        if items:
            rows.append((name, ", ".join(items)))
    again = again_lines(found.affected)
    rows.append(("answers affected", "\n".join(again) or "none"))
    if not moving and before.digest != after.digest:
        rows.append(("go on with it", "fieldkit checklist --move"))
    return rows


def _data(inspection: str, found: Move) -> dict[str, Any]:
    return {
        "inspection": inspection,
        **{
            name: {"name": one.id, "version": one.version, "digest": one.digest}
            for name, one in (("before", found.before), ("after", found.after))
        },
        "moved": found.new,
        "added": list(found.added),
        "removed": list(found.removed),
        "affected": [one.to_json() for one in found.affected],
    }
