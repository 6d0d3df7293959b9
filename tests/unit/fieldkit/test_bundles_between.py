"""Two auditors on one inspection, by bundles only (S10, S5, S2): no network, nothing lost."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pyrage
import pytest
from click.testing import CliRunner
from field_device import FieldDevice, busy_office, picture
from memory_server import Office

from fieldkit.bundle_sealing import own_key
from fieldkit.capture import load_inspection
from fieldkit.cli import cli
from fieldkit.home import Home
from fieldkit.received import BytesOnTheirWay
from sync.bundle_reader import BundleReader, FileBegins, FileEnds, Lines
from sync.log import Segment
from sync.unseal import unseal

WALK = (
    '<gpx version="1.1" creator="t"><trk><trkseg>'
    '<trkpt lat="4.01" lon="101.01"><time>2026-02-01T12:00:00Z</time></trkpt>'
    '<trkpt lat="4.0101" lon="101.01"><time>2026-02-01T12:00:10Z</time></trkpt>'
    "</trkseg></trk></gpx>"
)


@pytest.fixture
def two(tmp_path: Path) -> tuple[FieldDevice, FieldDevice]:
    """Two enrolled devices of one office that know the facility, and then no network."""
    office = busy_office()
    made = []
    for name, code in (("ana", "ABCD-EFGH-2345"), ("bima", "BCDE-FGHJ-2345")):
        office.codes = {code: None}
        device = FieldDevice(tmp_path / name, office)
        device.enrol()
        device.sync()
        made.append(device)
    return made[0], made[1]


def command(device: FieldDevice, *words: str, ends_with: int = 0) -> Any:
    done = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words, "--json"])
    assert done.exit_code == ends_with, done.output
    return json.loads(done.stdout)


def hand_over(giver: FieldDevice, taker: FieldDevice, path: Path, *words: str) -> Any:
    """A bundle from one to the other, sealed to the taker's key."""
    key = str(own_key(taker.store, taker.now()).to_public())
    command(giver, "bundle", "write", str(path), "--to", key, *words)
    return command(taker, "bundle", "read", str(path))["read"][0]


def inside(device: FieldDevice, path: Path) -> list[Any]:
    out: list[Any] = []
    reader = BundleReader()
    keys = [own_key(device.store, device.now())]
    with path.open("rb") as file:
        unseal(file, lambda data: out.extend(reader.feed(data)), identities=keys)
    return out


