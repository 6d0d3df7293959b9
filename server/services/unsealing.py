"""Opening what was taken from the server (L8): off the server, where the safeguarding key is.

Reads a downloaded zip file or a folder that it was unpacked to; needs no database and no network.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from pyrage import DecryptError, IdentityError, decrypt, decrypt_io, x25519

from sync.problems import Problem, problem
from sync.safeguarding import fingerprint
from sync.sealed import MAX_KEY_BYTES, read_head, unframe

MOST_PAYLOAD = 8 * 1024**2  # bytes of ciphertext; the form that is sealed has far fewer
_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}\Z")  # it comes from a server: no path can be made of it

Open = Callable[[str], IO[bytes]]


@dataclass(frozen=True, slots=True)
class Opened:
    """One entry: where it was written to, or why it could not be opened."""

    id: str
    day: str
    folder: Path | None
    files: int
    problem: Problem | None = None


def unseal(key_file: Path, source: Path, out: Path) -> list[Opened]:
    """Open every entry in `source` into a folder of its own below `out`, for its owner alone.

    One that the key does not open, or that is not whole, is said to be so and holds up no other.
    Raises `unseal-key`, `sealed-unreadable`, `file-exists` and the problems of reading and writing.
    """
    keys = read_keys(key_file)
    if out.exists() and any(out.iterdir()):
        raise problem("file-exists", name=str(out))
    with _source(source) as read:
        entries = _entries(read)
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        return [_unseal_one(keys, key_file, read, one, out) for one in entries]


def read_keys(path: Path) -> list[x25519.Identity]:
    """The private keys in a key file, as age writes them; raises `unseal-key`, `file-missing`."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(path)) from exc
    except (OSError, UnicodeDecodeError) as exc:
        raise problem("unseal-key", path=str(path), why="the file cannot be read") from exc
    try:
        found = [
            x25519.Identity.from_str(line.strip())
            for line in lines
            if line.strip() and not line.startswith("#")
        ]
    except IdentityError as exc:
        raise problem("unseal-key", path=str(path), why="it holds no age key") from exc
    if not found:
        raise problem("unseal-key", path=str(path), why="it holds no age key")
    return found


# -- where it lies --------------------------------------------------------------------------------


@contextmanager
def _source(source: Path) -> Iterator[Open]:
    try:
        if source.is_dir():
            yield lambda name: (source / name).open("rb")
            return
        with zipfile.ZipFile(source) as archive:
            yield archive.open
    except FileNotFoundError as exc:
        raise problem("file-missing", name=str(source)) from exc
    except zipfile.BadZipFile as exc:
        raise problem("sealed-unreadable", why="it is no whole zip file") from exc
    except OSError as exc:
        why = exc.strerror or str(exc)
        raise problem("file-unreadable", name=str(source), why=why) from exc


def _entries(read: Open) -> list[Mapping[str, Any]]:
    try:
        with read("sealed.json") as file:
            body = json.loads(file.read(64 * 1024**2))
        entries = body["entries"]
        if not all(_fits(one) for one in entries):
            raise ValueError("an entry")
    except (KeyError, ValueError, TypeError, RecursionError) as exc:
        raise problem("sealed-unreadable", why="its list of entries is not whole") from exc
    return list(entries)


def _fits(one: Any) -> bool:
    digests = [one["payload"], one["key"], *one["files"]]
    return (
        all(isinstance(d, str) and _DIGEST.match(d) for d in digests)
        and _ID.match(one["day"]) is not None
        and _ID.match(one["id"]) is not None
    )


# -- one entry ------------------------------------------------------------------------------------


def _unseal_one(
    keys: Sequence[x25519.Identity], key_file: Path, read: Open, one: Mapping[str, Any], out: Path
) -> Opened:
    try:
        own = _own_key(keys, key_file, read, one)
        payload = _bytes_of(read, one["payload"], MOST_PAYLOAD)
        header, text = unframe(decrypt(payload, [own]))
        document = json.loads(text)
        if header.get("what") != "document" or not isinstance(document, dict):
            raise problem("sealed-unreadable", why="its payload is no document")
        folder = out / f"{one['day']}-{one['id']}"
        folder.mkdir(mode=0o700)
        _write(folder / "entry.json", text)
        _write(folder / "entry.txt", _as_text(document).encode("utf-8"))
        for sha256 in one["files"]:
            _unseal_file(read, sha256, own, folder)
    except (DecryptError, IdentityError, ValueError, RecursionError):
        why = "its bytes are not those that were sealed"
        return _not(one, problem("sealed-unreadable", why=why))
    except Problem as exc:
        return _not(one, exc)
    return Opened(one["id"], one["day"], folder, len(one["files"]))


