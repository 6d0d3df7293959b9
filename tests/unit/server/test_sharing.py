"""Shared inspections: what the others receive, what assignments bring and take, and what nobody
gets (S5).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from region import (
    AUDITOR,
    CONSOLE,
    DAY_MS,
    OTHER,
    TODAY,
    VALLEY,
    VISIT_1,
    VISIT_2,
    Clock,
    Device,
    add_person,
    assign_to,
    declaration,
    enrolled_device,
    make_region,
)
from sqlalchemy import update

from server.context import Context, open_context
from server.services import changes, sharing
from server.services.admission import rule_at_console
from server.services.enrolment import retire_device, revoke_device
from server.services.inspections import load_inspection
from server.services.intake import receive
from server.services.programme import assign, end_assignment
from server.services.registry import file_declaration
from server.services.rotation import rotate
from server.store import assignments, audit, logs
from server.store import changes as changes_store
from server.store.assignments import Assignment
from server.store.changes import News
from server.store.logs import InspectionRow
from server.store.tables import segments
from sync.adopted import Run, entries_for
from sync.extract import Hole, extract_from_json, is_withheld, verify_extract, vouched_only
from sync.log import Head, Segment, genesis, link, sign_head
from sync.problems import Problem
from sync.receipt import SignedBytes, read_certificate
from sync.server_keys import receipt_keys
from sync.session import Answer, Change, Request, read_answer, write_request

TRACK = {"source": "recorded", "lat_e7": [204500000], "lon_e7": [998800000]}


@dataclass
class Reader:
    """A device that follows its cursor and checks what comes, as fieldkit does."""

    device: Device
    cursor: str | None = None
    keys: dict[str, bytes] = field(default_factory=dict)
    rows: dict[tuple[str, str], list[bytes | Hole]] = field(default_factory=dict)
    heads: dict[tuple[str, str], Head] = field(default_factory=dict)
    vouched: list[int] = field(default_factory=list)
    seen: list[Change] = field(default_factory=list)
    pages: int = 0

    def page(self) -> Answer:
        ctx = self.device.ctx
        body = write_request(Request(self.device.id, self.cursor, (), (), ctx.now()))
        answer = read_answer(receive(ctx, self.device.id, self.device.person, body))
        self.pages += 1
        self.cursor = answer.cursor
        for change in answer.changes:
            self.take(change)
        return answer

    def follow(self) -> list[Change]:
        """Everything that is new, page by page."""
        before = len(self.seen)
        while self.page().more:
            pass
        return self.seen[before:]

    def take(self, change: Change) -> None:
        self.seen.append(change)
        ctx = self.device.ctx
        server_key = receipt_keys(ctx.public_key, ctx.key_statements)
        if change.kind == "certificate":
            parts = (base64.b64decode(change.body[m]) for m in ("payload", "signature"))
            said = read_certificate(server_key, SignedBytes(*parts))
            assert said["device"] == change.ref
            self.keys[change.ref] = base64.b64decode(said["public_key"])
        elif change.kind == "lines" and change.body is None:
            device, log, first = change.ref.split("/")
            assert int(first) == 1
            self.rows.pop((device, log), None), self.heads.pop((device, log), None)
        elif change.kind == "lines":
            run = extract_from_json(change.body)
            public_key = self.keys[run.device]  # its certificate came before
            key = run.device, run.log
            rows = self.rows.setdefault(key, [])
            if run.first <= len(rows):
                here = rows[run.first - 1 : run.last]
                for old, new in zip(here, run.rows, strict=False):
                    # Only what is set aside comes and goes; all else is as it was.
                    assert old == new or is_aside(old) or is_aside(new)
                if here == list(run.rows):
                    return
                assert run.first == 1  # told whole: longer than before, or other holes
                self.heads.pop(key)
                rows.clear()
            head = self.heads.get(key, Head(0, genesis(public_key, run.log)))
            holed = any(isinstance(row, Hole) for row in rows)
            hashes = verify_extract(public_key, server_key, head, run, holed=holed)
            self.heads[key] = Head(run.last, hashes[-1])
            places = [(n, isinstance(r, Hole)) for n, r in enumerate(run.rows, start=run.first)]
            self.vouched += vouched_only(places, run.proofs)
            rows += run.rows

    def aside(self, device: Device, inspection: str) -> list[int]:
        rows = self.rows.get((device.id, inspection), [])
        return [seq for seq, row in enumerate(rows, start=1) if is_aside(row)]

    def lines(self, device: Device, inspection: str) -> list[bytes]:
        rows = self.rows.get((device.id, inspection), [])
        return [row for row in rows if isinstance(row, bytes)]


def is_aside(row: bytes | Hole) -> bool:
    return isinstance(row, Hole) and row.aside


@pytest.fixture
def two(region: Context) -> tuple[Device, Device]:
    """Two auditors who are both assigned to the valley, each with a device."""
    assign_to(region, VALLEY, OTHER)
    return enrolled_device(region, AUDITOR, 1), enrolled_device(region, OTHER, 2)


def record(device: Device, inspection: str, count: int = 3, *, track: bool = True) -> None:
    """A visit's beginning: what it is about, answers, and a track among them."""
    if inspection not in device.logs:
        device.start(inspection, VALLEY)
    for n in range(count):
        device.record(inspection, f"answers/GEN-G{n + 1}/-", {"level": "fully"})
    if track:
        device.record(inspection, f"track/{device.id}/1", TRACK)
        device.record(inspection, "comments/a", {"text": "after the walk"})


