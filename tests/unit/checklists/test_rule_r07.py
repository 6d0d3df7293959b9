from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from discrepancy_cases import (
    BEGAN,
    ENDED,
    HOUR,
    OTHER,
    SHA,
    case,
    flags,
    needs,
    only,
    photo,
    reading,
    span,
    way,
)

from checklists.discrepancies.case import Case, CasePhoto
from checklists.discrepancies.visit_time import R07, windows
from sync.inspection import Fix

# The visit lasted from 01:00 to 09:00 UTC, which is 08:00 to 16:00 in Thailand.


def shot(sha: str = SHA, **facts: Any) -> CasePhoto:
    return photo(sha256=sha, facts={"exif": True, "make": "Contoh", "model": "K1", **facts})


def by_gps(text: str, sha: str = SHA) -> CasePhoto:
    return shot(sha, gps_time=f"2026-03-{text}Z")


def bare(*times: str) -> tuple[CasePhoto, ...]:
    """Pictures of one camera whose clock names no zone."""
    return tuple(shot(f"{n:064x}", camera_time=f"2026-03-{t}") for n, t in enumerate(times, 1))


def visit(*photos: CasePhoto, **changes: Any) -> Case:
    return case(photos=photos, **changes)


@pytest.mark.parametrize(
    ("time", "flagged"),
    [
        ("02T00:30:00", False),
        ("02T00:29:59", True),
        ("02T05:00:00", False),
        ("02T09:30:00", False),
        ("02T09:30:01", True),
        ("09T05:00:00", True),
    ],
)
def test_half_an_hour_before_and_after_the_visit_is_allowed(time: str, flagged: bool) -> None:
    found = flags(R07, visit(by_gps(time)))
    assert [f.severity for f in found] == (["major"] if flagged else [])


def test_a_flag_says_how_far_outside_and_by_which_clock() -> None:
    flag = only(R07, visit(by_gps("02T12:05:00")))
    assert (flag.subject, flag.key, flag.evidence) == ("record", SHA, (SHA,))
    assert "taken 3 h 5 min after the recorded visit" in flag.explanation
    assert "by the GPS time in the picture" in flag.explanation
    assert "2026-03-02 19:05 (UTC+7)" in flag.explanation
    assert flag.margin == "2 h 35 min beyond that"
    assert flag.inputs["time_from"] == "gps"


@pytest.mark.parametrize(
    ("facts", "how"),
    [
        ({"camera_time": "2026-03-02T23:00:00", "camera_offset": "+07:00"}, "camera"),
        ({"camera_time": "2026-03-02T12:00:00", "camera_offset": "-05:00"}, "camera"),
    ],
)
def test_a_camera_that_names_its_zone_is_taken_at_its_word(facts: dict[str, str], how: str) -> None:
    assert only(R07, visit(shot(**facts))).inputs["time_from"] == how


def test_gps_time_goes_before_the_camera_s_clock() -> None:
    both = shot(
        gps_time="2026-03-02T05:00:00Z", camera_time="2019-01-01T00:00:00", camera_offset="+07:00"
    )
    assert R07.find(visit(both)) == ()


def test_a_clock_without_a_zone_is_read_in_the_country_s_time() -> None:
    assert R07.find(visit(*bare("02T08:00:00", "02T16:20:00"))) == ()
    # The same hours lie outside where the country is another: 08:00 UTC to 16:20 UTC.
    assert len(R07.find(visit(*bare("02T08:00:00", "02T16:20:00"), country="XX"))) == 1


@pytest.mark.parametrize(
    ("times", "zone"),
    [
        (("02T01:10:00", "02T08:50:00"), "UTC"),
        (("02T10:10:00", "02T18:20:00"), "UTC+9"),
        (("01T13:00:00", "01T22:00:00"), "UTC-11:30"),
        (("02T06:45:00", "02T15:30:00"), "UTC+6"),
        (("02T15:10:00", "02T22:50:00"), "UTC+14"),
    ],
)
def test_a_zone_that_puts_all_of_a_camera_s_pictures_inside_makes_it_one_question(
    times: tuple[str, ...], zone: str
) -> None:
    flag = only(R07, visit(*bare(*times)))
    assert flag.severity == "query"
    assert flag.inputs["zone_that_fits"] == zone
    assert f"If it showed {zone}" in flag.explanation
    assert set(flag.evidence) <= {f"{n:064x}" for n in (1, 2)}


@pytest.mark.parametrize(
    "times",
    [
        ("02T12:00:00", "05T12:00:00"),  # no one zone puts both inside
        ("02T02:00:00", "02T12:30:00"),  # ten and a half hours do not fit into nine
        ("20T12:00:00",),  # no zone is that far off
    ],
)
def test_without_such_a_zone_each_picture_outside_is_flagged(times: tuple[str, ...]) -> None:
    found = flags(R07, visit(*bare(*times)))
    assert [f.severity for f in found] == ["major"]
    assert "whose zone is not known" in found[0].explanation


