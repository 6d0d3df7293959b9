"""Checking an export without trusting who made it: chains, signatures, digests, and the score.

The score has to follow from its inputs, and the inputs from the logs and files beside them.
"""

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
from fieldkit.export import DOCUMENTS, FORMATS
from fieldkit.founded import Ground, Owner, VerifiedLog, both_sides, inspection_of, signed_for
from sync.extract import Extract, Hole, Proof, parted, verify_extract, vouched_only
from sync.log import Head, Segment, device_id, genesis, link, verify_segment
from sync.problems import problem
from sync.receipt import Keys, SignedBytes, read_certificate, read_receipt
from sync.server_keys import read_statements, receipt_keys

MAX_SCORE_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A score computed again: the document, where it differs, and how many entries verified.

    `unsigned` are entries whose chain holds and whose device's key was lost (S3). `withheld` are
    entries of which only the hash is in the export, `vouched` those verified that only the server
    vouches for (S5). `aside` are entries that the export leaves out as set aside by the office
    (S9), which nothing in it proves, `aside_signed` those of them that somebody signed for.
    `caution` is what must be said of the limits table, empty where nothing must.
    """

    score: Mapping[str, Any]
    differences: tuple[str, ...]
    entries: int = 0
    files: int = 0
    unsigned: int = 0
    withheld: int = 0
    vouched: int = 0
    aside: int = 0
    aside_signed: int = 0
    caution: str = ""


class Verified(NamedTuple):
    """What of the logs verified: entries, those unsigned, withheld, only vouched for, left out."""

    entries: int = 0
    unsigned: int = 0
    withheld: int = 0
    vouched: int = 0
    aside: int = 0


def recompute(path: Path) -> Recomputed:
    """Compute a score again from an export (zip) or a score's download (JSON), and compare.

    Of a zip the logs and files are verified too, and the inputs held against them. Raises
    `file-missing`, `file-unreadable`, `score-export-malformed`, `training-not-scored` and the log's
    problems.
    """
    checked = None
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                checked = _verify(archive, path.name)
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
    told = _differences(given, again)
    found, aside_signed = Verified(), 0
    if checked is not None:
        found = checked.found
        inspection = inspection_of(checked.ground)
        sides = both_sides(inputs, checked.ground, inspection)
        told += _differences(*sides, "inputs", "the logs say")
        aside_signed = signed_for(checked.ground, inspection)
        used = {kind: (document["inputs"][kind] or {}).get("sha256") for kind in DOCUMENTS}
        told += _differences(checked.documents, used, "documents", "the score used")
    return Recomputed(
        again,
        tuple(told),
        found.entries,
        checked.files if checked is not None else 0,
        found.unsigned,
        found.withheld,
        found.vouched,
        found.aside,
        aside_signed,
        inputs.limits.caution if inputs.limits else "",
    )


@dataclass(frozen=True, slots=True)
class _Checked:
    """What of an archive verified: its logs, how many files, and the digests of its documents."""

    found: Verified
    ground: Ground
    files: int
    documents: Mapping[str, str | None]


def _verify(archive: zipfile.ZipFile, name: str) -> _Checked:
    manifest = _object(_member(archive, "manifest.json", name), name)
    if manifest.get("format") not in FORMATS:
        raise _malformed(name, "its manifest is of another format")
    try:
        pinned = base64.b64decode(manifest["server_key"], validate=True)
        said = manifest.get("server_keys")  # of a server that changed its key since
        trusted = (pinned,) if said is None else receipt_keys(pinned, read_statements(said))
        inspection = str(manifest["inspection"])
        whose = {log["device"]: log["inspection"] for log in manifest["logs"]}
        if len(whose) != len(manifest["logs"]) or set(whose.values()) - {inspection}:
            raise _malformed(name, "its logs are not one of each device on its inspection")
        read = [_verify_log(archive, log, name, trusted) for log in manifest["logs"]]
        found = Verified(*map(sum, zip(*(one for one, _ in read), strict=True))) if read else None
        files = [str(sha256) for sha256 in manifest["files"]]
        owners = _owners(manifest, trusted)
        received = _received(manifest, trusted)
    except (KeyError, TypeError, ValueError) as exc:
        raise _malformed(name, "its manifest is not whole") from exc
    for sha256 in files:
        digest = hashlib.sha256()
        with _opened(archive, f"files/{sha256}", name) as file:
            while chunk := file.read(1024 * 1024):
                digest.update(chunk)
        if digest.hexdigest() != sha256:
            raise problem("file-digest", got=digest.hexdigest(), wanted=sha256)
    ground = Ground(
        inspection, tuple(log for _, log in read), owners, frozenset((*files, *received))
    )
    names = set(archive.namelist())
    documents = {
        kind: _digest_of(archive, member, name) if member in names else None
        for kind, member in DOCUMENTS.items()
    }
    return _Checked(found or Verified(), ground, len(files), documents)


def _digest_of(archive: zipfile.ZipFile, member: str, name: str) -> str:
    return hashlib.sha256(_member(archive, member, name)).hexdigest()


def _owners(manifest: Mapping[str, Any], trusted: Keys) -> dict[str, Owner]:
    """Whose the devices are, by every certificate in the manifest; each is the server's word."""
    given = [log.get("certificate") or log.get("own_certificate") for log in manifest["logs"]]
    given += [manifest.get("certificate"), *manifest.get("certificates", ())]
    found = {}
    for certificate in given:
        if certificate is not None:
            body = read_certificate(trusted, _signed(certificate))
            key = base64.b64decode(body["public_key"], validate=True)
            account = body.get("kind") == "account"
            found[device_id(key)] = Owner(key, str(body["person"]), account)
    return found


