"""Urgent hazards first, then entries, previews, and files, the smallest first (S7)."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from field_device import FACILITY, FieldDevice
from memory_server import Office
from PIL import Image

from fieldkit.capture import answer, start
from fieldkit.hazards import report
from fieldkit.left import what_is_left
from fieldkit.outbox import Outbox
from fieldkit.syncer import Step, Syncer
from sync.hazard import PREFIX
from sync.problems import Problem
from sync.session import Request, read_request


def photograph(path: Path, width: int) -> Path:
    """A picture that is larger than its preview by as much as a camera's is."""
    out = io.BytesIO()
    coarse = Image.frombytes("RGB", (40, 40), os.urandom(40 * 40 * 3))
    coarse.resize((width * 3, width * 3), Image.Resampling.BICUBIC).save(out, "JPEG", quality=100)
    path.write_bytes(out.getvalue())
    return path


def requests_of(syncer: Syncer) -> list[Request]:
    """What is asked of the server from now on."""
    seen: list[Request] = []
    carried = syncer.transport.exchange

    def exchange(body: bytes) -> bytes:
        seen.append(read_request(body))
        return carried(body)

    syncer.transport.exchange = exchange  # type: ignore[method-assign]
    return seen


@pytest.fixture
def visited(device: FieldDevice, tmp_path: Path) -> str:
    """Two visits; in the second one a photograph was taken and answers given."""
    first = device.start().inspection
    for n in range(20):
        answer(device.recorder(), first, "GEN-G1", ["FM" if n % 2 else "SM"])
    second = start(device.recorder(), FACILITY["id"], new=True).inspection
    device.photo(second, photograph(tmp_path / "a.jpg", 300))
    return second


def test_a_hazard_goes_first_with_what_stands_before_it_in_its_log_alone(
    device: FieldDevice, visited: str
) -> None:
    """S7"""
    told = report(device.recorder(), visited, " The dam is about to fail. ", "immediate")
    answer(device.recorder(), visited, "GEN-G1", ["FM"])
    syncer = device.syncer()
    seen = requests_of(syncer)
    syncer.run()
    (alone,) = seen[0].segments
    assert alone.inspection == visited and seen[0].awaiting == ()
    last = json.loads(alone.lines[-1])
    assert (last["path"], last["value"]) == (
        told.path,
        {"value": "immediate", "note": "The dam is about to fail."},
    )
    assert last["path"].startswith(PREFIX)
    assert len(seen[1].segments) >= 2, "then all the rest"
    device.holds_exactly()
    again = device.syncer()
    seen = requests_of(again)
    again.run()
    assert [request.segments for request in seen] == [()], "and it goes once"


def test_a_hazard_is_at_the_office_though_the_link_ends_after_it(
    device: FieldDevice, office: Office, visited: str
) -> None:
    """S7: each step is useful by itself."""
    report(device.recorder(), visited, "The dam is about to fail.", "soon")
    with pytest.raises(Problem, match="server-away"):
        device.sync(["", "request"])
    held = office.lines(device.id, visited)
    assert b"about to fail" in held[-1]
    device.sync()
    device.holds_exactly()


def test_previews_go_before_files_and_the_smallest_file_first(
    device: FieldDevice, visited: str, tmp_path: Path
) -> None:
    """S7"""
    device.photo(visited, photograph(tmp_path / "b.jpg", 500))
    device.photo(visited, photograph(tmp_path / "c.jpg", 400))
    syncer = device.syncer()
    sent: list[str] = []
    carried = syncer.transport.send_file

    def send_file(sha256: str, size: int, chunks: object) -> None:
        sent.append(sha256)
        carried(sha256, size, chunks)  # type: ignore[arg-type]

    syncer.transport.send_file = send_file  # type: ignore[method-assign]
    syncer.run()
    outbox = Outbox(device.store, device.store.identity())
    sizes = {f.sha256: f.size for f in device.ledger.files()}
    assert len(sent) == 6
    assert {*sent[:3]} == outbox.previews()
    assert all(sizes[d] <= 64_000 for d in sent[:3])
    assert [sizes[d] for d in sent[3:]] == sorted(sizes[d] for d in sent[3:])
    device.holds_exactly()


def test_without_photos_entries_and_documents_go_and_photos_wait(
    device: FieldDevice, visited: str, tmp_path: Path
) -> None:
    """S7"""
    paper = tmp_path / "paper.pdf"
    paper.write_bytes(b"%PDF a permit")
    device.document(visited, paper)
    syncer = device.syncer()
    syncer.photos = False
    done = syncer.run()
    assert (done.files_sent, len(done.kept_back), done.not_sent) == (1, 2, {})
    outbox = Outbox(device.store, device.store.identity())
    left = what_is_left(outbox)
    assert (left.entries.count, left.previews.count, left.files.count) == (0, 1, 1)
    device.sync()
    assert what_is_left(outbox).nothing
    device.holds_exactly()


def test_what_is_left_is_told_by_kind_in_bytes(device: FieldDevice, visited: str) -> None:
    outbox = Outbox(device.store, device.store.identity())
    before = what_is_left(outbox).to_json()
    assert before["entries"] >= 22 and before["entry_bytes"] > 22 * 50
    assert (before["previews"], before["files"]) == (1, 1)
    assert before["bytes"] == before["preview_bytes"] + before["file_bytes"]
    assert before["file_bytes"] > 64_000 >= before["preview_bytes"] > 0
    one = what_is_left(outbox, visited)
    assert 0 < one.entries.count < before["entries"]
    assert one.text().count("(") == 3


def test_progress_tells_the_bytes_sent_of_the_bytes_to_send(
    device: FieldDevice, visited: str
) -> None:
    syncer = device.syncer()
    steps: list[Step] = []
    syncer.tell = steps.append
    syncer.run()
    files = [step for step in steps if step.total]
    assert files[-1].done == files[-1].total
    assert [step.done for step in files] == sorted(step.done for step in files)
    assert any("entries (" in step.doing for step in steps)
    assert files[0].doing == "sending preview 1 of 2"


def test_a_hazard_can_be_called_over_by_its_id(device: FieldDevice, visited: str) -> None:
    told = report(device.recorder(), visited, "Smoke from the store.", "immediate")
    known = told.path.removeprefix(PREFIX)
    over = report(device.recorder(), visited, "The fire is out.", "soon", over=known[:8])
    assert (over.path, over.value["value"]) == (told.path, "over")
    for text, which, code in (("x", "zz", "hazard-unknown"), (" ", known, "hazard-malformed")):
        with pytest.raises(Problem, match=code):
            report(device.recorder(), visited, text, "soon", over=which)
    with pytest.raises(Problem, match="hazard-malformed"):
        report(device.recorder(), visited, "x" * 501, "soon")
