"""What a colleague may see of a log, and its proof: a run of it, with lines withheld (L4, S5).

A withheld line is a hole: only its chain hash stands in its place. Tracks are withheld for good,
what is set aside at the office (S9) until it counts there. The device signs before and after each
stretch of tracks (`plan_segments`), so that the lines around a hole are proved by the device
itself. Where it did not, the server signs the hash, and the lines before it are vouched for by the
server.
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.adopted import FAMILY as ADOPTED
from sync.adopted import MOST_CARRIED, whole_line
from sync.log import (
    MAX_ENTRY_BYTES,
    MAX_SEGMENT_LINES,
    SEGMENT_CONTEXT,
    Entry,
    Head,
    device_id,
    is_log_name,
    lines_below,
    link,
    may_stand_below,
    read_line,
    strict_json,
)
from sync.problems import Problem, problem
from sync.receipt import Keys, signed_under

VOUCH_CONTEXT = b"tapak vouch v1\n"
NEVER_SHARED = "track"  # the family of paths that only the office receives
_MARKS = (NEVER_SHARED.encode(), ADOPTED.encode())


@dataclass(frozen=True, slots=True)
class Hole:
    """A withheld line: only where the chain stands after it (raw bytes).

    `aside` is one that does not count at the office (S9), and is told once it does.
    """

    h: bytes
    aside: bool = False


@dataclass(frozen=True, slots=True)
class Proof:
    """A signature over the chain hash at `seq`: the device's own, or the server's (`vouched`)."""

    seq: int
    signature: bytes
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Extract:
    """A run of one log from position `first` on: lines as first written, holes, and the proofs."""

    device: str
    log: str
    first: int
    rows: tuple[bytes | Hole, ...]
    proofs: tuple[Proof, ...]

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1


def withheld_in(lines: Sequence[bytes]) -> frozenset[int]:
    """The places, from 0, of the lines that are for the office only."""
    return frozenset(n for n in lines_below(lines, _MARKS) if is_withheld(lines[n]))


def is_withheld(line: bytes) -> bool:
    """Whether a line is for the office only: a track, or what cannot be read and may be one."""
    for _ in range(MOST_CARRIED + 1):
        if not may_stand_below(line, _MARKS):
            return False
        read = read_line(line, "", "", _seq_of(line), "")
        if read.path is None:
            return True
        family = read.path.partition("/")[0]
        if family != ADOPTED:
            return family == NEVER_SHARED
        # S3: it carries another line. Of one in parts it cannot be told which.
        carried = whole_line(read) if isinstance(read, Entry) else None
        if carried is None:
            return True
        line = carried
    return True


def _seq_of(line: bytes) -> int:
    """The position that a line gives itself, 0 where it cannot be read."""
    try:
        said = strict_json(line)
    except (ValueError, RecursionError):
        return 0
    seq = said.get("seq") if isinstance(said, dict) else None
    return seq if isinstance(seq, int) and not isinstance(seq, bool) else 0


def make_extract(
    device: str,
    log: str,
    first: int,
    lines: Sequence[bytes],
    hashes: Sequence[bytes],
    signed: Mapping[int, bytes],
    vouch: Callable[[int, bytes], bytes],
    aside: Collection[int] = (),
) -> Extract:
    """These lines of a log as a colleague may see them.

    `hashes` has the chain hash of each line, `signed` the device's signatures by the position that
    they end at; `vouch(seq, h)` is the server's signature where the device has none. `aside` are
    positions that do not count at the office.
    """
    rows = tuple(
        _row(line, h, seq in aside)
        for seq, (line, h) in enumerate(zip(lines, hashes, strict=True), start=first)
    )
    ends = set(_stretch_ends(rows))
    proofs = []
    for n, h in enumerate(hashes):
        seq = first + n
        if seq in signed:
            proofs.append(Proof(seq, signed[seq]))
        elif n in ends:
            proofs.append(Proof(seq, vouch(seq, h), vouched=True))
    return Extract(device, log, first, rows, tuple(proofs))


def _row(line: bytes, h: bytes, aside: bool) -> bytes | Hole:
    # L7: a track that does not count is one that a colleague must not sign for either.
    return Hole(h, aside) if aside or is_withheld(line) else line


def _stretch_ends(rows: Sequence[bytes | Hole]) -> Iterable[int]:
    """The indices at which a stretch of lines, or of holes, ends."""
    for n, row in enumerate(rows):
        if n + 1 == len(rows) or isinstance(rows[n + 1], Hole) != isinstance(row, Hole):
            yield n


# -- the server's word for a hash ------------------------------------------------------------------


def vouch(key: Ed25519PrivateKey, device: str, log: str, seq: int, h: bytes) -> bytes:
    """The server's signature that this log stands at this hash after `seq` lines."""
    return key.sign(_vouched(device, log, seq, h))


