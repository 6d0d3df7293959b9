"""Bundles on a device (S10): what goes into one, its file, and what comes back from the office."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyrage
import pytest
from click.testing import CliRunner
from field_device import FieldDevice, picture
from memory_server import NOW, PERSON, Office
from pyrage.x25519 import Identity

from fieldkit import bundle_content
from fieldkit.bundle_content import Maker, for_the_office, parted
from fieldkit.bundle_file import write_bundles
from fieldkit.bundle_read import read_bundle
from fieldkit.bundle_sealing import Seal, own_key
from fieldkit.bundle_verify import Found
from fieldkit.cli import cli
from fieldkit.keys import load_key
from fieldkit.server_keys import server_keys
from sync import age_passphrase
from sync.bundle import BundleWriter, Opening
from sync.bundle_reader import BundleReader, Event, FileEnds
from sync.log import Segment
from sync.problems import Problem
from sync.receipt import Receipt, ReceiptLog, server_id, sign_receipt
from sync.session import Answer, Change, write_answer

WORDS = "five made-up words here"


@pytest.fixture(autouse=True)
def quick_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(age_passphrase, "WORK", 10)


@pytest.fixture
def filled(device: FieldDevice, tmp_path: Path) -> FieldDevice:
    """A device with one inspection and two pictures, none of it sent."""
    inspection = device.start().inspection
    for shade in (1, 2):
        device.photo(inspection, picture(tmp_path / f"{shade}.jpg", shade))
    return device


def maker(device: FieldDevice) -> Maker:
    store, now = device.store, device.now()
    recipient = str(own_key(store, now).to_public())
    key = load_key(device.home.key)
    return Maker(store, device.ledger, device.home.blobs(), store.identity(), key, recipient, now)


def written(device: FieldDevice, path: Path, **given: Any) -> list[Path]:
    made = maker(device)
    content = for_the_office(made, given.get("only"), files=given.get("files", True))
    seal = given.get("seal") or Seal([server_keys(made.store).sealing_key])
    done = write_bundles(path, made, parted(content), seal, lambda done, total: None)
    return [one.path for one in done]


def opened(data: bytes, key: Identity) -> list[Event]:
    reader = BundleReader()
    events = list(reader.feed(pyrage.decrypt(data, [key])))
    reader.close()
    return events


def command(device: FieldDevice, *words: str, ends_with: int = 0) -> str:
    done = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words])
    assert done.exit_code == ends_with, done.output
    return done.stdout if "--json" in words else done.output


# -- writing ---------------------------------------------------------------------------------------


def test_a_bundle_for_the_office_holds_whole_logs_and_every_file(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S10"""
    (path,) = written(filled, tmp_path)
    events = opened(path.read_bytes(), filled.office.sealing_key)
    lines = {
        (e.inspection, e.first + n): line
        for e in events
        if isinstance(e, Segment)
        for n, line in enumerate(e.lines)
    }
    for log in [*filled.store.inspections(), "device"]:
        (mine,) = filled.store.logs(log)
        assert [lines[log, n] for n in range(1, len(mine.lines) + 1)] == list(mine.lines)
    ends = [e for e in events if isinstance(e, FileEnds)]
    assert all(e.fits for e in ends)
    assert {e.sha256 for e in ends} == {f.sha256 for f in filled.ledger.files()}


