"""resolve: several values stand side by side; look at them, and end it."""

from __future__ import annotations

from typing import Any

import click

from fieldkit import show
from fieldkit.authors import Author, authors
from fieldkit.capture import Extras
from fieldkit.commands.desk import Desk, desk, fix_option, inspection_option
from fieldkit.resolving import (
    Decision,
    Listed,
    conflicts_here,
    find_conflict,
    side_words,
    value_words,
)
from fieldkit.resolving import resolve as end_conflict
from sync.conflicts import RESOLVED, Side
from sync.entry import Entry
from sync.inspection import Fix

_LAST_WORD = (
    "this is your last word; far from a colleague's, or at a critical item,"
    " somebody who is none of you adjudicates"
)


@click.command()
@click.argument("what", metavar="PATH-OR-ITEM")
@click.argument("values", nargs=-1, metavar="[VALUE...]")
@click.option("--instance", help="Which well, outfall or pond it is about.")
@click.option("--keep", type=int, metavar="N", help="Keep this one of the values shown.")
@click.option("--seen", metavar="CODE", help="The code of the values that you were shown.")
@click.option("--why", default="", help="Why you decide so; a plain sentence.")
@click.option("--note", default="", help="A note to another value, without names of people.")
@click.option("--reason", default="", help="Why the item does not apply.")
@click.option("--second", default="", metavar="PERSON", help="Who agrees that it does not apply.")
@click.option("--evidence", multiple=True, metavar="DIGEST", help="A file that supports it.")
@fix_option
@inspection_option
@desk
def resolve(
    at: Desk,
    what: str,
    values: tuple[str, ...],
    instance: str | None,
    keep: int | None,
    seen: str | None,
    why: str,
    note: str,
    reason: str,
    second: str,
    evidence: tuple[str, ...],
    fix: Fix | None,
    inspection: str | None,
) -> None:
    """See the values that stand side by side at an item, keep one of them or give another.

    Without --keep and without a VALUE it shows them, and the code to decide with.
    """
    if keep is not None and values:
        raise click.UsageError("Keep one of the values, or give another; not both.")
    which = at.inspection(inspection)
    listed = find_conflict(conflicts_here(at.store, at.library, which), what, instance)
    if keep is None and not values:
        _show(at, listed)
        return
    if seen is None:
        raise click.UsageError(
            f"Say with --seen which values you were shown. See them with: "
            f"fieldkit resolve {listed.name}"
        )
    decision = Decision(keep, values, why, reason, second, Extras(note, evidence, fix))
    value = end_conflict(at.recorder(), which, listed, seen, decision)
    kept = f"value {keep}" if keep is not None else "another value"
    rows: list[show.Fact] = [
        (listed.name, value_words(value)),
        ("decided", f"{kept}, in place of {len(listed.conflict.sides)}"),
        ("kept", "now; all that was recorded before stays in the log"),
    ]
    if _is_own_disagreement(at, listed):
        rows.append(("for the score", _LAST_WORD))
    at.say(
        rows,
        {
            "path": listed.conflict.path,
            "value": {k: v for k, v in value.items() if k != RESOLVED},
            "resolved": value[RESOLVED],
            "replaces": list(listed.conflict.heads),
        },
    )


def _is_own_disagreement(at: Desk, listed: Listed) -> bool:
    people = {side.by for side in listed.conflict.sides}
    mine = at.store.identity().person in people
    return listed.conflict.family == "answers" and mine and len(people) > 1


def conflict_facts(listed: Listed, known: dict[str, Author]) -> list[show.Fact]:
    """A conflict with every value side by side: what, by whom, when, where."""
    title = f"{listed.name}  {listed.question}".rstrip()
    rows: list[show.Fact] = [("conflict", title)]
    for n, side in enumerate(listed.conflict.sides, 1):
        rows.append((f"{n}", "\n".join(_side_lines(side, known))))
    return rows


def conflict_data(listed: Listed, known: dict[str, Author]) -> dict[str, Any]:
    """A conflict as JSON values."""
    return {
        "path": listed.conflict.path,
        "name": listed.name,
        "question": listed.question,
        "instance": listed.instance,
        "code": listed.conflict.code,
        "values": [_side_data(n, side, known) for n, side in enumerate(listed.conflict.sides, 1)],
    }


def _show(at: Desk, listed: Listed) -> None:
    known = authors(at.store)
    if at.json:
        show.data(conflict_data(listed, known))
        return
    show.facts(conflict_facts(listed, known))
    click.echo()
    begin = f"fieldkit resolve {listed.name}"
    end = f"--seen {listed.conflict.code}"
    rows: list[show.Fact] = [("keep one", f"{begin} --keep 1 {end}")]
    if listed.conflict.family in ("answers", "observed", "outcome"):
        rows.append(("or another", f"{begin} VALUE {end}"))
    show.facts(rows)


def _side_lines(side: Side, known: dict[str, Author]) -> list[str]:
    lines = [side_words(side)]
    value = getattr(side.record, "value", None)
    if not side.why and isinstance(value, dict) and value.get("note"):
        lines.append(f"“{value['note']}”")
    lines.append(f"{_who(side, known)}, {_when(side)}")
    if side.fix is not None:
        spread = f" ± {side.fix.accuracy_m} m" if side.fix.accuracy_m else ""
        lines.append(f"at {side.fix.lat}, {side.fix.lon}{spread} ({side.fix.source})")
    return lines


def _when(side: Side) -> str:
    return show.time(side.record.at) if side.record.at else "time not known"


def _who(side: Side, known: dict[str, Author]) -> str:
    record = side.record
    author = known.get(record.device)
    who = author.name if author else side.by or f"device {record.device[:8]}"
    if isinstance(record, Entry) and record.named:
        who += f" (the entry names {record.named})"
    if isinstance(record, Entry) and not record.signed:
        who += " (not signed at the source)"
    return who


def _side_data(n: int, side: Side, known: dict[str, Author]) -> dict[str, Any]:
    record = side.record
    author = known.get(record.device)
    readable = isinstance(record, Entry) and not side.why
    return {
        "n": n,
        "value": record.value if readable and isinstance(record, Entry) else None,
        "unread": side.why or None,
        "by": side.by or (author.person if author else None),
        "name": author.name if author else None,
        "named": record.named or None if isinstance(record, Entry) else None,
        "at": record.at or None,
        "fix": record.value.get("fix") if side.fix and isinstance(record, Entry) else None,
        "device": record.device,
        "seq": record.seq,
        "h": record.h,
        "signed": record.signed if isinstance(record, Entry) else None,
    }
