"""Checking an export without trusting who made it: chains, signatures, digests, and the score."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from checklists.scoring import inputs_digest, inputs_from_json, score
from fieldkit.export import FORMATS
from sync.extract import Extract, Hole, Proof, parted, verify_extract, vouched_only
from sync.log import Head, Segment, genesis, link, verify_segment
from sync.problems import problem
from sync.receipt import Keys, SignedBytes, read_certificate
from sync.server_keys import read_statements, receipt_keys

MAX_SCORE_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A score computed again: the document, where it differs, and how many entries verified.

    `unsigned` are entries whose chain holds and whose device's key was lost (S3). `withheld` are
    entries of which only the hash is in the export, `vouched` those verified that only the server
    vouches for (S5). `caution` is what must be said of the limits table, empty where nothing must.
    """

    score: Mapping[str, Any]
    differences: tuple[str, ...]
    entries: int = 0
    files: int = 0
    unsigned: int = 0
    withheld: int = 0
    vouched: int = 0
    caution: str = ""


class Verified(NamedTuple):
    """What of the logs verified: entries, those unsigned, withheld, and only vouched for."""

    entries: int = 0
    unsigned: int = 0
    withheld: int = 0
    vouched: int = 0


def recompute(path: Path) -> Recomputed:
    """Compute a score again from an export (zip) or a score's download (JSON), and compare.

    Of a zip the logs and files are verified too. Raises `file-missing`, `file-unreadable`,
    `score-export-malformed` and the log's problems.
    """
    found = Verified()
    files = 0
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                found, files = _verify(archive, path.name)
                data = _member(archive, "score.json", path.name)
        else:
            if path.stat().st_size > MAX_SCORE_BYTES:
                raise _malformed(path.name, "it is far too large")
            data = path.read_bytes()
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(path)) from exc
    except OSError as exc:
        why = exc.strerror or "unknown"
        raise problem("file-unreadable", name=str(path), why=why) from exc
    except (zipfile.BadZipFile, EOFError, RuntimeError, NotImplementedError) as exc:
        raise _malformed(path.name, "the archive is damaged") from exc
    document = _object(data, path.name)
    if not isinstance(document.get("score"), dict):
        raise _malformed(path.name, "it holds no score")
    inputs = inputs_from_json(document.get("inputs"), path.name)
    digest = inputs_digest(document["inputs"])
    given = document["score"]
    has_digest = "inputs" in (given.get("digests") or {})
    again = score(inputs, digest if has_digest else None).to_json()
    return Recomputed(
        again,
        tuple(_differences(given, again)),
        found.entries,
        files,
        found.unsigned,
        found.withheld,
        found.vouched,
        inputs.limits.caution if inputs.limits else "",
    )


def _verify(archive: zipfile.ZipFile, name: str) -> tuple[Verified, int]:
    manifest = _object(_member(archive, "manifest.json", name), name)
    if manifest.get("format") not in FORMATS:
        raise _malformed(name, "its manifest is of another format")
    try:
        pinned = base64.b64decode(manifest["server_key"], validate=True)
        said = manifest.get("server_keys")  # of a server that changed its key since
        trusted = (pinned,) if said is None else receipt_keys(pinned, read_statements(said))
        found = [_verify_log(archive, log, name, trusted) for log in manifest["logs"]]
        verified = Verified(*map(sum, zip(*found, strict=True))) if found else Verified()
        files = [str(sha256) for sha256 in manifest["files"]]
    except (KeyError, TypeError, ValueError) as exc:
        raise _malformed(name, "its manifest is not whole") from exc
    for sha256 in files:
        digest = hashlib.sha256()
        with _opened(archive, f"files/{sha256}", name) as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise problem("file-digest", got=digest.hexdigest(), wanted=sha256)
    return verified, len(files)