def test_writing_marks_nothing_as_sent_and_status_says_that_it_is_in_a_bundle(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S4, S10: only receipts do."""
    before = filled.ledger.waiting_lines(filled.store.identity())
    command(filled, "bundle", "write", str(tmp_path))
    assert filled.ledger.waiting_lines(filled.store.identity()) == before + 1  # its sealing key
    assert all(f.sent_at is None and f.held_at is None for f in filled.ledger.files())
    said = json.loads(command(filled, "status", "--json"))
    assert said["bundled"]["entries"] == said["entries"]["all"]
    assert said["bundled"]["files"] == 2
    assert "in a bundle of" in command(filled, "status")
    filled.sync()
    assert json.loads(command(filled, "status", "--json"))["bundled"] is None


def test_what_is_held_safely_needs_no_bundle(filled: FieldDevice, tmp_path: Path) -> None:
    written(filled, tmp_path / "first.tapak")
    filled.sync()
    said = command(filled, "bundle", "write", str(tmp_path), ends_with=1)
    assert "holds everything safely" in said
    inspection = filled.store.inspections()[0]
    command(filled, "bundle", "write", str(tmp_path), "--inspection", inspection[:8])


def test_a_bundle_without_photos_has_the_entries_alone(filled: FieldDevice, tmp_path: Path) -> None:
    (path,) = written(filled, tmp_path, files=False)
    assert not [
        e for e in opened(path.read_bytes(), filled.office.sealing_key) if isinstance(e, FileEnds)
    ]


def test_nothing_is_ever_overwritten(filled: FieldDevice, tmp_path: Path) -> None:
    place = tmp_path / "there.tapak"
    place.write_bytes(b"made up")
    with pytest.raises(Problem, match="bundle-exists"):
        written(filled, place)
    assert place.read_bytes() == b"made up"
    with pytest.raises(Problem, match="folder-read-only"):
        written(filled, tmp_path / "no such folder" / "x.tapak")


def test_a_disk_without_room_is_named_before_anything_is_written(
    filled: FieldDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10, 10, 100))
    folder = tmp_path / "stick"
    folder.mkdir()
    with pytest.raises(Problem, match="bundle-no-room"):
        written(filled, folder)
    assert list(folder.iterdir()) == []


def test_what_no_single_file_can_hold_goes_into_several_bundles_each_whole_by_itself(
    filled: FieldDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S10: a FAT32 disk takes files of up to 4 GB."""
    monkeypatch.setattr(bundle_content, "PART_BYTES", 600)
    folder = tmp_path / "stick"
    folder.mkdir()
    paths = written(filled, folder)
    assert [path.stem[-4:] for path in paths] == ["1of2", "2of2"]
    files = []
    for path in paths:
        events = opened(path.read_bytes(), filled.office.sealing_key)
        assert any(isinstance(e, Segment) for e in events)
        files += [e.sha256 for e in events if isinstance(e, FileEnds)]
    assert sorted(files) == sorted(f.sha256 for f in filled.ledger.files())


def test_a_file_that_changed_on_this_disk_is_left_out_and_said(
    filled: FieldDevice, tmp_path: Path
) -> None:
    bad = filled.ledger.files()[0]
    path = filled.home.blobs().path(bad.sha256)
    path.write_bytes(path.read_bytes()[::-1])
    said = command(filled, "bundle", "write", str(tmp_path / "b.tapak"), "--json", ends_with=1)
    assert list(json.loads(said)["left_out"]) == [bad.sha256]
    events = opened((tmp_path / "b.tapak").read_bytes(), filled.office.sealing_key)
    assert [e.sha256 for e in events if isinstance(e, FileEnds)] == [
        f.sha256 for f in filled.ledger.files()[1:]
    ]


def test_killed_in_the_middle_a_bundle_is_not_there_and_the_next_one_is_whole(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S10: kill -9 while it is written."""
    folder = tmp_path / "stick"
    folder.mkdir()
    program = (
        "import os, signal, sys\n"
        "from fieldkit import bundle_file\n"
        "from fieldkit.cli import cli\n"
        "bundle_file.settle = lambda _: os.kill(os.getpid(), signal.SIGKILL)\n"
        "cli(sys.argv[1:])\n"
    )
    words = ["--home", str(filled.home.folder), "bundle", "write", str(folder)]
    done = subprocess.run([sys.executable, "-c", program, *words], check=False)
    assert done.returncode == -signal.SIGKILL
    left = [path.name for path in folder.iterdir()]
    assert left and all(name.startswith(".") for name in left)
    command(filled, "bundle", "write", str(folder))
    (path,) = folder.iterdir()
    opened(path.read_bytes(), filled.office.sealing_key)
    assert path.stat().st_mode & 0o077 == 0


# -- with a passphrase -----------------------------------------------------------------------------


def test_a_bundle_with_a_passphrase_is_verified_without_enrolment(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S10"""
    words = tmp_path / "words.txt"
    words.write_text(WORDS + "\n")
    path = tmp_path / "b.tapak"
    with_words = ["--passphrase-file", str(words)]
    command(filled, "bundle", "write", str(path), "--to", "office", *with_words)
    nobody = FieldDevice(tmp_path / "nobody", filled.office)
    said = json.loads(command(nobody, "bundle", "verify", str(path), "--json", *with_words))
    (one,) = said["bundles"]
    assert one["faults"] == []
    assert one["by"] == "Example Auditor"
    assert one["files"]["count"] == 2
    assert not (tmp_path / "nobody" / "store.sqlite").exists(), "looking leaves nothing"
    assert "all of it" in command(nobody, "bundle", "verify", str(path), *with_words)
    assert "sealed with a passphrase" in command(nobody, "bundle", "verify", str(path), ends_with=1)


def test_a_short_passphrase_is_refused_before_anything_is_written(
    filled: FieldDevice, tmp_path: Path
) -> None:
    path = tmp_path / "b.tapak"
    with pytest.raises(Problem, match="bundle-passphrase-short"):
        written(filled, path, seal=Seal(passphrase="short"))
    assert not path.exists()


def test_what_does_not_verify_is_said(filled: FieldDevice) -> None:
    found = Found()
    made = maker(filled)
    data = b"".join(bundle_content.bundle_bytes(made, for_the_office(made, None, files=True)))
    bad = data.replace(b'"purpose"', b'"purqose"', 1)
    for event in BundleReader().feed(bad):
        found.look(event)
    assert found.faults


# -- what the office answers -----------------------------------------------------------------------


def the_office_says(
    device: FieldDevice,
    *,
    now: int = NOW + 5,
    epoch: int = 1,
    changes: Iterable[Change] = (),
    upto: dict[str, int] | None = None,
    office: Office | None = None,
) -> bytes:
    """An answer in a bundle: receipts for what the device has, or its logs up to these places."""
    office = office or device.office
    store = device.store
    heads = []
    for log in [*store.inspections(), "device"]:
        for mine in store.logs(log):
            last = (upto or {}).get(log, len(mine.lines))
            heads.append(ReceiptLog(mine.device, log, last, mine.hashes[last - 1].hex()))
    held = tuple(f.sha256 for f in device.ledger.files())
    server = server_id(office.public_key)
    receipt = Receipt(server, epoch, now, device.id, tuple(heads), held)
    answer = Answer(None, (), (), tuple(changes), f"c{epoch}.0", False, now, epoch)
    w = BundleWriter()
    return b"".join(
        [
            w.opening(Opening(None, "office", now, "Example Auditor", office.public_key)),
            w.receipt(0, sign_receipt(office.key, receipt)),
            w.answer(0, write_answer(answer)),
            w.end(),
        ]
    )


def take(device: FieldDevice, tmp_path: Path, plain: bytes) -> Any:
    path = tmp_path / "answer.tapak"
    own = own_key(device.store, device.now())
    path.write_bytes(pyrage.encrypt(plain, [own.to_public()]))
    return read_bundle(device.store, device.home.blobs(), path, None)


def rows(device: FieldDevice) -> dict[str, list[Any]]:
    database = device.store.database
    names = [n for (n,) in database.rows("select name from sqlite_master where type = 'table'")]
    return {name: database.rows(f"select * from {name}") for name in names}


def test_a_receipt_that_comes_by_bundle_says_held_safely_and_twice_changes_nothing(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S4, S10"""
    own_key(filled.store, filled.now())
    answer = the_office_says(filled, changes=[Change("facility", "f", {"id": "f"})])
    taken = take(filled, tmp_path, answer)
    assert (taken.receipts, taken.changes) == (1, 1)
    assert filled.ledger.waiting_lines(filled.store.identity()) == 0
    assert all(f.held_at is not None for f in filled.ledger.files())
    before = rows(filled)
    again = take(filled, tmp_path, answer)
    assert (again.receipts, again.changes) == (0, 0)
    assert rows(filled) == before


def test_an_answer_from_before_takes_nothing_back(filled: FieldDevice, tmp_path: Path) -> None:
    """S4, S5: it came by a slow carrier, and a sync was faster."""
    own_key(filled.store, filled.now())
    log = filled.store.inspections()[0]
    old = [Change("facility", "f", {"id": "f", "name": "the old name"})]
    slow = the_office_says(filled, now=NOW - 5, upto={log: 1}, changes=old)
    filled.office.changes.append(Change("facility", "f", {"id": "f", "name": "the new name"}))
    filled.sync()
    cursor = filled.store.note("cursor")
    taken = take(filled, tmp_path, slow)
    assert taken.changes == 0
    assert filled.store.note("cursor") == cursor
    assert filled.ledger.waiting_lines(filled.store.identity()) == 0
    named = filled.store.database.rows("select body from documents where ref = 'f'")
    assert json.loads(named[0][0])["name"] == "the new name"


def test_an_answer_of_an_epoch_that_is_over_says_nothing(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S5: the server was restored meanwhile; what it held before counts no more."""
    own_key(filled.store, filled.now())
    before = the_office_says(filled, epoch=1, now=NOW + 5)
    filled.office.epoch = 7
    with pytest.raises(Problem, match="server-away"):
        filled.sync(["", "request"])
    waiting = filled.ledger.waiting_lines(filled.store.identity())
    taken = take(filled, tmp_path, before)
    assert (taken.receipts, taken.changes) == (0, 0)
    assert filled.store.note("epoch") == "7"
    assert filled.ledger.waiting_lines(filled.store.identity()) == waiting


def test_answers_of_other_servers_and_for_other_devices_are_not_believed(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S4, S10"""
    own_key(filled.store, filled.now())
    before = rows(filled)
    with pytest.raises(Problem, match="bundle-other-server"):
        take(filled, tmp_path, the_office_says(filled, office=Office()))
    liar = Office()
    liar_says = the_office_says(filled, office=liar)
    posing = liar_says.replace(
        json.dumps(as_text(liar.public_key)).encode(),
        json.dumps(as_text(filled.office.public_key)).encode(),
    )
    with pytest.raises(Problem, match="receipt-signature"):
        take(filled, tmp_path, posing)
    assert rows(filled) == before
    path = tmp_path / "x-for-somebody-else.tapak"
    path.write_bytes(pyrage.encrypt(b"x", [Identity.generate().to_public()]))
    with pytest.raises(Problem) as raised:
        read_bundle(filled.store, filled.home.blobs(), path, None)
    assert raised.value.code == "bundle-for-another"
    assert "somebody-else" in raised.value.happened


def as_text(raw: bytes) -> str:
    import base64

    return base64.b64encode(raw).decode()


def test_one_byte_changed_anywhere_in_an_answer_is_named_and_keeps_nothing_wrong(
    filled: FieldDevice, tmp_path: Path
) -> None:
    """S10"""
    own = own_key(filled.store, filled.now())
    data = pyrage.encrypt(the_office_says(filled), [own.to_public()])
    path = tmp_path / "answer.tapak"
    before = rows(filled)
    for at in range(0, len(data), max(len(data) // 25, 1)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(Problem, match="bundle-"):
            read_bundle(filled.store, filled.home.blobs(), path, None)
        assert rows(filled) == before


def test_several_bundles_are_read_and_what_is_wrong_with_one_holds_up_none(
    filled: FieldDevice, tmp_path: Path
) -> None:
    folder = tmp_path / "stick"
    folder.mkdir()
    own = own_key(filled.store, filled.now())
    (folder / "a.tapak").write_bytes(b"made up")
    (folder / "b.tapak").write_bytes(pyrage.encrypt(the_office_says(filled), [own.to_public()]))
    (folder / "notes.txt").write_bytes(b"not looked at")
    said = json.loads(command(filled, "bundle", "read", str(folder), "--json", ends_with=1))
    assert [one.get("receipts") for one in said["read"]] == [None, 1]
    assert said["read"][0]["problem"]["code"] == "bundle-not-sealed"
    (tmp_path / "empty").mkdir()
    assert "no bundle in" in command(filled, "bundle", "read", str(tmp_path / "empty"), ends_with=1)


def test_the_devices_own_key_is_made_once_and_its_log_names_it(device: FieldDevice) -> None:
    """S10: so that the office knows what to seal to it."""
    key = own_key(device.store, device.now())
    assert str(own_key(device.store, device.now())) == str(key)
    shown = json.loads(command(device, "bundle", "key", "--json"))["key"]
    assert shown == str(key.to_public())
    (log,) = device.store.logs("device")
    assert json.loads(log.lines[-1])["value"] == {"recipient": shown}
    assert json.loads(log.lines[-1])["by"] == PERSON
    assert io.StringIO(command(device, "bundle", "key")).read().count("█") > 100
