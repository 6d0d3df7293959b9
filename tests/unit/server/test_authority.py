"""Whose entries count, and when (S9): assignment windows, admission, and a stranger's guess."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from region import (
    AUDITOR,
    CONSOLE,
    DAY_MS,
    HILL,
    OTHER,
    TODAY,
    VALLEY,
    VISIT_1,
    VISIT_2,
    Clock,
    Device,
    assign_to,
    enrolled_device,
    fix,
    make_region,
    visit,
)

from server.admin import admin
from server.context import Context
from server.permissions import Principal
from server.services.admission import rule, rule_at_console
from server.services.authority import window_of
from server.services.enrolment import revoke_device
from server.services.inspections import Loaded, load_inspection
from server.services.programme import assign
from server.store import audit, gradings, logs, people
from server.store.assignments import Assignment
from server.store.people import Person
from sync.adopted import Run, entries_for
from sync.problems import Problem

ROSA = Principal("person", "p-rosa", "Rosa Example", None, (("officer", "example"),))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def region(tmp_path: Path, clock: Clock) -> Iterator[Context]:
    ctx = make_region(tmp_path, clock)

    def put(tx: object) -> None:
        people.add(tx, Person("p-rosa", "rosa", "Rosa Example", "no password", True, TODAY))
        people.grant(tx, "p-rosa", "officer", "example")

    ctx.db.write(put)
    yield ctx
    ctx.db.close()


def loaded(ctx: Context, inspection: str = VISIT_1) -> Loaded:
    with ctx.db.read() as tx:
        found = load_inspection(tx, inspection)
    assert found is not None
    return found


def stale(ctx: Context, facility: str = HILL) -> int:
    """When the facility was last asked to be graded."""
    with ctx.db.read() as tx:
        found = gradings.find(tx, facility)
    return 0 if found is None else found.asked_at


def answers(device: Device, *days: int, inspection: str = VISIT_1) -> None:
    """An answer written so many days from today, by the device's clock."""
    for n, day in enumerate(days):
        device.record(
            inspection, f"answers/GEN-G{n + 1}/-", {"level": "fully"}, at=TODAY + day * DAY_MS
        )


def assigned(ctx: Context, person: str, first: int, last: int, **more: int) -> None:
    """An assignment to the hill from one day to another, counted from today."""
    days = [
        f"2026-{'11' if 23 + d <= 30 else '12'}-{(23 + d - 1) % 30 + 1:02}" for d in (first, last)
    ]
    assign(
        ctx,
        CONSOLE,
        facility=HILL,
        person=person,
        purpose="visit",
        not_before=days[0],
        not_after=days[1],
        **more,
    )


# -- windows --------------------------------------------------------------------------------------


def test_a_window_covers_its_days_in_every_zone_and_the_grace_around_them() -> None:
    one = Assignment("a", HILL, OTHER, "visit", "2026-11-23", "2026-11-24", 0, grace_days=0)
    hour = DAY_MS // 24
    window = window_of(one)
    assert (window.first, window.last) == (TODAY - 14 * hour, TODAY + 2 * DAY_MS + 12 * hour)
    wide = window_of(Assignment("a", HILL, OTHER, "visit", "2026-11-23", "2026-11-24", 0, None, 3))
    assert (window.first - wide.first, wide.last - window.last) == (3 * DAY_MS, 3 * DAY_MS)
    assert window.holds(window.first) and not window.holds(window.last)
    ended = window_of(Assignment("a", HILL, OTHER, "visit", "2026-11-23", "2026-11-24", 0, TODAY))
    assert ended.last == TODAY  # what was recorded until then counts on


def test_what_was_written_outside_the_window_and_its_grace_is_set_aside(
    region: Context, clock: Clock
) -> None:
    """S9"""
    assigned(region, OTHER, 0, 2, grace_days=3)
    device = enrolled_device(region, OTHER)
    device.record(
        VISIT_1, "about", {"facility": HILL, "checklist": "c" * 64, "purpose": "", "mode": "live"}
    )
    answers(device, -5, 0, 2, 5, 7)
    clock.at += 30 * DAY_MS  # it comes long after
    device.send()
    found = loaded(region)
    assert {item for item, _ in found.current.answers} == {"GEN-G2", "GEN-G3", "GEN-G4"}
    assert [r.path for r in found.set_aside] == ["answers/GEN-G1/-", "answers/GEN-G5/-"]
    assert found.aside[0].open


