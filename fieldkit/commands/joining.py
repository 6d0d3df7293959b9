"""enrol, prepare, sync: the commands that need the network."""

from __future__ import annotations

import platform
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from fieldkit import show
from fieldkit.commands.desk import Desk, desk, exit_code, now
from fieldkit.enrolling import enrol as ask_to_enrol
from fieldkit.enrolling import read_invitation
from fieldkit.generations import settle_keys
from fieldkit.interviews import count_waiting
from fieldkit.ledger import Ledger
from fieldkit.left import what_is_left
from fieldkit.outbox import Outbox
from fieldkit.pace import Pace
from fieldkit.shared import not_taken
from fieldkit.syncer import Report, Step, Syncer
from fieldkit.transport import HttpTransport
from sync.problems import Problem, problem

if TYPE_CHECKING:
    from fieldkit.readiness import Check


@click.command()
@click.argument("link")
@click.argument("code", default="")
@click.option("--name", default="", help="What to call this device; the computer's name otherwise.")
@desk
def enrol(at: Desk, link: str, code: str, name: str) -> None:
    """Enrol this device with the LINK of an invitation, or with the server's address and the CODE.

    A retired device, or one whose token ended, is enrolled again in the same way: everything that
    it recorded stays and is sent then.
    """
    invitation = read_invitation(f"{link.rstrip('/')}/enrol#{code}" if code else link)
    store = at.store
    # The key is on the disk before anyone hears of it: a lost answer can be asked for again.
    key = at.home.load_or_make_key()
    with HttpTransport(invitation.server) as transport:
        called = name or platform.node()[:80]
        identity = ask_to_enrol(store, key, invitation, called, transport)
    at.say(
        [
            ("device", identity.device),
            ("person", f"{identity.person_name} ({identity.person})"),
            ("server", f"{identity.server_name}, {identity.server}"),
            ("next", "fieldkit prepare"),
        ],
        {
            "device": identity.device,
            "person": identity.person,
            "person_name": identity.person_name,
            "server": identity.server,
            "server_name": identity.server_name,
        },
    )


@click.command()
@desk
def prepare(at: Desk) -> None:
    """Fetch everything the assigned visits need, and say whether this device is ready."""
    from fieldkit.readiness import look

    syncer, trouble = _run(at)
    if trouble is not None:
        _say_sync(at, syncer, trouble)
        return
    checks = look(at.home, at.store, at.store.identity())
    checks.append(_safeguarding(at))
    ready = all(check.holds for check in checks)
    rows: list[show.Fact] = [
        (
            c.name,
            c.found if c.holds else f"{click.style('not yet', fg='red')}: {c.found}\n{c.remedy}",
        )
        for c in checks
    ]
    if ready:
        rows.append(("ready", "yes"))
    at.say(
        rows,
        {
            "ready": ready,
            "checks": [
                {
                    "name": c.name,
                    "holds": c.holds,
                    "found": c.found,
                    "remedy": "" if c.holds else c.remedy,
                }
                for c in checks
            ],
        },
    )
    if not ready:
        click.get_current_context().exit(1)


def _safeguarding(at: Desk) -> Check:
    """The keys that protected entries are sealed to, for comparing; none is no obstacle."""
    from fieldkit.readiness import Check
    from fieldkit.safeguarding import described, known_keys, note_first_keys

    store, identity = at.store, at.store.identity()
    note_first_keys(store, identity, now())
    keys = known_keys(store, identity)
    if not keys.active:
        return Check("safeguarding", True, "no key is published; interviews cannot be recorded")
    found = described(keys.confirmed) or "none that is confirmed here"
    if not keys.new:
        return Check("safeguarding", True, found)
    remedy = (
        f"The list changed. New, and not used before you confirm it:\n{described(keys.new)}\n"
        "Compare it with your safeguarding person, then: fieldkit interview keys --confirm"
    )
    return Check("safeguarding", False, found, remedy)


@click.command()
@click.option("--no-photos", is_flag=True, help="Send no photographs yet, nor their previews.")
@click.option(
    "--limit-kbps",
    type=click.IntRange(min=1),
    metavar="N",
    help="Use at most N kilobits a second, for entries and files alike.",
)
@desk
def sync(at: Desk, no_photos: bool, limit_kbps: int | None) -> None:
    """Send what waits and fetch what changed; safe to run again at any time.

    What is urgent goes first, then entries, previews, and files, the smallest first. Ctrl-C stops
    it; nothing is lost by that.
    """
    syncer, trouble = _run(at, photos=not no_photos, pace=Pace(limit_kbps))
    _say_sync(at, syncer, trouble)


def _run(
    at: Desk, *, photos: bool = True, pace: Pace | None = None
) -> tuple[Syncer, Problem | None]:
    """One run of the conversation, and the problem that cut it short, if any did."""
    store = at.store
    identity = store.identity()
    blobs = at.blobs
    blobs.sweep()
    key = settle_keys(at.home, identity)
    carrier = HttpTransport(identity.server, identity.token, pace)
    with carrier as transport, _progress(at) as tell:
        ledger = Ledger(store.database)
        syncer = Syncer(store, ledger, blobs, key, identity, transport, now, tell, home=at.home)
        syncer.photos = photos
        try:
            syncer.run()
        except Problem as exc:
            return syncer, exc
        except KeyboardInterrupt:
            # What is left to do is to say what was done; a second Ctrl-C ends that too, at once.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            return syncer, problem("stopped")
    return syncer, None