def test_cameras_are_judged_each_by_its_own_pictures() -> None:
    wrong = bare("02T01:10:00", "02T08:50:00")
    right = replace(
        shot("cd" * 32, camera_time="2026-03-02T15:00:00"),
        facts={"camera_time": "2026-03-02T15:00:00", "make": "Contoh", "model": "K2"},
    )
    flag = only(R07, visit(*wrong, right))
    assert flag.severity == "query"
    assert "cd" * 32 not in flag.evidence


def test_a_time_noted_when_the_picture_was_attached_serves_where_the_camera_names_no_zone() -> None:
    (one,) = bare("02T01:10:00")
    assert R07.find(visit(replace(one, taken_at=BEGAN))) == ()
    late = replace(one, taken_at=ENDED + HOUR)
    assert only(R07, visit(late)).inputs["time_from"] == "entry"
    placed = replace(one, fix=Fix("8.15", "98.1", "9", BEGAN, "track"))
    assert R07.find(visit(placed)) == ()


@pytest.mark.parametrize(
    "changes", [{"source": "taken-here"}, {"source": "scan"}, {"kind": "document"}]
)
def test_documents_scans_and_pictures_taken_in_the_client_are_not_judged(
    changes: dict[str, str],
) -> None:
    assert R07.find(visit(replace(by_gps("09T05:00:00"), **changes))) == ()
    assert len(flags(R07, visit(replace(by_gps("09T05:00:00"), source="aerial")))) == 1


def test_a_picture_that_tells_no_time_or_is_not_here_is_not_passed() -> None:
    for one in (shot(), photo(facts=None), photo(facts=None, unreadable="cut")):
        assert flags(R07, visit(one)) == []
        assert "the time at which IMG_0001.jpg" in needs(R07, visit(one))[0]
    assert needs(R07, visit(by_gps("02T05:00:00"), spans=())) == [
        "entries that say when the visit was"
    ]


def test_a_device_s_clock_moves_the_visit_and_an_unknown_one_makes_it_a_question() -> None:
    early = by_gps("01T23:30:00")
    assert only(R07, visit(early)).severity == "major"
    assert R07.find(visit(early, clocks=(reading(-2 * HOUR),))) == ()
    unknown = visit(early, clocks=())
    assert only(R07, unknown).severity == "query"
    assert "compared with the server's" in needs(R07, unknown)[0]


def test_entries_typed_from_notes_in_the_evening_ask_and_do_not_accuse() -> None:
    evening = span(begins=ENDED + 4 * HOUR, ends=ENDED + 5 * HOUR, shown=False)
    morning = only(R07, visit(by_gps("02T03:00:00"), spans=(evening,)))
    assert morning.severity == "query"
    assert "typed from notes" in morning.explanation
    assert only(R07, visit(by_gps("01T03:00:00"), spans=(evening,))).severity == "major"
    shown = replace(evening, shown=True)
    assert only(R07, visit(by_gps("02T03:00:00"), spans=(shown,))).severity == "major"


def test_a_track_of_that_day_shows_when_the_visit_was() -> None:
    evening = span(begins=ENDED + 4 * HOUR, ends=ENDED + 5 * HOUR, shown=False)
    day = way((BEGAN, 8.15, 98.1, 5.0), (ENDED, 8.15, 98.1, 5.0))
    assert R07.find(visit(by_gps("02T03:00:00"), spans=(evening,), ways=(day,))) == ()
    month = 30 * 24 * HOUR
    old = way((BEGAN - month, 8.15, 98.1, 5.0), (ENDED - month, 8.15, 98.1, 5.0))
    (window,) = windows(visit(spans=(evening,), ways=(old,)))
    assert (window.begins, window.ends) == (evening.begins, evening.ends)


def test_the_days_between_two_auditors_visits_are_in_neither() -> None:
    second = span(device=OTHER, begins=BEGAN + 48 * HOUR, ends=ENDED + 48 * HOUR)
    both = {"spans": (span(), second), "clocks": (reading(), reading(device=OTHER))}
    assert R07.find(visit(by_gps("04T05:00:00"), **both)) == ()
    assert only(R07, visit(by_gps("03T05:00:00"), **both)).severity == "major"


def test_a_device_that_only_typed_notes_is_not_the_visit() -> None:
    desk = span(device=OTHER, begins=ENDED + 4 * HOUR, ends=ENDED + 5 * HOUR, main=False)
    assert len(windows(visit(spans=(span(), desk)))) == 1
    assert len(flags(R07, visit(by_gps("02T13:30:00"), spans=(span(), desk)))) == 1


def test_many_pictures_of_one_camera_are_one_question() -> None:
    times = [f"02T{1 + n % 8:02d}:{n % 60:02d}:00" for n in range(500)]
    flag = only(R07, visit(*bare(*times)))
    assert flag.inputs["photographs"] == 500
    assert flag.margin == "a shift of 7 h explains it"
    assert 0 < len(flag.evidence) < 500
