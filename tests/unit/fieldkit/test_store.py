"""The device's logs on disk: appended whole, chained, never doubled."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from field_device import FieldDevice
from hypothesis import given
from hypothesis import strategies as st
from memory_server import Office

from fieldkit.database import Database
from fieldkit.home import Home
from fieldkit.store import Identity, Store
from sync.log import device_id, genesis, link, records_of, write_line
from sync.merge import merge
from sync.problems import Problem

INSPECTION = "11111111-2222-4333-8444-555555555555"
ME = Identity(device_id(b"k" * 32), b"k" * 32, "p-me", "Me", "http://x", "x", b"s" * 32, "t")
OTHER = Identity(device_id(b"o" * 32), b"o" * 32, "p-you", "You", "http://x", "x", b"s" * 32, "t")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Home(tmp_path / "home").open_store()


def _append(store: Store, path: str, value: object, by: Identity = ME, at: int = 7) -> None:
    with store.writing(by, at, "the entry") as log:
        log.append(INSPECTION, path, value)


def test_lines_are_kept_as_written_and_chain_from_the_genesis(store: Store) -> None:
    """L3, L4."""
    _append(store, "outcome", {"outcome": "partly"})
    _append(store, "answers/GEN-G1/-", {"level": "fully", "note": "ณ ที่นั้น"})
    (log,) = store.logs(INSPECTION)
    first = write_line(1, 7, "p-me", "outcome", {"outcome": "partly"})
    second = write_line(2, 7, "p-me", "answers/GEN-G1/-", {"level": "fully", "note": "ณ ที่นั้น"})
    h = link(genesis(ME.public_key, INSPECTION), first)
    assert log.lines == (first, second)
    assert log.hashes == (h, link(h, second))


def test_what_is_read_is_what_reading_the_lines_alone_would_give(store: Store) -> None:
    for n in range(5):
        _append(store, f"answers/GEN-G{n + 1}/-", {"level": "fully"})
    (log,) = store.logs(INSPECTION)
    assert store.records(INSPECTION) == records_of(log.lines, ME.public_key, ME.device, INSPECTION)


def test_an_entry_names_what_it_replaces_only_where_others_wrote_too(store: Store) -> None:
    """L6."""
    _append(store, "outcome", {"outcome": "partly"})
    _append(store, "outcome", {"outcome": "visited"})
    assert [r.replaces for r in store.records(INSPECTION)] == [None, None]
    with store.writing(OTHER, 8, "the entry") as log:
        line = write_line(1, 8, OTHER.person, "outcome", {"outcome": "evacuated"}, [])
        h = link(genesis(OTHER.public_key, INSPECTION), line)
        row = (INSPECTION, OTHER.device, 1, "outcome", line, h)
        log.tx.execute("insert into lines values (?, ?, ?, ?, ?, ?)", row)
    assert merge(store.records(INSPECTION)).paths["outcome"].conflict
    _append(store, "outcome", {"outcome": "visited"}, at=9)
    state = merge(store.records(INSPECTION)).paths["outcome"]
    assert not state.conflict
    assert state.entry is not None and len(state.entry.replaces or ()) == 2


def test_what_was_written_is_on_the_disk_when_the_command_ends(store: Store) -> None:
    """S4: the store syncs at every commit (2 is FULL, 3 EXTRA)."""
    with store.database.write("a look") as tx:
        assert tx.execute("pragma synchronous").fetchone()[0] >= 2


def test_the_same_value_again_is_not_appended(store: Store) -> None:
    for value, needed in [("a", True), ("a", False), ("b", True), ("a", True)]:
        with store.writing(ME, 7, "the entry") as log:
            assert log.append_new(INSPECTION, "comments/x", {"text": value}) is needed
    assert len(store.records(INSPECTION)) == 3


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    with pytest.raises(Problem, match="path-malformed"), store.writing(ME, 7, "it") as log:
        log.append("device", f"device/opened/{INSPECTION}", {})
        log.append(INSPECTION, "nowhere", {})
    assert store.logs("device") == []


def test_a_value_over_the_limit_is_refused_before_it_is_appended(store: Store) -> None:
    """S12."""
    with pytest.raises(Problem) as raised:
        _append(store, "comments/x", {"text": "x" * 70_000})
    assert raised.value.code == "entry-too-large"
    assert store.records(INSPECTION) == []


@given(values=st.lists(st.sampled_from("abc"), max_size=12))
def test_the_latest_value_stands_whatever_was_written_before(values: list[str]) -> None:
    store = Store(Database(Path(":memory:")))
    for value in values:
        with store.writing(ME, 7, "the entry") as log:
            log.append_new(INSPECTION, "comments/x", value)
    state = merge(store.records(INSPECTION)).paths.get("comments/x")
    assert (state.entry.value if state and state.entry else None) == (
        values[-1] if values else None
    )
    store.database.close()


def _append_many(folder: Path, count: int) -> None:
    store = Home(folder).open_store()
    for n in range(count):
        with store.writing(ME, n, "the entry") as log:
            log.append(INSPECTION, "comments/x", {"n": n})


def test_commands_at_the_same_time_append_one_after_the_other(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append_many, args=(tmp_path / "h", 20)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    (log,) = Home(tmp_path / "h").open_store().logs(INSPECTION)
    records = records_of(log.lines, ME.public_key, ME.device, INSPECTION)
    assert [r.seq for r in records] == list(range(1, 61))
    assert records[-1].h == log.hashes[-1].hex()


# -- when the disk does not play along ------------------------------------------------------------


def test_a_store_that_another_command_holds_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Database(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    waiting = Database(path, busy_seconds=0)
    with pytest.raises(Problem) as raised, waiting.write("the entry"):
        pass
    assert raised.value.code == "store-busy"
    other.execute("rollback")
    with waiting.write("the entry"):
        pass
    other.close()


def test_a_file_that_is_no_store_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"this is not a database, whatever its name says\n" * 50)
    before = path.read_bytes()
    with pytest.raises(Problem) as raised:
        Database(path)
    assert raised.value.code == "store-damaged"
    assert path.read_bytes() == before


def test_a_store_of_a_newer_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    Database(path).close()
    newer = sqlite3.connect(path)
    newer.execute("pragma user_version = 99")
    newer.close()
    with pytest.raises(Problem, match="a newer version wrote it"):
        Database(path)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own that is soon full; only root can make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tapak-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("this needs a disk of its own, which only root can mount")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_the_next_command_goes_on(small_disk: Path) -> None:
    store = Home(small_disk / "home").open_store()
    _append(store, "comments/x", "before")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 4096)
    with pytest.raises(Problem) as raised:
        for n in range(100):
            _append(store, "comments/x", {"n": n, "text": "y" * 9000})
    assert raised.value.code == "disk-full"
    kept = store.records(INSPECTION)
    filler.unlink()
    _append(store, "comments/x", "after")
    assert store.records(INSPECTION)[:-1] == kept
    (log,) = store.logs(INSPECTION)
    records = records_of(log.lines, ME.public_key, ME.device, INSPECTION)
    assert records[-1].h == log.hashes[-1].hex()
    store.database.close()


def test_a_disk_that_cannot_be_written_to_is_told(small_disk: Path) -> None:
    store = Home(small_disk / "home").open_store()
    _append(store, "comments/x", "before")
    store.database.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    with pytest.raises(Problem) as raised:
        _append(Home(small_disk / "home").open_store(), "comments/x", "more")
    assert raised.value.code == "folder-read-only"
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    _append(Home(small_disk / "home").open_store(), "comments/x", "after")


def test_the_identity_of_a_device_that_is_not_enrolled_is_a_problem(
    tmp_path: Path, office: Office
) -> None:
    with pytest.raises(Problem) as raised:
        FieldDevice(tmp_path / "x", office).store.identity()
    assert raised.value.code == "device-not-enrolled"
