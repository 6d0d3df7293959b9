"""The checksum of one request of an upload (tus 1.0, S6): all of its bytes count, or none."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from office import Browser, Office, make_office
from region import Clock
from werkzeug.test import TestResponse

from server.checksums import Checksum, verified
from server.services import uploads
from server.store import files
from sync.problems import Problem

DATA = bytes(range(256)) * 12_000  # larger than what is verified in memory
SHA256 = hashlib.sha256(DATA).hexdigest()
BYTES = "application/offset+octet-stream"

DIES = """
import os, signal, sys
from pathlib import Path
from server.checksums import Checksum, verified

def chunks():
    for _ in range(40):
        yield b"x" * 32_768
    print(len(os.listdir(sys.argv[1])), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

with verified(chunks(), Checksum("sha1", bytes(20)), 10**9, Path(sys.argv[1])):
    pass
"""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    one = files.NamedFile(SHA256, "i1", "d1", made.person_id("auditor"), "x", "photo")
    made.ctx.db.write(lambda tx: files.name_files(tx, [one]))
    yield made
    made.ctx.db.close()


@pytest.fixture
def device(office: Office) -> Browser:
    return office.device()


def sum_of(data: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, data).digest()).decode()}"


def create(device: Browser, data: bytes = b"", size: int = len(DATA), **more: str) -> TestResponse:
    told = base64.b64encode(SHA256.encode()).decode()
    headers = {"Upload-Length": str(size), "Upload-Metadata": f"sha256 {told}", **more}
    if data:
        headers["Content-Type"] = BYTES
    headers["Tus-Resumable"] = "1.0.0"
    return device.call("POST", "/api/files", headers=headers, data=data)


def patch(device: Browser, at: int, data: bytes, checksum: str, **environ: str) -> TestResponse:
    headers = {"Tus-Resumable": "1.0.0", "Content-Type": BYTES, "Upload-Offset": str(at)}
    headers["Upload-Checksum"] = checksum
    path = f"/api/files/{SHA256}"
    return device.call("PATCH", path, headers=headers, data=data, environ_overrides=environ)


def stands(device: Browser) -> str | None:
    asked = device.call("HEAD", f"/api/files/{SHA256}", headers={"Tus-Resumable": "1.0.0"})
    return asked.headers.get("Upload-Offset")


def test_the_algorithms_are_told(office: Office) -> None:
    told = office.anonymous().call("OPTIONS", "/api/files").headers
    assert "checksum" in told["Tus-Extension"].split(",")
    assert {"sha1", "sha256"} <= {*told["Tus-Checksum-Algorithm"].split(",")}


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "sha512"])
def test_pieces_that_fit_their_checksum_make_the_file(
    office: Office, device: Browser, algorithm: str
) -> None:
    """S6"""
    assert create(device).status_code == 201
    for at, end in ((0, 64_000), (64_000, 1_500_000), (1_500_000, len(DATA))):
        answer = patch(device, at, DATA[at:end], sum_of(DATA[at:end], algorithm))
        assert (answer.status_code, answer.headers["Upload-Offset"]) == (204, str(end))
    assert office.ctx.blobs.digest_holds(SHA256)


@pytest.mark.parametrize("size", [1_000, 1_500_000])
def test_a_wrong_checksum_throws_away_the_bytes_of_that_request_alone(
    office: Office, device: Browser, size: int
) -> None:
    """S6"""
    create(device)
    patch(device, 0, DATA[:70_000], sum_of(DATA[:70_000]))
    piece = DATA[70_000 : 70_000 + size]
    wrong = patch(device, 70_000, b"?" + piece[1:], sum_of(piece))
    assert (wrong.status_code, wrong.json["code"]) == (460, "upload-checksum")
    assert stands(device) == "70000"
    assert patch(device, 70_000, piece, sum_of(piece)).status_code == 204
    rest = DATA[70_000 + size :]
    assert patch(device, 70_000 + size, rest, sum_of(rest, "sha1")).status_code == 204
    assert office.ctx.blobs.digest_holds(SHA256)


def test_a_request_that_is_cut_counts_none_of_its_unverified_bytes(
    office: Office, device: Browser
) -> None:
    """S6"""
    create(device)
    patch(device, 0, DATA[:1000], sum_of(DATA[:1000]))
    whole = DATA[1000:900_000]
    cut = patch(device, 1000, whole[:500_000], sum_of(whole), CONTENT_LENGTH=str(len(whole)))
    assert cut.status_code == 460
    assert stands(device) == "1000"


@pytest.mark.parametrize("size", [len(DATA), 900_000])
def test_a_creation_may_carry_a_checksum_of_its_bytes(
    office: Office, device: Browser, size: int
) -> None:
    """S6: what is verified is what this request sent, whether it was here before or not."""
    first = DATA[:80_000]
    wrong = create(device, b"!" + first[1:], size, **{"Upload-Checksum": sum_of(first)})
    assert (wrong.status_code, wrong.json["code"]) == (460, "upload-checksum")
    assert create(device, b"", size).headers["Upload-Offset"] == "0"
    for data in (first, first[:50], DATA[:90_000]):
        answer = create(device, data, size, **{"Upload-Checksum": sum_of(data, "sha1")})
        assert answer.status_code == 201
    assert answer.headers["Upload-Offset"] == "90000"
    if size == len(DATA):
        whole = create(device, DATA, **{"Upload-Checksum": sum_of(DATA)})
        assert whole.headers["Upload-Offset"] == str(size)
        assert office.ctx.blobs.digest_holds(SHA256)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("crc32 AAAA", "checksum-unknown"),
        ("SHA1 AAAA", "checksum-unknown"),
        ("", "checksum-unknown"),
        ("sha1", "upload-malformed"),
        ("sha1 !", "upload-malformed"),
        ("sha256 AAAA", "upload-malformed"),
    ],
)
def test_a_checksum_that_cannot_be_read_is_refused_and_nothing_is_kept(
    device: Browser, header: str, code: str
) -> None:
    create(device)
    answer = patch(device, 0, b"abc", header)
    assert (answer.status_code, answer.json["code"]) == (400, code)
    assert create(device, b"abc", **{"Upload-Checksum": header}).json["code"] == code
    assert stands(device) == "0"


def test_more_bytes_than_were_announced_are_refused_before_they_are_verified(
    device: Browser,
) -> None:
    create(device)
    patch(device, 0, DATA[:1000], sum_of(DATA[:1000]))
    more = DATA[1000:] + b"x"
    answer = patch(device, 1000, more, sum_of(more))
    assert (answer.status_code, answer.json["code"]) == (413, "upload-too-long")
    assert stands(device) == "1000"


def test_whoever_asks_meanwhile_ends_the_turn_of_a_request_that_waits_for_its_checksum(
    office: Office, device: Browser
) -> None:
    """S6: two clients on one upload; nothing of the first is counted."""
    create(device)

    def slow() -> Iterator[bytes]:
        yield DATA[:300_000]
        assert stands(device) == "0"
        assert patch(device, 0, DATA[:5], sum_of(DATA[:5])).status_code == 204
        yield DATA[300_000:600_000]

    whole = Checksum("sha256", hashlib.sha256(DATA[:600_000]).digest())
    with pytest.raises(Problem) as caught:
        uploads.append(office.ctx, office.person_id("auditor"), SHA256, 0, slow(), whole)
    assert caught.value.code == "upload-taken-over"
    assert stands(device) == "5"


def test_a_large_request_waits_on_the_disk_and_not_in_memory(tmp_path: Path) -> None:
    piece = os.urandom(65_536)
    digest = hashlib.sha256()
    for _ in range(600):
        digest.update(piece)
    tracemalloc.start()
    checksum = Checksum("sha256", digest.digest())
    with verified((piece for _ in range(600)), checksum, 10**9, tmp_path) as chunks:
        assert sum(len(chunk) for chunk in chunks) == 600 * len(piece)
    assert tracemalloc.get_traced_memory()[1] < 3_000_000
    tracemalloc.stop()
    assert list(tmp_path.iterdir()) == []


def test_after_kill_9_nothing_is_left_of_bytes_that_were_not_verified(tmp_path: Path) -> None:
    """S6"""
    done = subprocess.run(
        [sys.executable, "-c", DIES, str(tmp_path)], check=False, capture_output=True
    )
    assert (done.returncode, done.stderr) == (-9, b"")
    assert list(tmp_path.iterdir()) == []
