from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from discrepancy_cases import (
    BEGAN,
    DEVICE,
    ENDED,
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
    reading,
    span,
    taken,
    way,
)
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.case import Case
from checklists.discrepancies.speed import R09

# A degree of latitude is about 110.6 km here.
KM = 1 / 110.6


def moved(km: float, minutes: float, **changes: Any) -> Case:
    """Two fixes so far and so long apart."""
    return case(
        fixes=(taken(), taken(NOON + int(minutes * MINUTE), lat=f"{8.15 + km * KM:.7f}")),
        **changes,
    )


def test_a_hundred_kilometres_in_half_an_hour_are_flagged() -> None:
    """Vector V12: 200 km/h, less the accuracies."""
    flag = only(R09, moved(100, 30))
    assert (flag.severity, flag.subject, flag.key) == ("major", "record", DEVICE)
    assert flag.inputs["steps"][0]["speed_kmh"] == "200.0"
    assert "imply 200 km/h" in flag.explanation
    assert flag.margin == "50 km/h faster"


@pytest.mark.parametrize(
    ("km", "minutes", "flagged"),
    [(74, 30, False), (76, 30, True), (0.2, 0, False), (0.5, 0, True), (0.5, 0.05, True)],
)
def test_the_limit_is_a_hundred_and_fifty_and_short_times_count_as_ten_seconds(
    km: float, minutes: float, flagged: bool
) -> None:
    assert bool(flags(R09, moved(km, minutes))) == flagged


def test_both_accuracies_are_taken_off() -> None:
    near = (taken(accuracy="300"), taken(NOON + SECOND, lat=f"{8.15 + KM:.7f}", accuracy="300"))
    assert R09.find(case(fixes=near)) == ()
    sharp = (taken(), taken(NOON + SECOND, lat=f"{8.15 + KM:.7f}"))
    assert len(flags(R09, case(fixes=sharp))) == 1


def test_accuracies_that_were_not_recorded_may_explain_it_so_it_is_asked() -> None:
    unknown = (
        taken(accuracy=None),
        taken(NOON + SECOND, lat=f"{8.15 + 0.55 * KM:.7f}", accuracy=None),
    )
    flag = only(R09, case(fixes=unknown))
    assert flag.severity == "query"
    assert "not recorded" in flag.explanation


@pytest.mark.parametrize("outcome", ["unsafe-and-left", "evacuated"])
def test_whoever_left_in_haste_is_never_judged_by_speed(outcome: str) -> None:
    of = moved(100, 30, outcome=outcome, outcomes=(outcome,))
    assert flags(R09, of) == []
    assert "in haste" in needs(R09, of)[0]
    disputed = moved(100, 30, outcome="", outcomes=(outcome, "visited"))
    assert flags(R09, disputed) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"fix_source": "typed"},
        {"fix_source": "track"},
        {"source": "imported", "evidence": SHA},
        {"fix_mock": True},
    ],
)
def test_what_the_device_did_not_measure_itself_is_no_movement(changes: dict[str, Any]) -> None:
    far = taken(NOON + MINUTE, lat="9.15", **changes)
    assert R09.find(case(fixes=(taken(), far))) == ()


def test_two_devices_are_two_movements() -> None:
    assert R09.find(case(fixes=(taken(), taken(NOON + MINUTE, lat="9.15", device=OTHER)))) == ()


def test_fixes_and_the_recorded_track_are_one_movement_on_one_clock() -> None:
    track = way((NOON - MINUTE, 8.15, 98.1, 5.0), (NOON + MINUTE, 8.15, 98.1, 5.0))
    far = taken(NOON, lat="9.15")
    flag = only(R09, case(fixes=(far,), ways=(track,)))
    assert flag.inputs["count"] >= 2
    # By its own clock, an hour behind, the device was there after the drive.
    drive = way((NOON - HOUR, 8.15, 98.1, 5.0), (NOON, 8.15, 98.1, 5.0))
    late = taken(NOON, lat="9.15")
    assert len(flags(R09, case(fixes=(late,), ways=(drive,)))) == 1
    assert R09.find(case(fixes=(late,), ways=(drive,), clocks=(reading(HOUR),))) == ()
    assert R09.find(case(fixes=(late,), ways=(drive,), clocks=())) == ()


def test_a_clock_that_was_set_in_between_makes_it_a_question() -> None:
    jumped = moved(100, 30, clocks=(reading(), reading(2 * HOUR)))
    flag = only(R09, jumped)
    assert flag.severity == "query"
    assert "clock was set in between, by up to 2 h" in flag.explanation


