"""What a merged inspection says about time, as the rules read it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from discrepancy_cases import DEVICE, HOUR, MINUTE, OTHER, SECOND, SHA, VISIT, reading
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.case import build_case, called
from checklists.discrepancies.moments import (
    Reading,
    Span,
    Way,
    clocks_of,
    fixes_of,
    offsets,
    spans_of,
    ways_of,
)
from checklists.discrepancies.settings_file import default_settings
from sync.inspection import Inspection, TrackPoint
from sync.inspection_reader import read_inspection
from sync.log import Entry
from sync.merge import merge
from sync.track_entry import track_values

T0 = 1772413200000  # 2026-03-02 01:00 UTC
GNSS = {"lat": "8.15", "lon": "98.1", "accuracy_m": "6", "source": "gnss"}
TYPED = {"lat": "8.15", "lon": "98.1", "accuracy_m": "6"}
ABOUT = {"facility": "made-up-mine", "checklist": "c/1", "mode": "live"}
Said = tuple[float, str, Any] | tuple[float, str, Any, str]


def entries(*said: Said) -> list[Entry]:
    """Entries as (hours after the start, path, value[, device]), numbered in each device's log."""
    counts: dict[str, int] = {}
    made: list[Entry] = []
    for hours, path, value, *rest in said:
        device = rest[0] if rest else DEVICE
        counts[device] = counts.get(device, 0) + 1
        h = f"{len(made):064x}"
        at = T0 + int(hours * HOUR)
        made.append(Entry(device, VISIT, counts[device], h, at, "p-x", path, value))
    return made


def visit(*said: Said) -> Inspection:
    return read_inspection(VISIT, merge(entries(*said)))


def spans(*said: Said) -> tuple[Span, ...]:
    of = visit(*said)
    return spans_of(of, fixes_of(of, called))


def hours(span: Span) -> tuple[float, float]:
    return (span.begins - T0) / HOUR, (span.ends - T0) / HOUR


def photo(source: str, fix: dict[str, str] | None = None) -> dict[str, Any]:
    value = {"kind": "photo", "source": source, "media_type": "image/jpeg", "size": 9, "name": "I"}
    return value if fix is None else {**value, "fix": fix}


def answered(fix: dict[str, str] | None = None, level: str = "fully") -> dict[str, Any]:
    return {"level": level} if fix is None else {"level": level, "fix": fix}


# -- fixes ----------------------------------------------------------------------------------------


def test_every_fix_is_read_with_its_time_age_accuracy_source_and_mark() -> None:
    marked = {**GNSS, "at": T0 - 5, "mock": True}
    of = visit(
        (0, "about", {**ABOUT, "fix": TYPED}),
        (1, "answers/ISL-E1/pond-2", answered(marked)),
        (2, "observed/operating/warm-kiln", {"value": "yes", "fix": GNSS}),
        (3, f"evidence/{SHA}/{DEVICE}", photo("taken-here", GNSS)),
        (4, "outcome", {"outcome": "visited", "fix": GNSS}),
    )
    found = {t.label: t for t in fixes_of(of, called)}
    assert set(found) == {
        "the start of the visit",
        "the answer to ISL-E1 at pond-2",
        "the observation of warm-kiln",
        "the photo I (abababab)",
        "the end of the visit",
    }
    one = found["the answer to ISL-E1 at pond-2"]
    assert (one.at, one.fix.at, one.measured_at, one.fix.mock) == (T0 + HOUR, T0 - 5, T0 - 5, True)
    assert not one.measured
    assert found["the photo I (abababab)"].evidence == SHA
    assert found["the observation of warm-kiln"].measured
    assert found["the observation of warm-kiln"].measured_at == T0 + 2 * HOUR
    assert not found["the start of the visit"].measured


def test_a_fix_whose_mark_is_not_understood_leaves_its_entry_unread() -> None:
    """L6"""
    of = visit((0, "answers/ISL-E1/-", answered({**GNSS, "mock": "no"})))  # type: ignore[dict-item]
    assert of.answers["ISL-E1", "-"].heads == ()
    assert len(of.unread) == 1