def test_a_clock_that_stood_wrong_loses_no_work(region: Context, clock: Clock) -> None:
    """S9, L9: the measured offset puts the claim right, and what came in time counts anyway."""
    assigned(region, OTHER, -1, 1, grace_days=0)
    year = 365 * DAY_MS
    slow = enrolled_device(region, OTHER)
    slow.start(VISIT_1, HILL)
    answers(slow, -365)
    slow.send()  # it came on the day, whatever it says
    assert loaded(region).set_aside == ()
    answers(slow, -365)
    clock.at += 20 * DAY_MS
    slow.send(behind=year)  # its clock is a year behind, so it was written on the day
    assert loaded(region).set_aside == ()
    answers(slow, -365)
    slow.send()  # its clock is right, so it was written a year ago, and came weeks later
    assert len(loaded(region).set_aside) == 1


def test_a_log_is_parted_entry_by_entry_and_a_second_window_counts_too(
    region: Context, clock: Clock
) -> None:
    """S9"""
    assigned(region, OTHER, 0, 0, grace_days=0)
    device = enrolled_device(region, OTHER)
    device.start(VISIT_1, HILL)
    answers(device, 0, 4, 9)
    clock.at += 60 * DAY_MS
    device.send()
    assert len(loaded(region).set_aside) == 2
    before = stale(region)
    assigned(region, OTHER, 9, 9, grace_days=0)
    assert stale(region) > before
    assert [r.path for r in loaded(region).set_aside] == ["answers/GEN-G2/-"]


def test_grace_days_are_data_with_bounds(region: Context) -> None:
    for days in (-1, 367):
        with pytest.raises(Problem, match="fields-malformed"):
            assigned(region, OTHER, 0, 1, grace_days=days)


# -- a stranger -----------------------------------------------------------------------------------


def test_a_stranger_who_guesses_an_inspections_id_changes_nothing(region: Context) -> None:
    """S9, L5: facility and mode come from the first `about` by a person assigned there."""
    stranger = enrolled_device(region, OTHER, seed=2)
    stranger.start(VISIT_1, VALLEY, mode="training")
    stranger.record(VISIT_1, "answers/GEN-G1/-", {"level": "does-not-meet"})
    stranger.send()
    before = stale(region, VALLEY)
    visit(enrolled_device(region), VISIT_1, HILL)
    found = loaded(region)
    assert (found.facility, found.mode) == (HILL, "live")
    assert found.inspection.about.value is not None
    assert found.inspection.about.value.facility == HILL
    assert found.current.conflicts == ()
    assert [a.level for a in found.current.answers["GEN-G1", "-"].heads] == ["fully"]
    assert len(found.set_aside) == 2
    assert stale(region, VALLEY) > before  # it is no visit there any more
    stranger.start(VISIT_1, VALLEY, mode="training")
    stranger.send()
    assert (loaded(region).facility, loaded(region).mode) == (HILL, "live")


def test_who_is_assigned_elsewhere_fixes_nothing_here(region: Context) -> None:
    """S9: the `about` must name a facility at which its person is assigned."""
    assign_to(region, VALLEY, OTHER)
    other = enrolled_device(region, OTHER, seed=2)
    other.start(VISIT_1, HILL, mode="training")
    other.send()
    visit(enrolled_device(region), VISIT_1, HILL)
    assert (loaded(region).mode, len(loaded(region).set_aside)) == ("live", 1)


def test_an_inspection_of_a_facility_that_is_not_listed_stays_possible(region: Context) -> None:
    device = enrolled_device(region)
    device.start(VISIT_1, "a mine nobody listed")
    device.send()
    assert loaded(region).facility == "a mine nobody listed"
    assert len(loaded(region).set_aside) == 1


