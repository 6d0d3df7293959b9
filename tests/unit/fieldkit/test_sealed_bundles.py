"""Sealing into a bundle before any receipt (S11), and what tells that it came (S4). Fictional."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest
from click.testing import CliRunner, Result
from field_device import FieldDevice, picture
from memory_server import DirectTransport, Office

from fieldkit import sealed_bundles
from fieldkit.bundle_content import Maker
from fieldkit.bundle_sealing import own_key
from fieldkit.capture import answer, set_outcome
from fieldkit.cli import cli
from fieldkit.passphrase import set_passphrase
from fieldkit.reissued import undo_seal
from fieldkit.sealed_bundles import seal_into_bundle
from fieldkit.sealed_visits import sealed_visits
from fieldkit.signing import sign_off
from fieldkit.vault import Cost
from sync.bundle_reader import BundleReader, FileBytes, FileEnds
from sync.log import Head, Segment, genesis, verify_chain
from sync.problems import Problem
from sync.session import Request, write_request


@pytest.fixture(params=[False, True], ids=["plain", "sealed"])
def signed(device: FieldDevice, tmp_path: Path, request: pytest.FixtureRequest) -> FieldDevice:
    """A device with a signed inspection of which nothing was sent."""
    if request.param:
        device.home = set_passphrase(device.home, "four fictional wet boots", Cost(1, 64, 1))
    begun = device.start()
    answer(device.recorder(), begun.inspection, "GEN-G1", ["FM"])
    device.photo(begun.inspection, picture(tmp_path / "a.jpg"), picture(tmp_path / "b.jpg", 7))
    set_outcome(device.recorder(), begun.inspection, "visited")
    sign_off(device.recorder(), begun.inspection)
    return device


def maker(device: FieldDevice) -> Maker:
    store, now = device.store, device.now()
    recipient = str(own_key(store, now).to_public())
    key = device.home.load_key()
    return Maker(store, device.ledger, device.home.blobs(), store.identity(), key, recipient, now)


def sealed_into(device: FieldDevice, path: Path) -> str:
    inspection = device.store.inspections()[0]
    seal_into_bundle(maker(device), path, inspection, lambda done, total: None)
    return inspection


def brought(device: FieldDevice, path: Path, *, files: bool = True) -> None:
    """The office reads the bundle, as far as this test's office can."""
    office, reader = device.office, BundleReader()
    data = b""
    for event in reader.feed(pyrage.decrypt(path.read_bytes(), [office.sealing_key])):
        if isinstance(event, Segment):
            request = Request(device.id, None, (), (event,), device.now(), False, 1)
            office.exchange(device.store.identity().token, write_request(request))
        elif isinstance(event, FileBytes):
            data += event.data
        elif isinstance(event, FileEnds):
            if files:
                office.files[event.sha256] = data
            data = b""
    reader.close()


def run(device: FieldDevice, *words: str) -> Result:
    env = {"FIELDKIT_PASSPHRASE": "four fictional wet boots", "XDG_RUNTIME_DIR": None}
    done = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words], env=env)
    assert done.exit_code == 0, done.output
    return done


def everything(device: FieldDevice) -> bytes:
    return b"".join(p.read_bytes() for p in device.home.folder.rglob("*") if p.is_file())


def test_the_plain_copy_goes_when_the_bundle_was_read_back_s11(
    signed: FieldDevice, office: Office, tmp_path: Path
) -> None:
    (tmp_path / "stick").mkdir()
    lines = signed.store.logs(signed.store.inspections()[0])[0].lines
    run(signed, "seal", "--bundle", str(tmp_path / "stick"))
    assert signed.store.inspections() == []
    assert list(signed.home.blobs().digests()) == []
    assert b"answers/GEN-G1" not in everything(signed)
    (path,) = (tmp_path / "stick").iterdir()
    (visit,) = sealed_visits(signed.store)
    assert visit.bundle is not None
    assert (visit.bundle.places, visit.bundle.confirmed_at) == ((str(path),), None)
    told = run(signed, "status").output
    assert "has not signed for it yet. Keep the bundle" in told
    assert path.name in told.replace("\n", "").replace(" ", "")
    brought(signed, path)
    assert office.lines(signed.id, visit.log) == list(lines)
    assert len(office.files) == 2


def test_a_sync_says_when_the_server_holds_all_of_it_s4(
    signed: FieldDevice, office: Office, tmp_path: Path
) -> None:
    inspection = sealed_into(signed, tmp_path / "one.tapak")
    signed.sync()
    assert office.lines(signed.id, inspection) == [], "asking sends nothing of it"
    assert not _confirmed(signed)
    brought(signed, tmp_path / "one.tapak", files=False)
    signed.sync()
    assert not _confirmed(signed), "the files are not there yet"
    brought(signed, tmp_path / "one.tapak")
    signed.sync()
    assert _confirmed(signed)
    assert signed.store.database.rows("select last_line from sealed_bundles") == [(None,)]
    assert "all held safely" in run(signed, "status").output
    transport_log = signed.sync().requests
    assert transport_log == 1, "what is confirmed is not asked about again"


