from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from discrepancy_cases import (
    DEVICE,
    HOUR,
    MINUTE,
    NOON,
    OTHER,
    SECOND,
    SHA,
    case,
    flags,
    needs,
    only,
    photo,
    reading,
    way,
)
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.case import Case, CasePhoto
from checklists.discrepancies.tracked import R02
from sync.inspection import Fix

# A degree of latitude is about 110.6 km here: 0.001 is 110.6 m.
TRACK = way((NOON - MINUTE, 8.15, 98.1, 5.0), (NOON + MINUTE, 8.15, 98.1, 5.0))


def pictured(lat: float = 8.15, **facts: Any) -> CasePhoto:
    """A photograph from a camera's card that gives its own position, at noon by GPS."""
    own = {
        "exif": True,
        "gps_block": "position",
        "lat": f"{lat:.7f}",
        "lon": "98.1",
        "gps_time": "2026-03-02T05:00:00Z",
        "sha256": SHA,
    }
    return photo(facts={**own, **facts})


def taken_here(lat: float = 8.15, at: int = NOON, **fix: Any) -> CasePhoto:
    of_fix = replace(Fix(f"{lat:.7f}", "98.1", "5", at, "gnss"), **fix)
    return photo(source="taken-here", facts=None, fix=of_fix, at=at)


def tracked(picture: CasePhoto, *ways: Any, **changes: Any) -> Case:
    return case(photos=(picture,), ways=ways or (TRACK,), **changes)


@pytest.mark.parametrize(
    ("lat", "facts", "flagged"),
    [
        # metres off the track: 88, 122, 111; allowed are 100 + 2 * 5 (the track) + 2 * the photo's
        (8.1508, {}, False),
        (8.1511, {}, True),
        (8.1511, {"accuracy_m": "20"}, False),
        (8.16, {"accuracy_m": "20"}, True),
        (8.1500, {}, False),
    ],
)
def test_twice_the_known_accuracies_and_a_margin_are_allowed(
    lat: float, facts: dict[str, str], flagged: bool
) -> None:
    assert bool(flags(R02, tracked(pictured(lat, **facts)))) == flagged


def test_a_flag_says_how_far_and_what_the_accuracies_explain() -> None:
    flag = only(R02, tracked(pictured(8.16)))
    assert (flag.severity, flag.subject, flag.key) == ("major", "record", SHA)
    assert flag.evidence == (SHA,)
    assert "1106 m from where the device was tracked at that moment" in flag.explanation
    assert "up to 110 m" in flag.explanation
    assert flag.inputs["distance_m"] == "1106.0"
    assert flag.margin == "996 m beyond that"


def test_a_gap_in_a_track_is_no_flag_and_the_photograph_stays_unjudged() -> None:
    far_apart = way((NOON - HOUR, 8.15, 98.1, 5.0), (NOON + HOUR, 8.15, 98.1, 5.0))
    broken = replace(TRACK, breaks=frozenset({0, 1}))
    before = way((NOON + SECOND, 8.15, 98.1, 5.0), (NOON + MINUTE, 8.15, 98.1, 5.0))
    after = way((NOON - MINUTE, 8.15, 98.1, 5.0), (NOON - SECOND, 8.15, 98.1, 5.0))
    for one in (far_apart, broken, before, after):
        of = tracked(pictured(8.9), one)
        assert flags(R02, of) == []
        assert "without a gap there" in needs(R02, of)[0]


def test_without_a_track_the_rule_says_that_it_needs_one() -> None:
    assert needs(R02, case(photos=(pictured(),))) == [
        "a track with times, recorded during the visit"
    ]
    untimed = way(untimed=12)
    assert len(needs(R02, tracked(pictured(8.9), untimed))) == 1


def test_between_two_points_the_photograph_may_be_at_either_or_on_the_way() -> None:
    walked = way((NOON - MINUTE, 8.15, 98.1, 5.0), (NOON + MINUTE, 8.16, 98.1, 5.0))
    for lat in (8.1495, 8.155, 8.1605):
        assert flags(R02, tracked(pictured(lat), walked)) == []
    assert len(flags(R02, tracked(pictured(8.1525), walked))) == 1
    assert len(flags(R02, tracked(pictured(8.162), walked))) == 1


@pytest.mark.parametrize(
    "changes", [{"source": "aerial"}, {"source": "scan"}, {"kind": "document"}]
)
def test_aerial_pictures_scans_and_documents_are_not_held_against_the_track(
    changes: dict[str, str],
) -> None:
    assert R02.find(tracked(replace(pictured(8.9), **changes))) == ()


def test_a_photograph_without_a_position_of_its_own_is_not_judged() -> None:
    assert R02.find(tracked(pictured(8.9, gps_block="without-position"))) == ()
    assert R02.find(tracked(photo(facts=None, unreadable="cut"))) == ()


def test_a_position_that_was_taken_from_the_track_is_not_held_against_it() -> None:
    assert R02.find(tracked(taken_here(8.9, source="track"))) == ()
    assert len(flags(R02, tracked(taken_here(8.9)))) == 1


def test_what_the_client_signed_counts_whatever_is_left_of_the_picture_s_own_record() -> None:
    stripped = replace(taken_here(8.9), facts={"exif": False, "gps_block": "none"})
    assert only(R02, tracked(stripped)).inputs["time_from"] == "client"
    assert R02.find(tracked(replace(taken_here(), facts={"exif": False}))) == ()


