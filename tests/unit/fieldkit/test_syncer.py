"""The conversation driven against losses, lies and restarts; the office holds every line once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from field_device import FACILITY, FieldDevice, busy_office, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_server import LossError, Office, publish

from fieldkit.capture import Extras, answer, observe, set_outcome, start
from fieldkit.ledger import Ledger
from fieldkit.library import Library
from fieldkit.signing import sign_off
from sync.problems import Problem
from sync.receipt import read_receipt
from sync.session import Answer, Change, LogState, read_answer


def _inspect(device: FieldDevice, tmp_path: Path, photos: int = 2) -> str:
    """A short visit: an answer, a sign, photos, an outcome and a sign-off."""
    inspection = device.start().inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    observe(device.recorder(), inspection, "operating/warm-kiln", "yes", Extras())
    files = [picture(tmp_path / f"p{n}.jpg", n) for n in range(photos)]
    device.photo(inspection, *files, items=["GEN-G1"])
    set_outcome(device.recorder(), inspection, "visited")
    sign_off(device.recorder(), inspection)
    return inspection


def test_one_run_brings_everything_over_and_both_sides_know(
    device: FieldDevice, tmp_path: Path
) -> None:
    """S1, S4."""
    _inspect(device, tmp_path)
    report = device.sync()
    device.holds_exactly()
    assert report.files_sent == 2
    assert device.ledger.waiting_lines(device.store.identity()) == 0
    assert len(device.ledger.receipts()) >= 2


def test_with_nothing_to_say_one_request_is_enough(device: FieldDevice, tmp_path: Path) -> None:
    """S1."""
    _inspect(device, tmp_path)
    device.sync()
    syncer = device.syncer()
    syncer.run()
    assert syncer.transport.log == ["exchange"]  # type: ignore[attr-defined]


def test_the_whole_visit_goes_in_one_exchange_with_its_files_asked_for_at_once(
    device: FieldDevice, tmp_path: Path
) -> None:
    _inspect(device, tmp_path, photos=1)
    syncer = device.syncer()
    syncer.run()
    assert syncer.transport.log == ["exchange", "file", "exchange"]  # type: ignore[attr-defined]


def test_what_came_down_is_readable_and_of_its_digest(device: FieldDevice) -> None:
    """S5."""
    library = Library(device.store.database)
    assert library.facility("bukit-contoh") == FACILITY
    newest = library.newest("checklist", "rare-earth-site")
    assert newest is not None
    assert library.checklist(newest.digest).item("GEN-G1") is not None


def test_changes_come_in_pages_until_there_are_no_more(office: Office, tmp_path: Path) -> None:
    office.page = 1
    device = FieldDevice(tmp_path / "d", office)
    device.enrol()
    report = device.sync()
    assert report.changes == len(office.changes)
    assert report.requests >= len(office.changes)


def test_an_older_checklist_stays_for_the_inspection_that_began_with_it(
    device: FieldDevice, office: Office
) -> None:
    begun = device.start()
    library = Library(device.store.database)
    old = library.text(begun.checklist.digest)
    assert old is not None
    office.changes.append(publish("checklist", old.name, old.text + "\n# later\n", "2"))
    device.sync()
    assert (
        answer(device.recorder(), begun.inspection, "GEN-G1", ["SM"]).value["checklist"]
        == begun.checklist.digest
    )
    later = start(device.recorder(), "bukit-contoh", new=True)
    assert later.checklist.digest != begun.checklist.digest


def test_a_tombstone_takes_a_document_away(device: FieldDevice, office: Office) -> None:
    """S5."""
    office.changes.append(Change("facility", "bukit-contoh", None))
    device.sync()
    with pytest.raises(Problem, match="facility-unknown"):
        device.start()


@pytest.mark.parametrize(
    "change",
    [
        Change("checklist", "x", {"name": "x", "digest": "0" * 64, "version": "1", "body": "a"}),
        Change("checklist", "x", {"name": "x"}),
        Change("facility", "x", "not an object"),
    ],
)
def test_a_text_that_is_not_its_digest_is_refused_with_its_whole_answer(
    device: FieldDevice, office: Office, change: Change
) -> None:
    office.changes += [Change("facility", "other", {**FACILITY, "id": "other"}), change]
    cursor = device.store.note("cursor")
    with pytest.raises(Problem, match="answer-malformed"):
        device.sync()
    assert device.store.note("cursor") == cursor
    assert len(Library(device.store.database).documents("facility")) == 1


# -- losses ---------------------------------------------------------------------------------------


def test_a_lost_answer_and_a_resend_double_nothing(device: FieldDevice, tmp_path: Path) -> None:
    """S2."""
    _inspect(device, tmp_path)
    with pytest.raises(Problem, match="server-away"):
        device.sync(["reply"])
    device.sync()
    device.holds_exactly()


def test_a_file_whose_answer_is_lost_is_held_safely_after_the_next_run(
    device: FieldDevice, tmp_path: Path
) -> None:
    """S4."""
    _inspect(device, tmp_path, photos=1)
    with pytest.raises(Problem, match="server-away"):
        device.sync(["", "reply"])
    (before,) = device.ledger.files()
    assert (before.sent_at, before.held_at) == (None, None)
    report = device.sync()
    assert report.files_sent == 0
    device.holds_exactly()


def test_sent_is_not_held_until_a_receipt_says_so(device: FieldDevice, tmp_path: Path) -> None:
    """S4."""
    _inspect(device, tmp_path, photos=1)
    with pytest.raises(Problem, match="server-away"):
        device.sync(["", "", "request"])
    (file,) = device.ledger.files()
    assert file.sent_at is not None
    assert file.held_at is None


def test_a_server_that_lost_the_end_of_a_log_is_sent_it_again(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S2: a gap is answered with the seq to go on from."""
    inspection = _inspect(device, tmp_path)
    device.sync()
    office.forget_log(device.id, inspection, 2)
    answer(device.recorder(), inspection, "GEN-G2", ["PM"])
    device.sync()
    device.holds_exactly()