def kinds(changes: Iterable[Change]) -> list[str]:
    return [change.kind for change in changes]


# -- what the others receive ----------------------------------------------------------------------


def test_lines_that_come_in_are_told_to_the_others_with_the_certificate_before_them(
    two: tuple[Device, Device],
) -> None:
    """S5: and never a track, nor to the device that sent them."""
    one, other = two
    mine, theirs = Reader(one), Reader(other)
    mine.follow(), theirs.follow()
    record(one, VISIT_1)
    one.send()
    assert kinds(theirs.follow()) == ["certificate", "lines"]
    lines = one.logs[VISIT_1]
    assert theirs.lines(one, VISIT_1) == [x for x in lines if b'"track/' not in x]
    assert theirs.heads[one.id, VISIT_1] == Head(len(lines), one.hashes[VISIT_1][-1])
    assert mine.follow() == []
    record(one, VISIT_1, 1, track=False)
    one.send()
    assert kinds(theirs.follow()) == ["lines"]
    assert len(theirs.lines(one, VISIT_1)) == len(one.logs[VISIT_1]) - 1


def test_lines_of_a_segment_that_holds_a_track_are_vouched_for_by_the_server(
    two: tuple[Device, Device],
) -> None:
    """S5: an older device signs once; what is behind the track is proved by itself."""
    one, other = two
    record(one, VISIT_1)
    one.send()
    reader = Reader(other)
    reader.follow()
    assert reader.vouched == [1, 2, 3, 4]


def test_the_lines_of_whoever_joins_are_told_to_the_one_who_began(
    two: tuple[Device, Device],
) -> None:
    one, other = two
    record(one, VISIT_1)
    one.send()
    reader = Reader(one)
    reader.follow()
    other.record(VISIT_1, "answers/GEN-G9/-", {"level": "fully"})
    other.send()
    assert kinds(reader.follow()) == ["certificate", "lines"]
    assert reader.lines(other, VISIT_1) == other.logs[VISIT_1]


def test_what_came_before_anyone_knew_where_it_is_comes_whole_once_that_is_known(
    two: tuple[Device, Device],
) -> None:
    """S5: the colleague, who had the inspection by bundle, had a network first."""
    one, other = two
    reader = Reader(one)
    other.record(VISIT_1, "answers/GEN-G9/-", {"level": "fully"})
    other.send()
    reader.follow()
    assert reader.lines(other, VISIT_1) == []
    record(one, VISIT_1)
    one.send()
    reader.follow()
    assert reader.lines(other, VISIT_1) == other.logs[VISIT_1]
    theirs = Reader(other)
    theirs.follow()
    assert len(theirs.lines(one, VISIT_1)) == len(one.logs[VISIT_1]) - 1


def test_a_persons_second_device_receives_what_the_first_wrote(region: Context) -> None:
    """S5: other devices' entries, whoever uses them."""
    one = enrolled_device(region, AUDITOR, 1)
    record(one, VISIT_1)
    one.send()
    second = enrolled_device(region, AUDITOR, 2)
    reader = Reader(second)
    reader.follow()
    assert len(reader.lines(one, VISIT_1)) == 5
    record(one, VISIT_1, 2, track=False)
    one.send()
    reader.follow()
    assert len(reader.lines(one, VISIT_1)) == 7
    own = Reader(one)
    own.follow()
    assert "lines" not in kinds(own.seen)