def test_who_is_assigned_later_settles_what_the_inspection_is(region: Context) -> None:
    """S9"""
    visit(enrolled_device(region, OTHER), VISIT_1, HILL)
    with region.db.read() as tx:
        row = logs.find_inspection(tx, VISIT_1)
    assert row is not None and not row.settled
    assign_to(region, HILL, OTHER)
    with region.db.read() as tx:
        row = logs.find_inspection(tx, VISIT_1)
    assert row is not None and row.settled


def test_an_entry_that_names_another_person_belongs_to_the_devices(region: Context) -> None:
    """S9: forged `by`."""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.person = OTHER  # what its entries say
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.person = AUDITOR
    device.send()
    (answer,) = loaded(region).current.answers["GEN-G1", "-"].heads
    assert (answer.written.by, answer.written.named) == (AUDITOR, OTHER)
    assert loaded(region).people[OTHER] == "Made-up Auditor3"


# -- rulings --------------------------------------------------------------------------------------


@pytest.fixture
def stranger(region: Context) -> Device:
    made = enrolled_device(region, OTHER, seed=2)
    visit(made, VISIT_1, HILL)
    return made


def test_what_is_admitted_counts_and_a_later_ruling_takes_it_back(
    region: Context, stranger: Device, clock: Clock
) -> None:
    """S9"""
    for ruling, counted in (("admitted", True), ("refused", False), ("admitted", True)):
        clock.at += 1000
        before = stale(region)
        made = rule(region, ROSA, VISIT_1, stranger.id, ruling, f"for a reason: {ruling}")
        found = loaded(region)
        assert (found.counted > 0, found.set_aside == ()) == (counted, counted)
        assert found.aside[0].ruling == made and not found.aside[0].open
        assert stale(region) > before
    with region.db.read() as tx:
        lines = [one for one in audit.lines(tx) if one["action"] == "log.rule"]
        row = logs.find_inspection(tx, VISIT_1)
    assert [one["detail"]["ruling"] for one in lines] == ["admitted", "refused", "admitted"]
    assert {one["who"] for one in lines} == {"person:p-rosa"}
    assert all(one["detail"]["reason"] and one["detail"]["person"] for one in lines)
    assert row is not None and row.settled


def test_what_comes_after_a_ruling_is_set_aside_again(region: Context, stranger: Device) -> None:
    """S9: staff admit what they were shown."""
    rule(region, ROSA, VISIT_1, stranger.id, "admitted", "she stood in for a colleague")
    stranger.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    stranger.send()
    found = loaded(region)
    assert [r.path for r in found.set_aside] == ["answers/GEN-G2/-"]
    assert found.aside[0].open and found.counted > 0
    rule(region, ROSA, VISIT_1, stranger.id, "admitted", "that too", upto=2)
    assert loaded(region).counted == 2


def test_a_ruling_needs_a_reason_a_log_and_a_colleagues_eyes(
    region: Context, stranger: Device
) -> None:
    """S9"""
    for device, ruling, reason, code in (
        (stranger.id, "admitted", "  ", "fields-malformed"),
        (stranger.id, "perhaps", "so", "fields-malformed"),
        ("nobody", "admitted", "so", "nothing-aside"),
    ):
        with pytest.raises(Problem, match=code):
            rule(region, ROSA, VISIT_1, device, ruling, reason)
    with pytest.raises(Problem, match="fields-malformed"):
        rule(region, ROSA, VISIT_1, stranger.id, "admitted", "so", upto=99)
    with pytest.raises(Problem, match="not-found"):
        rule(region, ROSA, VISIT_2, stranger.id, "admitted", "so")
    herself = Principal("person", OTHER, "", None, (("officer", "example"),))
    with pytest.raises(Problem, match="own-work"):
        rule(region, herself, VISIT_1, stranger.id, "admitted", "it is mine")
    reader = Principal("person", "p-rosa", "", None, (("reader", "example"),))
    with pytest.raises(Problem, match="not-permitted"):
        rule(region, reader, VISIT_1, stranger.id, "admitted", "so")
    assert loaded(region).counted == 0


