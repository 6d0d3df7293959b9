"""Attaching files: bytes first, then the entry that names them; the same file again is one file."""

from __future__ import annotations

import json
import mimetypes
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldkit.blobs import Blobs, Kept
from fieldkit.capture import Recorder, checklist_of, find_instance, find_item
from fieldkit.fixes import fix_value
from fieldkit.store import Writing
from sync.inspection import MOST_PREVIEW, Fix
from sync.merge import PathState
from sync.photo_batch import Reading
from sync.photo_facts import PhotoFacts
from sync.problems import Problem

UNKNOWN_TYPE = "application/octet-stream"
QUICK_BYTES = 64_000  # a picture up to here is as quickly sent as a preview of it
READERS = 2  # two pictures are decoded while the one before them goes to the disk


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is said about the files of one command; `items` are `item/instance`.

    `media_type` is what a new file is called where it does not say so itself.
    """

    kind: str
    source: str
    items: Sequence[str] = ()
    note: str = ""
    fix: Fix | None = None
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """What became of one file: `state` is attached, changed, already-here, not-attached, left-out,
    or kept, while its bytes are here and nothing names them yet.

    `problem` says why a file was not attached, or why a picture that is kept cannot be read.
    """

    name: str
    state: str
    sha256: str = ""
    size: int = 0
    facts: Mapping[str, Any] | None = None
    problem: Problem | None = None
    preview: Kept | None = None


def item_paths(recorder: Recorder, inspection: str, given: Sequence[str]) -> list[str]:
    """ITEM or ITEM/INSTANCE as typed -> `item/instance`; raises `item-unknown` and
    `instance-malformed`.
    """
    if not given:
        return []
    checklist = checklist_of(recorder.store, recorder.library, inspection)
    paths: list[str] = []
    for text in given:
        name, _, instance = text.partition("/")
        item = find_item(checklist, name)
        paths.append(f"{item.id}/{find_instance(item, instance or None)}")
    return sorted(set(paths))


def attach_photos(
    recorder: Recorder,
    blobs: Blobs,
    inspection: str,
    files: Iterable[Path | Attached],
    what: Attachment,
) -> Iterator[Attached]:
    """Keep, read and name each picture, in order; one that fails does not stop the others.

    What is Attached already comes out again at its place.

    A picture that cannot be read is kept all the same. A full disk or a folder that cannot be
    written to ends it with that problem; what was attached before stays. No more than a few files
    are held at any time, however many there are.
    """
    from fieldkit.imaging import read_files

    # One for each file between being kept and being named: never more than a few.
    ahead: deque[Attached] = deque()
    trouble: list[Problem] = []

    def keep_each() -> Iterator[Path | Reading]:
        for file in files:
            try:
                one = file if isinstance(file, Attached) else _keep(blobs, file)
            except Problem as exc:
                trouble.append(exc)  # told once what is kept is named
                return
            ahead.append(one)
            if one.state != "kept":
                yield Reading(Path(one.name))
                continue
            known = _known_facts(recorder, one.sha256)
            if known is not None or isinstance(file, Attached):
                yield Reading(Path(one.name), known)
            else:
                yield blobs.lend(one.sha256, file)

    for reading in read_files(keep_each(), processes=READERS, previews=True):
        one = ahead.popleft()
        blobs.give_back(reading.path)
        if one.state == "kept":
            small = _keep_preview(blobs, one, reading)
            one = replace(one, facts=reading.facts, problem=reading.problem, preview=small)
            one = _attach(recorder, inspection, one, what)
        yield one
    if trouble:
        raise trouble[0]


def attach_files(
    recorder: Recorder, blobs: Blobs, inspection: str, files: Iterable[Path], what: Attachment
) -> Iterator[Attached]:
    """Keep and name other files: documents, laboratory reports, recordings, tracks."""
    for file in files:
        one = _keep(blobs, file)
        yield _attach(recorder, inspection, one, what) if one.state == "kept" else one


def _keep_preview(blobs: Blobs, one: Attached, reading: Reading) -> Kept | None:
    """The small picture that goes before a photograph that takes long to send (S7)."""
    if reading.preview is None or one.size <= QUICK_BYTES or len(reading.preview) > MOST_PREVIEW:
        return None
    return blobs.keep_from([reading.preview], "the preview")


def _keep(blobs: Blobs, file: Path) -> Attached:
    """Keep a file's bytes; `state` is then kept, or not-attached where it is the file's fault."""
    try:
        kept = blobs.keep(file)
    except Problem as exc:
        if not _about_this_file(exc):
            raise
        return Attached(_clean(file.name), "not-attached", problem=exc)
    return Attached(_clean(file.name), "kept", kept.sha256, kept.size)


def _attach(recorder: Recorder, inspection: str, one: Attached, what: Attachment) -> Attached:
    """Name a kept file in the inspection, unless it is named there just so already."""
    path = f"evidence/{one.sha256}/{recorder.identity.device}"
    with recorder.store.writing(recorder.identity, recorder.now, one.name) as log:
        state = log.standing(inspection, path)
        before = _value(state)
        value = _fresh(one, what) if before is None else _more(before, what, one.facts)
        small = one.preview or _known_preview(log, one.sha256)
        if small is not None:
            value["preview"] = {"sha256": small.sha256, "size": small.size}
        same = value == before and not (state is not None and state.conflict)
        if not same:
            log.append(inspection, path, value)
            log.name_file(inspection, one.sha256, one.size)
            if small is not None:
                _name_preview(log, inspection, one.sha256, small)
        _keep_facts(log, one)
    became = "already-here" if same else "attached" if before is None else "changed"
    return replace(one, state=became)


def _fresh(one: Attached, what: Attachment) -> dict[str, Any]:
    guessed = what.media_type or mimetypes.guess_type(one.name)[0] or UNKNOWN_TYPE
    value: dict[str, Any] = {
        "kind": what.kind,
        "source": what.source,
        "media_type": one.facts["media_type"] if one.facts else guessed,
        "size": one.size,
        "name": one.name,
    }
    taken_at = _taken_at(one.facts)
    if taken_at is not None:
        value["taken_at"] = taken_at
    return _with(value, what)


def _more(
    before: Mapping[str, Any], what: Attachment, facts: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What stood there, corrected by what is said now, with the items of both."""
    value = {**before, "kind": what.kind, "source": what.source}
    if facts:
        value["media_type"] = facts["media_type"]
    taken_at = _taken_at(facts)
    if taken_at is not None:
        value["taken_at"] = taken_at
    return _with(value, what)


