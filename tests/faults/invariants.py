"""What must hold once a story is calm: nothing lost, doubled or overwritten; all are alike."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from fieldkit.home import Home
from fieldkit.ledger import Ledger
from server.services.changes import changes_after
from server.services.inspections import load_inspection
from server.services.verify import verify
from server.store import branches as set_aside
from server.store import logs
from sync.log import DEVICE_LOG, Record, genesis, link, records_of
from sync.merge import merge
from sync.problems import Problem
from sync.receipt import SignedBytes, read_receipt
from sync.session import Answer

from .book import Place, value_of
from .device import Device
from .process import nobody
from .world import Story

ROUNDS = 12
# What changes bring: tables of a device, and the columns that are the same however it came.
CAME_DOWN = {"documents": "kind, ref, body", "texts": "digest, kind, name, body"}


def check(story: Story) -> list[str]:
    """End the story: calm down, sync until nothing waits, and say everything that does not hold."""
    story.calm_down()
    found = [*story.book.faults, *settle(story)]
    with nobody():
        found += [
            *entries(story),
            *files(story),
            *doubled(story),
            *overwritten(story),
            *alike(story),
            *receipts(story),
            *quarantine(story),
            *told(story),
            *counted(story),
            *server_sound(story),
        ]
    found += [f"an answer the catalogue has no word for: {one}" for one in story.network.unnamed]
    return list(dict.fromkeys(found))


def settle(story: Story) -> Iterator[str]:
    """Every device syncs until nothing of it waits."""
    for device in story.devices:
        why = "it never ran"
        for _ in range(ROUNDS):
            done = story.sync(device)
            why = "" if done.how == "returned" else str(done.problem)
            if not why and not (why := waiting(story, device)):
                break
        else:
            yield f"waits for ever: {device.name}: {why}"
    story.office.work()
    yield from story.book.faults


def waiting(story: Story, device: Device) -> str:
    """What a device still has to send, or an empty text."""
    states = dict(device.rows("select log, state from acknowledged where device = ?", device.id))
    held = dict(device.rows("select log, seq from acknowledged where device = ?", device.id))
    for log, last in device.rows(
        "select log, max(seq) from lines where device = ? group by log", device.id
    ):
        if states.get(log) == "forked" and (device.id, log) in story.book.forks:
            continue  # it waits for staff
        if states.get(log) != "held" or held.get(log, 0) < last:
            return f"{log}: {held.get(log)} of {last} ({states.get(log)})"
    for sha256, log in device.rows("select sha256, log from files where held_at is null"):
        if states.get(log) != "forked":
            return f"file {sha256[:12]}"
    return ""


# -- nothing is lost ------------------------------------------------------------------------------


def branches(story: Story) -> dict[tuple[str, str], set[bytes]]:
    """(device, inspection) -> the lines that the server set aside."""
    found: dict[tuple[str, str], set[bytes]] = {}
    with story.office.up().db.read() as tx:
        for run in set_aside.every(tx):
            found.setdefault((run.device, run.inspection), set()).update(run.lines)
    return found


def entries(story: Story) -> Iterator[str]:
    """S2, S3, S4: every recorded line is on the server, or set aside there, or waits for staff."""
    held, aside = story.on_server(), branches(story)
    waits = {
        place: line
        for device in story.devices
        for place, line in device.own_lines().items()
        if (place[0], place[1]) in story.book.forks
    }
    for place, line in story.book.wanted():
        if held.get(place) == line or line in aside.get((place[0], place[1]), ()):
            continue
        if waits.get(place) != line:
            yield f"entry missing: {place}"


def files(story: Story) -> Iterator[str]:
    """S4, S6: every attached file is held with its very bytes."""
    ctx = story.office.up()
    held = story.held_files()
    waits = {
        sha256
        for device in story.devices
        for (sha256, log) in device.rows("select sha256, log from files where held_at is null")
        if (device.id, log) in story.book.forks
    }
    for sha256, data in sorted(story.book.files.items()):
        if sha256 not in held:
            if sha256 not in waits:
                yield f"file missing: {sha256[:12]}"
        elif b"".join(ctx.blobs.chunks(sha256)) != data:
            yield f"file altered: {sha256[:12]}"
    for sha256 in sorted(held):
        if hashlib.sha256(b"".join(ctx.blobs.chunks(sha256))).hexdigest() != sha256:
            yield f"file unverified: {sha256[:12]} has other bytes than its digest says"


# -- nothing is doubled or overwritten ------------------------------------------------------------


def doubled(story: Story) -> Iterator[str]:
    """S2: what was said once stands once."""
    times: Counter[str] = Counter()
    for line in story.on_server().values():
        note = value_of(line).get("value")
        if isinstance(note, dict) and isinstance(note.get("note"), str):
            times[note["note"]] += 1
    for said in story.book.said:
        if times[said.mark] > 1:
            yield f"doubled: {said} stands {times[said.mark]} times"


def overwritten(story: Story) -> Iterator[str]:
    """L6: only an entry whose author had seen another one takes its place; and the merge of the
    product is that of the rule, worked out here anew.
    """
    for inspection, records in _records(story).items():
        state = merge(records)
        for path, standing in state.paths.items():
            here = [r for r in records if r.path == path]
            heads = _heads(here)
            if {r.h for r in standing.heads} != heads:
                yield f"overwritten: the heads of {path} are not those of the rule"
            yield from _unseen(story, inspection, here)


def _heads(records: list[Record]) -> set[str]:
    """The heads of a path by L6 (no cycles arise from honest devices)."""
    known = {r.h for r in records}
    replaced: set[str] = set()
    for one in records:
        if one.replaces is not None:
            replaced |= known & set(one.replaces) - {one.h}
        else:
            own = [r for r in records if r.device == one.device and r.seq < one.seq]
            replaced |= {max(own, key=lambda r: r.seq).h} if own else set()
    return known - replaced


def _unseen(story: Story, inspection: str, records: list[Record]) -> Iterator[str]:
    held = story.on_server()
    for one in records:
        place = (one.device, inspection, one.seq)
        seen = story.book.saw.get((place, held.get(place, b"")))
        if seen is None:
            continue
        replaces = set(one.replaces or ()) & {r.h for r in records}
        if replaces - seen:
            yield f"overwritten: {place} replaces what its author had not seen"
        own = [r for r in records if r.device == one.device and r.seq < one.seq]
        if one.replaces is None and own and seen - {r.h for r in own}:
            yield f"overwritten: {place} names nothing though its author saw another's entry"


def _records(story: Story) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    with story.office.up().db.read() as tx:
        for log in logs.all_logs(tx):
            if log.inspection != DEVICE_LOG:
                lines = logs.lines_of(tx, log.id)
                records = records_of(lines, log.public_key, log.device, log.inspection)
                found.setdefault(log.inspection, []).extend(records)
    return found


# -- all alike ------------------------------------------------------------------------------------


def alike(story: Story) -> Iterator[str]:
    """L4: a device's own logs and the server's copies are the same bytes, and chains hold."""
    held = story.on_server()
    for device in story.devices:
        mine = device.own_lines()
        forks = story.book.forks
        for place, line in mine.items():
            if (place[0], place[1]) not in forks and held.get(place) != line:
                yield f"not alike: {place} on {device.name} and on the server"
        for place in held:
            if place[0] == device.id and place not in mine and (place[0], place[1]) not in forks:
                yield f"not alike: {place} is on the server and not on {device.name}"
        yield from _chains(device)


def _chains(device: Device) -> Iterator[str]:
    import base64

    found = device.rows("select value from meta where name = 'public_key'")
    if not found:
        return
    running: dict[str, bytes] = {}
    key = base64.b64decode(found[0][0])
    for log, line, h in device.rows(
        "select log, line, h from lines where device = ? order by log, seq", device.id
    ):
        running[log] = link(running.get(log) or genesis(key, log), bytes(line))
        if running[log] != bytes(h):
            yield f"chain broken: {log} on {device.name}"
            return


def receipts(story: Story) -> Iterator[str]:
    """S4: every receipt that a device keeps is the server's, and what it says is there."""
    ctx = story.office.up()
    held, here = story.on_server(), story.held_files()
    hashes: dict[Place, str] = {}
    with ctx.db.read() as tx:
        for log in logs.all_logs(tx):
            running = genesis(log.public_key, log.inspection)
            for seq, line in enumerate(logs.lines_of(tx, log.id), start=1):
                running = link(running, line)
                hashes[log.device, log.inspection, seq] = running.hex()
    for device in story.devices:
        for payload, signature in device.rows("select payload, signature from receipts"):
            try:
                receipt = read_receipt(ctx.public_key, SignedBytes(payload, signature))
            except Problem:
                yield f"receipt not the server's, kept by {device.name}"
                continue
            for one in receipt.logs:
                place = (one.device, one.log, one.seq)
                forked = (one.device, one.log) in story.book.forks
                if hashes.get(place) != one.h and not (forked and story.restored):
                    yield f"acknowledged entry missing: {place} ({place in held})"
            for sha256 in receipt.files:
                if sha256 not in here and not (story.forked and story.restored):
                    yield f"acknowledged file missing: {sha256[:12]}"