def test_a_page_ends_at_what_is_new_to_the_device_and_not_at_its_own_lines(
    region: Context,
) -> None:
    """S1, S5: a laptop that comes home does not read its own thousand inspections back."""
    one, second = (enrolled_device(region, AUDITOR, n) for n in (1, 2))
    record(one, VISIT_1)
    one.send()
    reader, theirs = Reader(one), Reader(second)
    reader.follow()
    more = [News(one.person, "lines", f"{one.id}/{VISIT_1}/1-2", 0)] * (2 * changes_store.PAGE)
    region.db.write(lambda tx: changes_store.tell_all(tx, more))
    assert not reader.page().more
    theirs.follow()
    assert (reader.pages, theirs.pages) == (2, 3)
    assert reader.cursor == theirs.cursor
    assert len(theirs.lines(one, VISIT_1)) == 5


def test_the_cursor_moves_past_what_only_others_are_told(two: tuple[Device, Device]) -> None:
    """S5: what is nobody's here is looked through once."""
    one, other = two
    reader, theirs = Reader(one), Reader(other)
    reader.follow()
    record(one, VISIT_1)
    one.send()
    assert not reader.page().changes
    theirs.follow()
    assert reader.cursor == theirs.cursor


def test_the_devices_own_log_is_nobody_elses(two: tuple[Device, Device]) -> None:
    """L2, S5"""
    one, other = two
    record(one, VISIT_1)
    one.record("device", f"device/opened/{VISIT_1}", {"facility": VALLEY})
    one.send()
    reader = Reader(other)
    reader.follow()
    assert {log for _, log in reader.rows} == {VISIT_1}


def test_a_line_that_nobody_can_read_is_passed_on_byte_for_byte(
    two: tuple[Device, Device],
) -> None:
    """L4"""
    one, other = two
    record(one, VISIT_1, track=False)
    odd = b"\xff not text"
    one.logs[VISIT_1].append(odd)
    one.hashes[VISIT_1].append(link(one.hashes[VISIT_1][-1], odd))
    one.send()
    reader = Reader(other)
    reader.follow()
    assert reader.lines(one, VISIT_1) == one.logs[VISIT_1]


# -- assignments bring and take -------------------------------------------------------------------


def test_being_assigned_brings_the_whole_inspection_through_pages_of_bounded_size(
    region: Context,
) -> None:
    """S5, S12"""
    one = enrolled_device(region, AUDITOR, 1)
    record(one, VISIT_1)
    for part in range(9):
        for n in range(6):
            one.record(VISIT_1, f"comments/{part}-{n}", {"text": "x" * 60_000})
        one.send()
    other = enrolled_device(region, OTHER, 2)
    reader = Reader(other)
    reader.follow()
    assert reader.rows == {}
    assign_to(region, VALLEY, OTHER)
    reader.pages = 0
    largest = 0
    while True:
        before = len(reader.seen)
        more = reader.page().more
        page = reader.seen[before:]
        lines = [len(x) for c in page if c.kind == "lines" for x in c.body["lines"] if len(x) > 1]
        largest = max(largest, sum(lines))
        if not more:
            break
    assert reader.pages >= 3
    assert largest < changes.PAGE_BYTES + 2 * sharing.RUN_BYTES
    assert len(reader.lines(one, VISIT_1)) == len(one.logs[VISIT_1]) - 1
    assert reader.follow() == []


def test_only_an_assignment_that_overlaps_the_one_it_was_begun_under_brings_it(
    region: Context,
) -> None:
    """S5"""
    one = enrolled_device(region, AUDITOR, 1)
    record(one, VISIT_1)
    one.send()
    other = enrolled_device(region, OTHER, 2)
    reader = Reader(other)
    assigned = {"facility": VALLEY, "person": OTHER, "purpose": "the next year"}
    assign(region, CONSOLE, **assigned, not_before="2027-01-01", not_after="2027-12-31")
    reader.follow()
    assert reader.rows == {}
    assign(region, CONSOLE, **assigned, not_before="2026-12-31", not_after="2026-12-31")
    reader.follow()
    assert len(reader.lines(one, VISIT_1)) == 5