def _with(value: dict[str, Any], what: Attachment) -> dict[str, Any]:
    items = sorted({*value.get("items", []), *what.items})
    if items:
        value["items"] = items
    if what.note:
        value["note"] = what.note
    if what.fix is not None:
        value["fix"] = fix_value(what.fix)
    return value


def _value(state: PathState | None) -> dict[str, Any] | None:
    """The value that stands, or of several the latest with the items of all."""
    values = [e.value for e in state.entries if isinstance(e.value, dict)] if state else []
    if not values:
        return None
    items = sorted({str(i) for v in values for i in v.get("items", [])})
    return {**values[0], "items": items} if items else dict(values[0])


def _known_facts(recorder: Recorder, sha256: str) -> dict[str, Any] | None:
    """What was read from these very bytes before, as today's program would say it; else None."""
    text, _ = recorder.store.facts_of(sha256)
    if text is None:
        return None
    try:
        return PhotoFacts.from_json(json.loads(text)).to_json()
    except ValueError:
        return None


def _known_preview(log: Writing, sha256: str) -> Kept | None:
    found = log.tx.execute("select sha256, size from previews where photo = ?", (sha256,))
    row = found.fetchone()
    return None if row is None else Kept(*row)


def _name_preview(log: Writing, inspection: str, photo: str, small: Kept) -> None:
    log.name_file(inspection, small.sha256, small.size)
    log.tx.execute(
        "insert into previews (photo, sha256, size) values (?, ?, ?) "
        "on conflict (photo) do nothing",
        (photo, small.sha256, small.size),
    )


def _keep_facts(log: Writing, one: Attached) -> None:
    if one.facts is None and one.problem is None:
        return
    log.tx.execute(
        "insert into facts (sha256, facts, problem) values (?1, ?2, ?3) "
        "on conflict (sha256) do update set facts = ?2, problem = ?3 "
        "where facts is not ?2 or problem is not ?3",
        (
            one.sha256,
            None if one.facts is None else json.dumps(one.facts, ensure_ascii=False),
            None if one.problem is None else one.problem.happened,
        ),
    )


def _taken_at(facts: Mapping[str, Any] | None) -> int | None:
    """When the camera says it was, in UTC milliseconds; only where it says in which zone."""
    time, offset = (facts or {}).get("camera_time"), (facts or {}).get("camera_offset")
    if not time or not offset:
        return None
    try:
        taken = datetime.fromisoformat(f"{time}{offset}")
    except ValueError:
        return None
    milliseconds = int(taken.timestamp() * 1000)
    return milliseconds if milliseconds >= 0 else None


def _clean(name: str) -> str:
    """A file's name as text that can be stored, at most 120 characters."""
    return name.encode("utf-8", "replace").decode("utf-8")[:120]


def _about_this_file(exc: Problem) -> bool:
    return exc.code in ("file-missing", "file-unreadable", "file-empty", "file-too-large")