def test_an_administrator_lists_and_rules_at_the_console(region: Context, stranger: Device) -> None:
    """S9"""
    data = str(region.settings.data)

    def run(*words: str) -> list[dict[str, object]] | dict[str, object]:
        said = CliRunner().invoke(admin, ["--data", data, "--json", *words])
        assert said.exit_code == 0, said.output
        found: list[dict[str, object]] | dict[str, object] = json.loads(said.output)
        return found

    (one,) = run("aside", "list")
    assert (one["device"], one["open"], one["ruling"]) == (stranger.id, True, None)
    words = (VISIT_1, stranger.id, "--by", "rosa", "--reason", "she stood in")
    assert run("aside", "admit", *words)["ruling"] == "admitted"
    assert loaded(region).set_aside == ()
    assert run("aside", "refuse", *words)["ruling"] == "refused"
    assert loaded(region).counted == 0
    (one,) = run("aside", "list")
    assert (one["open"], one["ruling"]["ruling"]) == (False, "refused")
    with pytest.raises(Problem, match="own-work"):
        rule_at_console(region, OTHER, VISIT_1, stranger.id, "admitted", "mine")


def test_the_mode_that_was_admitted_stays_whatever_comes_later(
    region: Context, stranger: Device
) -> None:
    rule(region, ROSA, VISIT_1, stranger.id, "admitted", "she stood in")
    mine = enrolled_device(region)
    mine.start(VISIT_1, VALLEY, mode="training", fix=fix())
    mine.send()
    assert (loaded(region).facility, loaded(region).mode) == (HILL, "live")


def test_what_came_after_a_device_was_revoked_counts_once_staff_admit_it(region: Context) -> None:
    """S8, S9: only revocation marks later arrivals, and staff decide about them."""
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL)
    revoke_device(region, CONSOLE, device.id, "left in a taxi")
    device.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    device.send()
    found = loaded(region)
    assert (len(found.revoked), found.set_aside, found.aside[0].open) == (1, (), True)
    assert ("GEN-G2", "-") not in found.current.answers
    rule(region, ROSA, VISIT_1, device.id, "admitted", "it was found, and nothing was touched")
    assert ("GEN-G2", "-") in loaded(region).current.answers
    assert loaded(region).revoked == ()


def test_what_came_after_a_device_was_revoked_settles_nothing(region: Context) -> None:
    """S8, S9: neither when it comes, nor when somebody is assigned to the place later."""
    stolen, mine = enrolled_device(region, seed=1), enrolled_device(region, seed=2)
    revoke_device(region, CONSOLE, stolen.id, "left in a taxi")
    stolen.start(VISIT_1, HILL, mode="training")
    stolen.send()
    assigned(region, OTHER, 0, 5)
    mine.start(VISIT_1, HILL, mode="live")
    mine.send()
    assert (loaded(region).facility, loaded(region).mode) == (HILL, "live")


def test_a_carried_line_counts_by_its_own_time(region: Context, clock: Clock) -> None:
    """S3, S9: a device whose log forked carries its lines over after its person's time there."""
    assigned(region, OTHER, 0, 0, grace_days=0)
    old = enrolled_device(region, OTHER)
    old.start(VISIT_1, HILL)
    old.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    new = enrolled_device(region, OTHER, seed=2)
    run = Run(old.id, 1, old.hashes[VISIT_1][0], old.logs[VISIT_1], old.hashes[VISIT_1][1:], None)
    clock.at += 60 * DAY_MS
    for _, path, value in entries_for(run):
        new.record(VISIT_1, path, value)
    new.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    new.send()
    found = loaded(region)
    assert set(found.current.answers) == {("GEN-G1", "-")}
    assert [r.path for r in found.set_aside] == ["answers/GEN-G2/-"]
    (answer,) = found.current.answers["GEN-G1", "-"].heads
    assert not answer.written.signed  # its key is lost