def test_losing_the_assignment_brings_tombstones_for_all_that_came_with_it(
    two: tuple[Device, Device],
) -> None:
    """S5: the inspection, the facility, what it declares, the assignment; and once only."""
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1)
    one.send()
    reader = Reader(other)
    reader.follow()
    with ctx.db.read() as tx:
        (mine,) = assignments.of_person(tx, OTHER)
    end_assignment(ctx, CONSOLE, mine.id, "moved to another team")
    gone = reader.follow()
    assert {c.body for c in gone} == {None}
    assert sorted(kinds(gone)) == ["assignment", "declaration", "facility", "inspection"]
    assert next(c.ref for c in gone if c.kind == "inspection") == VISIT_1
    assert end_assignment(ctx, CONSOLE, mine.id, "again").ended_at is not None
    assert reader.follow() == []
    # What comes later is theirs no more, nor is what they were told of and had not read.
    record(one, VISIT_1, 1, track=False)
    one.send()
    assert reader.follow() == []
    anew = Reader(other)
    anew.follow()
    assert anew.rows == {}
    assert not any(c.body for c in anew.seen if c.kind in ("facility", "declaration", "assignment"))


def test_another_assignment_to_the_facility_keeps_what_it_brings(
    two: tuple[Device, Device],
) -> None:
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1)
    one.send()
    with ctx.db.read() as tx:
        (first,) = assignments.of_person(tx, OTHER)
    more = {"facility": VALLEY, "person": OTHER, "purpose": "more"}
    assign(ctx, CONSOLE, **more, not_before="2027-01-01", not_after="2027-12-31")
    reader = Reader(other)
    reader.follow()
    end_assignment(ctx, CONSOLE, first.id, "the visit was put off")
    assert sorted(kinds(reader.follow())) == ["assignment", "inspection"]


def test_being_assigned_again_brings_everything_back(two: tuple[Device, Device]) -> None:
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1)
    one.send()
    with ctx.db.read() as tx:
        (mine,) = assignments.of_person(tx, OTHER)
    end_assignment(ctx, CONSOLE, mine.id, "a mistake")
    reader = Reader(other)
    reader.follow()
    assign_to(ctx, VALLEY, OTHER)
    came = reader.follow()
    assert {"facility", "declaration", "assignment", "certificate", "lines"} <= set(kinds(came))
    assert all(c.body is not None for c in came)
    assert len(reader.lines(one, VISIT_1)) == 5
    with ctx.db.read() as tx:
        assert [a.id for a in assignments.of_person(tx, OTHER)] == [mine.id]


def test_what_was_recorded_before_the_end_of_an_assignment_still_counts_and_is_shared(
    two: tuple[Device, Device], clock: Clock
) -> None:
    """S9: ending an assignment takes nothing back."""
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1)
    one.send()
    other.record(VISIT_1, "answers/GEN-G9/-", {"level": "fully"})
    other.send()
    clock.at += 1
    with ctx.db.read() as tx:
        (mine,) = assignments.of_person(tx, OTHER)
    end_assignment(ctx, CONSOLE, mine.id, "moved")
    add_person(ctx, "p-auditor4")
    assign_to(ctx, VALLEY, "p-auditor4")
    reader = Reader(enrolled_device(ctx, "p-auditor4", 3))
    reader.follow()
    assert reader.lines(other, VISIT_1) == other.logs[VISIT_1]


def test_an_assignment_that_is_not_there_cannot_be_ended(region: Context) -> None:
    with pytest.raises(Problem) as caught:
        end_assignment(region, CONSOLE, "a-nowhere", "why")
    assert caught.value.code == "noun-unknown"


# -- nobody gets what is not theirs ---------------------------------------------------------------


def test_a_stranger_receives_nothing_of_any_kind_whatever_was_told_to_them(
    two: tuple[Device, Device],
) -> None:
    """S5: each kind of change about somebody else's work, told to a stranger by mistake."""
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1)
    one.send()
    file_declaration(ctx, CONSOLE, declaration(VALLEY, "closed", filed="2026-02-02"))
    theirs = Reader(other)
    theirs.follow()
    add_person(ctx, "p-auditor4")
    stranger = enrolled_device(ctx, "p-auditor4", 3)
    reader = Reader(stranger)
    reader.follow()
    assert reader.rows == {} and set(reader.keys) == {stranger.id}
    with ctx.db.read() as tx:
        told = [(k, r) for _, k, r in changes_store.after(tx, OTHER, 0)]
    every = {"assignment", "certificate", "declaration", "facility", "lines"}
    assert every <= {kind for kind, _ in told}
    told.append(("inspection", VISIT_1))
    ctx.db.write(lambda tx: changes_store.tell(tx, ["p-auditor4"], told, ctx.now()))
    came = reader.follow()
    public = {"checklist", "limits", "profile", "rules", "server-keys", "sealing-key"}
    for change in came:
        if change.kind == "certificate":
            assert change.ref == stranger.id
        elif change.kind not in public:
            assert change.body is None, change
            assert change.kind in ("facility", "declaration", "inspection")
    assert reader.rows == {} and set(reader.keys) == {stranger.id}