def quarantine(story: Story) -> Iterator[str]:
    """S3: a device whose log went two ways was told, or nothing of the branch was sent."""
    held = story.on_server()
    aside = branches(story)
    for device in story.devices:
        for place, line in device.own_lines().items():
            if place in held and held[place] != line:
                if line not in aside.get((place[0], place[1]), ()):
                    yield f"branch not set aside: {place}"
                break


def told(story: Story) -> Iterator[str]:
    """S5: a device has what it would have, had it asked for everything from the beginning."""
    for device in story.devices:
        if not device.enrolled:
            continue
        whole = _from_the_beginning(story, device)
        for table, columns in CAME_DOWN.items():
            now = set(device.rows(f"select {columns} from {table}"))
            lacks = whole[table] - now
            if lacks:
                first = [str(part)[:60] for part in min(lacks, key=repr)]
                yield f"change skipped: {table} {first} on {device.name} ({len(lacks)} in all)"


def _from_the_beginning(story: Story, device: Device) -> dict[str, set[tuple[Any, ...]]]:
    """What a new store of the same device would hold of what comes down."""
    ctx = story.office.up()
    folder = story.folder / f"{device.name}-anew"
    store = Home(folder).open_store()
    notes = dict(device.rows("select name, value from meta"))
    notes.pop("cursor", None)
    store.set_notes(**notes)
    ledger, identity = Ledger(store.database), store.identity()
    cursor, more = None, True
    while more:
        page = changes_after(ctx, device.person, device.id, cursor)
        cursor, more = page.cursor, page.more
        answer = Answer(None, (), (), page.changes, cursor, more, ctx.now(), page.epoch)
        ledger.take(identity, answer, None, ctx.now())
    found = {
        table: set(store.database.rows(f"select {columns} from {table}"))
        for table, columns in CAME_DOWN.items()
    }
    store.database.close()
    return found


def counted(story: Story) -> Iterator[str]:
    """S9: every entry is counted or set aside, by who is assigned; none is out of sight."""
    ctx = story.office.up()
    held = story.on_server()
    with ctx.db.read() as tx:
        for inspection in sorted({place[1] for place in held} - {DEVICE_LOG}):
            loaded = load_inspection(tx, inspection)
            there = sum(1 for place in held if place[1] == inspection)
            if loaded is None or loaded.counted + len(loaded.set_aside) != there:
                yield f"out of sight: not every entry of {inspection} is counted or set aside"


def server_sound(story: Story) -> Iterator[str]:
    """`tapak admin verify` finds nothing wrong."""
    for fault in verify(story.office.up()).faults:
        yield f"verify: {fault.what} {fault.where}: {fault.why}"
