"""Conflicts that people end in stories (L6): an officer at the office (S9), or an auditor.

What an officer decided travels back down to everybody who shares the inspection (S5).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fieldkit.resolving import Decision, conflicts_here
from fieldkit.resolving import resolve as resolve_here
from server.permissions import Principal
from server.services.inspections import load_inspection
from server.services.resolution import Choice, resolve

from .device import Device
from .office import ASSIGNED, HILL, OFFICER
from .process import nobody

if TYPE_CHECKING:
    from .world import Story

WHO = Principal("person", OFFICER, "Made-up Off", None, (("officer", "example"),))


def rule_at_office(story: Story, device: Device, inspection: str) -> None:
    """An officer keeps one of the values that stand side by side."""
    ctx = story.office.up()
    with nobody(), ctx.db.read() as tx:
        loaded = load_inspection(tx, inspection)
    found = [] if loaded is None else [(c, s) for c in loaded.conflicts for s in c.sides]
    readable = [(c, s) for c, s in found if not s.why]
    if not readable:
        return
    conflict, side = story.dice.choice(readable)
    choice = Choice(keep=side.record.h)
    h = story.office.tried(
        lambda: resolve(
            ctx, WHO, inspection, conflict.path, conflict.code, choice, "seen by two, told by one"
        ),
        with_process=True,
    )
    story.tell(f"an officer ends the conflict at {conflict.path}: {h}")
    if h is not None:
        story.tally.acts["conflict ended at the office"] += 1
        story.book.rulings[h] = (inspection, conflict.path)


def rule_on_device(story: Story, device: Device, inspection: str) -> None:
    """An auditor who sees both values keeps one."""
    if not device.rows("select 1 from lines where log = ? and path = 'about'", inspection):
        return

    def work(store: Any) -> bool:
        recorder = device.recorder(store)
        listed = conflicts_here(store, recorder.library, inspection)
        readable = [one for one in listed if not any(s.why for s in one.conflict.sides)]
        if not readable:
            return False
        one = readable[story.dice.randrange(len(readable))]
        decision = Decision(keep=1, why="I was nearer")
        resolve_here(recorder, inspection, one, one.conflict.code, decision)
        return True

    done = device.command(work)
    if done.how == "returned" and done.value:
        story.tell(f"{device.name} ends a conflict")
        story.tally.acts["conflict ended in the field"] += 1


def reckon(story: Story) -> None:
    """After the server was put back: what it decided since its backup it has to decide again."""
    hashes = _hashes(story)
    story.book.rulings = {h: where for h, where in story.book.rulings.items() if h in hashes}


def rulings(story: Story) -> Iterator[str]:
    """S9, S5: what an officer decided is at the office, and on every device of those assigned."""
    hashes = _hashes(story)
    for h, (inspection, path) in sorted(story.book.rulings.items()):
        if h not in hashes:
            yield f"ruling missing: {path} ({h[:12]})"
        for device in story.devices:
            if device.person in ASSIGNED[HILL] and not device.rows(
                "select 1 from lines where log = ? and h = ?", inspection, bytes.fromhex(h)
            ):
                yield f"ruling missing: {path} ({h[:12]}) on {device.name}"


def _hashes(story: Story) -> set[str]:
    from .invariants import _records

    with nobody():
        return {one.h for records in _records(story).values() for one in records}