def test_files_of_colleagues_do_not_answer_as_held(two: tuple[Device, Device]) -> None:
    """S6: entries come down, files and their scopes do not."""
    one, other = two
    record(one, VISIT_1, track=False)
    sha256 = one.photo(VISIT_1, b"a picture", ["GEN-G1/-"])
    one.send()
    one.send_file(b"a picture")
    reader = Reader(other)
    reader.follow()
    assert any(sha256.encode() in line for line in reader.lines(one, VISIT_1))
    request = write_request(Request(other.id, None, (sha256,), (), TODAY))
    answer = read_answer(receive(one.ctx, other.id, OTHER, request))
    assert answer.receipt is None
    assert answer.missing == (sha256,)


def test_an_inspection_of_somebody_who_is_not_assigned_is_shared_with_nobody(
    region: Context,
) -> None:
    """S9: it is set aside until staff decide."""
    stranger = enrolled_device(region, OTHER, 2)
    record(stranger, VISIT_1)
    stranger.send()
    reader = Reader(enrolled_device(region, AUDITOR, 1))
    reader.follow()
    assert reader.rows == {}
    assign_to(region, VALLEY, OTHER)
    reader.follow()
    assert len(reader.lines(stranger, VISIT_1)) == 5


def test_lines_of_somebody_who_is_not_assigned_are_shared_once_they_are(region: Context) -> None:
    """S9, S5"""
    one, other = enrolled_device(region, AUDITOR, 1), enrolled_device(region, OTHER, 2)
    record(one, VISIT_1)
    one.send()
    other.record(VISIT_1, "answers/GEN-G9/-", {"level": "fully"})
    other.send()
    reader = Reader(one)
    reader.follow()
    assert reader.rows == {}
    assign_to(region, VALLEY, OTHER)
    reader.follow()
    assert reader.lines(other, VISIT_1) == other.logs[VISIT_1]


# -- what is set aside at the office does not count on a device ------------------------------------


def counted(ctx: Context, device: Device) -> list[int]:
    """The positions of a device's log of the visit that count at the office."""
    with ctx.db.read() as tx:
        loaded = load_inspection(tx, VISIT_1)
    assert loaded is not None
    aside = {r.seq for one in loaded.aside if one.log.device == device.id for r in one.records}
    return [seq for seq in range(1, len(device.logs[VISIT_1]) + 1) if seq not in aside]


def held(reader: Reader, device: Device) -> list[int]:
    """The positions of a device's log of the visit whose lines a reader has."""
    rows = reader.rows.get((device.id, VISIT_1), [])
    return [seq for seq, row in enumerate(rows, start=1) if isinstance(row, bytes)]


@pytest.fixture
def partly(two: tuple[Device, Device], clock: Clock) -> tuple[Device, Reader]:
    """A visit of which two entries were written long after its writer was expected and came then;
    the one after those was written in time.
    """
    one, other = two
    record(one, VISIT_1, track=False)
    one.send()
    reader = Reader(other)
    reader.follow()
    clock.at += 100 * DAY_MS
    one.record(VISIT_1, "answers/GEN-G8/-", {"level": "fully"})
    one.record(VISIT_1, "answers/GEN-G9/-", {"level": "fully"})
    one.record(VISIT_1, "answers/GEN-G7/-", {"level": "fully"}, at=TODAY)
    one.send()
    reader.follow()
    assert counted(one.ctx, one) == held(reader, one) == [1, 2, 3, 4, 7]
    return one, reader


def test_what_is_set_aside_of_an_assigned_persons_log_comes_as_holes_until_it_is_admitted(
    partly: tuple[Device, Reader],
) -> None:
    """S9, S5: and is a hole again when the admission is taken back."""
    one, reader = partly
    assert reader.aside(one, VISIT_1) == [5, 6]
    add_person(one.ctx, "p-rosa")
    for ruling, upto in (("admitted", 7), ("refused", 4), ("admitted", 7)):
        rule_at_console(one.ctx, "rosa", VISIT_1, one.id, ruling, "for a reason")
        reader.follow()
        assert len(held(reader, one)) == (7 if upto == 7 else 5)
        assert counted(one.ctx, one) == held(reader, one)
    anew = Reader(reader.device)
    anew.follow()
    assert held(anew, one) == held(reader, one)


