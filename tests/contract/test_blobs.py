"""What every store of files must do, for each that there is: a folder, and a real S3 server."""

from __future__ import annotations

import hashlib
import os
import threading
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from s3_server import S3Server

from server.blobs import Blobs, Previews
from server.blobs.opening import open_blobs
from server.settings import Settings, read_settings
from sync.problems import Problem

DATA = bytes(range(256)) * 5000  # more than one piece
SHA256 = hashlib.sha256(DATA).hexdigest()
OTHER = hashlib.sha256(b"other").hexdigest()
LARGE = 64 * 1024**2


@pytest.fixture(params=["folder", "bucket", "bucket with a prefix"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    found = read_settings(tmp_path / "data", environ={})
    if request.param != "folder":
        server: S3Server = request.getfixturevalue("s3")
        prefix = "north/office" if "prefix" in request.param else ""
        found = replace(found, files_url=server.url(prefix))
    found.incoming.mkdir(parents=True)
    return found


@pytest.fixture
def stores(settings: Settings) -> tuple[Blobs, Previews]:
    return open_blobs(settings)


@pytest.fixture
def blobs(stores: tuple[Blobs, Previews]) -> Blobs:
    return stores[0]


def pieces(data: bytes, size: int = 65_536) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def everything(settings: Settings) -> list[Path]:
    """Every file that lies anywhere: in the data folder, and in the S3 server's."""
    around = settings.data.parent
    return sorted(path.relative_to(around) for path in around.rglob("*") if path.is_file())


def test_bytes_that_were_put_come_back(blobs: Blobs) -> None:
    assert not blobs.has(SHA256) and blobs.size(SHA256) is None
    assert blobs.put(SHA256, pieces(DATA)) == len(DATA)
    assert blobs.has(SHA256) and blobs.size(SHA256) == len(DATA)
    assert b"".join(blobs.chunks(SHA256)) == DATA
    assert blobs.digest_holds(SHA256)


def test_a_file_without_bytes_is_a_file(blobs: Blobs) -> None:
    empty = hashlib.sha256(b"").hexdigest()
    blobs.put(empty, [])
    assert blobs.size(empty) == 0
    assert b"".join(blobs.chunks(empty)) == b""


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (5, 900_000), (1_100_000, None), (len(DATA) - 1, None), (7, 7), (3, len(DATA) + 9)],
)
def test_a_part_of_a_file_is_what_was_asked_for(blobs: Blobs, start: int, stop: int | None) -> None:
    blobs.put(SHA256, pieces(DATA))
    assert b"".join(blobs.chunks(SHA256, start, stop)) == DATA[start:stop]


def test_a_wrong_digest_stores_nothing_and_hurts_nothing(blobs: Blobs, settings: Settings) -> None:
    """S6: the digest is verified before a file counts."""
    blobs.put(SHA256, pieces(DATA))
    before = everything(settings)
    for name in (OTHER, SHA256):
        with pytest.raises(Problem) as caught:
            blobs.put(name, [b"something else"])
        assert caught.value.code == "file-digest"
    assert everything(settings) == before
    assert not blobs.has(OTHER) and blobs.digest_holds(SHA256)


class CutError(Exception):
    """The source of the bytes ends in the middle."""


@pytest.mark.parametrize("size", [1_000_000, 20_000_000])
def test_a_put_that_is_interrupted_leaves_nothing(
    blobs: Blobs, settings: Settings, size: int
) -> None:
    """S6"""
    before = everything(settings)
    data = os.urandom(size)

    def cut() -> Iterator[bytes]:
        yield data[: size // 2]
        raise CutError

    sha256 = hashlib.sha256(data).hexdigest()
    with pytest.raises(CutError):
        blobs.put(sha256, cut())
    assert not blobs.has(sha256)
    assert list(blobs.listed()) == []
    assert everything(settings) == before
    assert blobs.put(sha256, pieces(data)) == size
    assert blobs.digest_holds(sha256)


def test_putting_the_same_again_changes_nothing(blobs: Blobs, settings: Settings) -> None:
    blobs.put(SHA256, pieces(DATA))
    before = everything(settings)
    blobs.put(SHA256, pieces(DATA))
    assert everything(settings) == before
    assert b"".join(blobs.chunks(SHA256)) == DATA


def test_the_same_file_put_by_many_at_once_is_one_whole_file(blobs: Blobs) -> None:
    """S6: while others still send it, whoever reads it reads all of it."""
    meet = threading.Barrier(6)
    found: list[Any] = []

    def put(name: str, data: bytes) -> None:
        meet.wait()
        try:
            found.append(blobs.put(name, pieces(data, 10_000)))
        except Problem as exc:
            found.append(exc.code)
        found.append(b"".join(blobs.chunks(SHA256)) == DATA if name == SHA256 else True)

    wrong = [(SHA256, DATA[:-1])]
    blobs.put(SHA256, pieces(DATA))
    threads = [threading.Thread(target=put, args=one) for one in [(SHA256, DATA)] * 5 + wrong]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, found)) == sorted(
        map(str, [len(DATA), True] * 5 + ["file-digest", True])
    )
    assert [one.size for one in blobs.listed()] == [len(DATA)]


