"""What must hold once a story is calm: nothing lost, doubled or overwritten; all are alike."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from fieldkit.home import Home
from fieldkit.ledger import Ledger
from server.services.changes import changes_after
from server.services.verify import verify
from server.services.written import entries_of
from server.store import audit, logs
from server.store import branches as set_aside
from sync.conflicts import RESOLVED
from sync.log import DEVICE_LOG, Entry, Record, Unread, genesis, link, records_of
from sync.merge import merge
from sync.problems import Problem
from sync.receipt import SignedBytes, read_receipt
from sync.session import Answer

from .book import Place, value_of
from .colleagues import counted, shared
from .device import Device
from .hazards import hazards_seen
from .locked import locked
from .process import nobody
from .protected import protected, withdrawn_keys
from .rulings import rulings
from .world import Story

ROUNDS = 12
QUIET_BYTES = 700  # of a request and its answer without headers, when there is nothing to say
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
            *noticed(story),
            *read(story),
            *signed(story),
            *acknowledged(story),
            *dated(story),
            *counted(story),
            *shared(story),
            *hazards_seen(story),
            *protected(story),
            *rulings(story),
            *locked(story),
            *server_sound(story),
        ]
    found += [f"an answer the catalogue has no word for: {one}" for one in story.network.unnamed]
    return list(dict.fromkeys(found))


def settle(story: Story) -> Iterator[str]:
    """Every device syncs until nothing of it waits, and nothing of the others is still to come."""
    why = {device.name: "it never ran" for device in story.devices}
    for _ in range(ROUNDS):
        came = 0
        for device in story.devices:
            done = story.sync(device)
            if done.how == "returned":
                came += done.value.changes
                why[device.name] = waiting(story, device)
            else:
                why[device.name] = str(done.problem)
        if not came and not any(why.values()):
            break
    else:
        yield from (f"waits for ever: {name}: {what or 'changes'}" for name, what in why.items())
    story.office.work()
    yield from story.book.faults
    for device in story.devices:
        story.sync(device)  # it may be time for a nonce
        before, done = story.network.bytes_carried, story.sync(device)
        if done.how == "returned" and done.value.requests != 1:
            yield f"not quiet: {device.name} asks {done.value.requests} times for nothing (S1)"
        if story.network.bytes_carried - before > QUIET_BYTES:
            yield f"not quiet: {story.network.bytes_carried - before} bytes say nothing (S1)"


def waiting(story: Story, device: Device) -> str:
    """What a device still has to send, or an empty text."""
    now = device.id
    held = dict(device.rows("select log, seq from acknowledged where device = ?", now))
    for log, last in device.rows(
        "select log, max(seq) from lines where device = ? group by log", now
    ):
        if held.get(log, 0) < last:
            return f"{log}: {held.get(log)} of {last}"
    for log, state in device.rows(
        "select log, state from acknowledged where device = ? and state <> 'held'", now
    ):
        return f"{log} is {state}"
    for (sha256,) in device.rows("select sha256 from files where held_at is null"):
        return f"file {sha256[:12]}"
    for name, said in device.rows("select name, value from meta where name like 'former/%'"):
        if not json.loads(said).get("adopted"):
            return f"what {name} recorded is still to be carried over"
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
    """S2, S3, S4: every recorded line is in its log on the server; or, of a generation that ended,
    whether or not that log went two ways, it was carried over by a later one.
    """
    held = story.on_server()
    carried = adopted(story, held)
    for place, line in story.book.wanted():
        if held.get(place) != line and line not in carried.get(place, ()):
            yield f"entry missing: {place}"


def adopted(story: Story, lines: dict[Place, bytes]) -> dict[Place, set[bytes]]:
    """The lines of ended generations that `lines` carry over, by where they stood in their log."""
    parts: dict[tuple[Place, Place], list[bytes]] = {}
    for (device, log, _), line in sorted(lines.items()):
        place, piece = _carries(log, line)
        if place is not None:
            parts.setdefault(((device, log, 0), place), []).append(piece)
    ended = {one for device in story.devices for one in device.ended}
    found: dict[Place, set[bytes]] = {}
    for (_, place), pieces in parts.items():
        if place[0] in ended:
            found.setdefault(place, set()).add(b"".join(pieces))
    within = [_carries(place[1], line) for place, lines in found.items() for line in lines]
    for place, line in within:  # what the generation before last had carried
        if place is not None and place[0] in ended:
            found.setdefault(place, set()).add(line)
    return found


def _carries(log: str, line: bytes) -> tuple[Place | None, bytes]:
    """Which line an adopted entry carries, and its bytes or those of a part of it."""
    said = value_of(line)
    path, value = str(said.get("path")), said.get("value")
    if not path.startswith("adopted/") or not isinstance(value, dict):
        return None, b""
    _, device, seq = path.split("/")
    text = value.get("line")
    piece = text.encode() if isinstance(text, str) else base64.b64decode(str(value.get("base64")))
    return (device, log, int(seq)), piece


def reckon(story: Story) -> None:
    """After backups of both sides were put back: what neither has any more is lost with them."""
    with nobody():
        there = {line for lines in branches(story).values() for line in lines}
        stores = [story.on_server()]
        for device in story.devices:
            rows = device.rows("select device, log, seq, line from lines")
            stores.append({(d, log, seq): bytes(line) for d, log, seq, line in rows})
        files = story.held_files()
    for lines in stores:
        there |= {*lines.values(), *set().union(*adopted(story, lines).values())}
    for place, line in story.book.wanted():
        if line not in there:
            story.book.forsaken.add((place, line))
    for device in story.devices:
        files |= {sha256 for (sha256,) in device.rows("select sha256 from files")}
    for sha256 in story.book.files.keys() - files:
        del story.book.files[sha256]


def files(story: Story) -> Iterator[str]:
    """S4, S6: every attached file is held with its very bytes."""
    ctx = story.office.up()
    held = story.held_files()
    for sha256, data in sorted(story.book.files.items()):
        if sha256 not in held:
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
        if isinstance(note, dict) and isinstance(note.get("note"), str) and RESOLVED not in note:
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
        # Whoever ended a conflict had the only head, and goes on from it without a word.
        stood = _heads([r for r in records if r.h in seen])
        if one.replaces is None and own and stood - {max(own, key=lambda r: r.seq).h}:
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
    """L4: a device's own logs and the server's copies, of ended generations those that were carried
    over (S3), are the same bytes; and chains hold.
    """
    held = story.on_server()
    carried = adopted(story, held)
    for device in story.devices:
        mine, ids = device.own_lines(), device.ids
        forks = story.book.forks
        for place, line in mine.items():
            if held.get(place) != line and line not in carried.get(place, ()):
                yield f"not alike: {place} on {device.name} and on the server"
        for place in held:
            if place[0] in ids and place not in mine and (place[0], place[1]) not in forks:
                yield f"not alike: {place} is on the server and not on {device.name}"
        yield from _chains(device)


def _chains(device: Device) -> Iterator[str]:
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
    held, here = story.on_server(), story.held_files() | withdrawn_keys(story)
    carried = adopted(story, held)
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
                if hashes.get(place) == one.h:
                    continue
                if story.restored and (forked or _carried_over(device, place, one.h, carried)):
                    continue
                yield f"acknowledged entry missing: {place} ({place in held})"
            for sha256 in receipt.files:
                if sha256 not in here and not (story.forked and story.restored):
                    yield f"acknowledged file missing: {sha256[:12]}"


def _carried_over(device: Device, place: Place, h: str, carried: dict[Place, set[bytes]]) -> bool:
    """Whether the line that a receipt speaks of came in a later generation (S3): so it does where
    the server was put back to before it, and the generation ended in the meantime.
    """
    sql = "select line from lines where device = ? and log = ? and seq = ? and hex(h) = ?"
    return any(
        bytes(line) in carried.get(place, ()) for (line,) in device.rows(sql, *place, h.upper())
    )


def quarantine(story: Story) -> Iterator[str]:
    """S3: staff see what was set aside: each branch has its line in the audit trail."""
    with story.office.up().db.read() as tx:
        noted = {one["subject"] for one in audit.lines(tx) if one["action"] == "log.forked"}
    for device, log in branches(story):
        if f"log:{device}/{log}" not in noted:
            yield f"branch without a word: {device} {log}"


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


def noticed(story: Story) -> Iterator[str]:
    """L2: a device's own log notes every inspection that it opened and the heads it signed."""
    for device in story.devices:
        paths = [
            path
            for (path,) in device.rows(
                "select path from lines where log = 'device' and device = ?", device.id
            )
        ]
        for (log,) in device.rows(
            "select log from lines where device = ? and path = 'about'", device.id
        ):
            if f"device/opened/{log}" not in paths:
                yield f"not noted: {device.name} opened {log}"
        for log, times in device.rows(
            "select log, count(*) from lines where device = ? and path = ? group by log",
            device.id,
            f"sign-off/{device.id}",
        ):
            if paths.count(f"device/signed/{log}") < times:
                yield f"not noted: {device.name} signed {log}"