def _verify_log(
    archive: zipfile.ZipFile, log: Mapping[str, Any], name: str, server_keys: Keys
) -> Verified:
    """Check a log's chain and every signature over it."""
    lines = _member(archive, log["file"], name).split(b"\n")[:-1]
    if "withheld" in log:
        return _verify_colleagues(lines, log, server_keys)
    public_key = base64.b64decode(log["public_key"], validate=True)
    head = Head(0, genesis(public_key, log["inspection"]))
    for one in log["signatures"]:
        part = tuple(lines[head.seq : one["seq"]])
        signature = base64.b64decode(one["signature"], validate=True)
        segment = Segment(log["device"], log["inspection"], head.seq + 1, part, signature)
        _, head = verify_segment(public_key, head, segment)
    if log.get("unsigned") is True and not log["signatures"]:
        for line in lines:  # S3: its key is lost; only the chain can be held against it
            head = Head(head.seq + 1, link(head.h, line))
    if head.seq != len(lines) or head.seq != log["seq"] or head.h.hex() != log["h"]:
        raise problem("chain-broken", log=log["inspection"], seq=head.seq)
    return Verified(len(lines), len(lines) if log.get("unsigned") else 0)


def _verify_colleagues(
    lines: Sequence[bytes], log: Mapping[str, Any], server_keys: Keys
) -> Verified:
    """Check another device's log: its key by the server's word, and the lines around the holes."""
    signed = (base64.b64decode(log["certificate"][m]) for m in ("payload", "signature"))
    certificate = read_certificate(server_keys, SignedBytes(*signed))
    public_key = base64.b64decode(certificate["public_key"], validate=True)
    holes = {int(seq): Hole(bytes.fromhex(h)) for seq, h in log["withheld"]}
    given = iter(lines)
    rows = [holes.get(seq) or next(given, b"") for seq in range(1, int(log["seq"]) + 1)]
    proofs = [
        Proof(one["seq"], base64.b64decode(one["signature"]), one["by"] == "server")
        for one in log["signatures"]
    ]
    whole = Extract(log["device"], log["inspection"], 1, tuple(rows), tuple(proofs))
    head, holed = Head(0, genesis(public_key, whole.log)), False
    for run in parted(whole):
        hashes = verify_extract(public_key, server_keys, head, run, holed=holed)
        holed |= any(isinstance(row, Hole) for row in run.rows)
        head = Head(run.last, hashes[-1])
    if head.seq != whole.last or len(lines) + len(holes) != whole.last:
        raise problem("chain-broken", log=whole.log, seq=head.seq)
    places = [(seq, isinstance(row, Hole)) for seq, row in enumerate(rows, start=1)]
    return Verified(len(lines), 0, len(holes), len(vouched_only(places, proofs)))


def _differences(given: Any, again: Any, where: str = "") -> list[str]:
    """Every place where two JSON values differ, as `path: given, computed again`."""
    if isinstance(given, dict) and isinstance(again, dict):
        found = []
        for key in sorted({*given, *again}):
            inner = f"{where}.{key}".lstrip(".")
            found += _differences(given.get(key), again.get(key), inner)
        return found
    if isinstance(given, list) and isinstance(again, list) and len(given) == len(again):
        pairs = enumerate(zip(given, again, strict=True))
        return [d for i, (a, b) in pairs for d in _differences(a, b, f"{where}[{i}]")]
    return [] if given == again else [f"{where}: {_short(given)}, computed again {_short(again)}"]


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _member(archive: zipfile.ZipFile, member: str, name: str) -> bytes:
    with _opened(archive, member, name) as file:
        data: bytes = file.read(MAX_SCORE_BYTES + 1)
    if len(data) > MAX_SCORE_BYTES:
        raise _malformed(name, f"{member} is far too large")
    return data


def _opened(archive: zipfile.ZipFile, member: str, name: str) -> Any:
    try:
        return archive.open(member)
    except KeyError as exc:
        raise _malformed(name, f"it holds no {member}") from exc


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as exc:
        raise _malformed(name, "it is not JSON") from exc
    if not isinstance(found, dict):
        raise _malformed(name, "it is not an object")
    return found


def _malformed(name: str, why: str) -> Exception:
    return problem("score-export-malformed", name=name, why=why)