def test_files_are_listed_in_the_order_of_their_digests(
    stores: tuple[Blobs, Previews], tmp_path: Path
) -> None:
    blobs, previews = stores
    wanted = {}
    for n in range(40):
        data = b"%d" % n * n
        wanted[hashlib.sha256(data).hexdigest()] = len(data)
        blobs.put(hashlib.sha256(data).hexdigest(), [data])
    preview = tmp_path / "preview.jpg"
    preview.write_bytes(b"small")
    previews.keep(SHA256, preview)
    assert [(one.sha256, one.size) for one in blobs.listed()] == sorted(wanted.items())
    assert [one.sha256 for one in previews.listed()] == [SHA256]


def test_a_file_is_lent_as_a_path_on_this_computer(blobs: Blobs, settings: Settings) -> None:
    blobs.put(SHA256, pieces(DATA))
    before = everything(settings)
    with blobs.local(SHA256) as path:
        assert path.read_bytes() == DATA
    assert everything(settings) == before
    with pytest.raises(Problem, match="file-not-here"), blobs.local(OTHER):
        pass


def test_a_verified_file_is_moved_in(blobs: Blobs, settings: Settings) -> None:
    file = settings.incoming / "arrived"
    for data in (DATA, os.urandom(9_000_000)):
        sha256 = hashlib.sha256(data).hexdigest()
        file.write_bytes(data)
        blobs.adopt(sha256, file)
        assert not file.exists()
        assert blobs.digest_holds(sha256)


def test_a_file_that_is_not_here_is_said_to_be_so_at_once(blobs: Blobs) -> None:
    for start in (0, 5):
        with pytest.raises(Problem) as caught:
            blobs.chunks(OTHER, start)
        assert caught.value.code == "file-not-here"


def test_previews_are_replaced_and_cleared(stores: tuple[Blobs, Previews], tmp_path: Path) -> None:
    blobs, previews = stores
    blobs.put(SHA256, pieces(DATA))
    for data in (b"first", b"the second"):
        small = tmp_path / "preview.jpg"
        small.write_bytes(data)
        previews.keep(SHA256, small)
        assert not small.exists()
        assert b"".join(previews.chunks(SHA256)) == data
    previews.clear()
    assert previews.size(SHA256) is None and list(previews.listed()) == []
    assert blobs.digest_holds(SHA256), "what previews were made from stays"