def read(story: Story) -> Iterator[str]:
    """L3, L4: what this version wrote is read; what a newer one wrote is kept, unread."""
    held = story.on_server()
    for inspection, records in _records(story).items():
        for one in records:
            place = (one.device, inspection, one.seq)
            newer = (place, held[place]) in story.book.newer
            if isinstance(one, Unread) != newer:
                yield f"unread or not: {one.device} {inspection} {one.seq} ({newer})"


def signed(story: Story) -> Iterator[str]:
    """L7: a sign-off names what its signer had, as it was: of its own log all that came before."""
    for records in _records(story).values():
        known: dict[tuple[str, int], set[str]] = {}
        for one in records:  # of a log that forked there are two at a position (S3)
            known.setdefault((one.device, one.seq), set()).add(one.h)
            if isinstance(one, Entry) and one.path.startswith("adopted/"):
                _, device, seq = one.path.split("/")
                known.setdefault((device, int(seq)), set()).add(str(one.value.get("h")))
        for one in records:
            if not isinstance(one, Entry) or not one.path.startswith("sign-off/"):
                continue
            logs_named = {log["device"]: (log["seq"], log["h"]) for log in one.value["logs"]}
            if logs_named.get(one.device, (0, ""))[0] != one.seq - 1:
                yield f"signed otherwise: {one.device} {one.seq} does not name all before it"
            for device, (seq, h) in logs_named.items():
                if h not in known.get((device, seq), {h}):
                    yield f"signed otherwise: {one.device} {one.seq} names another {device} {seq}"