def test_a_widened_window_brings_what_was_set_aside_and_a_narrow_one_nothing(
    partly: tuple[Device, Reader],
) -> None:
    """S9, S5: what changes for nobody is not told again."""
    one, reader = partly
    ctx = one.ctx
    again = {"facility": VALLEY, "person": AUDITOR, "purpose": "on"}
    assign(ctx, CONSOLE, **again, not_before="2027-02-01", not_after="2027-02-02", grace_days=0)
    assert "lines" not in kinds(reader.follow())
    assert counted(ctx, one) == held(reader, one) == [1, 2, 3, 4, 7]
    assign(ctx, CONSOLE, **again, not_before="2027-03-01", not_after="2027-03-31")
    assert "lines" in kinds(reader.follow())
    assert counted(ctx, one) == held(reader, one) == [1, 2, 3, 4, 5, 6, 7]


def test_a_strangers_admission_that_is_taken_back_takes_its_lines_back(
    two: tuple[Device, Device],
) -> None:
    """S9, S5: and whoever reads anew gets nothing of that log."""
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1, 1, track=False)
    one.send()
    add_person(ctx, "p-far")
    add_person(ctx, "p-rosa")
    stranger = enrolled_device(ctx, "p-far", 5)
    stranger.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    stranger.send()
    reader = Reader(other)
    rule_at_console(ctx, "rosa", VISIT_1, stranger.id, "refused", "who is that")
    reader.follow()
    assert stranger.id not in reader.keys
    for ruling, count in (("admitted", 1), ("refused", 0), ("refused", 0), ("admitted", 1)):
        rule_at_console(ctx, "rosa", VISIT_1, stranger.id, ruling, "for a reason")
        reader.follow()
        assert len(held(reader, stranger)) == len(counted(ctx, stranger)) == count
    rule_at_console(ctx, "rosa", VISIT_1, stranger.id, "refused", "for good")
    anew = Reader(other)
    anew.follow()
    assert held(anew, stranger) == [] and stranger.id not in anew.keys


def test_an_assignment_says_who_is_assigned_together_with_it(region: Context) -> None:
    """S9, S10: so that a device knows offline whose entries count; told anew when that changes."""
    reader = Reader(enrolled_device(region, AUDITOR, 1))
    other = {"facility": VALLEY, "person": OTHER, "purpose": "joint"}

    def said() -> list[object]:
        found = [c.body for c in reader.follow() if c.kind == "assignment"]
        return [b.get("colleagues") for b in found if b["facility"] == VALLEY]

    assert said() == [None]
    assign(region, CONSOLE, **other, not_before="2027-01-01", not_after="2027-12-31")
    assert said() == []
    joint = assign(region, CONSOLE, **other, not_before="2026-12-31", not_after="2027-01-01")
    assert said() == [[OTHER]]
    end_assignment(region, CONSOLE, joint.id, "not this year")
    assert said() == [None]


# -- cursors and epochs ---------------------------------------------------------------------------


def test_a_restored_server_is_read_anew_and_nothing_comes_twice(
    two: tuple[Device, Device],
) -> None:
    """S5: the cursor carries the epoch; runs that are here already are the same bytes."""
    one, other = two
    record(one, VISIT_1)
    one.send()
    reader = Reader(other)
    reader.follow()
    before = dict(reader.rows)
    one.ctx.db.write(lambda tx: audit.begin_epoch(tx, 77, one.ctx.now()))
    came = reader.follow()
    assert "lines" in kinds(came)
    assert reader.rows == before


def test_a_shared_inspection_is_told_within_the_transaction_that_its_lines_came_in(
    two: tuple[Device, Device],
) -> None:
    """S5: numbers last, under the lock; so the sender's own cursor is past them already."""
    one, _ = two
    reader = Reader(one)
    reader.follow()
    record(one, VISIT_1)
    signature = sign_head(one.key, one.hashes[VISIT_1][-1])
    segment = Segment(one.id, VISIT_1, 1, tuple(one.logs[VISIT_1]), signature)
    body = write_request(Request(one.id, reader.cursor, (), (segment,), TODAY))
    answer = read_answer(receive(one.ctx, one.id, AUDITOR, body))
    assert answer.changes == ()
    with one.ctx.db.read() as tx:
        assert [k for _, k, _ in changes_store.after(tx, OTHER, 0)][-2:] == ["certificate", "lines"]


# -- the rules by themselves ----------------------------------------------------------------------


def an_assignment(n: int, person: str, first: str, last: str, ended: int | None = None) -> Any:
    return Assignment(f"a-{n}", VALLEY, person, "visit", first, last, 0, ended)


