"""Reading typed values from a merged state: rules L5, L6 and L7."""

from __future__ import annotations

from typing import Any

import pytest
from logs import INSPECTION, Device

from sync.inspection import MOST_LEFT_OUT, Inspection, is_decimal
from sync.inspection_reader import read_inspection
from sync.merge import merge

DIGEST = "a" * 64
FIX = {"lat": "20.45", "lon": "99.88", "accuracy_m": "6", "at": 5}
TRACK = {
    "source": "imported",
    "file": DIGEST,
    "at_ms": [5, 1000],
    "lat_e7": [204500000, -1],
    "lon_e7": [998800000, -998800001],
    "accuracy_dm": [60, None],
    "segments": [0],
}
READING = {"analyte": "As", "value": "0.008", "u": "0.001", "unit": "mg/L"}


TORN = [[n, n] for n in range(1, MOST_LEFT_OUT + 3, 2)]  # more than half of what may be named


def without(ranges: Any, seq: int = 9) -> dict[str, Any]:
    """A sign-off over one log without these positions."""
    logs = [{"device": "d", "seq": seq, "h": "x", "without": ranges}]
    return {"statement": "s", "logs": logs}


def read(*devices: Device) -> Inspection:
    return read_inspection(INSPECTION, merge(r for d in devices for r in d.records()))


def test_everything_an_inspection_can_hold_is_read() -> None:
    """L5"""
    one = Device(1)
    one.write(
        "about",
        {"facility": "f-1", "checklist": DIGEST, "purpose": "yearly", "mode": "live", "fix": FIX},
    )
    one.write("answers/ISL-E1/kolam-1", {"level": "partially", "note": "n", "evidence": [DIGEST]})
    one.write("answers/ISL-E2/well-1", {"readings": [READING]})
    one.write("answers/GEN-G2/-", {"special": "not-applicable", "reason": "r", "second": "p-2"})
    one.write("observed/operating/warm-kiln", {"value": "yes"})
    one.write(
        f"evidence/{DIGEST}/{one.id}",
        {
            "kind": "photo",
            "source": "imported",
            "media_type": "image/jpeg",
            "size": 9,
            "items": ["ISL-E1/kolam-1"],
        },
    )
    one.write("outcome", {"outcome": "visited"})
    one.write(f"track/{one.id}/1", TRACK)
    signed = [{"device": one.id, "seq": 8, "h": one.hashes[7].hex()}]
    one.write(f"sign-off/{one.id}", {"statement": "s", "logs": signed})
    got = read(one)
    assert got.about.value is not None and got.about.value.fix is not None
    assert got.about.value.fix.lat == "20.45"
    reading = got.answers["ISL-E2", "well-1"].value
    assert reading is not None and reading.readings[0].uncertainty == "0.001"
    assert got.observed["operating", "warm-kiln"].value is not None
    assert got.outcome.value is not None and got.outcome.value.outcome == "visited"
    sign_off = got.sign_offs[one.id].value
    assert sign_off is not None and sign_off.logs[0].seq == 8
    track = got.tracks[f"{one.id}/1"].value
    assert track is not None and (track.device, track.n, track.file) == (one.id, 1, DIGEST)
    assert [(p.at, p.lat, p.lon, p.accuracy_m) for p in track.points] == [
        (5, "20.4500000", "99.8800000", "6.0"),
        (1005, "20.4499999", "-0.0000001", None),
    ]
    assert [e.sha256 for e in got.evidence_for("ISL-E1", "kolam-1")] == [DIGEST]
    assert not got.unread and not got.conflicts


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("about", {"facility": "f", "checklist": "c", "mode": "real"}),
        ("about", "text"),
        ("answers/A/-", {"level": "excellent"}),
        ("answers/A/-", {"level": "fully", "special": "refused"}),
        ("answers/A/-", {}),
        ("answers/A/-", {"readings": []}),
        ("answers/A/-", {"readings": [{"analyte": "As", "value": "1e3"}]}),
        ("answers/A/-", {"level": "fully", "evidence": ["x"]}),
        ("answers/A/-", {"level": "fully", "fix": {"lat": "91", "lon": "0"}}),
        ("answers/A/-", {"level": "fully", "fix": {"lat": "1"}}),
        ("observed/a/b", {"value": 3}),
        (f"evidence/{DIGEST}/d", {"kind": "rumour", "source": "scan", "media_type": "x"}),
        ("evidence/short/d", {"kind": "photo", "source": "scan", "media_type": "x", "size": 1}),
        ("outcome", {"outcome": "nice"}),
        ("track/d/1", []),
        ("track/d/0", TRACK),
        ("track/d/01", TRACK),
        ("track/d/1", {**TRACK, "source": "guessed"}),
        ("track/d/1", {**TRACK, "file": "x"}),
        ("track/d/1", {**TRACK, "lat_e7": [], "lon_e7": []}),
        ("track/d/1", {**TRACK, "lat_e7": [900000000, 1]}),
        ("track/d/1", {**TRACK, "lat_e7": ["204500000", 1]}),
        ("track/d/1", {**TRACK, "lon_e7": [1]}),
        ("track/d/1", {**TRACK, "lon_e7": [1, None]}),
        ("track/d/1", {**TRACK, "at_ms": [5, -6]}),
        ("track/d/1", {**TRACK, "at_ms": [5]}),
        ("track/d/1", {**TRACK, "accuracy_dm": [0, 1]}),
        ("track/d/1", {**TRACK, "segments": [1, 0]}),
        ("track/d/1", {**TRACK, "segments": [2]}),
        ("track/d/1", {**TRACK, "segments": None}),
        ("track/d/1", {**TRACK, "thinned_from": 1}),
        ("sign-off/d", {"statement": "s", "logs": [{"device": "d"}]}),
        ("sign-off/d", {"logs": [{"device": "d", "seq": 0, "h": "x"}]}),
        ("sign-off/d", {"logs": [{"device": "d", "seq": -4, "h": "x"}]}),
        ("sign-off/d", {"logs": [{"device": "d", "seq": True, "h": "x"}]}),
        ("sign-off/d", without([[2, 3], [3, 4]])),
        ("sign-off/d", without([[-1, 1]])),
        ("sign-off/d", without([[8, 9]])),
        ("sign-off/d", without(None)),
        ("sign-off/d", without([[n, n] for n in range(1, 2 * MOST_LEFT_OUT + 2, 2)], 5000)),
        ("sign-off/d", {"logs": 2 * without(TORN, 5000)["logs"]}),
    ],
)
def test_a_value_that_is_not_understood_is_unread_not_skipped(path: str, value: Any) -> None:
    """L4, L6"""
    one = Device(1)
    one.write(path, value)
    got = read(one)
    assert len(got.unread) == 1
    assert got.unread[0].path == path


