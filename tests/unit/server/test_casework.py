"""The case of a visit as the server builds it: what it knows of time beside the entries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from region import HILL, TODAY, VALLEY, VISIT_1, VISIT_2, enrolled_device, fix, make_region

from server.context import Context
from server.schedule import run_once
from server.store import assessments, flags
from sync.inspection import TrackPoint
from sync.track_entry import track_values

MINUTE = 60_000
RULES = ("R02", "R03", "R07", "R08", "R09")


@pytest.fixture
def ctx(tmp_path: Path) -> Iterator[Context]:
    made = make_region(tmp_path)
    yield made
    made.db.close()


def findings(ctx: Context, inspection: str = VISIT_1) -> list[dict[str, Any]]:
    run_once(ctx)
    with ctx.db.read() as tx:
        row = assessments.find(tx, "inspection", inspection)
    assert row is not None
    return [f for f in json.loads(row.findings) if f["rule"] in RULES]


def flagged(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(f["rule"], f["severity"]) for f in found if f["kind"] == "flag"]


def test_a_quiet_visit_raises_none_of_these_flags(ctx: Context) -> None:
    device = enrolled_device(ctx)
    device.start(VISIT_1, VALLEY, fix={**fix(), "at": ctx.now()})
    device.record(VISIT_1, "outcome", {"outcome": "visited"})
    device.send()
    assert findings(ctx) == []


def test_the_offset_of_each_segment_is_in_the_case(ctx: Context) -> None:
    """L9"""
    device = enrolled_device(ctx)
    device.start(VISIT_1, VALLEY)
    device.send(behind=5 * MINUTE)
    (first,) = [f for f in findings(ctx) if f["rule"] == "R08"]
    assert (first["severity"], first["inputs"]["offset_ms"]) == ("minor", 5 * MINUTE)
    device.record(VISIT_1, "outcome", {"outcome": "visited"})
    device.send(behind=-120 * MINUTE)
    (both,) = [f for f in findings(ctx) if f["rule"] == "R08"]
    assert (both["severity"], both["inputs"]["offset_ms"]) == ("major", -120 * MINUTE)
    offsets = {c["offset_ms"] for c in both["inputs"]["comparisons"]}
    assert offsets == {5 * MINUTE, -120 * MINUTE}


def test_a_fix_that_a_program_made_up_is_flagged_and_listed(ctx: Context) -> None:
    device = enrolled_device(ctx)
    device.start(VISIT_1, HILL)
    mocked = {**fix(), "at": ctx.now(), "mock": True}
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully", "fix": mocked})
    device.send()
    assert ("R03", "major") in flagged(findings(ctx))
    with ctx.db.read() as tx:
        assert "R03" in {f.rule for f in flags.of_facility(tx, HILL)}


def test_a_track_compares_the_device_s_clock_and_its_leaps_are_flagged(ctx: Context) -> None:
    device = enrolled_device(ctx)
    device.start(VISIT_2, VALLEY, fix={**fix(), "at": ctx.now()})
    points = [
        TrackPoint(TODAY + n * MINUTE, f"{20.45 + (n == 30):.7f}", "99.88", "5", TODAY - 9 * MINUTE)
        for n in range(60)
    ]
    for n, value in enumerate(track_values("recorded", "", points, (0,)), 1):
        device.record(VISIT_2, f"track/{device.id}/{n}", value)
    device.send()
    found = findings(ctx, VISIT_2)
    assert {rule for rule, _ in flagged(found)} == {"R08", "R09"}


def test_who_left_as_unsafe_is_not_judged_by_speed(ctx: Context) -> None:
    device = enrolled_device(ctx)
    device.start(VISIT_1, VALLEY, fix={**fix(), "at": TODAY})
    value = {"outcome": "unsafe-and-left", "fix": {**fix(lat="21.45"), "at": TODAY + MINUTE}}
    device.record(VISIT_1, "outcome", value, at=TODAY + MINUTE)
    device.send()
    found = findings(ctx)
    assert flagged(found) == []
    assert any(f["rule"] == "R09" and "in haste" in f["needs"] for f in found)
