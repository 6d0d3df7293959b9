"""The conversation between a device and the server, sans I/O: bytes and state in, values out.

A request is NDJSON: a header line, then for each segment a header line and its raw lines. The
answer is one JSON object. Rules cited: S1, S2, S3, S12 of docs/protocol.md.
"""

from __future__ import annotations

import base64
import json
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from marshmallow import Schema, ValidationError

from sync import wire
from sync.extract import withheld_in
from sync.log import (
    MAX_ENTRY_BYTES,
    MAX_LOG_LINES,
    MAX_REQUEST_BYTES,
    Head,
    Segment,
    too_deep,
    verify_chain,
    verify_signature,
)
from sync.problems import problem
from sync.receipt import SignedBytes, claimed_logs

# Made once: making one costs more than a message that is read or written with it.
_REQUEST_HEADER = wire.RequestHeader()
_SEGMENT_HEADER = wire.SegmentHeader()
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_ANSWER = wire.Answer()

# -- requests -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """What a device sends: its cursor, the digests it awaits receipts for, and segments.

    `at` is the device's clock in UTC milliseconds when it spoke, for measuring its offset (L9);
    `nonce` asks for a fresh nonce to quote; `keys` is the number of the server's keys as the device
    knows them (S8). `certificates` are those of accounts whose logs are offered back (S5, S9).
    """

    device: str
    cursor: str | None
    awaiting: tuple[str, ...]
    segments: tuple[Segment, ...]
    at: int | None = None
    nonce: bool = False
    keys: int = 1
    certificates: tuple[SignedBytes, ...] = ()


def write_request(request: Request) -> bytes:
    """The request as NDJSON bytes, not yet compressed."""
    header: dict[str, Any] = {"tapak": wire.PROTOCOL, "device": request.device}
    if request.cursor is not None:
        header["cursor"] = request.cursor
    if request.awaiting:
        header["awaiting"] = list(request.awaiting)
    if request.at is not None:
        header["at"] = request.at
    if request.nonce:
        header["nonce"] = True
    if request.keys > 1:
        header["keys"] = request.keys
    if request.certificates:
        header["certificates"] = wire.Signed(many=True).dump(request.certificates)
    parts = [_compact(header)]
    for segment in request.segments:
        parts.append(
            _compact(
                {
                    "log": segment.inspection,
                    "device": segment.device,
                    "first": segment.first,
                    "count": len(segment.lines),
                    "signature": base64.b64encode(segment.signature).decode("ascii"),
                }
            )
        )
        parts.extend(segment.lines)
    return b"\n".join(parts) + b"\n"


def inflate(data: bytes, limit: int = MAX_REQUEST_BYTES) -> bytes:
    """Unpack gzip bytes, never to more than `limit` bytes (S12).

    Raises `request-too-large` and `request-malformed`.
    """
    unpacker = zlib.decompressobj(wbits=31)
    try:
        out = unpacker.decompress(data, limit + 1)
    except zlib.error as exc:
        raise problem("request-malformed", why="it is not whole gzip data") from exc
    if len(out) > limit:
        raise problem("request-too-large", limit=limit)
    if not unpacker.eof:
        raise problem("request-malformed", why="its gzip data ends too early")
    return out


def read_request(data: bytes) -> Request:
    """Read a request's bytes (already unpacked); shape and framing only.

    Raises `request-too-large`, `request-malformed`, `segment-malformed`, `segment-too-long`.
    """
    if len(data) > MAX_REQUEST_BYTES:
        raise problem("request-too-large", limit=MAX_REQUEST_BYTES)
    lines = data.split(b"\n")
    if lines.pop() != b"" or not lines:
        raise problem("request-malformed", why="it does not end with a line feed")
    head = _load(_REQUEST_HEADER, _json(lines[0], "request-malformed", {}))
    segments: list[Segment] = []
    at = 1
    while at < len(lines):
        where = {"index": len(segments) + 1}
        raw = _json(lines[at], "segment-malformed", where)
        count = raw.get("count") if isinstance(raw, dict) else None
        if isinstance(count, int) and count > 2_000:
            raise problem("segment-too-long", count=count, limit=2_000)
        header = _load(_SEGMENT_HEADER, raw, "segment-malformed", where)
        body = lines[at + 1 : at + 1 + header["count"]]
        if len(body) < header["count"]:
            raise problem("segment-malformed", **where, why="fewer lines came than it counts")
        longest = max(map(len, body))
        if longest > MAX_ENTRY_BYTES:
            raise problem("entry-too-large", size=longest, limit=MAX_ENTRY_BYTES)
        segments.append(
            Segment(
                header["device"],
                header["log"],
                header["first"],
                tuple(body),
                header["signature"],
            )
        )
        at += 1 + header["count"]
    return Request(
        head["device"],
        head["cursor"],
        tuple(head["awaiting"]),
        tuple(segments),
        head["at"],
        head["nonce"],
        head["keys"],
        tuple(SignedBytes(one["payload"], one["signature"]) for one in head["certificates"]),
    )


# -- placing a segment beside what is held (S2, S3) -----------------------------------------------


@dataclass(frozen=True, slots=True)
class Append:
    """The lines after the held head, verified: the position of the first, and the hash of each.

    `head` is where the log ends with them. They are not read yet (L3, L4).
    """

    first: int
    lines: tuple[bytes, ...]
    hashes: tuple[bytes, ...]
    head: Head


@dataclass(frozen=True, slots=True)
class Known:
    """Every line of the segment is held already, byte for byte; `head` is where they end.

    The log may go on beyond: a device that was put back from a backup has nothing of that.
    """

    head: Head


@dataclass(frozen=True, slots=True)
class Gap:
    """Lines are missing between the held head and the segment; go on from `next_seq`."""

    next_seq: int


@dataclass(frozen=True, slots=True)
class Fork:
    """At `seq` the log is held with other bytes; the branch is signed, and to be set aside."""

    seq: int


Placement = Append | Known | Gap | Fork


def place_segment(
    public_key: bytes,
    held: Head,
    held_lines: Callable[[int, int], Sequence[bytes]],
    held_hash: Callable[[int], bytes],
    segment: Segment,
) -> Placement:
    """Where a segment belongs, given the held head; nothing is stored here.

    `held_lines(first, last)` gives stored lines, `held_hash(seq)` the chain hash at a position
    (0 for the genesis). Raises what verify_chain raises, and `log-too-long`.
    """
    # 1. S2: a gap is answered with the seq to go on from.
    if segment.first > held.seq + 1:
        return Gap(held.seq + 1)
    # 2. S2: lines that are held already are checked against the chain and skipped.
    last = segment.first + len(segment.lines) - 1
    overlap = min(last, held.seq) - segment.first + 1
    if overlap > 0:
        stored = held_lines(segment.first, segment.first + overlap - 1)
        for i in range(overlap):
            if stored[i] != segment.lines[i]:
                # 3. S3: other bytes at the same seq are a fork, if the device itself signed them.
                before = Head(segment.first - 1, held_hash(segment.first - 1))
                verify_chain(public_key, before, segment)
                return Fork(segment.first + i)
    if last <= held.seq:
        h = held_hash(last)
        verify_signature(public_key, h, segment.signature, segment.inspection)
        return Known(Head(last, h))
    # 4. S12: a log has an end, or a few kilobytes could keep every reader of it busy.
    if last > MAX_LOG_LINES:
        raise problem("log-too-long", count=last, limit=MAX_LOG_LINES)
    # 5. L4: what is new is verified from the held head on.
    rest = Segment(
        segment.device,
        segment.inspection,
        held.seq + 1,
        segment.lines[max(overlap, 0) :],
        segment.signature,
    )
    hashes = verify_chain(public_key, held, rest)
    return Append(
        rest.first, rest.lines, tuple(hashes), Head(held.seq + len(rest.lines), hashes[-1])
    )


# -- answers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LogState:
    device: str
    log: str
    state: str  # held, gap, forked, refused
    seq: int
    problem: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    kind: str
    ref: str
    body: Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server answers; `now` is its clock in UTC milliseconds.

    `epoch` is the server's (S5); None where an older server does not say it. `nonce` is there when
    it was asked for (L9), `keys` when the device does not know the newest of the server (S8).
    """

    receipt: SignedBytes | None
    logs: tuple[LogState, ...]
    missing: tuple[str, ...]
    changes: tuple[Change, ...]
    cursor: str
    more: bool
    now: int
    epoch: int | None = None
    nonce: SignedBytes | None = None
    keys: tuple[SignedBytes, ...] = ()