def acknowledged(story: Story) -> Iterator[str]:
    """S4: what a device takes for held, a receipt of the server's epoch says."""
    ctx = story.office.up()
    for device in story.devices:
        files: set[str] = set()
        lines: dict[str, int] = {}
        now = device.rows("select value from meta where name = 'epoch'")
        for payload, signature in device.rows("select payload, signature from receipts"):
            try:
                receipt = read_receipt(ctx.public_key, SignedBytes(payload, signature))
            except Problem:
                continue  # told by `receipts`
            if now and receipt.epoch == int(now[0][0]):
                files |= set(receipt.files)
                for one in receipt.logs:
                    if one.device == device.id:
                        lines[one.log] = max(lines.get(one.log, 0), one.seq)
        for (sha256,) in device.rows("select sha256 from files where held_at is not null"):
            if sha256 not in files:
                yield f"taken for held: file {sha256[:12]} of {device.name}, by no receipt"
        for log, seq in device.rows(
            "select log, seq from acknowledged where device = ? and state = 'held'", device.id
        ):
            if seq > lines.get(log, 0):
                yield f"taken for acknowledged: {log} of {device.name} to {seq}, by no receipt"


def dated(story: Story) -> Iterator[str]:
    """L9: every entry was written within the interval that is proved of it."""
    if story.server_clock_was_wrong:
        return
    ctx, held = story.office.up(), story.on_server()
    with ctx.db.read() as tx:
        for log in logs.all_logs(tx):
            for one in entries_of(ctx, tx, log):
                place = (log.device, log.inspection, one.record.seq)
                at = story.book.when.get((place, held.get(place, b"")))
                if at is not None and not (one.between.holds(at[0]) or one.between.holds(at[1])):
                    yield f"dated wrongly: {log.device} {log.inspection} {one.record.seq}"


def server_sound(story: Story) -> Iterator[str]:
    """`tapak admin verify` finds nothing wrong."""
    for fault in verify(story.office.up()).faults:
        yield f"verify: {fault.what} {fault.where}: {fault.why}"