def _vouched(device: str, log: str, seq: int, h: bytes) -> bytes:
    return VOUCH_CONTEXT + f"{device}\n{log}\n{seq}\n{h.hex()}".encode()


# -- checking --------------------------------------------------------------------------------------


def verify_extract(
    public_key: bytes, server_keys: Keys, before: Head, extract: Extract, *, holed: bool = False
) -> list[bytes]:
    """Check a run that follows `before` in its log; the chain hash after each of its rows.

    `holed` says whether lines are withheld before it already. Raises `lines-unproved`, saying at
    which entry and why.
    """

    def unproved(seq: int, why: str) -> Problem:
        return problem("lines-unproved", log=extract.log, device=extract.device, seq=seq, why=why)

    # 1. S12, L1: limits and framing first; the log belongs to the device whose key this is.
    if not 0 < len(extract.rows) <= MAX_SEGMENT_LINES:
        raise unproved(extract.first, "it has no entries, or too many")
    if extract.first != before.seq + 1:
        raise unproved(extract.first, "it does not follow what is here")
    if device_id(public_key) != extract.device:
        raise unproved(extract.first, "the key is another device's")
    # 2. L4: the chain, over the bytes as they came; a hole says where it stands after it.
    hashes: list[bytes] = []
    running = before.h
    for seq, row in enumerate(extract.rows, start=extract.first):
        if isinstance(row, Hole):
            running, holed = row.h, True
        else:
            if len(row) > MAX_ENTRY_BYTES or b"\n" in row:
                raise unproved(seq, "it is no line of a log")
            # A chain with a hole does not count its links: the line itself must.
            if holed and not _is_at(row, seq):
                raise unproved(seq, "it is another position of its log")
            running = link(running, row)
        hashes.append(running)
    # 3. Every signature that came holds, and every stretch ends with one.
    proved = _check_proofs(public_key, server_keys, extract, hashes, unproved)
    for n in _stretch_ends(extract.rows):
        if extract.first + n not in proved:
            raise unproved(extract.first + n, "nobody signed there")
    return hashes


def _check_proofs(
    public_key: bytes,
    server_keys: Keys,
    extract: Extract,
    hashes: Sequence[bytes],
    unproved: Callable[[int, str], Problem],
) -> set[int]:
    proved: set[int] = set()
    for proof in extract.proofs:
        if not extract.first <= proof.seq <= extract.last:
            raise unproved(proof.seq, "a signature stands outside the run")
        h = hashes[proof.seq - extract.first]
        if proof.vouched:
            keys, signed = server_keys, _vouched(extract.device, extract.log, proof.seq, h)
        else:
            keys, signed = public_key, SEGMENT_CONTEXT + h
        if not signed_under(keys, signed, proof.signature):
            whose = "the server's" if proof.vouched else "the device's"
            raise unproved(proof.seq, f"{whose} signature does not fit")
        proved.add(proof.seq)
    return proved


def vouched_only(rows: Sequence[tuple[int, bool]], proofs: Iterable[Proof]) -> list[int]:
    """The positions of those lines that only the server vouches for.

    `rows` are (position, whether it is a hole) in order. A device's signature proves every line
    before it up to the last hole.
    """
    signed = {proof.seq for proof in proofs if not proof.vouched}
    found: list[int] = []
    waiting: list[int] = []
    for seq, hole in rows:
        if hole:
            found += waiting
            waiting = []
            continue
        waiting.append(seq)
        if seq in signed:
            waiting = []
    return found + waiting