def test_a_picture_taken_in_the_client_is_on_its_device_s_clock() -> None:
    behind = taken_here(at=NOON - 10 * MINUTE)
    assert "without a gap" in needs(R02, tracked(behind))[0]
    corrected = tracked(replace(behind), clocks=(reading(10 * MINUTE),))
    assert R02.find(corrected) == ()
    assert (
        len(flags(R02, tracked(taken_here(8.9, NOON - 10 * MINUTE), clocks=corrected.clocks))) == 1
    )
    unknown = tracked(taken_here(8.9), clocks=())
    assert flags(R02, unknown) == []
    assert "clock compared" in needs(R02, unknown)[0]
    jumped = tracked(taken_here(8.9), clocks=(reading(), reading(HOUR)))
    assert "clock compared" in needs(R02, jumped)[0]


def test_a_picture_taken_in_the_client_is_held_against_its_own_device_s_track_only() -> None:
    colleague = replace(TRACK, device=OTHER)
    assert flags(R02, tracked(taken_here(8.9), colleague)) == []
    assert len(flags(R02, tracked(pictured(8.9), colleague))) == 1


def test_a_colleague_s_track_that_fits_explains_a_photograph_from_a_camera() -> None:
    elsewhere = replace(TRACK, device=OTHER, places=((8.9, 98.1), (8.9, 98.1)))
    assert R02.find(tracked(pictured(8.9), TRACK, elsewhere)) == ()


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"gps_time": None, "camera_time": "2026-03-02T12:00:00", "camera_offset": "+07:00"}, ""),
        ({"gps_time": None, "camera_time": "2026-03-02T12:00:00"}, "the time, with its zone"),
        ({"gps_time": None}, "the time, with its zone"),
        ({"datum": "TOKYO"}, "in WGS 84"),
        ({"datum": "WGS-84"}, ""),
    ],
)
def test_a_photograph_is_judged_where_its_time_and_datum_are_known(
    facts: dict[str, Any], said: str
) -> None:
    of = tracked(pictured(8.9, **facts))
    assert bool(flags(R02, of)) == (not said)
    assert (said in needs(R02, of)[0]) if said else needs(R02, of) == []


def test_a_camera_s_clock_is_known_from_its_other_pictures_that_have_gps_times() -> None:
    bare = pictured(
        8.9, gps_time=None, camera_time="2026-03-02T13:30:00", make="Contoh", model="K1"
    )
    other = photo(
        sha256="cd" * 32,
        facts={
            "gps_time": "2026-03-02T05:10:00Z",
            "camera_time": "2026-03-02T13:40:00",
            "make": "Contoh",
            "model": "K1",
        },
    )
    of = case(photos=(bare, other), ways=(TRACK,))
    assert only(R02, of).inputs["time_from"] == "camera-compared"
    elsewhere = replace(other, facts={**(other.facts or {}), "model": "K2"})
    assert flags(R02, case(photos=(bare, elsewhere), ways=(TRACK,))) == []
    changed = replace(
        other, sha256="ef" * 32, facts={**(other.facts or {}), "camera_time": "2026-03-02T12:20:00"}
    )
    unsteady = case(photos=(bare, other, changed), ways=(TRACK,))
    assert flags(R02, unsteady) == [], "a clock that was set on the way corrects nothing"


def test_bytes_that_have_not_arrived_are_needed() -> None:
    assert "has not arrived here" in needs(R02, tracked(photo(facts=None)))[0]


@given(
    st.floats(8.14, 8.16),
    st.one_of(st.none(), st.floats(0.1, 500)),
    st.one_of(st.none(), st.floats(0.1, 500)),
    st.floats(0.1, 1000),
)
def test_adding_accuracy_never_turns_a_pass_into_a_flag(
    lat: float, of_photo: float | None, of_track: float | None, more: float
) -> None:
    def flagged(photo_m: float | None, track_m: float | None) -> bool:
        facts = {} if photo_m is None else {"accuracy_m": f"{photo_m:.1f}"}
        track = replace(TRACK, accuracies=(track_m, track_m))
        return bool(flags(R02, tracked(pictured(lat, **facts), track)))

    if not flagged(of_photo, of_track):
        assert not flagged((of_photo or 0) + more, of_track)
        assert not flagged(of_photo, (of_track or 0) + more)


def test_two_thousand_photographs_on_a_track_of_a_hundred_thousand_points_are_looked_up() -> None:
    """Every photograph meets one place of the track, however long the track is."""
    times = range(NOON, NOON + 100_000 * SECOND, SECOND)
    long = way(*((t, 8.15 + i * 1e-6, 98.1, 5.0) for i, t in enumerate(times)))
    looked: list[int] = []

    class Counting(tuple[int, ...]):
        def __getitem__(self, index: Any) -> Any:
            looked.append(1)
            return super().__getitem__(index)

    photos = tuple(
        replace(
            pictured(8.15 + n * 50e-6, gps_time=None),
            sha256=f"{n:064x}",
            taken_at=NOON + n * 50 * SECOND,
        )
        for n in range(2_000)
    )
    counted = replace(long, times=Counting(long.times))
    assert R02.find(case(photos=photos, ways=(counted,), clocks=(reading(device=DEVICE),))) == ()
    assert 2_000 < len(looked) < 2_000 * 40
