"""Opening sealed entries off the server (L8): what a hostile server or a wrong key can do."""

from __future__ import annotations

import hashlib
import json
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest
from pyrage import encrypt, x25519

from server.services.unsealing import unseal
from sync.problems import Problem
from sync.sealed import frame

ID = "5a8fad5b-d9cb-469f-a165-70867728950e"
HOLDER = x25519.Identity.generate()
PICTURE = bytes(range(256)) * 800


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def sealed(
    text: bytes = b'{"text":"said","kind":"interview","name":"Siti"}',
    name: str = "face.jpg",
    **changes: Any,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """One entry as a server hands it out: its line of the list, and its files."""
    own = x25519.Identity.generate()
    to = [own.to_public()]
    payload = encrypt(frame({"what": "document"}, text), to)
    key = encrypt(str(own).encode(), [HOLDER.to_public()])
    file = encrypt(frame({"what": "file", "name": name}, PICTURE), to)
    files = {digest(raw): raw for raw in (payload, key, file)}
    line = {"id": ID, "day": "2026-11-24", "payload": digest(payload), "key": digest(key)}
    return {**line, "files": [digest(file)], "to": ["aaaa"], **changes}, files


def unpacked(folder: Path, line: dict[str, Any], files: dict[str, bytes]) -> Path:
    (folder / "files").mkdir(parents=True)
    (folder / "sealed.json").write_text(json.dumps({"entries": [line]}))
    for sha256, raw in files.items():
        (folder / "files" / sha256).write_bytes(raw)
    return folder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    path = tmp_path / "key.txt"
    path.write_text(f"# a comment\n{HOLDER}\n")
    return path


def test_an_entry_comes_out_whole_from_a_folder_and_from_a_zip_for_its_owner_alone(
    tmp_path: Path, key: Path
) -> None:
    source = unpacked(tmp_path / "in", *sealed())
    packed = tmp_path / "in.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in source.rglob("*"):
            archive.write(path, path.relative_to(source))
    for n, one in enumerate((source, packed)):
        (done,) = unseal(key, one, tmp_path / f"out{n}")
        assert done.problem is None and done.folder is not None
        assert json.loads((done.folder / "entry.json").read_text())["text"] == "said"
        assert "name: Siti" in (done.folder / "entry.txt").read_text()
        (picture,) = done.folder.glob("*-face.jpg")
        assert picture.read_bytes() == PICTURE
        assert stat.S_IMODE(done.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(picture.stat().st_mode) == 0o600


def test_another_key_opens_nothing_and_is_named_beside_the_one_that_would(
    tmp_path: Path, key: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text(str(x25519.Identity.generate()))
    (done,) = unseal(other, unpacked(tmp_path / "in", *sealed()), tmp_path / "out")
    assert done.folder is None and done.problem is not None
    assert done.problem.code == "unseal-key" and "sealed to aaaa" in done.problem.happened
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("text", ["", "no key", "# only a comment\n", "\xff"], ids=str)
def test_a_file_without_a_key_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.txt"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(Problem, match="unseal-key"):
        unseal(path, unpacked(tmp_path / "in", *sealed()), tmp_path / "out")
    with pytest.raises(Problem, match="file-missing"):
        unseal(tmp_path / "nowhere", tmp_path / "in", tmp_path / "out")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "../../escaped"},
        {"day": "../../2026"},
        {"payload": "../sealed.json"},
        {"files": ["../../etc/passwd"]},
        {"files": None},
        {"key": 7},
    ],
    ids=["id", "day", "payload", "file", "none", "number"],
)
def test_a_list_that_would_lead_out_of_the_folder_is_refused_whole(
    tmp_path: Path, key: Path, changes: dict[str, Any]
) -> None:
    line, files = sealed(**changes)
    with pytest.raises(Problem, match="sealed-unreadable"):
        unseal(key, unpacked(tmp_path / "in", line, files), tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "name", ["../../up.jpg", "C:\\up.jpg", "..", "", "a\x00b.jpg", "x" * 400], ids=repr
)
def test_a_name_from_inside_stays_in_its_folder(tmp_path: Path, key: Path, name: str) -> None:
    (done,) = unseal(key, unpacked(tmp_path / "in", *sealed(name=name)), tmp_path / "out")
    assert done.folder is not None and done.problem is None
    inside = {p.name for p in done.folder.iterdir()}
    assert len(inside) == 3 and {"entry.json", "entry.txt"} < inside
    assert all(p.is_relative_to(done.folder) for p in (tmp_path / "out").rglob("*-*.jpg"))


def test_what_is_missing_or_altered_is_said_and_holds_up_no_other(
    tmp_path: Path, key: Path
) -> None:
    whole, files = sealed()
    lacking, more = sealed(id="6a8fad5b")
    altered, others = sealed(id="7a8fad5b")
    del more[lacking["key"]]
    raw = bytearray(others[altered["payload"]])
    raw[-1] ^= 1
    others[altered["payload"]] = bytes(raw)
    source = unpacked(tmp_path / "in", whole, {**files, **more, **others})
    (source / "sealed.json").write_text(json.dumps({"entries": [lacking, altered, whole]}))
    done = unseal(key, source, tmp_path / "out")
    assert [one.problem.code if one.problem else None for one in done] == [
        "sealed-unreadable",
        "sealed-unreadable",
        None,
    ]


def test_a_folder_that_holds_something_is_not_written_into(tmp_path: Path, key: Path) -> None:
    with pytest.raises(Problem, match="file-exists"):
        unseal(key, unpacked(tmp_path / "in", *sealed()), tmp_path)
    (tmp_path / "not.zip").write_bytes(b"no zip")
    with pytest.raises(Problem, match="sealed-unreadable"):
        unseal(key, tmp_path / "not.zip", tmp_path / "out")