def write_answer(answer: Answer) -> bytes:
    """The answer as JSON bytes; members that say nothing are left out (S1).

    Where all logs are held, the receipt that lists them says so.
    """
    body: dict[str, Any] = {"tapak": wire.PROTOCOL, "cursor": answer.cursor, "now": answer.now}
    if answer.epoch is not None:
        body["epoch"] = answer.epoch
    if answer.nonce is not None:
        body["nonce"] = _said(answer.nonce)
    if answer.keys:
        body["keys"] = [_said(one) for one in answer.keys]
    if answer.receipt is not None:
        body["receipt"] = _said(answer.receipt)
    as_receipt = answer.receipt is not None and all(s.state == "held" for s in answer.logs)
    if answer.logs and not as_receipt:
        body["logs"] = [
            {
                "device": s.device,
                "log": s.log,
                "state": s.state,
                "seq": s.seq,
                **({"problem": s.problem} if s.problem is not None else {}),
            }
            for s in answer.logs
        ]
    if answer.missing:
        body["missing"] = list(answer.missing)
    if answer.changes:
        body["changes"] = [{"kind": c.kind, "ref": c.ref, "body": c.body} for c in answer.changes]
    if answer.more:
        body["more"] = True
    return _compact(body)


def read_answer(data: bytes) -> Answer:
    """Read the server's answer; raises `answer-malformed`. The receipt is checked separately."""
    try:
        raw = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise problem("answer-malformed", why="it is not JSON; is this a sign-in page?") from exc
    body = _load(_ANSWER, raw, "answer-malformed", {})
    receipt = _signed(body["receipt"])
    states = [
        LogState(s["device"], s["log"], s["state"], s["seq"], s["problem"]) for s in body["logs"]
    ]
    if receipt is not None and not states:
        held = claimed_logs(receipt.payload)
        states = [LogState(one.device, one.log, "held", one.seq) for one in held]
    return Answer(
        receipt,
        tuple(states),
        tuple(body["missing"]),
        tuple(Change(c["kind"], c["ref"], c["body"]) for c in body["changes"]),
        body["cursor"],
        body["more"],
        body["now"],
        body["epoch"],
        _signed(body["nonce"]),
        tuple(one for one in map(_signed, body["keys"]) if one is not None),
    )