def test_a_large_file_goes_in_and_out_with_little_memory(blobs: Blobs) -> None:
    piece = os.urandom(1024**2)
    digest = hashlib.sha256()
    for _ in range(LARGE // len(piece)):
        digest.update(piece)
    sha256 = digest.hexdigest()
    tracemalloc.start()
    try:
        blobs.put(sha256, (piece for _ in range(LARGE // len(piece))))
        assert blobs.digest_holds(sha256)
        with blobs.local(sha256) as path:
            assert path.stat().st_size == LARGE
        _, high = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert high < LARGE // 4


def test_a_store_that_can_be_used_passes_its_check(stores: tuple[Blobs, Previews]) -> None:
    for store in stores:
        store.shelf.check()
        assert list(store.listed()) == []


# -- what only a bucket can do --------------------------------------------------------------------


def asked(blobs: Blobs, tmp_path: Path) -> Iterator[str]:
    """Everything that can be asked of a store; the codes of the problems it ends with."""
    large = tmp_path / "large"
    large.write_bytes(b"\0" * 9_000_000)
    for ask in (
        blobs.shelf.check,
        lambda: blobs.size(SHA256),
        lambda: blobs.put(SHA256, pieces(DATA)),
        lambda: blobs.adopt(OTHER, large),
        lambda: list(blobs.chunks(SHA256)),
        lambda: list(blobs.chunks(SHA256, 3, 9)),
        lambda: list(blobs.listed()),
        lambda: blobs.shelf.remove(SHA256),
    ):
        with pytest.raises(Problem) as caught:
            ask()
        assert caught.value.status == 503
        assert "made-up-secret" not in str(caught.value)
        yield caught.value.code
    assert large.exists(), "what was not stored is kept"


def bucket_blobs(tmp_path: Path, url: str) -> Blobs:
    found = replace(read_settings(tmp_path / "data", environ={}), files_url=url)
    found.incoming.mkdir(parents=True, exist_ok=True)
    return open_blobs(found)[0]


def test_a_bucket_that_has_gone_is_away_and_back_again_holds_what_it_held(
    s3: S3Server, tmp_path: Path
) -> None:
    blobs = bucket_blobs(tmp_path, s3.url())
    blobs.put(SHA256, pieces(DATA))
    s3.stop()
    assert set(asked(blobs, tmp_path)) == {"files-away"}
    s3.start()
    again = bucket_blobs(tmp_path, s3.url())
    assert again.digest_holds(SHA256)


def test_a_bucket_that_goes_in_the_middle_of_a_download_is_away(
    s3: S3Server, tmp_path: Path
) -> None:
    blobs = bucket_blobs(tmp_path, s3.url())
    data = os.urandom(40_000_000)
    sha256 = hashlib.sha256(data).hexdigest()
    blobs.put(sha256, pieces(data))
    running = blobs.chunks(sha256)
    next(running)
    s3.stop()
    with pytest.raises(Problem) as caught:
        list(running)
    assert caught.value.code == "files-away"


@pytest.mark.parametrize(
    "changes", [{"secret_access_key": "another-secret"}, {"access_key_id": "another-key"}]
)
def test_wrong_keys_are_refused_in_plain_words(
    s3: S3Server, tmp_path: Path, changes: dict[str, str]
) -> None:
    blobs = bucket_blobs(tmp_path, s3.url(**changes))
    assert set(asked(blobs, tmp_path)) == {"files-refused"}


def test_a_bucket_that_does_not_exist_is_refused_not_empty(s3: S3Server, tmp_path: Path) -> None:
    blobs = bucket_blobs(tmp_path, s3.url().replace("evidence", "nowhere"))
    with pytest.raises(Problem) as caught:
        blobs.put(SHA256, pieces(DATA))
    assert caught.value.code == "files-refused"
    with pytest.raises(Problem) as caught:
        blobs.shelf.check()
    assert caught.value.code == "files-refused"


@pytest.mark.parametrize(
    "url", ["/srv/files", "https://x.example/b", "s3://", "s3://bucket/p?endpint=x", "s3://a:b@c/d"]
)
def test_an_address_that_is_no_bucket_is_refused_before_anything_is_done(
    url: str, tmp_path: Path
) -> None:
    with pytest.raises(Problem) as caught:
        bucket_blobs(tmp_path, url)
    assert caught.value.code == "files-setting"
    assert "a:b" not in str(caught.value)


def test_keys_and_endpoint_come_from_the_usual_variables(
    s3: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {
        "AWS_ACCESS_KEY_ID": "made-up-key",
        "AWS_SECRET_ACCESS_KEY": "made-up-secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": s3.endpoint,
        "TAPAK_FILES": "s3://evidence/by-variables",
    }
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    found = read_settings(tmp_path / "data", environ=environ)
    found.incoming.mkdir(parents=True)
    blobs, _ = open_blobs(found)
    blobs.put(SHA256, pieces(DATA))
    held = s3.folder / "evidence" / "by-variables" / "files" / SHA256
    assert held.read_bytes() == DATA


def test_a_destroyed_file_is_gone_and_destroying_it_again_is_no_error(blobs: Blobs) -> None:
    data = b"the key of a sealed entry (L8)"
    sha256 = hashlib.sha256(data).hexdigest()
    blobs.put(sha256, [data])
    assert blobs.destroy(sha256) is True
    assert not blobs.has(sha256) and sha256 not in {one.sha256 for one in blobs.listed()}
    assert blobs.destroy(sha256) is False
