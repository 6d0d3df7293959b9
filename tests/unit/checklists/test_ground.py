"""What was walked around: a track that is named as evidence of disturbed ground."""

from __future__ import annotations

from typing import Any

from discrepancy_cases import VISIT, declared, flags
from hypothesis import given
from hypothesis import strategies as st

from checklists.discrepancies.case import build_case
from checklists.discrepancies.disturbed import R06
from checklists.discrepancies.ground import traces_of
from checklists.discrepancies.settings_file import default_settings
from sync.inspection import TrackPoint
from sync.inspection_reader import read_inspection
from sync.log import Entry
from sync.merge import merge
from sync.track_entry import track_values

DEVICE, OTHER = "a" * 32, "b" * 32
FILE = "fa" * 32
ABOUT = {"facility": "made-up-mine", "checklist": "x/1", "purpose": "periodic", "mode": "live"}
# A square of about 1.1 km that reaches beyond the declared one in the east, without times.
CORNERS = [("8.145", "98.105"), ("8.145", "98.115"), ("8.155", "98.115"), ("8.155", "98.105")]
POINTS = [TrackPoint(None, lat, lon, "4") for lat, lon in (*CORNERS, CORNERS[0])]


def seen(*evidence: str, value: str = "120") -> dict[str, Any]:
    return {"value": value, "unit": "ha", "note": "", "evidence": list(evidence)}


def entries(*said: tuple[str, Any, str]) -> list[Entry]:
    return [
        Entry(device, VISIT, n, f"{n:064x}", 1772406000000 + n, "p-x", path, value)
        for n, (path, value, device) in enumerate([("about", ABOUT, DEVICE), *said], 1)
    ]


def walk(device: str = DEVICE, segments: tuple[int, ...] = (0,)) -> list[tuple[str, Any, str]]:
    """The track in two entries, as a long one is written."""
    (whole,) = track_values("imported", FILE, POINTS, segments)
    assert whole["segments"] == list(segments)
    halves = [
        track_values("imported", FILE, part, begin)[0]
        for part, begin in (
            (POINTS[:3], [s for s in segments if s < 3]),
            (POINTS[3:], [s - 3 for s in segments if s >= 3]),
        )
    ]
    return [(f"track/{device}/{n}", value, device) for n, value in enumerate(halves, 1)]


def test_the_track_around_disturbed_ground_is_read_whole_and_judged() -> None:
    said = entries(*walk(), ("observed/disturbed/pit", seen(FILE), DEVICE))
    inspection = read_inspection(VISIT, merge(said))
    (trace,) = traces_of(inspection)
    assert (trace.area, trace.file, trace.breaks) == ("pit", FILE, 0)
    assert [(float(a), float(b)) for a, b in trace.places] == [
        (float(a), float(b)) for a, b in (*CORNERS, CORNERS[0])
    ]
    assert {float(a or 0) for a in trace.accuracies} == {4.0}
    facility = {"id": "made-up-mine", "name": "Made-up Mine", "country": "TH"}
    built = build_case(inspection, facility, declared(), {}, {}, {}, True, default_settings())
    assert built.neighbours is None
    (flag,) = flags(R06, built)
    assert flag.severity == "major"


def test_gaps_are_counted_and_a_file_of_two_devices_counts_once() -> None:
    said = entries(
        *walk(OTHER),
        *walk(segments=(0, 2, 4)),
        ("observed/disturbed/pit", seen(FILE), DEVICE),
    )
    (trace,) = traces_of(read_inspection(VISIT, merge(said)))
    assert trace.breaks == 2
    assert len(trace.places) == len(POINTS)


def test_other_observations_other_evidence_and_absent_tracks_are_no_trace() -> None:
    said = entries(
        *walk(),
        ("observed/stock/ore", seen(FILE), DEVICE),
        ("observed/disturbed/pit", seen("ab" * 32), DEVICE),
        ("observed/disturbed/dump", seen(), DEVICE),
    )
    assert traces_of(read_inspection(VISIT, merge(said))) == ()


EVERYTHING = entries(
    *walk(),
    *walk(OTHER),
    ("observed/disturbed/pit", seen(FILE), DEVICE),
    ("observed/disturbed/pit", seen(FILE, value="119"), OTHER),
)


@given(st.permutations(EVERYTHING))
def test_the_order_of_arrival_never_matters(some: list[Entry]) -> None:
    def traced(of: list[Entry]) -> Any:
        return traces_of(read_inspection(VISIT, merge(of)))

    assert traced(some) == traced(EVERYTHING)
    assert len(traced(some)) == 1