def test_the_circle_is_that_of_the_assignment_under_which_it_was_begun() -> None:
    row = InspectionRow(VISIT_1, VALLEY, "live", TODAY, TODAY, "p-a")
    assigned = [
        an_assignment(1, "p-a", "2025-01-01", "2025-12-31"),
        an_assignment(2, "p-b", "2025-06-01", "2026-01-01"),
        an_assignment(3, "p-a", "2026-01-01", "2026-12-31"),
        an_assignment(4, "p-c", "2026-12-31", "2027-01-31"),
        an_assignment(5, "p-d", "2026-03-01", "2026-03-02", ended=7),
        an_assignment(6, "p-e", "2027-01-01", "2027-12-31"),
    ]
    circle = sharing.circle_of(row, assigned)
    assert circle.receivers == {"p-a", "p-b", "p-c"}
    assert circle.authors == {"p-a", "p-b", "p-c", "p-d", "p-e"}
    unknown = InspectionRow(VISIT_1, VALLEY, "live", TODAY, TODAY, "p-z")
    assert sharing.circle_of(unknown, assigned) == sharing.NOBODY
    early = InspectionRow(VISIT_1, VALLEY, "live", TODAY - 800 * DAY_MS, TODAY, "p-a")
    assert sharing.circle_of(early, assigned).receivers == {"p-a", "p-b"}


@given(st.lists(st.lists(st.integers(1, 65_000), min_size=1, max_size=12), max_size=8))
def test_the_runs_of_a_log_cover_it_in_order_and_each_can_be_carried(
    signed: list[list[int]],
) -> None:
    """S5, S12"""
    sizes = [size for one in signed for size in one]
    found = sharing.joined(signed)
    covered = [n for first, last in found for n in range(first, last + 1)]
    assert covered == list(range(1, len(sizes) + 1))
    ends = {sum(map(len, signed[: n + 1])) for n in range(len(signed))}
    for first, last in found:
        carried = sum(size + 1 for size in sizes[first - 1 : last])
        assert carried <= sharing.RUN_BYTES + 65_001 or first == last
        if all(sum(one) + len(one) <= sharing.RUN_BYTES for one in signed):
            assert last in ends


def test_runs_without_hashes_of_an_older_server_are_told_all_the_same(
    two: tuple[Device, Device],
) -> None:
    one, other = two
    record(one, VISIT_1)
    one.send()
    record(one, VISIT_1, 1, track=False)
    one.send()
    one.ctx.db.write(lambda tx: tx.execute(update(segments).values(hashes=None)))
    reader = Reader(other)
    reader.follow()
    assert reader.heads[one.id, VISIT_1].h == one.hashes[VISIT_1][-1]


def test_a_damaged_run_is_left_out_and_holds_up_nobody(two: tuple[Device, Device]) -> None:
    one, other = two
    record(one, VISIT_1)
    one.send()
    one.ctx.db.write(lambda tx: tx.execute(update(segments).values(lengths=b"\x00\x00\x00\x01")))
    reader = Reader(other)
    reader.follow()
    assert reader.rows == {}


def test_what_a_revoked_device_wrote_before_is_still_shared(two: tuple[Device, Device]) -> None:
    """S8: revoking marks later arrivals; it takes nothing back."""
    one, other = two
    record(one, VISIT_1)
    one.send()
    revoke_device(one.ctx, CONSOLE, one.id, "stolen")
    reader = Reader(other)
    reader.follow()
    assert len(reader.lines(one, VISIT_1)) == 5


def test_every_withheld_line_stays_at_the_office(tmp_path: Path) -> None:
    """S5: whatever devices wrote, no answer to anybody else holds a line that is withheld."""
    ctx = make_region(tmp_path, Clock(TODAY))
    assign_to(ctx, VALLEY, OTHER)
    one, other = enrolled_device(ctx, AUDITOR, 1), enrolled_device(ctx, OTHER, 2)
    for visit in (VISIT_1, VISIT_2):
        record(one, visit)
        for n in range(2, 6):
            one.record(visit, f"track/{one.id}/{n}", TRACK)
            one.record(visit, "answers/GEN-G1/-", {"level": "fully", "note": f"track {n}"})
    one.send()
    reader = Reader(other)
    reader.follow()
    with ctx.db.read() as tx:
        for log in logs.all_logs(tx):
            stored = logs.lines_of(tx, log.id)
            came = reader.rows[log.device, log.inspection]
            assert [isinstance(row, Hole) for row in came] == [is_withheld(x) for x in stored]
    ctx.db.close()