def _received(manifest: Mapping[str, Any], trusted: Keys) -> set[str]:
    """The digests of the files that the server signed for (S4)."""
    receipts = [read_receipt(trusted, _signed(one)) for one in manifest["receipts"]]
    return {sha256 for receipt in receipts for sha256 in receipt.files}


def _signed(given: Mapping[str, str]) -> SignedBytes:
    return SignedBytes(*(base64.b64decode(given[m]) for m in ("payload", "signature")))


def _verify_log(
    archive: zipfile.ZipFile, log: Mapping[str, Any], name: str, server_keys: Keys
) -> tuple[Verified, VerifiedLog]:
    """Check a log's chain and every signature over it."""
    lines = _member(archive, log["file"], name).split(b"\n")[:-1]
    if "withheld" in log:
        return _verify_colleagues(lines, log, server_keys)
    public_key = base64.b64decode(log["public_key"], validate=True)
    if device_id(public_key) != log["device"]:
        raise problem("segment-signature", log=log["inspection"])
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
    rows, h = [], genesis(public_key, log["inspection"])
    for seq, line in enumerate(lines, start=1):
        h = link(h, line)
        rows.append((seq, line, h))
    unsigned = len(lines) if log.get("unsigned") else 0
    return _counting(log, rows, Verified(len(lines), unsigned))


def _verify_colleagues(
    lines: Sequence[bytes], log: Mapping[str, Any], server_keys: Keys
) -> tuple[Verified, VerifiedLog]:
    """Check another device's log: its key by the server's word, and the lines around the holes."""
    certificate = read_certificate(server_keys, _signed(log["certificate"]))
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
    read = []
    for run in parted(whole):
        hashes = verify_extract(public_key, server_keys, head, run, holed=holed)
        holed |= any(isinstance(row, Hole) for row in run.rows)
        places = enumerate(zip(run.rows, hashes, strict=True), start=head.seq + 1)
        read += [(seq, row, h) for seq, (row, h) in places if not isinstance(row, Hole)]
        head = Head(run.last, hashes[-1])
    if head.seq != whole.last or len(lines) + len(holes) != whole.last:
        raise problem("chain-broken", log=whole.log, seq=head.seq)
    shown = [(seq, isinstance(row, Hole)) for seq, row in enumerate(rows, start=1)]
    counted = Verified(len(lines), 0, len(holes), len(vouched_only(shown, proofs)))
    return _counting(log, read, counted)


def _counting(
    log: Mapping[str, Any], rows: Sequence[tuple[int, bytes, bytes]], found: Verified
) -> tuple[Verified, VerifiedLog]:
    """The lines of a log that count: S9, some are here and are not scored."""
    aside = set(log.get("not_counted", ()))
    kept = tuple(row for row in rows if row[0] not in aside)
    out = tuple(row[0] for row in rows if row[0] in aside)
    return found._replace(aside=len(out)), VerifiedLog(log["device"], kept, out)


def _differences(given: Any, again: Any, where: str = "", but: str = "computed again") -> list[str]:
    """Every place where two JSON values differ, as `path: given, computed again …`."""
    if isinstance(given, dict) and isinstance(again, dict):
        found = []
        for key in sorted({*given, *again}):
            inner = f"{where}.{key}".lstrip(".")
            found += _differences(given.get(key), again.get(key), inner, but)
        return found
    if isinstance(given, list) and isinstance(again, list) and len(given) == len(again):
        pairs = enumerate(zip(given, again, strict=True))
        return [d for i, (a, b) in pairs for d in _differences(a, b, f"{where}[{i}]", but)]
    return [] if given == again else [f"{where}: {_short(given)}, {but} {_short(again)}"]


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