def test_a_gap_that_nobody_signed_never_acknowledges_anything(
    device: FieldDevice, tmp_path: Path
) -> None:
    """S4: whoever stands in between may ask for lines from far on; they are not held for that."""
    inspection = _inspect(device, tmp_path)
    syncer = device.syncer()
    identity = device.store.identity()
    lie = Answer(
        None, (LogState(identity.device, inspection, "gap", 500),), (), (), "c1.0", False, 5
    )
    syncer.ledger.take(identity, lie, None, 5)
    assert device.ledger.waiting_lines(identity, inspection) > 0
    device.sync()
    device.holds_exactly()


def test_a_server_restored_from_a_backup_is_offered_everything_again(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S5: a new epoch."""
    inspection = _inspect(device, tmp_path)
    device.sync()
    office.epoch = 2
    office.files.clear()
    office.logs.clear()
    answer(device.recorder(), inspection, "GEN-G2", ["PM"])
    device.sync()
    device.holds_exactly()


def test_a_cursor_that_the_server_does_not_know_is_dropped(device: FieldDevice) -> None:
    device.store.set_notes(cursor="from-another-world")
    assert device.sync().changes > 0


_FAULTS = st.lists(st.sampled_from(["", "", "request", "reply", "dies"]), max_size=6)
_ACTIONS = st.lists(st.sampled_from(["answer", "photo", "observe", "sync"]), max_size=8)


@settings(max_examples=25, deadline=None)
@given(actions=_ACTIONS, faults=st.lists(_FAULTS, max_size=6))
def test_after_any_failures_the_office_holds_every_line_and_file_once(
    actions: list[str], faults: list[list[str]]
) -> None:
    """S1, S2, S4: whatever was lost on the way, one undisturbed run at the end completes it."""
    folder = Path(tempfile.mkdtemp())
    try:
        device = FieldDevice(folder / "device", busy_office())
        device.enrol()
        device.sync()
        inspection = device.start().inspection
        runs = iter(faults)
        for n, action in enumerate([*actions, *["sync"] * len(faults)]):
            _act(device, inspection, action, n, runs, folder)
        device.sync()
        device.holds_exactly()
        assert device.sync().requests == 1
    finally:
        shutil.rmtree(folder)


def _act(
    device: FieldDevice,
    inspection: str,
    action: str,
    n: int,
    runs: Iterator[list[str]],
    folder: Path,
) -> None:
    if action == "answer":
        answer(device.recorder(), inspection, "GEN-G1", [["FM", "SM", "PM"][n % 3]])
    elif action == "observe":
        observe(device.recorder(), inspection, "headcount/miners", str(n), Extras())
    elif action == "photo":
        file = folder / f"{n}.txt"
        file.write_text(f"notes {n}")
        device.document(inspection, file)
    else:
        try:
            device.sync(next(runs, []))
        except Problem as exc:
            assert exc.code == "server-away"
        except LossError:
            pass


# -- lies and refusals ----------------------------------------------------------------------------


def test_a_receipt_of_another_key_marks_nothing(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S4."""
    _inspect(device, tmp_path)
    office.key = Ed25519PrivateKey.generate()
    waiting = device.ledger.waiting_lines(device.store.identity())
    with pytest.raises(Problem) as raised:
        device.sync()
    assert raised.value.code == "receipt-signature"
    assert device.ledger.waiting_lines(device.store.identity()) == waiting
    assert device.ledger.receipts() == []


def test_a_receipt_over_other_bytes_than_ours_is_not_believed(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    inspection = _inspect(device, tmp_path)
    assert list(device.ledger.pending(device.store.identity()))
    device.sync()
    said = office.logs[(device.id, inspection)]
    said.hashes[-1] = b"\x00" * 32
    said_again = office.exchange(f"token-{device.id}", _asking(device, inspection))
    parsed = read_answer(said_again)
    assert parsed.receipt is not None
    receipt = read_receipt(device.store.identity().server_key, parsed.receipt)
    with pytest.raises(Problem) as raised:
        device.ledger.take(device.store.identity(), parsed, receipt, 0)
    assert raised.value.code == "receipt-unfit"


def _asking(device: FieldDevice, inspection: str) -> bytes:
    from fieldkit.keys import load_key
    from sync.log import sign_head
    from sync.session import Request, Segment, write_request

    (log,) = device.store.logs(inspection)
    signature = sign_head(load_key(device.home.key), log.hashes[0])
    segment = Segment(device.id, inspection, 1, log.lines[:1], signature)
    return write_request(Request(device.id, None, (), (segment,)))


def test_a_refused_log_is_told_with_the_servers_reason_and_tried_again_next_time(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """L4: only that log is refused; the others go on."""
    refused = _inspect(device, tmp_path, photos=0)
    office.refused = {refused}
    other = start(device.recorder(), "bukit-contoh", new=True).inspection
    device.sync()
    (refusal,) = device.ledger.refusals()
    assert (refusal.log, refusal.state) == (refused, "refused")
    assert refusal.problem is not None
    assert refusal.problem["code"] == "log-unknown-inspection"
    assert office.lines(device.id, other)
    office.refused = set()
    device.sync()
    assert device.ledger.refusals() == []
    device.holds_exactly()


def test_a_file_that_is_gone_is_told_and_the_others_are_sent(
    device: FieldDevice, tmp_path: Path
) -> None:
    inspection = _inspect(device, tmp_path, photos=3)
    lost, *others = (f.sha256 for f in device.ledger.files(inspection))
    device.home.blobs().path(lost).unlink()
    report = device.sync()
    assert set(report.not_sent) == {lost}
    assert set(others) <= device.office.files.keys()


def test_a_file_damaged_on_this_disk_never_counts_as_sent(
    device: FieldDevice, tmp_path: Path
) -> None:
    inspection = _inspect(device, tmp_path, photos=1)
    (file,) = device.ledger.files(inspection)
    path = device.home.blobs().path(file.sha256)
    path.write_bytes(b"?" * file.size)
    report = device.sync()
    assert report.not_sent[file.sha256].code == "file-digest"
    assert device.ledger.files()[0].sent_at is None


def test_a_server_that_takes_a_file_and_does_not_hold_it_ends_the_run(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S4: sent once in a run, and not held."""
    _inspect(device, tmp_path, photos=1)
    office.take_file = lambda token, sha256, data: None  # type: ignore[method-assign]
    syncer = device.syncer()
    syncer.run()
    assert syncer.transport.log.count("file") == 1  # type: ignore[attr-defined]
    assert device.ledger.files()[0].held_at is None


def test_a_sign_in_page_changes_nothing(device: FieldDevice, tmp_path: Path) -> None:
    _inspect(device, tmp_path)
    syncer = device.syncer()
    syncer.transport.exchange = lambda request: b"<html>Welcome</html>"  # type: ignore[method-assign]
    waiting = device.ledger.waiting_lines(device.store.identity())
    with pytest.raises(Problem) as raised:
        syncer.run()
    assert raised.value.code == "answer-malformed"
    assert device.ledger.waiting_lines(device.store.identity()) == waiting


def test_many_lines_go_in_several_requests(device: FieldDevice) -> None:
    """S12: a segment has at most 2,000 lines."""
    inspection = device.start().inspection
    store = device.store
    with store.writing(store.identity(), 7, "entries") as log:
        for n in range(2100):
            log.append(inspection, f"comments/{n}", {"n": n})
        for n in range(75):
            log.append(inspection, f"comments/long-{n}", {"text": "x" * 60_000})
    assert device.sync().requests >= 2
    device.holds_exactly()


def test_two_devices_of_one_office_do_not_disturb_each_other(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    office.codes["BCDE-FGHJ-2345"] = None
    del office.codes["ABCD-EFGH-2345"]
    second = FieldDevice(tmp_path / "second", office)
    second.enrol()
    second.sync()
    _inspect(device, tmp_path)
    _inspect(second, tmp_path)
    device.sync()
    second.sync()
    device.holds_exactly()
    second.holds_exactly()
    assert device.id != second.id


def test_the_ledger_says_what_waits(device: FieldDevice, tmp_path: Path) -> None:
    _inspect(device, tmp_path)
    ledger = Ledger(device.store.database)
    assert ledger.waiting_lines(device.store.identity()) > 5
    assert ledger.awaited(device.store.identity()) == []