def test_a_replaced_fix_is_kept_as_movement_but_stands_no_more() -> None:
    of = visit(
        (0, "answers/ISL-E1/-", answered(GNSS)),
        (1, "answers/ISL-E1/-", answered(GNSS, "partially")),
    )
    assert [t.stands for t in fixes_of(of, called)] == [False, True]


# -- tracks ---------------------------------------------------------------------------------------


def points(count: int, start: int = T0, device_ahead: int | None = None) -> list[TrackPoint]:
    return [
        TrackPoint(
            start + n * SECOND,
            f"{8.15 + n * 1e-5:.7f}",
            "98.1",
            "4.5",
            None if device_ahead is None else start + n * SECOND + device_ahead,
        )
        for n in range(count)
    ]


def track(some: list[TrackPoint], segments: tuple[int, ...] = (0,), **more: Any) -> list[Said]:
    values = track_values(more.get("source", "recorded"), more.get("file", ""), some, segments)
    return [(2, f"track/{DEVICE}/{n}", value) for n, value in enumerate(values, 1)]


def test_the_parts_of_a_long_track_are_put_together_and_its_breaks_stay() -> None:
    said = track(points(9_000), (0, 100))
    assert len(said) > 1, "a track of this length takes several entries"
    (way,) = ways_of(visit(*said))
    assert way.times == tuple(T0 + n * SECOND for n in range(9_000))
    assert way.breaks == {0, 100}
    assert way.accuracies[0] == 4.5
    (without,) = ways_of(visit(said[0], *said[2:]))
    assert len(without.breaks) == 3, "where a part is not here, no line is drawn"


def test_points_without_a_time_are_counted_and_left_out() -> None:
    some = [replace(p, at=None) if n % 2 else p for n, p in enumerate(points(10))]
    (way,) = ways_of(visit(*track(some)))
    assert (len(way.times), way.untimed) == (5, 5)


def test_a_track_whose_points_come_in_another_order_is_read_by_time() -> None:
    (way,) = ways_of(visit(*track(points(10)[::-1])))
    assert way.times == tuple(sorted(way.times))


# -- when the visit was ---------------------------------------------------------------------------


def test_a_visit_lasts_from_the_first_entry_to_the_outcome() -> None:
    (span,) = spans(
        (0, "about", ABOUT),
        (3, "answers/ISL-E1/-", answered(GNSS)),
        (8, "outcome", {"outcome": "visited"}),
        (8.1, f"sign-off/{DEVICE}", {"statement": "x", "logs": []}),
    )
    assert hours(span) == (0, 8)
    assert (span.shown, span.main) == (True, True)


def test_notes_typed_in_the_evening_do_not_stretch_it() -> None:
    (span,) = spans(
        (0, "about", ABOUT),
        (8, "outcome", {"outcome": "visited"}),
        (13, "answers/ISL-E1/-", answered(TYPED)),
        (13.5, "observed/operating/discharge", {"value": "no"}),
        (14, f"sign-off/{DEVICE}", {"statement": "x", "logs": []}),
    )
    assert hours(span) == (0, 8)
    assert not span.shown


def test_a_measured_position_after_the_outcome_shows_that_it_went_on() -> None:
    (span,) = spans(
        (0, "about", ABOUT),
        (3, "outcome", {"outcome": "refused-at-the-gate"}),
        (5, "answers/ISL-E1/-", answered(GNSS)),
        (6, f"evidence/{SHA}/{DEVICE}", photo("taken-here")),
    )
    assert hours(span) == (0, 6)


def test_files_brought_in_later_say_nothing_about_when_the_visit_was() -> None:
    (span,) = spans(
        (0, "about", ABOUT),
        (8, "outcome", {"outcome": "visited"}),
        (20, f"evidence/{SHA}/{DEVICE}", photo("imported", TYPED)),
    )
    assert hours(span) == (0, 8)


def test_a_correction_after_the_sign_off_does_not_stretch_it() -> None:
    (span,) = spans(
        (0, "about", ABOUT),
        (499, "about", {**ABOUT, "purpose": "yearly"}),
        (8, "outcome", {"outcome": "partly"}),
        (9, f"sign-off/{DEVICE}", {"statement": "x", "logs": []}),
        (500, "outcome", {"outcome": "visited"}),
        (501, "answers/ISL-E1/-", answered()),
        (502, f"sign-off/{DEVICE}", {"statement": "x", "logs": []}),
    )
    assert hours(span) == (0, 8)