def count_vouched(
    last: int, holes: Iterable[int], signed: Iterable[int], but_not: Iterable[int] = ()
) -> int:
    """How many lines only the server vouches for, of a log whose positions up to `last` are lines
    or holes; `signed` are those with a signature of the device. As `vouched_only`, without going
    through the lines. Those of `but_not` are left out.
    """
    withheld = set(holes)
    aside = sorted(set(but_not) - withheld)
    found = before = 0
    for seq in [*sorted(withheld.union(one for one in signed if one <= last)), last + 1]:
        if seq in withheld or seq > last:
            found += seq - before - 1
            found -= bisect_left(aside, seq) - bisect_right(aside, before)
        before = seq
    return found


def _is_at(line: bytes, seq: int) -> bool:
    """Whether a line says that it is at this position; one that cannot be read says nothing."""
    return _seq_of(line) in (0, seq)


def parted(whole: Extract) -> list[Extract]:
    """A long run in runs that each end where somebody signed, with all signatures there."""
    ends = sorted({proof.seq for proof in whole.proofs})
    return [
        Extract(
            whole.device,
            whole.log,
            before + 1,
            whole.rows[before - whole.first + 1 : end - whole.first + 1],
            tuple(proof for proof in whole.proofs if proof.seq == end),
        )
        for before, end in pairwise([whole.first - 1, *ends])
    ]


# -- as JSON ---------------------------------------------------------------------------------------


def extract_to_json(extract: Extract) -> dict[str, Any]:
    """A run as a change's body: lines as text where they are, holes as their hash."""
    return {
        "device": extract.device,
        "log": extract.log,
        "first": extract.first,
        "lines": [_row_to_json(row) for row in extract.rows],
        "signatures": [
            [p.seq, base64.b64encode(p.signature).decode("ascii"), *(["server"] * p.vouched)]
            for p in extract.proofs
        ],
    }


def extract_from_json(body: object) -> Extract:
    """Read a run; raises ValueError saying what is wrong with its shape."""
    if not isinstance(body, dict):
        raise ValueError("it is not an object")
    device, log, first = body.get("device"), body.get("log"), body.get("first")
    lines, signatures = body.get("lines"), body.get("signatures")
    if not isinstance(device, str) or not isinstance(log, str) or not is_log_name(log):
        raise ValueError("it names no log")
    if not isinstance(first, int) or isinstance(first, bool) or not 0 < first < 2**53:
        raise ValueError("it does not say where it begins")
    if not isinstance(lines, list) or not isinstance(signatures, list):
        raise ValueError("it has no lines or no signatures")
    rows = tuple(_row_from_json(row) for row in lines)
    return Extract(device, log, first, rows, tuple(_proof_from_json(one) for one in signatures))


def _row_to_json(row: bytes | Hole) -> Any:
    if isinstance(row, Hole):
        return {"h": row.h.hex(), **({"aside": True} if row.aside else {})}
    try:
        return row.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(row).decode("ascii")}


def _row_from_json(row: object) -> bytes | Hole:
    try:
        if isinstance(row, str):
            return row.encode("utf-8")
        if isinstance(row, dict) and isinstance(row.get("h"), str) and len(row["h"]) == 64:
            return Hole(bytes.fromhex(row["h"]), row.get("aside") is True)
        if isinstance(row, dict) and isinstance(row.get("base64"), str):
            return base64.b64decode(row["base64"], validate=True)
    except (ValueError, binascii.Error) as exc:
        raise ValueError("one of its lines cannot be read") from exc
    raise ValueError("one of its lines is neither text nor a hash")


def _proof_from_json(one: object) -> Proof:
    if not isinstance(one, list) or len(one) not in (2, 3) or not isinstance(one[1], str):
        raise ValueError("a signature has another shape")
    if not isinstance(one[0], int) or isinstance(one[0], bool) or one[2:] not in ([], ["server"]):
        raise ValueError("a signature has another shape")
    try:
        signature = base64.b64decode(one[1], validate=True)
    except (ValueError, binascii.Error) as exc:
        raise ValueError("a signature is not base64") from exc
    return Proof(one[0], signature, len(one) == 3)