def test_a_sign_off_says_what_it_covers_of_a_log_and_what_it_is_without() -> None:
    """L7: one that does not say so is of an earlier version."""
    one = Device(1)
    one.write("sign-off/a", without([[2, 3], [6, 6]]))
    one.write("sign-off/b", without([]))
    one.write("sign-off/c", {"logs": [{"device": "d", "seq": 9, "h": "x"}]})
    one.write("sign-off/d", without(TORN, 5000))
    got = read(one)
    logs = {path: slot.heads[0].logs[0] for path, slot in got.sign_offs.items()}
    assert (logs["a"].without, logs["a"].covered) == (
        ((2, 3), (6, 6)),
        ((1, 1), (4, 5), (7, 9)),
    )
    assert (logs["b"].without, logs["b"].covered) == ((), ((1, 9),))
    assert (logs["c"].without, logs["c"].covered) == (None, ((1, 9),))
    assert not got.unread


def test_an_unread_head_hides_the_value_before_it() -> None:
    """L6"""
    one = Device(1)
    one.write("answers/A/-", {"level": "fully"})
    one.write("answers/A/-", {"level": "from the future"})
    slot = read(one).answers["A", "-"]
    assert slot.value is None and slot.heads == ()
    assert [a.level for a in slot.earlier] == ["fully"]


def test_two_values_stand_side_by_side() -> None:
    """L6"""
    one, two = Device(1), Device(2)
    one.write("answers/A/-", {"level": "fully"}, at=1)
    two.write("answers/A/-", {"level": "partially"}, at=2)
    got = read(one, two)
    slot = got.answers["A", "-"]
    assert slot.conflict and slot.value is None
    assert [a.level for a in slot.heads] == ["partially", "fully"]
    assert got.conflicts == ("answers/A/-",)


@pytest.mark.parametrize("text", ["0", "-0.5", "10", "123456789012345.123456789012"])
def test_decimal_strings(text: str) -> None:
    """L3"""
    assert is_decimal(text)


@pytest.mark.parametrize("text", ["", "01", "1.", ".5", "1e3", "+1", "NaN", "1,5", 5, "١"])
def test_what_is_no_decimal_string(text: object) -> None:
    """L3"""
    assert not is_decimal(text)