def test_everything_typed_in_the_evening_is_seen_as_not_shown() -> None:
    (span,) = spans(
        (12, "about", {**ABOUT, "fix": TYPED}),
        (12.2, "answers/ISL-E1/-", answered(TYPED)),
        (12.5, "outcome", {"outcome": "visited"}),
    )
    assert hours(span) == (12, 12.5)
    assert not span.shown


def test_each_device_has_its_own_span() -> None:
    first, second = spans(
        (0, "about", ABOUT),
        (2, "outcome", {"outcome": "visited"}),
        (9, "answers/ISL-E1/-", answered(), OTHER),
    )
    assert (first.device, second.device) == (DEVICE, OTHER)
    assert (first.main, second.main) == (True, False)
    assert hours(second) == (9, 9)


# -- clocks ---------------------------------------------------------------------------------------


def test_a_recorded_track_with_both_times_compares_the_device_s_clock_with_gnss_time() -> None:
    """L9"""
    of = visit((0, "about", ABOUT), *track(points(100, device_ahead=-5 * MINUTE)))
    (found,) = {r.offset_ms for r in clocks_of(of, spans_of(of, ()), ())}
    assert found == 5 * MINUTE
    brought = visit(
        (0, "about", ABOUT), *track(points(9, device_ahead=9), source="imported", file=SHA)
    )
    assert clocks_of(brought, spans_of(brought, ()), ()) == ()


def test_a_stray_time_counts_for_nothing_and_a_clock_that_was_set_shows() -> None:
    some = points(100, device_ahead=0)
    some[50] = replace(some[50], device_at=(some[50].at or 0) - HOUR)
    of = visit((0, "about", ABOUT), *track(some))
    assert offsets(clocks_of(of, spans_of(of, ()), ()), DEVICE) == (0, 0)
    set_back = points(50, device_ahead=HOUR) + points(50, T0 + MINUTE, 0)
    of = visit((0, "about", ABOUT), *track(set_back))
    assert offsets(clocks_of(of, spans_of(of, ()), ()), DEVICE) == (-HOUR, 0)


def test_clocks_of_devices_that_recorded_nothing_are_left_out() -> None:
    of = visit((0, "about", ABOUT))
    measured = [reading(5), reading(7, device=OTHER), reading(5)]
    assert clocks_of(of, spans_of(of, ()), measured) == (reading(5),)
    assert offsets(measured, "nobody") is None


# -- all of it ------------------------------------------------------------------------------------

EVERYTHING: list[Said] = [
    (0, "about", {**ABOUT, "fix": GNSS}),
    (1, "answers/ISL-E1/-", answered(GNSS)),
    (2, "answers/ISL-E1/-", answered(GNSS, "partially"), OTHER),
    *track(points(40, device_ahead=1)),
    (3, f"evidence/{SHA}/{DEVICE}", photo("taken-here", GNSS)),
    (4, "outcome", {"outcome": "visited"}),
    (5, "outcome", {"outcome": "partly"}, OTHER),
]


@given(st.permutations(entries(*EVERYTHING)), st.permutations([reading(1), reading(2), reading(3)]))
def test_the_order_of_arrival_never_matters(some: list[Entry], measured: list[Reading]) -> None:
    def built(of: list[Entry], clocks: list[Reading]) -> tuple[Any, ...]:
        case = build_case(
            read_inspection(VISIT, merge(of)),
            {"id": "made-up-mine", "name": "Made-up Mine", "country": "TH"},
            None,
            {},
            {},
            {},
            True,
            default_settings(),
            clocks,
        )
        return case.fixes, case.ways, case.spans, case.clocks, case.outcomes, case.photos

    assert built(some, measured) == built(entries(*EVERYTHING), [reading(n) for n in (1, 2, 3)])


def test_a_way_is_what_the_rules_are_given() -> None:
    of = visit(*track(points(3)))
    assert ways_of(of) == (
        Way(
            DEVICE,
            "recorded",
            "",
            (T0, T0 + SECOND, T0 + 2 * SECOND),
            ((8.15, 98.1), (8.15001, 98.1), (8.15002, 98.1)),
            (4.5, 4.5, 4.5),
            frozenset({0}),
            0,
        ),
    )
