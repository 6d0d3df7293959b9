"""Urgent hazards in stories (S7): nothing goes before them, staff see each at once, and what an
officer acknowledges goes back down like any ruling.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fieldkit.hazards import report
from server.services.acknowledging import acknowledge
from server.services.inspections import load_inspection
from server.services.urgent import hazards_held
from server.store import audit
from server.store.tables import hazards as table
from sync.hazard import PREFIX, SEVERITIES, Hazard
from sync.packing import REQUEST, unpack_from

from .book import Said
from .device import Device
from .process import nobody
from .rulings import WHO

if TYPE_CHECKING:
    from .wire import Sent
    from .world import Story


def see_hazard(story: Story, device: Device, inspection: str) -> None:
    """A person sees that a dam is about to fail, and says so, here and now."""
    if not device.rows("select 1 from lines where log = ? and path = 'about'", inspection):
        return
    mark, severity = story.mark(), story.dice.choice(SEVERITIES)
    done = device.command(lambda store: report(device.recorder(store), inspection, mark, severity))
    story.tell(f"{device.name} sees a hazard ({mark}): {done.how}")
    if done.how == "returned":
        story.tally.acts["hazard reported"] += 1
        said = Said(inspection, done.value.path, mark)
        story.book.said.append(said)
        story.book.hazards.append(said)
        if not device.has(said):
            story.book.faults.append(f"lost: {said} was recorded and is not in the store")


def acknowledge_at_office(story: Story, device: Device, inspection: str) -> None:
    """An officer says of a hazard that it is seen, as it stands there."""
    if not _open_at_office(story, inspection):
        see_hazard(story, device, inspection)
        story.sync(device)
    found = _open_at_office(story, inspection)
    if not found:
        return
    one, ctx = story.dice.choice(found), story.office.up()
    h = story.office.tried(
        lambda: acknowledge(ctx, WHO, inspection, one.id, one.code, "everybody was called away"),
        with_process=True,
    )
    story.tell(f"an officer acknowledges the hazard {one.id}: {h}")
    if h is not None:
        story.tally.acts["hazard acknowledged at the office"] += 1
        story.book.rulings[h] = (inspection, f"acknowledged/{one.id}")


def _open_at_office(story: Story, inspection: str) -> list[Hazard]:
    ctx = story.office.up()
    with nobody(), ctx.db.read() as tx:
        loaded = load_inspection(tx, inspection)
        return [] if loaded is None else [one for one in hazards_held(tx, loaded) if one.open]


def hazards_first(story: Story, device: Device, sent: Sent) -> None:
    """S7: while a hazard of a device is not at the office, its requests carry nothing but that, and
    what stands before it in the chain. A lie on the way may turn that round.
    """
    now = device.id
    calm = not (story.forked or story.restored or now in story.network.lied_to)
    if not (calm and story.book.hazards):
        return
    logs: dict[str, int] = {}
    held = story.on_server()
    for log, seq in device.rows(
        "select log, seq from lines where device = ? and path >= ? and path < ?",
        now,
        PREFIX,
        PREFIX + "~",
    ):
        if (now, log, seq) not in held:
            logs[log] = max(logs.get(log, 0), seq)
    if not logs:
        return
    if sent.path.startswith("/api/files"):
        story.book.faults.append(f"hazard waits: {device.name} sends a file before it (S7)")
    if not sent.path.startswith("/api/sync"):
        return
    said = {name.lower(): value for name, value in sent.headers}
    for line in unpack_from(said.get("content-encoding"), sent.body, REQUEST).split(b"\n"):
        if line.startswith(b'{"log"'):
            head = json.loads(line)
            last = head["first"] + head["count"] - 1
            if last > logs.get(head["log"], 0):
                where = f"{head['log']} to {last}"
                story.book.faults.append(f"hazard waits: {device.name} sends {where} first (S7)")


def hazards_seen(story: Story) -> Iterator[str]:
    """S7: every hazard is where staff see it, and in the audit trail."""
    with story.office.up().db.read() as tx:
        rows = {(row.inspection, row.id): row.text for row in tx.execute(table.select())}
        trail = {
            one["detail"]["hazard"] for one in audit.lines(tx) if one["action"] == "hazard.reported"
        }
    gone = {line for _, line in story.book.forsaken}
    for said in story.book.hazards:
        if any(said.mark.encode() in line for line in gone):
            continue
        number = said.path.rpartition("/")[2]
        if said.mark not in rows.get((said.inspection, number), ""):
            yield f"hazard out of sight: {said} is on no page (S7)"
        if number not in trail:
            yield f"hazard out of sight: {said} is not in the audit trail (S7)"