def _confirmed(device: FieldDevice) -> bool:
    (visit,) = sealed_visits(device.store)
    return visit.bundle is not None and visit.bundle.confirmed_at is not None


@pytest.mark.parametrize("lacking", ["sign-off", "later entry", "file"])
def test_what_is_not_whole_is_not_sealed_s11(
    signed: FieldDevice, tmp_path: Path, lacking: str
) -> None:
    inspection = signed.store.inspections()[0]
    if lacking == "sign-off":
        inspection = signed.start(new=True).inspection
    elif lacking == "later entry":
        set_outcome(signed.recorder(), inspection, "partly")
    else:
        blobs = signed.home.blobs()
        blobs.path(next(iter(blobs.digests()))).unlink()
    with pytest.raises(Problem) as told:
        seal_into_bundle(maker(signed), tmp_path / "b.tapak", inspection, lambda *_: None)
    assert told.value.code == ("file-missing" if lacking == "file" else "seal-too-early")
    assert inspection in signed.store.inspections()
    assert not (tmp_path / "b.tapak").exists()


@pytest.mark.parametrize("what", ["changed", "gone", "entry came"])
def test_nothing_goes_when_the_bundle_does_not_hold_it_s11(
    signed: FieldDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """A disk that gives back other bytes, or an entry that was written meanwhile."""
    path, real = tmp_path / "b.tapak", sealed_bundles.check_written
    inspection = signed.store.inspections()[0]

    def lies(written: sealed_bundles.Written) -> None:
        if what == "changed":
            raw = path.read_bytes()
            path.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
        elif what == "gone":
            path.unlink()
        else:
            set_outcome(signed.recorder(), inspection, "partly")
        real(written)

    monkeypatch.setattr(sealed_bundles, "check_written", lies)
    with pytest.raises(Problem) as told:
        sealed_into(signed, path)
    assert told.value.code == ("seal-too-early" if what == "entry came" else "bundle-not-kept")
    assert signed.store.inspections() == [inspection]
    assert len(list(signed.home.blobs().digests())) == 2


def test_ended_before_the_files_went_they_go_next_time_s11(
    signed: FieldDevice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(sealed_bundles, "settle_sealed", dies)
        with pytest.raises(KeyboardInterrupt):
            sealed_into(signed, tmp_path / "b.tapak")
    assert len(list(signed.home.blobs().digests())) == 2
    signed.sync()
    assert list(signed.home.blobs().digests()) == []


def test_a_file_that_another_inspection_names_stays_s11(
    signed: FieldDevice, office: Office, tmp_path: Path
) -> None:
    other = signed.start(new=True).inspection
    signed.photo(other, tmp_path / "a.jpg")
    sealed = next(log for log in signed.store.inspections() if log != other)
    seal_into_bundle(maker(signed), tmp_path / "b.tapak", sealed, lambda *_: None)
    (kept,) = signed.home.blobs().digests()
    signed.sync()
    assert list(office.files) == [kept], "it is still sent for the other one"


def test_it_comes_back_for_correction_as_it_was_signed_s11(
    signed: FieldDevice, office: Office, tmp_path: Path
) -> None:
    before = signed.store.logs(signed.store.inspections()[0])
    inspection = sealed_into(signed, tmp_path / "b.tapak")
    with pytest.raises(Problem) as told:
        back(signed)
    assert told.value.code == "seal-not-there"
    brought(signed, tmp_path / "b.tapak")
    held = office.logs[signed.id, inspection]
    whole, held.lines = held.lines, [*held.lines[:-1], held.lines[0]]
    with pytest.raises(Problem) as told:
        back(signed)
    assert told.value.code == "lines-unfit"
    assert signed.store.inspections() == []
    held.lines = whole
    assert back(signed) == len(whole)
    assert signed.store.logs(inspection) == before
    assert sealed_visits(signed.store) == []
    answer(signed.recorder(), inspection, "GEN-G1", ["DNM"])
    sign_off(signed.recorder(), inspection)
    signed.sync()
    assert len(office.lines(signed.id, inspection)) == len(whole) + 2
    said = json.loads(run(signed, "--json", "status").output)
    assert said["files"]["held"] == said["files"]["all"] == 2, "the receipts list what stays there"


def back(device: FieldDevice) -> int:
    store = device.store
    identity = store.identity()
    (sealed,) = sealed_visits(store)
    return undo_seal(store, identity, sealed, DirectTransport(device.office, identity.token))


def test_the_bundles_lines_verify_to_the_kept_hash_s11(signed: FieldDevice, tmp_path: Path) -> None:
    inspection = sealed_into(signed, tmp_path / "b.tapak")
    (visit,) = sealed_visits(signed.store)
    key, seq = signed.store.identity().public_key, 0
    h = genesis(key, inspection)
    data = pyrage.decrypt((tmp_path / "b.tapak").read_bytes(), [signed.office.sealing_key])
    for event in BundleReader().feed(data):
        if isinstance(event, Segment) and event.inspection == inspection:
            h = verify_chain(key, Head(seq, h), event)[-1]
            seq += len(event.lines)
    assert (seq, h) == (visit.seq, visit.h)