def test_a_log_whose_times_go_back_shows_that_the_clock_was_set() -> None:
    earlier = taken(seq=1)
    later = taken(NOON - 30 * MINUTE, lat=f"{8.15 + 100 * KM:.7f}", seq=2)
    assert only(R09, case(fixes=(earlier, later))).severity == "query"
    in_order = (replace(earlier, seq=2), replace(later, seq=1))
    assert only(R09, case(fixes=in_order)).severity == "major"


def test_a_file_that_was_brought_in_is_another_receiver_s_movement() -> None:
    colleague = way(
        *((NOON + n * SECOND, 8.2, 98.1, 5.0) for n in range(60)),
        source="imported",
        file="f" * 64,
    )
    fixes = tuple(taken(NOON + n * 10 * SECOND) for n in range(6))
    assert R09.find(case(fixes=fixes, ways=(colleague,))) == ()
    leaping = replace(colleague, places=((8.2, 98.1),) * 30 + ((9.2, 98.1),) * 30)
    flag = only(R09, case(fixes=fixes, ways=(leaping,)))
    assert flag.evidence == ("f" * 64,)
    assert flag.key == f"{DEVICE}/{'f' * 64}"


def test_a_flight_before_the_visit_is_not_the_visit_s() -> None:
    day = 24 * HOUR
    flown = way(
        (BEGAN - 9 * day, 8.15, 98.1, 5.0),
        (BEGAN - 9 * day + HOUR, 14.15, 98.1, 5.0),
        source="imported",
        file="f" * 64,
        breaks=frozenset({0}),
    )
    assert R09.find(case(ways=(flown,))) == ()


def test_a_steady_drive_that_is_too_fast_is_found_between_points_of_every_second() -> None:
    """Between neighbours nothing can be seen: 55 m in a second may be a receiver's noise."""
    fast = way(*((NOON + n * SECOND, 8.15 + n * 0.0555 * KM, 98.1, 3.0) for n in range(120)))
    flag = only(R09, case(ways=(fast,)))
    assert 150 < float(flag.inputs["steps"][0]["speed_kmh"]) < 201
    slow = way(*((NOON + n * SECOND, 8.15 + n * 0.04 * KM, 98.1, 3.0) for n in range(120)))
    assert R09.find(case(ways=(slow,))) == ()


def test_a_receiver_s_noise_is_no_speed() -> None:
    noise = way(*((NOON + n * 100, 8.15 + (n % 7) * 0.03 * KM, 98.1, None) for n in range(3_000)))
    assert R09.find(case(ways=(noise,))) == ()


def test_many_leaps_are_one_flag_with_the_fastest_first() -> None:
    zigzag = way(
        *((NOON + n * MINUTE, 8.15 + (n % 2) * (n + 9) * KM, 98.1, 5.0) for n in range(99))
    )
    flag = only(R09, case(ways=(zigzag,)))
    speeds = [float(step["speed_kmh"]) for step in flag.inputs["steps"]]
    assert speeds == sorted(speeds, reverse=True)
    assert flag.inputs["count"] == 98
    assert len(flag.inputs["steps"]) == 10


PLACES = st.lists(
    st.tuples(st.integers(0, 7_200), st.floats(8, 9), st.one_of(st.none(), st.floats(0.1, 5_000))),
    min_size=2,
    max_size=12,
)


def movement(places: list[Any], shift: int = 0, more: float = 0) -> Case:
    fixes = tuple(
        taken(
            NOON + shift + seconds * SECOND,
            lat=f"{lat:.6f}",
            accuracy=None if a is None and not more else f"{(a or 0) + more:.1f}",
            seq=n,
            entry=f"{n:064x}",
        )
        for n, (seconds, lat, a) in enumerate(places)
    )
    return case(fixes=fixes, clocks=(reading(at=ENDED + shift),), spans=(span(),))


@given(PLACES, st.floats(0.1, 10_000))
def test_adding_accuracy_never_turns_a_pass_into_a_flag(places: list[Any], more: float) -> None:
    if not flags(R09, movement(places)):
        assert not flags(R09, movement(places, more=more))


@given(PLACES, st.integers(-(10**9), 10**9))
def test_moving_all_clocks_together_changes_nothing(places: list[Any], shift: int) -> None:
    def without_times(of: Case) -> list[Any]:
        return [
            (f.key, f.severity, f.explanation, f.margin, f.evidence, f.inputs["count"])
            for f in flags(R09, of)
        ]

    assert without_times(movement(places)) == without_times(movement(places, shift))
