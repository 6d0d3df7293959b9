"""`tapak demo`: the example region, made by the real commands, then served.

Two auditors enrol, prepare, lose the network, inspect, sign, and sync when the server is back.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from server.demo import outcome
from server.demo.pictures import picture
from server.demo.processes import Stage, StepFailedError, stop
from server.demo.region import JURISDICTIONS, PEOPLE, SITES, Site, declaration, facility
from server.demo.story import VISITS, Visit
from sync.place import convert

MADE = "example-region.json"
FIX_ACCURACY = 4
_BETWEEN_SHOTS = timedelta(seconds=30)  # all of them shortly before the visit is recorded (R07)


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-data"),
    show_default=True,
    help="Folder that the example region lives in; a second start keeps it.",
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8040, show_default=True, type=click.IntRange(1, 65535))
@click.option("--once", is_flag=True, help="Make the region, say what happened, and end.")
def demo(data: Path, host: str, port: int, once: bool) -> None:
    """Make the fictional example region with the real commands, then serve its pages."""
    console = Console(highlight=False)
    stage = Stage(data.resolve(), host, port, os.environ.get("TAPAK_DATABASE", ""))
    stage.folder.mkdir(parents=True, exist_ok=True)
    made = stage.folder / MADE
    try:
        if made.exists():
            console.print(f"The example region in {data} is kept as it is.", soft_wrap=True)
        else:
            make_region(stage, console)
        outcome.show(stage, console)
        outcome.show_accounts(stage, console)
        if not once:
            _serve_on(stage, console)
    except StepFailedError as exc:
        raise click.ClickException(str(exc)) from exc


def make_region(stage: Stage, console: Console) -> None:
    """Everything from an empty folder to two synced inspections."""
    say = partial(console.print, soft_wrap=True)
    _check_nothing_there(stage)
    say("Example region: everything in it is fictional.")
    say("1  Staff set up the server: six facilities, five countries, what operators declare.")
    passwords = _set_up(stage)
    server = stage.serve()
    try:
        say("2  Two auditors enrol their laptops and prepare.")
        for visit in VISITS:
            link = json.loads(stage.tapak("admin", "invite", visit.auditor, "--json"))["link"]
            name = f"laptop of {visit.auditor}"
            stage.fieldkit(visit.auditor, "enrol", link, "--name", name)
            stage.fieldkit(visit.auditor, "prepare")
    finally:
        stop(server)
    say("3  The server is stopped: from here on they work offline.")
    with ProcessPoolExecutor(len(VISITS)) as painters:
        cards = list(painters.map(_make_pictures, [stage] * len(VISITS), VISITS))
    pictures = {name: path for card in cards for name, path in card}
    with ThreadPoolExecutor(len(VISITS)) as both:
        list(both.map(lambda v: _inspect(stage, v, pictures), VISITS))
    for visit in VISITS:
        flags = stage.fieldkit(visit.auditor, "check")
        say(f"   What {visit.auditor} is told on site, offline, at {visit.facility}:")
        say(_indent(flags), markup=False)
        stage.fieldkit(visit.auditor, "outcome", visit.outcome)
        stage.fieldkit(visit.auditor, "sign-off", "--statement", "Seen and recorded by me.")
    say("4  A sync without a server says so and loses nothing.")
    stage.fieldkit(VISITS[0].auditor, "sync", ends_with=3)
    server = stage.serve()
    try:
        say("5  The server is back: one command each syncs.")
        for visit in VISITS:
            sent = stage.fieldkit(visit.auditor, "sync")
            say(_indent(sent), markup=False)
        say("6  The worker reads the photographs, scores and flags.")
        stage.tapak("worker", "--once")
    finally:
        stop(server)
    stage.tapak("admin", "verify")
    accounts = {login: {"role": role, "password": passwords[login]} for login, _, role, _ in PEOPLE}
    (stage.folder / MADE).write_text(json.dumps({"accounts": accounts}, indent=1), "utf-8")
    (stage.folder / MADE).chmod(0o600)


def _check_nothing_there(stage: Stage) -> None:
    """Refuse a database that somebody works with: the example would be mixed into it."""
    if json.loads(stage.tapak("admin", "person", "list", "--json")):
        raise StepFailedError(
            "There are people in this database already, and no example region that was made whole."
            " Give the demonstration an empty one, or another folder with --data."
        )


def _set_up(stage: Stage) -> dict[str, str]:
    stage.tapak("admin", "publish", "--builtin")
    for id_, title, parent, kind in JURISDICTIONS:
        above = ["--parent", parent] if parent else []
        stage.tapak("admin", "jurisdiction", "add", id_, title, *above, "--kind", kind)
    for site in SITES:
        stage.tapak("admin", "facility", "add", "-", given=json.dumps(facility(site)))
        stage.tapak("admin", "declare", "-", given=json.dumps(declaration(site)))
    passwords: dict[str, str] = {}
    for login, name, role, jurisdiction in PEOPLE:
        passwords[login] = f"{login}-{secrets.token_hex(4)}"
        person = ("person", "add", login, "--name", name, "--role", role)
        where = ("--jurisdiction", jurisdiction, "--password-stdin")
        stage.tapak("admin", *person, *where, given=passwords[login] + "\n")
    today = datetime.now(UTC).date()
    until = today + timedelta(days=14)
    for visit in VISITS:
        task = ("assign", visit.facility, visit.auditor, "--purpose", "yearly inspection")
        stage.tapak("admin", *task, "--from", today.isoformat(), "--to", until.isoformat())
    return passwords


# -- one inspection -------------------------------------------------------------------------------


def _site(visit: Visit) -> Site:
    return next(site for site in SITES if site.id == visit.facility)


def _degrees(site: Site, east: float, north: float) -> tuple[float, float]:
    first, second = site.at(east, north)
    there = convert(first, second, site.crs, site.axes)
    return there.lat, there.lon


def _make_pictures(stage: Stage, visit: Visit) -> list[tuple[str, Path]]:
    """Draw this visit's pictures onto a pretended camera card."""
    card = stage.folder / "cards" / visit.auditor
    card.mkdir(parents=True, exist_ok=True)
    site = _site(visit)
    taken = datetime.now(UTC) - _BETWEEN_SHOTS * (len(visit.shots) + 1)
    made: list[tuple[str, Path]] = []
    for n, shot in enumerate(visit.shots):
        lat = lon = None
        if shot.east is not None and shot.north is not None:
            lat, lon = _degrees(site, shot.east, shot.north)
        path = card / f"{shot.name}.jpg"
        path.write_bytes(
            picture(
                shot.scene,
                n + len(visit.facility),
                lat=lat,
                lon=lon,
                accuracy_m=FIX_ACCURACY + n % 3,
                direction_deg=(37.0 * n) % 360,
                taken=taken + _BETWEEN_SHOTS * n,
                offset="+07:00",
            )
        )
        made.append((shot.name, path))
    return made