@contextmanager
def _progress(at: Desk) -> Iterator[Callable[[Step], None]]:
    """A bar with the bytes that are left, where someone is looking; nothing otherwise."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if at.json or not console.is_terminal:
        yield lambda step: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("connecting", total=None)

        def tell(step: Step) -> None:
            total = step.total or None
            bar.update(task, description=step.doing, completed=step.done, total=total)

        yield tell


def _received(report: Report) -> str:
    changes = show.number(report.changes, "change")
    if not report.lines_taken:
        return changes
    return f"{changes}, {show.number(report.lines_taken, 'entry', 'entries')} of colleagues"


def _say_sync(at: Desk, syncer: Syncer, trouble: Problem | None) -> None:
    """What was sent, what waits and what is held safely; then what went wrong, if anything."""
    report, ledger = syncer.report, syncer.ledger
    outbox = Outbox(syncer.store, syncer.identity)
    left, files = what_is_left(outbox), ledger.count_files()
    refused = syncer.refusals()
    protected = count_waiting(syncer.store)
    data: dict[str, Any] = {
        "sent": _sent(report),
        "waiting": left.to_json(),
        "held": {"files": files - left.files.count},
        "protected_waiting": protected,
        "changes": report.changes,
        "colleagues": {
            "entries": report.lines_taken,
            "not_taken": [asdict(one) for one in not_taken(syncer.store.database)],
        },
        "requests": report.requests,
        "restored": report.restored,
        "new_key": report.new_key,
        "carried_over": [asdict(one) for one in report.carried],
        "checkpoint_alarm": ledger.checkpoint_alarm(),
        "refused": [{"log": r.log, "state": r.state, "problem": r.problem} for r in refused],
        "kept_back": sorted(report.kept_back),
        "not_sent": {d: p.to_json() for d, p in report.not_sent.items()},
        "problem": trouble.to_json() if trouble is not None else None,
    }
    entries = show.number(report.lines_sent, "entry", "entries")
    sent = f"{entries}, {show.number(report.files_sent, 'file')} ({show.size(report.bytes_sent)})"
    rows: list[show.Fact] = [
        ("sent", sent),
        ("received", _received(report)),
        ("held safely", f"{files - left.files.count} of {show.number(files, 'file')}"),
    ]
    if report.restored:
        told = "put back from a backup; what it had lost was offered to it again"
        rows.append(("server", told))
    rows += _carried(report)
    if not left.nothing:
        rows.append(("waiting", f"{left.text()}\nKeep this device."))
    if report.kept_back:
        told = "photographs, as you asked; fieldkit sync without --no-photos sends them"
        rows.append(("kept back", told))
    if protected:
        waits = show.number(protected, "protected entry waits", "protected entries wait")
        rows.append(("not signed", f"{waits} for your sign-off; nothing of them was sent"))
    at.say(rows, data)
    if not at.json:
        _say_troubles(syncer, trouble)
    if trouble is not None:
        click.get_current_context().exit(exit_code(trouble))
    if refused or report.not_sent:
        click.get_current_context().exit(1)


def _carried(report: Report) -> list[show.Fact]:
    """What became of a fork, or of a lost key, in plain words (S3)."""
    rows: list[show.Fact] = []
    if report.new_key:
        rows.append(
            (
                "new key",
                "another copy of this device's folder had sent other entries before.\n"
                "This one goes on under a new key. Both are kept, and staff are told.",
            )
        )
    for one in report.carried:
        if one.entries:
            how = "under the old signature" if one.signed else "marked unsigned: their key is gone"
            rows.append(("carried over", f"{show.number(one.entries, 'entry', 'entries')}, {how}"))
    return rows


def _say_troubles(syncer: Syncer, trouble: Problem | None) -> None:
    alarm = syncer.ledger.checkpoint_alarm()
    if alarm is not None:
        text = f"The server's record of what it held went back: {alarm}."
        show.warn(f"{text} Keep this device and its receipts as they are, and tell your office.")
    for refusal in syncer.refusals():
        said = (refusal.problem or {}).get("title", "")
        text = f"The server set the log {refusal.log} aside ({refusal.state}). {said}".rstrip()
        show.warn(f"{text} Nothing of it is lost here; keep this device and tell your office.")
    for one in not_taken(syncer.store.database):
        show.warn(f"{one.problem['title']} {one.problem['safe']} {one.problem['remedy']}")
    for sha256, why in syncer.report.not_sent.items():
        show.warn(f"{sha256[:12]} was not sent: {why.happened} {why.remedy}")
    if trouble is not None:
        show.trouble(trouble)


def _sent(report: Report) -> dict[str, int]:
    return {
        "entries": report.lines_sent,
        "files": report.files_sent,
        "bytes": report.bytes_sent,
    }
