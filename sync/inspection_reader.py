"""A merged state -> an inspection's typed values; what is not understood stays unread (L4, L6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sync.inspection import (
    KINDS,
    LEVELS,
    MODES,
    MOST_LEFT_OUT,
    MOST_PREVIEW,
    OUTCOMES,
    SOURCES,
    SPECIALS,
    About,
    Acknowledged,
    Answer,
    Evidence,
    Fix,
    Inspection,
    Observed,
    Outcome,
    Reading,
    Ruling,
    Sealed,
    SignedLog,
    SignOff,
    Slot,
    Track,
    Written,
    is_decimal,
)
from sync.log import Entry, Record, Unread
from sync.merge import PathState, State
from sync.ranges import read_ranges
from sync.sealed import read_sealed
from sync.track_entry import read_track_value

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_NUMBER = re.compile(r"[1-9]\d{0,8}\Z", re.ASCII)

T = TypeVar("T")
Value = (
    About
    | Outcome
    | Answer
    | Observed
    | Evidence
    | SignOff
    | Track
    | Sealed
    | Acknowledged
    | Ruling
)


def read_inspection(inspection_id: str, state: State) -> Inspection:
    """Read a merged state; a head whose value is not understood is unread, never skipped (L6)."""
    about = _slot(state.paths.get("about"), _about)
    outcome = _slot(state.paths.get("outcome"), _outcome)
    answers = {_pair(s.path): _slot(s, _answer) for s in state.under("answers")}
    observed = {_pair(s.path): _slot(s, _observed) for s in state.under("observed")}
    evidence = {_pair(s.path): _slot(s, _evidence) for s in state.under("evidence")}
    sign_offs = {s.path.split("/")[1]: _slot(s, _sign_off) for s in state.under("sign-off")}
    tracks = {s.path.removeprefix("track/"): _slot(s, _track) for s in state.under("track")}
    sealed = {s.path.split("/")[1]: _slot(s, _sealed) for s in state.under("sealed")}
    seen = {_pair(s.path): _slot(s, _acknowledged) for s in state.under("acknowledged")}
    ruled = {_triple(s.path): _slot(s, _ruling) for s in state.under("rulings")}
    unread = list(state.unread)
    for slots in (answers, observed, evidence, sign_offs, tracks, sealed, seen, ruled):
        for slot in slots.values():
            unread.extend(slot.unread)
    unread.extend((*about.unread, *outcome.unread))
    conflicts = tuple(p for p, s in state.paths.items() if s.conflict)
    return Inspection(
        inspection_id,
        about,
        outcome,
        answers,
        observed,
        evidence,
        sign_offs,
        tracks,
        tuple(unread),
        conflicts,
        sealed,
        seen,
        ruled,
    )


def read_about(entry: Entry) -> About | None:
    """What an `about` entry says by itself, or None where it is not understood."""
    return _alone(entry, _about)


def read_evidence(entry: Entry) -> Evidence | None:
    """What an `evidence/...` entry says by itself, or None where it is not understood."""
    return _alone(entry, _evidence)


def read_value(entry: Entry) -> Value | None:
    """What an entry of a family with a reader says, or None where it is not understood."""
    read = _READERS.get(entry.path.split("/")[0])
    return None if read is None else _alone(entry, read)


def has_reader(path: str) -> bool:
    """Whether values at this path are read at all, and not just kept."""
    return path.split("/", maxsplit=1)[0] in _READERS


def read_slot(state: PathState) -> Slot[Any]:
    """What stands at a path of a family with a reader, as `read_inspection` gives it."""
    return _slot(state, _READERS[state.path.split("/")[0]])


def read_observed(entry: Entry) -> Observed | None:
    """What an `observed/...` entry says by itself, or None where it is not understood."""
    return _alone(entry, _observed)


def _alone(entry: Entry, read: Callable[[Entry], T]) -> T | None:
    try:
        return read(entry)
    except _NotUnderstoodError:
        return None


# -- reading values -------------------------------------------------------------------------------


class _NotUnderstoodError(Exception):
    pass


def _slot(state: PathState | None, read: Callable[[Entry], T]) -> Slot[T]:
    if state is None:
        return Slot(())
    heads, unread = _read_all(state.heads, read)
    earlier, _ = _read_all(state.replaced, read)
    overruled, _ = _read_all(state.overruled, read) if state.overruled else ([], [])
    return Slot(tuple(heads), tuple(earlier), tuple(unread), tuple(overruled))


def _read_all(
    records: tuple[Record, ...], read: Callable[[Entry], T]
) -> tuple[list[T], list[Unread]]:
    values: list[T] = []
    unread: list[Unread] = []
    for record in records:
        if isinstance(record, Unread):
            unread.append(record)
            continue
        try:
            values.append(read(record))
        except _NotUnderstoodError as exc:
            unread.append(
                Unread(
                    record.device,
                    record.inspection,
                    record.seq,
                    record.h,
                    f"needs a newer version: {exc}",
                    record.path,
                    record.at,
                    record.replaces,
                )
            )
    return values, unread


def _pair(path: str) -> tuple[str, str]:
    _, first, second = path.split("/")
    return first, second


def _triple(path: str) -> tuple[str, str, str]:
    _, first, second, third = path.split("/")
    return first, second, third


def _written(entry: Entry) -> Written:
    return Written(
        entry.device,
        entry.seq,
        entry.h,
        entry.at,
        entry.by,
        entry.signed,
        entry.named,
        entry.adopted is not None,
    )


def _about(entry: Entry) -> About:
    v = _object(entry)
    return About(
        _text(v, "facility", need=True),
        _text(v, "checklist", need=True),
        _text(v, "purpose"),
        _choice(v, "mode", MODES),
        _fix(v),
        _written(entry),
    )


def _outcome(entry: Entry) -> Outcome:
    v = _object(entry)
    return Outcome(_choice(v, "outcome", OUTCOMES), _text(v, "note"), _fix(v), _written(entry))


def _answer(entry: Entry) -> Answer:
    v = _object(entry)
    item, instance = _pair(entry.path)
    given = [k for k in ("level", "readings", "special") if k in v]
    if len(given) != 1:
        raise _NotUnderstoodError("an answer has one of level, readings and special")
    return Answer(
        item,
        instance,
        _choice(v, "level", LEVELS) if "level" in v else None,
        _choice(v, "special", SPECIALS) if "special" in v else None,
        _readings(v),
        _text(v, "reason"),
        _text(v, "second") or None,
        _text(v, "note"),
        _digests(v, "evidence"),
        _fix(v),
        _text(v, "checklist"),
        _written(entry),
    )


def _observed(entry: Entry) -> Observed:
    v = _object(entry)
    what, instance = _pair(entry.path)
    return Observed(
        what,
        instance,
        _text(v, "value", need=True),
        _text(v, "unit"),
        _text(v, "note"),
        _digests(v, "evidence"),
        _fix(v),
        _written(entry),
        _decimal(v, "u"),
    )


def _evidence(entry: Entry) -> Evidence:
    v = _object(entry)
    sha256, device = _pair(entry.path)
    if not _SHA256.match(sha256):
        raise _NotUnderstoodError("the path names no SHA-256 digest")
    size = v.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise _NotUnderstoodError("size is not a number of bytes")
    items = v.get("items", [])
    if not isinstance(items, list) or not all(isinstance(i, str) for i in items):
        raise _NotUnderstoodError("items is not a list of paths")
    return Evidence(
        sha256,
        device,
        _choice(v, "kind", KINDS),
        _choice(v, "source", SOURCES),
        _text(v, "media_type", need=True),
        size,
        _text(v, "name"),
        _time(v, "taken_at"),
        _fix(v),
        tuple(items),
        _text(v, "note"),
        _written(entry),
        _preview(v, sha256),
    )


def _preview(v: Mapping[str, Any], photo: str) -> str:
    """The digest of a preview; one that is no small picture of its own is passed over."""
    said = v.get("preview")
    if not isinstance(said, dict):
        return ""
    sha256, size = said.get("sha256"), said.get("size")
    fits = isinstance(sha256, str) and _SHA256.match(sha256) is not None and sha256 != photo
    small = isinstance(size, int) and not isinstance(size, bool) and 0 < size <= MOST_PREVIEW
    return sha256 if fits and small and isinstance(sha256, str) else ""


def _sign_off(entry: Entry) -> SignOff:
    v = _object(entry)
    logs = v.get("logs")
    if not isinstance(logs, list):
        raise _NotUnderstoodError("logs is not a list")
    signed = tuple(_signed_log(log, entry.inspection) for log in logs)
    if sum(len(log.without or ()) for log in signed) > MOST_LEFT_OUT:
        raise _NotUnderstoodError(f"it leaves out more than {MOST_LEFT_OUT} ranges of entries")
    return SignOff(entry.path.split("/")[1], _text(v, "statement"), signed, _written(entry))


def _signed_log(log: object, inspection: str) -> SignedLog:
    seq = log.get("seq") if isinstance(log, dict) else None
    if not isinstance(log, dict) or type(seq) is not int or seq < 1:
        raise _NotUnderstoodError("a signed log lacks its seq")
    without = read_ranges(log["without"], seq) if "without" in log else None
    if "without" in log and without is None:
        raise _NotUnderstoodError("without is not a list of ranges within the signed log")
    device, h = _text(log, "device", need=True), _text(log, "h", need=True)
    return SignedLog(device, inspection, seq, h, without)


def _track(entry: Entry) -> Track:
    device, n = _pair(entry.path)
    if not _NUMBER.match(n):
        raise _NotUnderstoodError("the path does not number the track 1, 2, 3")
    try:
        said = read_track_value(entry.value)
    except ValueError as exc:
        raise _NotUnderstoodError(str(exc)) from exc
    return Track(
        device,
        int(n),
        said.source,
        said.file,
        said.points,
        said.segments,
        said.thinned_from,
        _written(entry),
    )


def _sealed(entry: Entry) -> Sealed:
    found = read_sealed(entry)
    if found is None:
        raise _NotUnderstoodError("what is sealed is not named as this version knows it")
    return found


def _acknowledged(entry: Entry) -> Acknowledged:
    v = _object(entry)
    heads = _digests(v, "heads")
    if not heads:
        raise _NotUnderstoodError("it names no entry of the hazard")
    return Acknowledged(_pair(entry.path)[0], frozenset(heads), _text(v, "reason"), _written(entry))


def _ruling(entry: Entry) -> Ruling:
    v = _object(entry)
    heads = _digests(v, "heads")
    if not heads:
        raise _NotUnderstoodError("it names no answer")
    item, instance, _ = _triple(entry.path)
    files, evidence = _digest(v, "files"), _digest(v, "evidence")
    reason = _text(v, "reason", need=True)
    return Ruling(item, instance, frozenset(heads), files, evidence, reason, _written(entry))


_READERS: Mapping[str, Callable[[Entry], Value]] = {
    "about": _about,
    "outcome": _outcome,
    "answers": _answer,
    "observed": _observed,
    "evidence": _evidence,
    "sign-off": _sign_off,
    "track": _track,
    "sealed": _sealed,
    "acknowledged": _acknowledged,
    "rulings": _ruling,
}


def _object(entry: Entry) -> Mapping[str, Any]:
    if not isinstance(entry.value, dict):
        raise _NotUnderstoodError("the value is not an object")
    return entry.value


def _text(v: Mapping[str, Any], key: str, *, need: bool = False) -> str:
    value = v.get(key, "")
    if not isinstance(value, str) or (need and not value):
        raise _NotUnderstoodError(f"{key} is not text")
    return value


def _choice(v: Mapping[str, Any], key: str, allowed: tuple[str, ...]) -> str:
    value = v.get(key)
    if value not in allowed:
        raise _NotUnderstoodError(f"{key} is not one of {', '.join(allowed)}")
    return str(value)


def _time(v: Mapping[str, Any], key: str) -> int | None:
    value = v.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise _NotUnderstoodError(f"{key} is not a time in UTC milliseconds")
    return value


def _mark(v: Mapping[str, Any], key: str) -> bool:
    value = v.get(key, False)
    if not isinstance(value, bool):
        raise _NotUnderstoodError(f"{key} is not true or false")
    return value


def _decimal(v: Mapping[str, Any], key: str) -> str | None:
    value = v.get(key)
    if value is None:
        return None
    if not is_decimal(value):
        raise _NotUnderstoodError(f"{key} is not a decimal string")
    return str(value)


def _digest(v: Mapping[str, Any], key: str) -> str:
    value = v.get(key)
    if not isinstance(value, str) or not _SHA256.match(value):
        raise _NotUnderstoodError(f"{key} is not a digest")
    return value


def _digests(v: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = v.get(key, [])
    if not isinstance(value, list) or not all(
        isinstance(d, str) and _SHA256.match(d) for d in value
    ):
        raise _NotUnderstoodError(f"{key} is not a list of digests")
    return tuple(value)


def _fix(v: Mapping[str, Any]) -> Fix | None:
    value = v.get("fix")
    if value is None:
        return None
    if not isinstance(value, dict):
        raise _NotUnderstoodError("fix is not an object")
    lat, lon = _decimal(value, "lat"), _decimal(value, "lon")
    if lat is None or lon is None or abs(float(lat)) > 90 or abs(float(lon)) > 180:
        raise _NotUnderstoodError("fix has no position on Earth")
    return Fix(
        lat,
        lon,
        _decimal(value, "accuracy_m"),
        _time(value, "at"),
        _text(value, "source") or "typed",
        _mark(value, "mock"),
    )


def _readings(v: Mapping[str, Any]) -> tuple[Reading, ...]:
    value = v.get("readings", [])
    if not isinstance(value, list) or ("readings" in v and not value):
        raise _NotUnderstoodError("readings is not a list with something in it")
    out: list[Reading] = []
    for one in value:
        if not isinstance(one, dict):
            raise _NotUnderstoodError("a reading is not an object")
        measured = _decimal(one, "value")
        if measured is None:
            raise _NotUnderstoodError("a reading has no value")
        out.append(
            Reading(
                _text(one, "analyte", need=True),
                measured,
                _decimal(one, "u"),
                _text(one, "unit"),
                _text(one, "instrument") or None,
            )
        )
    return tuple(out)