def _not(one: Mapping[str, Any], found: Problem) -> Opened:
    return Opened(one["id"], one["day"], None, 0, found)


def _own_key(
    keys: Sequence[x25519.Identity], key_file: Path, read: Open, one: Mapping[str, Any]
) -> x25519.Identity:
    """The payload's own key, unwrapped with one of the safeguarding keys."""
    wrapped = _bytes_of(read, one["key"], MAX_KEY_BYTES)
    try:
        return x25519.Identity.from_str(decrypt(wrapped, list(keys)).decode("ascii"))
    except DecryptError as exc:
        mine = "; ".join(fingerprint(str(key.to_public())) for key in keys)
        wanted = "; ".join(str(to) for to in one.get("to", [])) or "not told"
        why = f"it is {mine}, and the entry is sealed to {wanted}"
        raise problem("unseal-key", path=str(key_file), why=why) from exc


def _bytes_of(read: Open, sha256: str, limit: int) -> bytes:
    try:
        with read(f"files/{sha256}") as file:
            data = file.read(limit + 1)
    except (FileNotFoundError, KeyError) as exc:
        why = f"the file {sha256[:12]} is not here; it had not arrived, or was destroyed"
        raise problem("sealed-unreadable", why=why) from exc
    if len(data) > limit:
        raise problem("sealed-unreadable", why=f"the file {sha256[:12]} is too large for this")
    return data


def _unseal_file(read: Open, sha256: str, own: x25519.Identity, folder: Path) -> None:
    """One picture or recording: its bytes as they were, under the name that it had."""
    part = folder / f".{sha256}.part"
    try:
        source = read(f"files/{sha256}")
    except (FileNotFoundError, KeyError) as exc:
        why = f"the file {sha256[:12]} is not here"
        raise problem("sealed-unreadable", why=why) from exc
    try:
        with source, _owned(part) as target:
            unframed = _Unframed(target)
            decrypt_io(source, unframed, [own])
        name = unframed.name(sha256)
        part.replace(folder / f"{sha256[:8]}-{name}")
    finally:
        part.unlink(missing_ok=True)


class _Unframed:
    """What decrypted bytes are written to: takes off the frame, keeps the content."""

    def __init__(self, target: IO[bytes]) -> None:
        self.target = target
        self.head = b""
        self.header: dict[str, Any] | None = None
        self.left = 0

    def write(self, data: bytes) -> int:
        given = bytes(data)
        if self.header is None:
            self.head += given
            found = read_head(self.head)
            if found is None:
                return len(given)
            self.header, at = found
            self.left = int(self.header["size"])
            self._keep(self.head[at:])
        else:
            self._keep(given)
        return len(given)

    def flush(self) -> None:
        self.target.flush()

    def name(self, sha256: str) -> str:
        """The file's name as a plain one; raises `sealed-unreadable` where it is not whole."""
        if self.header is None or self.left:
            raise problem("sealed-unreadable", why=f"the file {sha256[:12]} ends too early")
        last = str(self.header.get("name", "")).replace("\\", "/").rpartition("/")[2]
        plain = "".join(c for c in last if c.isprintable() and c not in ':*?"<>|').strip(". ")
        return plain[-100:] or "file"

    def _keep(self, data: bytes) -> None:
        kept = data[: self.left]
        self.left -= len(kept)
        self.target.write(kept)


def _as_text(document: Mapping[str, Any]) -> str:
    named = {k: v for k, v in document.items() if k not in ("text", "files", "format")}
    lines = [f"{name}: {value}" for name, value in named.items()]
    return "\n".join(lines) + f"\n\n{document.get('text', '')}\n"


def _owned(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write(path: Path, data: bytes) -> None:
    with _owned(path) as file:
        file.write(data)
