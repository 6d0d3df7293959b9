"""Attaching files: bytes first, then the entry that names them; the same file again is one file."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fieldkit.blobs import Blobs, Kept
from fieldkit.capture import Recorder, checklist_of, find_instance, find_item
from fieldkit.fixes import fix_value
from fieldkit.store import Writing
from sync.inspection import Fix
from sync.merge import PathState
from sync.problems import Problem

UNKNOWN_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is said about the files of one command; `items` are `item/instance`."""

    kind: str
    source: str
    items: Sequence[str] = ()
    note: str = ""
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Attached:
    """What became of one file: `state` is attached, changed, already-here or not-attached.

    `problem` says why a file was not attached, or why a picture that is kept cannot be read.
    """

    name: str
    state: str
    sha256: str = ""
    size: int = 0
    facts: Mapping[str, Any] | None = None
    problem: Problem | None = None


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
    recorder: Recorder, blobs: Blobs, inspection: str, files: Sequence[Path], what: Attachment
) -> Iterator[Attached]:
    """Keep and name each picture, one after the other; one that fails does not stop the others.

    A picture that cannot be read is kept all the same. A full disk or a folder that cannot be
    written to ends it with that problem; what was attached before stays.
    """
    from fieldkit.imaging import read_files

    kept: list[Kept] = []
    refused: list[Attached] = []

    def keep_each() -> Iterator[Path]:
        for file in files:
            try:
                one = blobs.keep(file)
            except Problem as exc:
                if not _about_this_file(exc):
                    raise
                refused.append(Attached(file.name, "not-attached", problem=exc))
                continue
            kept.append(one)
            names.append(file.name)
            yield blobs.path(one.sha256)

    names: list[str] = []
    for reading in read_files(keep_each()):
        yield from _drain(refused)
        yield _attach(
            recorder, inspection, names[-1], kept[-1], what, reading.facts, reading.problem
        )
    yield from _drain(refused)


def attach_files(
    recorder: Recorder, blobs: Blobs, inspection: str, files: Sequence[Path], what: Attachment
) -> Iterator[Attached]:
    """Keep and name other files: documents, laboratory reports, recordings, tracks."""
    for file in files:
        try:
            kept = blobs.keep(file)
        except Problem as exc:
            if not _about_this_file(exc):
                raise
            yield Attached(file.name, "not-attached", problem=exc)
            continue
        yield _attach(recorder, inspection, file.name, kept, what, None, None)


def _attach(
    recorder: Recorder,
    inspection: str,
    name: str,
    kept: Kept,
    what: Attachment,
    facts: Mapping[str, Any] | None,
    unreadable: Problem | None,
) -> Attached:
    path = f"evidence/{kept.sha256}/{recorder.identity.device}"
    with recorder.store.writing(recorder.identity, recorder.now, name) as log:
        state = log.standing(inspection, path)
        before = _value(state)
        value = _fresh(name, kept, what, facts) if before is None else _more(before, what, facts)
        same = value == before and not (state is not None and state.conflict)
        if not same:
            log.append(inspection, path, value)
            log.name_file(inspection, kept.sha256, kept.size)
        _keep_facts(log, kept.sha256, facts, unreadable)
    became = "already-here" if same else "attached" if before is None else "changed"
    return Attached(name, became, kept.sha256, kept.size, facts, unreadable)


def _fresh(
    name: str, kept: Kept, what: Attachment, facts: Mapping[str, Any] | None
) -> dict[str, Any]:
    media_type = facts["media_type"] if facts else mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
    value: dict[str, Any] = {
        "kind": what.kind,
        "source": what.source,
        "media_type": media_type,
        "size": kept.size,
        "name": _clean(name),
    }
    taken_at = _taken_at(facts)
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


def _keep_facts(
    log: Writing, sha256: str, facts: Mapping[str, Any] | None, unreadable: Problem | None
) -> None:
    if facts is None and unreadable is None:
        return
    log.tx.execute(
        "insert into facts (sha256, facts, problem) values (?1, ?2, ?3) "
        "on conflict (sha256) do update set facts = ?2, problem = ?3",
        (
            sha256,
            None if facts is None else json.dumps(facts, ensure_ascii=False),
            None if unreadable is None else unreadable.happened,
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


def _drain(refused: list[Attached]) -> Iterator[Attached]:
    while refused:
        yield refused.pop(0)


def _about_this_file(exc: Problem) -> bool:
    return exc.code in ("file-missing", "file-unreadable", "file-empty", "file-too-large")