def test_what_came_after_a_device_was_revoked_waits_for_staff(two: tuple[Device, Device]) -> None:
    """S8, S9: who has the key of a lost device says nothing to the colleagues, by whatever way."""
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1, 2, track=False)
    one.send()
    revoke_device(ctx, CONSOLE, one.id, "stolen")
    one.record(VISIT_1, "answers/GEN-G1/-", {"level": "not-at-all"})
    one.send()
    reader = Reader(other)
    reader.follow()
    assert len(reader.lines(one, VISIT_1)) == 3
    # Neither does joining later bring them.
    add_person(ctx, "p-late")
    add_person(ctx, "p-rosa")
    assign_to(ctx, VALLEY, "p-late")
    late = Reader(enrolled_device(ctx, "p-late", 4))
    late.follow()
    assert len(late.lines(one, VISIT_1)) == 3
    rule_at_console(ctx, "rosa", VISIT_1, one.id, "admitted", "it was found again")
    for each in (reader, late):
        each.follow()
        assert len(each.lines(one, VISIT_1)) == 4


def test_a_revoked_devices_lines_that_another_one_carries_wait_alone(
    two: tuple[Device, Device],
) -> None:
    """S8, S3: a colleague has their chain hashes until staff admit them, and all other lines."""
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1, 2, track=False)
    one.send()
    one.record(VISIT_1, "answers/GEN-G1/-", {"level": "not-at-all"})
    lines, hashes = one.logs[VISIT_1], one.hashes[VISIT_1]
    mine = enrolled_device(ctx, one.person, 7)
    revoke_device(ctx, CONSOLE, one.id, "stolen")
    last = len(lines)
    run = Run(one.id, last, hashes[last - 1], lines[last - 1 :], hashes[last:], None)
    mine.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    for _, path, value in entries_for(run):
        mine.record(VISIT_1, path, value)
    mine.record(VISIT_1, "answers/GEN-G3/-", {"level": "fully"})
    mine.send()
    reader = Reader(other)
    reader.follow()
    rows = reader.rows[mine.id, VISIT_1]
    assert [isinstance(row, Hole) for row in rows] == [False, True, False]
    add_person(ctx, "p-rosa")
    rule_at_console(ctx, "rosa", VISIT_1, mine.id, "admitted", "it was found again")
    anew = Reader(other)
    anew.follow()
    assert len(anew.lines(mine, VISIT_1)) == 3


def test_what_staff_admit_of_a_stranger_goes_to_those_who_share_the_inspection(
    two: tuple[Device, Device],
) -> None:
    """S9, S5: counted nowhere until then, and as far as it was admitted; later lines wait again."""
    one, other = two
    ctx = one.ctx
    record(one, VISIT_1, 1, track=False)
    one.send()
    add_person(ctx, "p-far")
    add_person(ctx, "p-rosa")
    stranger = enrolled_device(ctx, "p-far", 5)
    stranger.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    stranger.send()
    reader = Reader(other)
    reader.follow()
    assert reader.lines(stranger, VISIT_1) == []
    rule_at_console(ctx, "rosa", VISIT_1, stranger.id, "admitted", "she was asked to help")
    stranger.record(VISIT_1, "answers/GEN-G3/-", {"level": "fully"})
    stranger.send()
    reader.follow()
    assert reader.lines(stranger, VISIT_1) == stranger.logs[VISIT_1][:1]


def test_what_a_retired_device_still_brings_reaches_the_persons_next_one(region: Context) -> None:
    """S8, S5: it was handed in, and a stick of it is read at the office afterwards."""
    old, new = enrolled_device(region, AUDITOR, 1), enrolled_device(region, AUDITOR, 2)
    retire_device(region, CONSOLE, old.id, "handed in")
    record(old, VISIT_1, 1, track=False)
    old.send()
    reader = Reader(new)
    reader.follow()
    assert reader.lines(old, VISIT_1) == old.logs[VISIT_1]


def test_who_is_enrolled_after_the_key_was_changed_takes_what_older_devices_wrote(
    two: tuple[Device, Device],
) -> None:
    """S8, S5: it trusts the key of its invitation, and by that one those that were before it."""
    one, _ = two
    record(one, VISIT_1)
    one.send()
    rotate(one.ctx, CONSOLE, receipt=True, sealing=False, reason="a yearly change")
    settings = one.ctx.settings
    one.ctx.db.close()
    ctx = open_context(settings)
    add_person(ctx, "p-late")
    assign_to(ctx, VALLEY, "p-late")
    reader = Reader(enrolled_device(ctx, "p-late", 4))
    reader.follow()
    assert len(reader.lines(one, VISIT_1)) == 5
    ctx.db.close()