# -- planning (S1, S12) ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pending:
    """Lines of one log that no receipt covers yet, from `first` on, with the hash of each."""

    device: str
    inspection: str
    first: int
    lines: tuple[bytes, ...]
    hashes: tuple[bytes, ...]


def plan_segments(
    pending: Iterable[Pending],
    sign: Callable[[bytes], bytes],
    *,
    max_lines: int = 2_000,
    max_bytes: int = 1024**2,
    segment_bytes: int = 256 * 1024,
) -> tuple[tuple[Segment, ...], bool]:
    """The segments of the next request, within the limits, and whether lines remain after it.

    S5: a segment ends before and after each stretch of lines that colleagues do not receive, and
    when it is as long as a page of changes should be, so that what they receive is signed.
    """
    segments: list[Segment] = []
    room = max_bytes
    for log in pending:
        borders = _borders(withheld_in(log.lines), len(log.lines))
        # How many bytes the lines before each place are, each with its line feed.
        before = list(accumulate((len(line) + 1 for line in log.lines), initial=0))
        at = 0
        while at < len(log.lines):
            # The last line's feed does not count, and a line that is longer goes by itself.
            fits = bisect_right(before, before[at] + segment_bytes + 1) - 1
            border = borders[bisect_right(borders, at)]
            has_room = bisect_right(before, before[at] + room) - 1
            end = min(max(fits, at + 1), at + max_lines, border, has_room)
            if end == at:
                return tuple(segments), True
            lines, signature = log.lines[at:end], sign(log.hashes[end - 1])
            segments.append(Segment(log.device, log.inspection, log.first + at, lines, signature))
            room -= before[end] - before[at]
            at = end
    return tuple(segments), False


def _borders(apart: frozenset[int], count: int) -> list[int]:
    """Where stretches of withheld lines begin and end, and where the lines end."""
    ends = {n for place in apart for n in (place, place + 1) if (n in apart) != (n - 1 in apart)}
    return sorted(ends | {count})


# -- inside ---------------------------------------------------------------------------------------


def _said(signed: SignedBytes) -> dict[str, str]:
    return {
        "text": signed.payload.decode("utf-8"),
        "signature": base64.b64encode(signed.signature).decode("ascii"),
    }


def _signed(said: Mapping[str, Any] | None) -> SignedBytes | None:
    """What was signed, byte for byte: as text, or as base64 from an older server."""
    if said is None:
        return None
    text, payload = said["text"], said["payload"]
    if (text is None) == (payload is None):
        raise problem("answer-malformed", why="what is signed is not there once")
    return SignedBytes(payload if text is None else text.encode("utf-8"), said["signature"])


def _json(line: bytes, code: str, where: Mapping[str, Any]) -> Any:
    try:
        if too_deep(line):
            raise ValueError("a header is nested too deep")
        return json.loads(line)
    except (ValueError, RecursionError) as exc:
        raise problem(code, **where, why="a header line is not JSON") from exc


def _load(
    schema: Schema,
    raw: Any,
    code: str = "request-malformed",
    where: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(raw)
    except ValidationError as exc:
        raise problem(code, **(where or {}), why=wire.faults(exc)) from exc
    return loaded


def _compact(body: Any) -> bytes:
    return _JSON.encode(body).encode("utf-8")
