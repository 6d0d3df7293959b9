"""One inspection as a file that a stranger can check: raw logs, signatures, files, score."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fieldkit.capture import load_inspection
from fieldkit.disk import named, part_name, settle, settle_folder
from fieldkit.generations import OwnKey
from fieldkit.ledger import Ledger, encode_key
from fieldkit.preview import Sources
from fieldkit.server_keys import NOTE
from fieldkit.shared import certificates_of, stored_logs
from fieldkit.store import Identity, LogLines
from sync.adopted import is_adopted
from sync.extract import Hole
from sync.log import MAX_SEGMENT_LINES, sign_head

FORMAT = "tapak export v2"
FORMATS = ("tapak export v1", FORMAT)  # the first had the log of one device only
DOCUMENTS = {kind: f"documents/{kind}.yaml" for kind in ("checklist", "limits", "profile")}
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)  # the same export has the same bytes


@dataclass(frozen=True, slots=True)
class Exported:
    """What went into an export: entries, files with their bytes, and files that are not here.

    `unsigned` are entries whose device's key is lost (S3).
    """

    entries: int
    files: int
    missing: tuple[str, ...]
    size: int
    unsigned: int


def write_export(
    sources: Sources,
    identity: Identity,
    keys: Sequence[OwnKey],
    inspection: str,
    document: Mapping[str, Any] | None,
    out: Path,
) -> Exported:
    """Write an export of one inspection; it is whole or not there.

    `document` is the score's document, None for a training inspection. Raises `disk-full`,
    `folder-read-only` and `file-missing`.
    """
    part = part_name(out)
    with named(out.name, out.parent):
        try:
            with part.open("wb") as file:
                with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
                    done = _fill(archive, sources, identity, keys, inspection, document)
                file.flush()
                settle(file.fileno())
            size = part.stat().st_size
            part.replace(out)
            settle_folder(out.parent)
        finally:
            part.unlink(missing_ok=True)
    return Exported(done[0], done[1], done[2], size, done[3])


def _fill(
    archive: zipfile.ZipFile,
    sources: Sources,
    identity: Identity,
    keys: Sequence[OwnKey],
    inspection: str,
    document: Mapping[str, Any] | None,
) -> tuple[int, int, tuple[str, ...], int]:
    entries, unsigned, logs = 0, 0, []
    own = {one.device: one for one in keys}
    aside = sources.store.waiting(inspection)
    for log in sources.store.logs(inspection):
        of = own.get(log.device)
        name = f"logs/{log.device}.ndjson"
        _put(archive, name, b"".join(line + b"\n" for line in log.lines))
        if of is None:
            said = _colleagues_log(name, log, sources, identity)
        else:
            said = _described(name, log, of)
            unsigned += 0 if of.key is not None else len(log.lines)
        # S9: lines that are here and of which nothing is scored.
        not_counted = [seq for device, seq, _ in aside if device == log.device]
        logs.append(said | {"not_counted": not_counted})
        entries += len(log.lines)
    read = load_inspection(sources.store, inspection)
    held, missing = [], []
    for sha256 in sorted({digest for digest, _ in read.evidence}):
        if sources.blobs.has(sha256):
            with archive.open(zipfile.ZipInfo(f"files/{sha256}", _FIXED_TIME), "w") as member:
                for chunk in sources.blobs.chunks(sha256):
                    member.write(chunk)
            held.append(sha256)
        else:
            missing.append(sha256)
    receipts = [
        {"payload": encode_key(payload), "signature": encode_key(signature)}
        for payload, signature in Ledger(sources.store.database).receipts()
    ]
    if document is not None:
        _put(archive, "score.json", _json(document))
        for kind, name in DOCUMENTS.items():
            source = document["inputs"].get(kind)
            if source is not None:
                _put(archive, name, source["text"].encode("utf-8"))
    manifest = {
        "format": FORMAT,
        "inspection": inspection,
        "server_key": encode_key(identity.server_key),
        "server_keys": json.loads(sources.store.note(NOTE) or "null"),
        "certificate": json.loads(sources.store.note("certificate") or "null"),
        "certificates": _carried(sources, inspection),
        "logs": logs,
        "files": held,
        "files_not_here": missing,
        "receipts": receipts,
    }
    _put(archive, "manifest.json", _json(manifest))
    return entries, len(held), tuple(missing), unsigned


def _carried(sources: Sources, inspection: str) -> list[Any]:
    """The certificates of the devices whose lines others carry here (S3), as far as they are here:
    they tell whose such a line is and whether its signature holds.
    """
    adopted = filter(is_adopted, sources.store.records(inspection, waiting=True))
    devices = sorted({str(record.path).split("/")[1] for record in adopted})
    found = map(sources.store.certificate_of, devices)
    return [json.loads(certificate) for certificate in found if certificate is not None]


def _described(name: str, log: LogLines, of: OwnKey) -> dict[str, Any]:
    """A log in the manifest; where its device's key is lost there are no signatures (S3)."""
    ends = [*range(MAX_SEGMENT_LINES, len(log.lines), MAX_SEGMENT_LINES), len(log.lines)]
    signed = [
        {"seq": e, "signature": encode_key(sign_head(of.key, log.hashes[e - 1]))}
        for e in ends
        if of.key is not None
    ]
    said: dict[str, Any] = {
        "file": name,
        "device": log.device,
        "inspection": log.log,
        "public_key": encode_key(of.public_key),
        "seq": len(log.lines),
        "h": log.hashes[-1].hex(),
        "signatures": signed,
    }
    if of.certificate is not None:
        said["own_certificate"] = json.loads(of.certificate)
    return said | ({"unsigned": True} if of.key is None else {})


def _colleagues_log(
    name: str, log: LogLines, sources: Sources, identity: Identity
) -> dict[str, Any]:
    """A log with the signatures that it came with; of a withheld line stands its chain hash."""
    database = sources.store.database
    whole = next(w for w in stored_logs(database, identity, log.log) if w.device == log.device)
    certificate = certificates_of(database).get(log.device)
    return {
        "file": name,
        "device": log.device,
        "inspection": log.log,
        "certificate": certificate,
        "seq": whole.last,
        "withheld": [
            [seq, row.h.hex()]
            for seq, row in enumerate(whole.rows, start=whole.first)
            if isinstance(row, Hole)
        ],
        "signatures": [
            {
                "seq": proof.seq,
                "signature": encode_key(proof.signature),
                "by": "server" if proof.vouched else "device",
            }
            for proof in whole.proofs
        ],
    }


def _put(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, _FIXED_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, data)


def _json(value: Any) -> bytes:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")