def _inspect(stage: Stage, visit: Visit, pictures: dict[str, Path]) -> None:
    """All of one auditor's commands, in the order of the day."""
    me = visit.auditor
    lat, lon = _degrees(_site(visit), *visit.start)
    fix = f"{lat:.7f},{lon:.7f},{FIX_ACCURACY}"
    stage.fieldkit(me, "start", visit.facility, "--purpose", "yearly inspection", "--fix", fix)
    shots = [(s.name, s.items) for s in visit.shots]
    by_items: dict[tuple[str, ...], list[str]] = {}
    for name, items in (*shots, *visit.shared_shots):
        by_items.setdefault(items, []).append(str(pictures[name]))
    for items, paths in by_items.items():
        stage.fieldkit(me, "photo", *paths, *_named(items))
    papers = stage.folder / "cards" / me / "papers"
    papers.mkdir(exist_ok=True)
    for paper in visit.papers:
        path = papers / paper.name
        path.write_text(f"EXAMPLE, fictional. {visit.facility}.\n{paper.text}\n", "utf-8")
        stage.fieldkit(me, "attach", str(path), "--kind", paper.kind, *_named(paper.items))
    for answer in visit.answers:
        stage.fieldkit(me, "answer", *answer)
    for what, value in visit.observations:
        stage.fieldkit(me, "observe", what, value)


def _named(items: tuple[str, ...]) -> list[str]:
    return [word for item in items for word in ("--item", item)]


def _indent(text: str) -> str:
    return "\n".join(f"     {line}" for line in text.rstrip().splitlines())


# -- serving --------------------------------------------------------------------------------------


def _serve_on(stage: Stage, console: Console) -> None:
    server = stage.serve()
    worker = stage.start("worker")
    try:
        console.print(
            f"\nOpen {stage.url} - Ctrl-C ends it; the data stay in {stage.folder}.", soft_wrap=True
        )
        _until_asked_to_end()
    finally:
        stop(worker)
        stop(server)


def _until_asked_to_end() -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
