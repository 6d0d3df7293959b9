"""What goes from a device: freed copies (S4), sealed inspections, a wipe (S11). All fictional."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from field_device import FieldDevice, picture
from memory_server import Office
from test_shared import certificate

from fieldkit.capture import answer, set_outcome, which_inspection
from fieldkit.cli import cli
from fieldkit.freeing import HOLD_MS, free
from fieldkit.keys import load_key
from fieldkit.passphrase import set_passphrase
from fieldkit.sealed_visits import refill, seal_visit, sealed_visits
from fieldkit.shared import extracts_of, not_taken, take_certificate, take_change
from fieldkit.signing import sign_off
from fieldkit.vault import Cost
from sync.extract import extract_to_json
from sync.problems import Problem
from sync.session import Change

DAY = 86_400_000


@pytest.fixture(params=[False, True], ids=["plain", "sealed"])
def sent(device: FieldDevice, tmp_path: Path, request: pytest.FixtureRequest) -> FieldDevice:
    """A device with a signed inspection of which the server holds everything."""
    if request.param:
        device.home = set_passphrase(device.home, "four fictional wet boots", Cost(1, 64, 1))
    begun = device.start()
    answer(device.recorder(), begun.inspection, "GEN-G1", ["FM"])
    device.photo(begun.inspection, picture(tmp_path / "a.jpg"))
    set_outcome(device.recorder(), begun.inspection, "visited")
    sign_off(device.recorder(), begun.inspection)
    device.sync()
    return device


def later(device: FieldDevice, office: Office, milliseconds: int) -> None:
    """So much later by the office's clock; the device hears of it."""
    office.now += milliseconds
    device.sync()


def test_a_copy_goes_seven_days_after_its_receipt_and_not_before_s4(
    sent: FieldDevice, office: Office
) -> None:
    blobs = sent.home.blobs()
    sha256 = sent.ledger.files()[0].sha256
    assert free(sent.ledger, blobs).kept == 1
    sent.clock += 3650 * DAY  # its own clock proves nothing
    assert free(sent.ledger, blobs).files == 0
    later(sent, office, HOLD_MS - 1)
    assert free(sent.ledger, blobs).files == 0
    later(sent, office, 1)
    done = free(sent.ledger, blobs)
    assert (done.files, done.kept, blobs.has(sha256)) == (1, 0, False)
    assert office.files[sha256], "what the server holds is untouched"