def test_two_auditors_by_bundle_only_end_with_the_same_and_one_brings_both_to_the_office(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    """S10, S2: A hands over, both record, B hands back, A brings everything."""
    ana, bima = two
    log = ana.start().inspection
    shot = picture(tmp_path / "a.jpg", 7)
    ana.photo(log, shot)
    first = hand_over(ana, bima, tmp_path / "1.tapak")
    assert (first["entries"], first["files"], first["keys"]) == (2, 1, 1)
    assert bima.store.inspections() == [log]
    command(bima, "answer", "GEN-G1", "FM")
    command(ana, "answer", "GEN-G2", "FM")
    # B knows A by name now.
    command(bima, "bundle", "write", str(tmp_path / "2.tapak"), "--to", ana.id[:8])
    back = command(ana, "bundle", "read", str(tmp_path / "2.tapak"))["read"][0]
    assert back["entries"] == 1
    hand_over(ana, bima, tmp_path / "3.tapak")
    states = [load_inspection(one.store, log) for one in two]
    assert states[0].answers == states[1].answers
    assert set(states[0].answers) == {("GEN-G1", "-"), ("GEN-G2", "-")}

    path = tmp_path / "4.tapak"
    command(bima, "bundle", "write", str(path))
    plain = pyrage.decrypt(path.read_bytes(), [bima.office.sealing_key])
    events = list(BundleReader().feed(plain))
    carried = {e.device: e for e in events if isinstance(e, Segment) and e.inspection == log}
    assert set(carried) == {ana.id, bima.id}
    (own,) = [one for one in ana.store.logs(log) if one.device == ana.id]
    lines = [
        line for e in events if isinstance(e, Segment) and e.device == ana.id for line in e.lines
    ]
    assert lines == list(own.lines)
    digests = {e.sha256 for e in events if isinstance(e, FileBegins)}
    assert hashlib.sha256(shot.read_bytes()).hexdigest() in digests


def test_reading_a_colleagues_bundle_again_changes_nothing(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    """S10"""
    ana, bima = two
    ana.photo(ana.start().inspection, picture(tmp_path / "a.jpg", 7))
    path = tmp_path / "1.tapak"
    hand_over(ana, bima, path)
    before = rows(bima)
    again = command(bima, "bundle", "read", str(path))["read"][0]
    assert (again["entries"], again["files"], again["keys"]) == (0, 0, 0)
    assert rows(bima) == before


def rows(device: FieldDevice) -> dict[str, list[Any]]:
    database = device.store.database
    names = [n for (n,) in database.rows("select name from sqlite_master where type = 'table'")]
    return {name: database.rows(f"select * from {name}") for name in names}


def test_a_colleague_never_gets_a_track_not_as_entries_and_not_as_a_file(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    """S5"""
    ana, bima = two
    log = ana.start().inspection
    walk = tmp_path / "walk.gpx"
    walk.write_text(WALK)
    command(ana, "track", str(walk))
    command(ana, "answer", "GEN-G1", "FM")
    hand_over(ana, bima, tmp_path / "1.tapak")
    events = inside(bima, tmp_path / "1.tapak")
    assert not [e for e in events if isinstance(e, FileBegins)]
    assert b"lat_e7" not in b"".join(e.body for e in events if isinstance(e, Lines))
    read = load_inspection(bima.store, log)
    assert (read.tracks, set(read.answers)) == ({}, {("GEN-G1", "-")})
    found = command(bima, "bundle", "verify", str(tmp_path / "1.tapak"))["bundles"][0]
    assert (found["faults"], found["logs"][0]["withheld"]) == ([], 1)
    # What B can carry of it ends where the track begins: A's own device brings the rest.
    command(bima, "answer", "GEN-G2", "FM")
    path = tmp_path / "2.tapak"
    command(bima, "bundle", "write", str(path))
    plain = pyrage.decrypt(path.read_bytes(), [bima.office.sealing_key])
    carried = [
        e for e in BundleReader().feed(plain) if isinstance(e, Segment) and e.device == ana.id
    ]
    last = max(e.first + len(e.lines) - 1 for e in carried)
    assert 0 < last < len(next(o for o in ana.store.logs(log) if o.device == ana.id).lines)


def test_lines_that_a_colleague_did_not_sign_are_told_and_not_kept(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    """S10, L4"""
    ana, bima = two
    ana.start()
    path = tmp_path / "1.tapak"
    key = own_key(bima.store, bima.now())
    command(ana, "bundle", "write", str(path), "--to", str(key.to_public()))
    plain = pyrage.decrypt(path.read_bytes(), [key])
    assert b"bukit-" in plain
    path.write_bytes(pyrage.encrypt(plain.replace(b"bukit-", b"bukiT-"), [key.to_public()]))
    said = command(bima, "bundle", "read", str(path), ends_with=1)["read"][0]
    assert [one["code"] for one in said["said"]] == ["lines-unproved"]
    assert bima.store.inspections() == []


def test_a_colleagues_file_with_other_bytes_is_not_kept(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    """S6"""
    ana, bima = two
    shot = picture(tmp_path / "a.jpg", 7)
    ana.photo(ana.start().inspection, shot)
    path = tmp_path / "1.tapak"
    key = own_key(bima.store, bima.now())
    command(ana, "bundle", "write", str(path), "--to", str(key.to_public()))
    plain = pyrage.decrypt(path.read_bytes(), [key])
    data = shot.read_bytes()
    assert data in plain
    path.write_bytes(pyrage.encrypt(plain.replace(data, data[::-1]), [key.to_public()]))
    said = command(bima, "bundle", "read", str(path), ends_with=1)["read"][0]
    assert said["problem"]["code"] == "file-digest"
    assert [p for p in (bima.home.folder / "files").rglob("*") if p.is_file()] == []


def test_a_person_whose_key_is_not_known_is_named_with_what_to_do(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    ana, _ = two
    ana.start()
    said = command(ana, "bundle", "write", str(tmp_path), "--to", "Nobody", ends_with=1)
    assert said["code"] == "recipient-unknown"
    assert "fieldkit bundle key" in said["remedy"]


def test_with_a_passphrase_alone_a_bundle_holds_what_a_colleague_may_see(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    """S5: nobody knows who will open it."""
    ana, _ = two
    ana.start()
    walk = tmp_path / "walk.gpx"
    walk.write_text(WALK)
    command(ana, "track", str(walk))
    words = tmp_path / "words"
    words.write_text("five made-up words here")
    path = tmp_path / "1.tapak"
    given = ("--passphrase-file", str(words))
    command(ana, "bundle", "write", str(path), *given)
    out: list[bytes] = []
    unseal(io.BytesIO(path.read_bytes()), out.append, passphrase=words.read_text())
    assert b"lat_e7" not in b"".join(out)
    found = command(ana, "bundle", "verify", str(path), *given)["bundles"][0]
    assert [one["withheld"] for one in found["logs"]] == [1]


def test_a_bundle_of_another_office_is_refused(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    ana, _ = two
    ana.start()
    stranger = FieldDevice(tmp_path / "stranger", Office())
    stranger.enrol()
    key = str(own_key(stranger.store, stranger.now()).to_public())
    path = tmp_path / "1.tapak"
    command(ana, "bundle", "write", str(path), "--to", key)
    said = command(stranger, "bundle", "read", str(path), ends_with=1)["read"][0]
    assert said["problem"]["code"] == "bundle-other-server"
    assert stranger.store.inspections() == []


def test_on_a_device_with_a_passphrase_a_colleagues_file_never_lies_open(
    two: tuple[FieldDevice, FieldDevice], tmp_path: Path
) -> None:
    """S11: it is sealed as it comes."""
    ana, bima = two
    shot = picture(tmp_path / "a.jpg", 7)
    ana.photo(ana.start().inspection, shot)
    key = str(own_key(bima.store, bima.now()).to_public())
    command(ana, "bundle", "write", str(tmp_path / "1.tapak"), "--to", key)
    begins = next(e for e in inside(bima, tmp_path / "1.tapak") if isinstance(e, FileBegins))
    sealed = Home(tmp_path / "sealed", data_key=b"k" * 32).blobs()
    way = BytesOnTheirWay(sealed, begins, wanted=True)
    way.write(shot.read_bytes())
    assert way.end(FileEnds(begins.sha256, begins.size, fits=True))
    assert b"".join(sealed.chunks(begins.sha256)) == shot.read_bytes()
    kept = [p.read_bytes() for p in sealed.folder.rglob("*") if p.is_file()]
    assert kept and all(shot.read_bytes()[:64] not in data for data in kept)
    dropped = BytesOnTheirWay(sealed, FileBegins("0" * 64, 9), wanted=True)
    dropped.write(b"made")
    dropped.drop()
    assert len([p for p in sealed.folder.rglob("*") if p.is_file()]) == len(kept)
