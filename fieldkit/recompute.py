"""Checking an export without trusting who made it: chains, signatures, digests, and the score."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checklists.scoring import inputs_digest, inputs_from_json, score
from fieldkit.export import FORMAT
from sync.log import Head, Segment, genesis, link, verify_segment
from sync.problems import problem

MAX_SCORE_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Recomputed:
    """A score computed again: the document, where it differs, and how many entries verified.

    `unsigned` are entries whose chain holds and whose device's key was lost (S3).
    """

    score: Mapping[str, Any]
    differences: tuple[str, ...]
    entries: int = 0
    files: int = 0
    unsigned: int = 0


def recompute(path: Path) -> Recomputed:
    """Compute a score again from an export (zip) or a score's download (JSON), and compare.

    Of a zip the logs and files are verified too. Raises `file-missing`, `file-unreadable`,
    `score-export-malformed` and the log's problems.
    """
    entries = files = unsigned = 0
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                entries, files, unsigned = _verify(archive, path.name)
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
    return Recomputed(again, tuple(_differences(given, again)), entries, files, unsigned)


def _verify(archive: zipfile.ZipFile, name: str) -> tuple[int, int, int]:
    manifest = _object(_member(archive, "manifest.json", name), name)
    if manifest.get("format") != FORMAT:
        raise _malformed(name, "its manifest is of another format")
    try:
        entries = sum(_verify_log(archive, log, name) for log in manifest["logs"])
        unsigned = sum(log["seq"] for log in manifest["logs"] if log.get("unsigned"))
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
    return entries, len(files), unsigned


def _verify_log(archive: zipfile.ZipFile, log: Mapping[str, Any], name: str) -> int:
    """Check a log's chain and every signature over it; the number of its entries."""
    lines = _member(archive, log["file"], name).split(b"\n")[:-1]
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
    return len(lines)


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