def test_a_copy_that_no_receipt_lists_never_goes_s4(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    device.photo(device.start().inspection, picture(tmp_path / "a.jpg"))
    office.now += 365 * DAY
    assert free(device.ledger, device.home.blobs()).files == 0


def test_a_sealed_inspection_is_gone_from_here_and_said_so_s11(
    sent: FieldDevice, office: Office
) -> None:
    inspection = sent.store.inspections()[0]
    with pytest.raises(Problem, match="seven days"):
        seal_visit(sent.store, sent.home.blobs(), sent.store.identity(), inspection, sent.now())
    later(sent, office, HOLD_MS)
    lines = office.lines(sent.id, inspection)
    seal_visit(sent.store, sent.home.blobs(), sent.store.identity(), inspection, sent.now())
    assert sent.store.inspections() == []
    assert list(sent.home.blobs().digests()) == []
    left = b"".join(p.read_bytes() for p in sent.home.folder.rglob("*") if p.is_file())
    assert b"answers/GEN-G1" not in left, "nor is it in what SQLite deleted"
    assert [s.log for s in sealed_visits(sent.store)] == [inspection]
    with pytest.raises(Problem, match="was sealed"):
        which_inspection(sent.store, inspection[:6])
    with pytest.raises(Problem, match="was sealed"):
        set_outcome(sent.recorder(), inspection, "partly")
    sent.sync()
    assert office.lines(sent.id, inspection) == lines


def test_colleagues_lines_do_not_bring_a_sealed_inspection_back_s11_s5(
    sent: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """Before it was sealed with a track withheld, and after; they come once it is filled again."""
    inspection = sent.store.inspections()[0]
    office.codes = {"WXYZ-EFGH-2345": None}
    other = FieldDevice(tmp_path / "colleague", office)
    other.enrol()
    identity, theirs = sent.store.identity(), other.store.identity()
    with other.store.writing(theirs, other.now(), "entries") as log:
        log.append(inspection, "comments/a", {"text": "made up"})
        log.append(inspection, f"track/{other.id}/1", {"source": "recorded"})

    def come() -> None:
        key = load_key(other.home.key)
        with sent.store.database.write("a colleague's lines") as tx:
            take_certificate(tx, identity, other.id, certificate(office, other))
            for run in extracts_of(other.store.database, theirs, key, inspection):
                ref = f"{run.device}/{run.log}/{run.first}"
                take_change(tx, identity, Change("lines", ref, extract_to_json(run)), 0)

    come()
    sign_off(sent.recorder(), inspection)
    sent.sync()
    later(sent, office, HOLD_MS)
    lines = office.lines(sent.id, inspection)
    seal_visit(sent.store, sent.home.blobs(), identity, inspection, sent.now())
    with other.store.writing(theirs, other.now(), "an entry") as log:
        log.append(inspection, "comments/b", {"text": "made up too"})
    come()
    assert sent.store.inspections() == []
    assert not_taken(sent.store.database) == []
    refill(sent.store, identity, inspection, lines)
    assert sent.store.note("cursor") is None
    come()
    assert not_taken(sent.store.database) == []
    assert sent.store.count_lines(inspection, other.id) == 2


def test_what_comes_back_fills_a_sealed_inspection_again_s11(
    sent: FieldDevice, office: Office
) -> None:
    inspection = sent.store.inspections()[0]
    later(sent, office, HOLD_MS)
    before = sent.store.logs(inspection)
    seal_visit(sent.store, sent.home.blobs(), sent.store.identity(), inspection, sent.now())
    lines = office.lines(sent.id, inspection)
    for wrong in (lines[:-1], [*lines[:-1], lines[0]], [lines[0].replace(b"1", b"2"), *lines[1:]]):
        with pytest.raises(Problem) as told:
            refill(sent.store, sent.store.identity(), inspection, wrong)
        assert told.value.code == "lines-unfit"
        assert sent.store.inspections() == []
    refill(sent.store, sent.store.identity(), inspection, lines)
    assert sent.store.logs(inspection) == before
    answer(sent.recorder(), inspection, "GEN-G1", ["DNM"])
    sent.sync()
    assert len(office.lines(sent.id, inspection)) == len(lines) + 1


@pytest.mark.parametrize("lacking", ["sign-off", "sync"])
def test_what_is_not_signed_or_not_sent_is_not_sealed_s11(
    device: FieldDevice, office: Office, lacking: str
) -> None:
    begun = device.start().inspection
    set_outcome(device.recorder(), begun, "visited")
    if lacking == "sync":
        sign_off(device.recorder(), begun)
    else:
        device.sync()
    later(device, office, 0) if lacking == "sign-off" else None
    with pytest.raises(Problem) as told:
        seal_visit(device.store, device.home.blobs(), device.store.identity(), begun, device.now())
    assert told.value.code == "seal-too-early"
    assert device.store.inspections() == [begun]


def test_a_wipe_says_what_is_lost_and_wants_it_typed_s11(
    device: FieldDevice, tmp_path: Path
) -> None:
    device.photo(device.start().inspection, picture(tmp_path / "a.jpg"))
    (device.home.folder / "notes.txt").write_text("somebody's own")
    run = CliRunner()
    wrong = run.invoke(cli, ["--home", str(device.home.folder), "wipe", "--type", "yes"])
    assert wrong.exit_code == 1
    assert "lose 3 entries and 1 files" in wrong.output
    assert device.store.inspections()
    words = ["wipe", "--type", "lose 3 entries and 1 files"]
    done = run.invoke(cli, ["--home", str(device.home.folder), *words])
    assert done.exit_code == 0, done.output
    assert "may be recoverable" in done.output
    assert [p.name for p in device.home.folder.iterdir()] == ["notes.txt"]


def test_a_locked_device_is_wiped_without_looking_and_its_keys_go_first_s11(
    device: FieldDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fieldkit import wiping

    device.start()
    set_passphrase(device.home, "four fictional wet boots", Cost(1, 64, 1))
    monkeypatch.setattr(wiping, "sweep", lambda *_: None)  # ended by force after the keys
    words = ["--home", str(device.home.folder), "wipe", "--type", "wipe without looking"]
    done = CliRunner().invoke(cli, words, env={"FIELDKIT_PASSPHRASE": None})
    assert done.exit_code == 0, done.output
    assert not (device.home.folder / "vault.json").exists()
    assert (device.home.folder / "store.sealed").exists()
    monkeypatch.undo()
    assert CliRunner().invoke(cli, words).exit_code == 0
    assert list(device.home.folder.iterdir()) == []
