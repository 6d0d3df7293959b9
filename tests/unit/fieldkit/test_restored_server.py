"""A server that was restored from a backup is offered again all it has lost, and no more (S5)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from field_device import FieldDevice, busy_office, picture
from hypothesis import given, settings
from hypothesis import strategies as st
from memory_server import LossError, Office

from fieldkit.capture import Extras, answer, observe, set_outcome
from fieldkit.signing import sign_off
from sync.adopted import carried_line, is_adopted
from sync.log import Entry, read_line
from sync.problems import Problem
from sync.receipt import SignedBytes, read_receipt
from sync.session import Request, Segment, read_answer, read_request, write_answer


def visit(device: FieldDevice, folder: Path, first: int = 0, photos: int = 2) -> str:
    """A short visit of its own, with pictures that no other visit has."""
    inspection = device.start(new=True).inspection
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    files = [picture(folder / f"p{n}.jpg", n) for n in range(first, first + photos)]
    device.photo(inspection, *files, items=["GEN-G1"])
    set_outcome(device.recorder(), inspection, "visited")
    sign_off(device.recorder(), inspection)
    return inspection


def watched(device: FieldDevice) -> list[Request]:
    """Sync once; what the device asked, request by request."""
    syncer = device.syncer()
    asked: list[Request] = []
    exchange = syncer.transport.exchange

    def listen(request: bytes) -> bytes:
        asked.append(read_request(request))
        return exchange(request)

    syncer.transport.exchange = listen  # type: ignore[method-assign]
    syncer.run()
    return asked


def carried(requests: list[Request]) -> list[Segment]:
    return [segment for request in requests for segment in request.segments]


def test_a_device_with_nothing_to_say_learns_of_it_and_brings_back_what_was_lost(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S5: entries, a whole inspection and files that came after the backup."""
    visit(device, tmp_path)
    device.sync()
    backup = office.backup()
    known = visit(device, tmp_path, first=2)
    device.sync()
    office.restore(backup)
    assert office.lines(device.id, known) == []
    report = device.sync()
    assert report.restored
    assert report.files_sent == 2
    device.holds_exactly()
    assert not device.sync().restored


