"""Protected people in stories (L8): interviews sealed as they are written, consent withdrawn."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyrage
from pyrage import x25519

from fieldkit import interviews
from fieldkit.interview_form import Form
from server.services.withdrawal import withdraw
from sync.sealed import DAY_MS, unframe

from .book import value_of
from .device import Device
from .office import CONSOLE, KEEPER

if TYPE_CHECKING:
    from .world import Story


@dataclass(frozen=True)
class Spoken:
    """What somebody said in confidence: to which device, by what it is known again, and the bytes
    of a recording that was sealed with it.
    """

    device: Device
    id: str
    inspection: str
    mark: str
    recording: bytes | None


def at_hand(story: Story, device: Device, inspection: str) -> Device:
    """This device, or where it does not know the inspection, one that does."""
    here = [device, *(one for one in story.devices if one is not device)]
    about = "select 1 from lines where log = ? and path = 'about'"
    return next((one for one in here if one.rows(about, inspection)), device)


def interview(story: Story, device: Device, inspection: str) -> None:
    """Somebody speaks; the device seals it at once."""
    device = at_hand(story, device, inspection)
    if not device.rows("select 1 from lines where log = ? and path = 'about'", inspection):
        return
    mark = story.mark()
    recording = None
    files = []
    if story.dice.random() < 0.4:
        recording = b"voice " + mark.encode() + story.dice.randbytes(story.dice.choice((9, 6_000)))
        path = story.folder / f"voice-{story.marks}.ogg"
        path.write_bytes(recording)
        files.append(path)
    fields = {"consent": "given", "name": f"Made-up {mark}"}
    form = Form("interview", fields, f"I saw {mark}")

    def work(store: Any) -> Any:
        recorder = device.recorder(store)
        return interviews.record(recorder, device.home.blobs(), inspection, form, files)

    done = device.command(work)
    story.tell(f"{device.name} seals an interview ({mark}): {done.how}")
    if done.how == "returned":
        story.tally.acts["interview sealed"] += 1
        spoken = Spoken(device, done.value.id, inspection, mark, recording)
        story.book.spoken[spoken.id] = spoken
    else:
        story.book.unsaid.append(mark)


def withdraw_consent(story: Story, device: Device, inspection: str) -> None:
    """Somebody who spoke wants it undone; the keeper has it destroyed at the office."""
    there = [one for one in sorted(story.book.spoken) if one in _on_server(story)]
    if not there:
        return
    number = story.dice.choice(there)
    ctx = story.office.up()
    done = story.office.tried(
        lambda: withdraw(ctx, CONSOLE, number, "asked for it"), with_process=True
    )
    story.tell(f"consent for {number[:8]} is withdrawn: {done is not None}")
    if done is None:
        story.book.unsure.add(number)  # it may have died after its commit
    else:
        story.tally.acts["consent withdrawn"] += 1
        story.book.withdrawn[number] = story.backed_up
        story.book.unsure.discard(number)


def reckon(story: Story) -> None:
    """After a backup was put back: what only the lost computer had is lost with it."""
    on_server, held = _on_server(story), story.held_files()
    for number, one in list(story.book.spoken.items()):
        values = [*on_server.get(number, []), *_on_device(one)]
        if _waits(one) or any(_digests(v) <= held | _here(one.device, v) for v in values):
            continue
        del story.book.spoken[number]


# -- what must hold -------------------------------------------------------------------------------


def protected(story: Story) -> Iterator[str]:
    """L8: what was said in confidence waits on its device or is held, and opens with the keeper's
    key alone; what was withdrawn opens no more, and nothing of any of it is anywhere in plain.
    """
    on_server = _on_server(story)
    ctx = story.office.up()

    def there(sha256: str) -> bytes:
        return b"".join(ctx.blobs.chunks(sha256)) if ctx.blobs.has(sha256) else b""

    for number, one in sorted(story.book.spoken.items()):
        waits = _waits(one)
        if number in story.book.unsure:
            continue
        if waits:
            payload, key, value = waits
            blobs = one.device.seen_home().blobs()
            yield from _opens(one, payload, key, [b"".join(blobs.chunks(d)) for d in _files(value)])
            continue
        if number not in on_server:
            yield f"protected entry missing: {number} of {one.device.name}"
        for value in on_server.get(number, []):
            key = value["key"]["sha256"]
            if set(value) - {"payload", "key", "files", "to"}:
                yield f"protected entry tells more: {sorted(value)}"
            if number in story.book.withdrawn:
                if there(key) or any(d.seen_home().blobs().has(key) for d in story.devices):
                    yield f"withdrawn, and its key is there: {number}"
                if any(d.rows("select 1 from files where sha256 = ?", key) for d in story.devices):
                    yield f"withdrawn, and a device counts on its key: {number}"
                if not there(value["payload"]["sha256"]):
                    yield f"withdrawn, and its payload is gone: {number}"
                continue
            payload = there(value["payload"]["sha256"])
            yield from _opens(one, payload, there(key), [there(d) for d in _files(value)])
    yield from _days(story)
    marks = [one.mark for one in story.book.spoken.values()] + story.book.unsaid
    folders = [story.office.folder / "stick", story.office.folder / "backups"]
    folders += story.office.folder.glob("server*")
    for device in story.devices:
        folders += [device.home.folder, device.copies]
    for folder in folders:
        yield from in_plain(folder, marks)


def _opens(one: Spoken, payload: bytes, key: bytes, files: list[bytes]) -> Iterator[str]:
    try:
        own = x25519.Identity.from_str(pyrage.decrypt(key, [KEEPER]).decode())
        _, text = unframe(pyrage.decrypt(payload, [own]))
        plain = [unframe(pyrage.decrypt(data, [own]))[1] for data in files]
    except pyrage.DecryptError as exc:
        yield f"protected entry does not open: {one.id} of {one.device.name}: {exc}"
        return
    if one.mark not in json.loads(text)["text"]:
        yield f"protected entry altered: {one.id}"
    if plain != ([] if one.recording is None else [one.recording]):
        yield f"protected entry altered: the recording of {one.id}"


def _days(story: Story) -> Iterator[str]:
    for place, line in story.on_server().items():
        entry = value_of(line)
        if str(entry.get("path")).startswith("sealed/") and entry["at"] % DAY_MS:
            yield f"protected entry tells the hour: {place}"


def in_plain(folder: Path, marks: Iterable[str]) -> Iterator[str]:
    """Files below a folder in which one of these words can be read."""
    wanted = [mark.encode() for mark in marks]
    if not wanted or not folder.is_dir():
        return
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        for mark in wanted:
            if mark in data:
                yield f"in plain: {mark.decode()} in {path.name} of {folder.name}"


# -- where it is ----------------------------------------------------------------------------------


def withdrawn_keys(story: Story) -> set[str]:
    """The keys that are destroyed, or perhaps are: older receipts list them, and a device takes
    them for held until it hears of it.
    """
    gone = story.book.withdrawn.keys() | story.book.unsure
    if not gone:
        return set()
    on_server = _on_server(story)
    values = [value for number in gone for value in on_server.get(number, [])]
    for number in gone & story.book.spoken.keys():
        values += _on_device(story.book.spoken[number])
    return {value["key"]["sha256"] for value in values}


def _on_server(story: Story) -> dict[str, list[dict[str, Any]]]:
    """The values of all sealed entries that the server holds, carried over or not, by number."""
    from .invariants import adopted

    found: dict[str, list[dict[str, Any]]] = {}
    held = story.on_server()
    carried = set[bytes]().union(*adopted(story, held).values())
    for line in [*held.values(), *sorted(carried)]:
        entry = value_of(line)
        path = str(entry.get("path"))
        if path.startswith("sealed/"):
            values = found.setdefault(path.removeprefix("sealed/"), [])
            if entry["value"] not in values:
                values.append(entry["value"])
    return found


def _on_device(one: Spoken) -> list[dict[str, Any]]:
    path = f"sealed/{one.id}"
    rows = one.device.rows("select line from lines where path = ?", path)
    return [value_of(bytes(line))["value"] for (line,) in rows]


def _waits(one: Spoken) -> tuple[bytes, bytes, dict[str, Any]] | None:
    rows = one.device.rows("select payload, key, value from sealed_waiting where id = ?", one.id)
    return (rows[0][0], rows[0][1], json.loads(rows[0][2])) if rows else None


def _files(value: dict[str, Any]) -> list[str]:
    return [one["sha256"] for one in value.get("files", [])]


def _digests(value: dict[str, Any]) -> set[str]:
    return {value["payload"]["sha256"], value["key"]["sha256"], *_files(value)}


def _here(device: Device, value: dict[str, Any]) -> set[str]:
    blobs = device.seen_home().blobs()
    return {sha256 for sha256 in _digests(value) if blobs.has(sha256)}
