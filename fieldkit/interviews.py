"""Protected entries (L8): sealed when they are written, kept aside, and appended at sign-off.

What is kept aside is ciphertext that this device cannot read. No position, no time of day, no
order of recording stands beside it.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldkit.blobs import Blobs
from fieldkit.capture import Recorder
from fieldkit.interview_form import Form
from fieldkit.safeguarding import sealing_keys
from fieldkit.sealing import keep_bytes, seal
from fieldkit.store import Store, Writing
from sync.inspection_reader import read_inspection
from sync.merge import merge
from sync.problems import problem
from sync.safeguarding import Recipient
from sync.sealed import WITHDRAWN, day_start, named_files

FORMAT = "tapak protected v1"

Shuffle = Callable[[list[Any]], None]


@dataclass(frozen=True, slots=True)
class Protection:
    """What sign-off needs for protected entries: the files, and what shuffles a list in place."""

    blobs: Blobs
    shuffle: Shuffle


@dataclass(frozen=True, slots=True)
class Waiting:
    """A protected entry that waits for sign-off; `day` is the start of its day, UTC ms."""

    id: str
    inspection: str
    day: int
    payload: bytes
    key: bytes
    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Recorded:
    """A protected entry just written, and the keys that it was sealed to."""

    id: str
    day: int
    files: int
    keys: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """A protected entry of this device as `fieldkit interview list` shows it."""

    id: str
    inspection: str
    day: int
    files: int
    state: str  # waits for your sign-off, signed, sent, held safely, withdrawn


def record(
    recorder: Recorder, blobs: Blobs, inspection: str, form: Form, files: Sequence[Path]
) -> Recorded:
    """Seal what was said and keep it aside until sign-off.

    Raises `safeguarding-none`, `safeguarding-unconfirmed`, and what reading the files raises;
    then nothing of it is on the disk but ciphertext that nothing names.
    """
    keys = sealing_keys(recorder.store, recorder.identity, recorder.now)
    new_id = str(uuid.uuid4())
    document = {
        "format": FORMAT,
        "kind": form.kind,
        "id": new_id,
        "inspection": inspection,
        "recorded_at": recorder.now,
        **form.said(),
    }
    sealed = seal(document, files, keys, blobs)
    day = day_start(recorder.now)
    value = json.dumps(sealed.value, ensure_ascii=False, sort_keys=True)
    with recorder.store.database.write("the protected entry") as tx:
        tx.execute(
            "insert into sealed_waiting (id, inspection, day, payload, key, value) "
            "values (?, ?, ?, ?, ?, ?)",
            (new_id, inspection, day, sealed.payload, sealed.key, value),
        )
    return Recorded(new_id, day, len(files), keys)


def waiting(store: Store, inspection: str | None = None) -> list[Waiting]:
    """What waits for sign-off, of one inspection or of all, by its number."""
    return [
        Waiting(i, log, day, payload, key, json.loads(value))
        for i, log, day, payload, key, value in store.database.rows(
            "select id, inspection, day, payload, key, value from sealed_waiting "
            "where ?1 is null or inspection = ?1 order by id",
            (inspection,),
        )
    ]


def count_waiting(store: Store, inspection: str | None = None) -> int:
    """How many protected entries wait for sign-off, of one inspection or of all."""
    found = store.database.rows(
        "select count(*) from sealed_waiting where ?1 is null or inspection = ?1", (inspection,)
    )
    return int(found[0][0])


def discard(store: Store, beginning: str) -> Waiting:
    """Throw a protected entry away before it is signed, as whoever spoke asked for.

    Raises `interview-unknown`, and `interview-signed` for one that is in the log already.
    """
    found = [one for one in waiting(store) if one.id.startswith(beginning.lower())]
    if len(found) != 1 or len(beginning) < 4:
        signed = [one.id for one in listed(store) if one.id.startswith(beginning.lower())]
        if signed and not found:
            raise problem("interview-signed", id=signed[0])
        raise problem("interview-unknown", id=beginning)
    with store.database.write("the protected entries") as tx:
        tx.execute("pragma secure_delete = on")
        tx.execute("delete from sealed_waiting where id = ?", (found[0].id,))
    return found[0]


# -- sign-off -------------------------------------------------------------------------------------


def make_ready(protection: Protection, store: Store, inspection: str) -> list[Waiting]:
    """Keep the ciphertexts of what waits as files, in an order that says nothing.

    Done before the entries are appended: a file is on the disk before anything names it. Done
    again after a crash, it changes nothing.
    """
    found = waiting(store, inspection)
    protection.shuffle(found)
    for one in found:
        keep_bytes(protection.blobs, one.payload)
        keep_bytes(protection.blobs, one.key)
    return found


def append_waiting(log: Writing, inspection: str, ready: Sequence[Waiting]) -> int:
    """Append these entries within the sign-off's transaction and take them from the waiting.

    One that was thrown away in the meantime is passed over. Returns how many were appended.
    """
    there = {
        row[0]
        for row in log.tx.execute(
            "select id from sealed_waiting where inspection = ?", (inspection,)
        )
    }
    appended = [one for one in ready if one.id in there]
    for one in appended:
        log.append(inspection, f"sealed/{one.id}", one.value, at=one.day)
        for named in (one.value["payload"], one.value["key"], *one.value.get("files", ())):
            log.name_file(inspection, named["sha256"], named["size"])
        log.tx.execute("delete from sealed_waiting where id = ?", (one.id,))
    return len(appended)


# -- what is known afterwards ---------------------------------------------------------------------


def listed(store: Store) -> list[Listed]:
    """Every protected entry of this device, by day and number: never in the order of recording."""
    found = [
        Listed(
            one.id,
            one.inspection,
            one.day,
            len(one.value.get("files", ())),
            "waits for your sign-off",
        )
        for one in waiting(store)
    ]
    found += _signed(store)
    return sorted(found, key=lambda one: (one.day, one.id))


def day_text(day: int) -> str:
    """The UTC day as YYYY-MM-DD."""
    return datetime.fromtimestamp(day / 1000, UTC).strftime("%Y-%m-%d")


def _signed(store: Store) -> list[Listed]:
    device = store.note("device")
    states = {
        sha256: (sent, held)
        for sha256, sent, held in store.database.rows("select sha256, sent_at, held_at from files")
    }
    gone = {
        ref
        for (ref,) in store.database.rows("select ref from documents where kind = ?", (WITHDRAWN,))
    }
    found: list[Listed] = []
    for inspection in store.inspections():
        read = read_inspection(inspection, merge(store.records(inspection)))
        for slot in read.sealed.values():
            for one in slot.heads:
                if one.written.device != device and one.payload.sha256 not in states:
                    continue  # a colleague's: how far it is, is not known here
                known = [states.get(f.sha256, (None, None)) for _, f in named_files(one)]
                state = "signed, not sent yet"
                if one.id in gone:
                    state = "withdrawn: its key was destroyed"
                elif all(held is not None for _, held in known):
                    state = "held safely"
                elif any(sent is not None for sent, _ in known):
                    state = "sent in part"
                found.append(Listed(one.id, inspection, one.written.at, len(one.files), state))
    return found