def test_what_the_server_still_holds_is_asked_about_by_one_line_of_each_log(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S2, S5: nothing was lost, so nothing is sent twice but the last line of every log."""
    for n in range(3):
        visit(device, tmp_path, first=2 * n)
    device.sync()
    office.restore(office.backup())
    asked = watched(device)
    assert [len(segment.lines) for segment in carried(asked)] == [1, 1, 1, 1]
    assert len(asked) == 2
    device.holds_exactly()


def test_only_what_is_missing_at_the_end_of_a_log_goes_up_again(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S2, S5: the gap says where to go on from."""
    inspection = visit(device, tmp_path)
    device.sync()
    backup = office.backup()
    held = len(office.lines(device.id, inspection))
    for n in range(5):
        observe(device.recorder(), inspection, "headcount/miners", str(n), Extras())
    device.sync()
    office.restore(backup)
    sent = [s for s in carried(watched(device)) if s.inspection == inspection]
    assert [(s.first, len(s.lines)) for s in sent] == [(held + 5, 1), (held + 1, 5)]
    device.holds_exactly()


def test_afterwards_nothing_to_say_costs_one_small_request_again(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S1, S5."""
    visit(device, tmp_path)
    device.sync()
    office.restore(office.backup())
    device.sync()
    (asked,) = watched(device)
    assert (asked.segments, asked.awaiting) == ((), ())


def test_what_an_older_epoch_acknowledged_counts_as_waiting_until_it_is_acknowledged_again(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S4, S5: the run is cut after the answer that told of the new epoch."""
    visit(device, tmp_path)
    device.sync()
    entries = sum(len(logs.lines) for log in [*device.store.inspections(), "device"]
                  for logs in device.store.logs(log))  # fmt: skip
    office.restore(office.backup())
    with pytest.raises(Problem, match="server-away"):
        device.sync(["", "request"])
    identity = device.store.identity()
    assert device.ledger.waiting_lines(identity) == entries
    assert device.ledger.reached(identity) == (entries, 0)
    assert {f.held_at for f in device.ledger.files()} == {None}
    assert device.sync().lines_sent == 0
    assert device.ledger.waiting_lines(identity) == 0
    device.holds_exactly()


def test_the_receipts_of_the_older_epoch_stay_and_still_verify(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S4, S5: they prove what the server once held."""
    visit(device, tmp_path)
    device.sync()
    before = device.ledger.receipts()
    office.restore(office.backup())
    device.sync()
    after = device.ledger.receipts()
    assert after[: len(before)] == before
    read = [read_receipt(office.public_key, SignedBytes(*one)) for one in after]
    assert {receipt.epoch for receipt in read} == {1, office.epoch}


def test_a_server_that_says_its_epoch_only_in_receipts_is_understood(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    inspection = visit(device, tmp_path)
    device.sync()
    office.restore({**office.backup(), "logs": {}, "files": {}})
    answer(device.recorder(), inspection, "GEN-G2", ["PM"])
    syncer = device.syncer()
    exchange = syncer.transport.exchange

    def older(request: bytes) -> bytes:
        return write_answer(replace(read_answer(exchange(request)), epoch=None))

    syncer.transport.exchange = older  # type: ignore[method-assign]
    syncer.run()
    assert syncer.report.restored
    device.holds_exactly()


def test_what_a_new_generation_carries_is_offered_to_the_restored_server_too(
    device: FieldDevice, office: Office, tmp_path: Path
) -> None:
    """S3, S5: a server that knows only the generation before is told of the next one again."""
    inspection = visit(device, tmp_path)
    device.sync()
    copy = tmp_path / "copy"
    shutil.copytree(device.home.folder, copy)
    answer(device.recorder(), inspection, "GEN-G2", ["FM"])
    device.sync()
    backup = office.backup()
    other = FieldDevice(copy, office)
    other.clock = device.clock + 60_000
    answer(other.recorder(), inspection, "GEN-G2", ["DNM"])
    other.sync()
    assert len(office.branches) == 1
    written = {line for log in other.store.logs(inspection) for line in log.lines}
    office.restore(backup)
    report = other.sync()
    assert report.restored
    assert other.ledger.refusals() == []
    assert written <= carried_lines(office, inspection)
    device.sync()
    assert office.lines(device.id, inspection) == list(device.store.logs(inspection)[0].lines)


def carried_lines(office: Office, inspection: str) -> set[bytes]:
    """Every line that the office holds of an inspection, in a log of its own or carried."""
    found: set[bytes] = set()
    for (device, log), held in office.logs.items():
        if log == inspection:
            found |= set(held.lines)
            for seq, line in enumerate(held.lines, start=1):
                read = read_line(line, device, log, seq, "")
                adopts = isinstance(read, Entry) and is_adopted(read)
                inner = carried_line([read]) if adopts else None
                found |= set() if inner is None else {inner[2]}
    return found


def test_a_device_enrolled_after_the_backup_is_enrolled_again_with_all_its_work(
    office: Office, tmp_path: Path
) -> None:
    """S5, S8: the same folder, the same key, another invitation."""
    backup = office.backup()
    device = FieldDevice(tmp_path / "device", office)
    device.enrol()
    device.sync()
    visit(device, tmp_path)
    device.sync()
    key = device.id
    office.restore(backup)
    visit(device, tmp_path, first=2)
    with pytest.raises(Problem) as raised:
        device.sync()
    assert raised.value.code == "token-unknown"
    assert "fieldkit enrol" in raised.value.remedy
    office.codes = {"WXYZ-EFGH-2345": None}
    device.enrol()
    assert device.id == key
    assert device.sync().restored
    device.holds_exactly()


_FAULTS = st.lists(st.sampled_from(["", "", "request", "reply", "dies"]), max_size=5)
_ACTIONS = st.lists(
    st.sampled_from(["answer", "photo", "sync", "sync", "backup", "restore"]), max_size=12
)


@settings(max_examples=40, deadline=None)
@given(actions=_ACTIONS, faults=st.lists(_FAULTS, max_size=6))
def test_whatever_was_lost_and_restored_one_run_at_the_end_completes_the_server(
    actions: list[str], faults: list[list[str]]
) -> None:
    """S1, S2, S4, S5: restored at any time, also in the middle of a sync that was cut."""
    folder = Path(tempfile.mkdtemp())
    try:
        office = busy_office()
        device = FieldDevice(folder / "device", office)
        device.enrol()
        device.sync()
        inspection = device.start().inspection
        backup, runs = office.backup(), iter(faults)
        for n, action in enumerate(actions):
            if action == "backup":
                backup = office.backup()
            elif action == "restore":
                office.restore(backup)
            else:
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
