"""`tapak conflict`: conflict events and areas of high risk, and the exposure of a place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from server.terminal import Terminal, command

if TYPE_CHECKING:
    from server.services.conflict import Looked
    from server.store.conflict import Snapshot

# What a command needs is imported in it: each starts without what only the others need.
# ruff: noqa: PLC0415

SHOWN = 1000  # faulty rows that are printed at once


@click.group()
def conflict() -> None:
    """Conflict events (UCDP GED, ACLED), areas of high risk, and exposure to them."""


@conflict.command("import")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--source", required=True, metavar="ucdp|acled|cahra")
@click.option("--version", default="", help="The version the source gives it, such as 25.1.")
@click.option("--accessed", default="", metavar="YYYY-MM-DD", help="When it was downloaded.")
@click.option(
    "--covers",
    multiple=True,
    metavar="MM",
    help="A country the file speaks of, or world; may be repeated. Else those in its rows.",
)
@click.option("--until", default="", metavar="YYYY-MM-DD", help="The last day it speaks of.")
@click.option("--add", is_flag=True, help="Lay it over what is there; newer versions win.")
@click.option(
    "--withdrawn",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file of ids that the source has deleted.",
)
@click.option("--skip-faulty", is_flag=True, help="Import the good rows although some are faulty.")
@click.option("--accept-terms", is_flag=True, help="You accept the source's terms.")
@command
def import_command(terminal: Terminal, **options: Any) -> None:
    """Import FILE in place of what was imported from its source before: all of it, or nothing.

    Sources: ucdp (UCDP GED), acled (your own export; its terms are told first), cahra (a list of
    areas with the columns region, status and date). Takes a CSV file of any size.
    """
    from server.services.audit import CONSOLE
    from server.services.conflict_import import Given, import_file
    from server.store import conflict as store
    from sync.problems import Problem

    given = Given(**options)
    with terminal.context() as ctx:
        try:
            with terminal.progress() as tell:
                done = import_file(ctx, CONSOLE, given, tell)
        except Problem as found:
            if found.code == "conflict-rows":
                with ctx.db.read() as tx:
                    rows = store.rejected(tx, found.detail["snapshot"])
                    found.detail["faults"] = list(_faults(rows))
            raise
        with ctx.db.read() as tx:
            faults = list(_faults(store.rejected(tx, done.snapshot.id)))
    one = done.snapshot
    terminal.say(
        {**asdict(one), "marked": done.marked, "faults": faults},
        f"{one.source}  {one.events} rows in use, {one.coarse} of them known by region only, "
        f"{one.rejected} refused.",
        f"Covers {', '.join(one.countries)} from {one.begins} to {one.ends}. {one.licence}",
        f"Facilities to be graded again: {len(done.marked)}.",
        *(f"  {fault['at']}: {fault['message']}" for fault in faults),
        *([_more(one.id)] if one.rejected > len(faults) else []),
    )


@conflict.command("list")
@command
def list_command(terminal: Terminal) -> None:
    """List what was imported, the latest first, and how old it is."""
    from server.store import conflict as store

    with terminal.context() as ctx:
        now = ctx.now()
        with ctx.db.read() as tx:
            found = store.snapshots(tx)
    terminal.table(
        [asdict(one) | {"age_days": _age(one, now)} for one in found],
        ("Id", "Source", "State", "Version", "Accessed", "Data to", "Age", "Rows", "Refused"),
        [
            (
                one.id, one.source, one.state, one.version or None, one.accessed, one.ends or None,
                _days(_age(one, now)), one.events, one.rejected,
            )
            for one in found
        ],
        "Nothing was imported yet. Import a file with: tapak conflict import FILE --source ucdp",
    )  # fmt: skip


@conflict.command("rejected")
@click.argument("snapshot", metavar="ID", type=int)
@command
def rejected_command(terminal: Terminal, snapshot: int) -> None:
    """List every row of an import that was refused, and why; with --json one object a line."""
    from server.store import conflict as store

    with terminal.context() as ctx, ctx.db.read() as tx:
        for file, row in store.rejected(tx, snapshot):
            terminal.say({"file": file, **asdict(row)}, f"{file}, row {row.row}: {row.why}")


# Or a southern latitude would be taken for an option.
@conflict.command("exposure", context_settings={"ignore_unknown_options": True})
@click.argument("lat", type=click.FloatRange(-90, 90))
@click.argument("lon", type=click.FloatRange(-180, 180))
@click.option("--on", "on", required=True, metavar="YYYY-MM-DD", help="The day it is asked for.")
@click.option("--country", default="", metavar="MM", help="The country the place is in.")
@click.option("--accuracy", default=0.0, help="How far the place may be off, in metres.")
@command
def exposure_command(
    terminal: Terminal, lat: float, lon: float, on: str, country: str, accuracy: float
) -> None:
    """The exposure to conflict of a place: low, mid and high, and the events behind them."""
    from server.services import conflict as service
    from sync.problems import problem

    try:
        day = date.fromisoformat(on)
    except ValueError as exc:
        raise problem("fields-malformed", why="on: is not a day as YYYY-MM-DD") from exc
    with terminal.context() as ctx, ctx.db.read() as tx:
        looked = service.look(tx, lat, lon, day, country, accuracy)
        body = service.as_json(tx, looked, lat, lon, day, country)
    terminal.say(body, *_lines(looked, body, day))


def _lines(looked: list[Looked], body: dict[str, Any], on: date) -> Iterator[str]:
    if body["state"] == "unknown":
        yield f"Exposure on {on}: unknown, which is not zero."
    else:
        yield f"Exposure on {on}: {body['low']:.3f} / {body['mid']:.3f} / {body['high']:.3f}"
    for one, said in zip(looked, body["sources"], strict=True):
        if one.exposure is None:
            yield f"{said['name']}: unknown: {one.unknown}."
            continue
        yield (
            f"{said['name']}: {said['low']:.3f} / {said['mid']:.3f} / {said['high']:.3f}, "
            f"{len(one.events)} events; {_reach(one.age_days or 0)}, downloaded on "
            f"{said['snapshot']['accessed']}."
        )
        for event in said["events"]:
            where = " ".join(str(event[k]) for k in ("id", "day", "title", "place") if k in event)
            km, radius = event["distance_m"] / 1000, event["radius_m"] / 1000
            yield f"  {km:7.1f} km ±{radius:.0f}  {event['age_days']:3d} days  {where}".rstrip()
        yield f"  Source: {said['attribution']}"


def _reach(age: int) -> str:
    return f"the data end {age} days before that day" if age > 0 else "the data reach to that day"


def _faults(rows: Iterator[Any]) -> Iterator[dict[str, str]]:
    for number, (file, row) in enumerate(rows):
        if number == SHOWN:
            return
        yield {"at": f"{file}, row {row.row}", "message": f"{row.why}.", "remedy": ""}


def _more(snapshot: int) -> str:
    return f"  The others: tapak conflict rejected {snapshot}"


def _age(one: Snapshot, now: int) -> int | None:
    from server.services.identifiers import day_of

    if not one.ends:
        return None
    return (date.fromisoformat(day_of(now)) - date.fromisoformat(one.ends)).days


def _days(days: int | None) -> str | None:
    return None if days is None else f"{days} days"
