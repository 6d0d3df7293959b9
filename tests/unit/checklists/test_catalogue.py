from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from conflict_cases import around, near_conflict
from discrepancy_cases import (
    HOUR,
    MINUTE,
    NOON,
    OBSERVED,
    OTHER,
    PEERS,
    at,
    case,
    filing,
    month,
    photo,
    reading,
    row,
    seen,
    span,
    taken,
    use,
    way,
)
from hypothesis import given
from hypothesis import strategies as st

from checklists.conflict.areas import Area
from checklists.conflict.around import Armed
from checklists.conflict.sources import SOURCES
from checklists.discrepancies.case import FLAG_SEVERITIES, SUBJECTS, Case, Flag, NotEvaluated
from checklists.discrepancies.catalogue import (
    RULES,
    evaluate,
    explain_rule,
    findings_bytes,
    findings_to_json,
)
from checklists.discrepancies.imported import DeathRecord, Imported, RiskArea
from sync.problems import Problem

POINTS = (at(401000, 901000), at(402300, 901000), at(402300, 901001), at(404000, 901000, None))
PHOTOS = (
    photo(sha256="01" * 32, facts={"exif": False}),
    photo(sha256="02" * 32, facts=None),
    photo(sha256="03" * 32, source="taken-here"),
    photo(sha256="05" * 32, facts=None),
    photo(sha256="04" * 32, facts={"exif": True, "software": "GIMP 2.10"}),
    photo(
        sha256="06" * 32,
        facts={
            "exif": True,
            "gps_block": "position",
            "lat": "8.25",
            "lon": "98.1",
            "gps_time": "2026-03-02T05:00:05Z",
        },
    ),
    photo(
        sha256="07" * 32, facts={"exif": True, "camera_time": "2026-03-02T03:00:00", "make": "C"}
    ),
    photo(sha256="08" * 32, facts={"exif": True, "gps_time": "2026-02-02T03:00:00Z"}),
)
SIGNS = {"warm-kiln": "yes", "discharge": "yes", "night-power": "unsure"}
FIXES = (
    taken(NOON, accuracy="90"),
    taken(NOON + MINUTE, lat="8.95", fix_mock=True),
    taken(NOON + HOUR, device=OTHER, accuracy=None, fix_at=None),
)
WAYS = (
    way((NOON, 8.15, 98.1, 5.0), (NOON + 10_000, 8.15, 98.1, 5.0)),
    way((NOON, 8.15, 98.1, 5.0), (NOON + MINUTE, 8.95, 98.1, 5.0), device=OTHER),
)
SPANS = (span(), span(device=OTHER, shown=False))
CLOCKS = (reading(-5 * MINUTE), reading(2 * HOUR, device=OTHER), reading(-4 * MINUTE))
USES = {
    "01" * 32: (use(), use(at=5, inspection="another")),
    "03" * 32: (use(at=7, inspection="a third"), use()),
}

ARMED = tuple(Armed(f"{n}000.0", 1_000, True, uid) for n, uid in ((1, "e1"), (2, "")))
CONFLICT = near_conflict(
    *(around(source, exposure=(60_000, 70_000, 80_000), armed=ARMED) for source in SOURCES),
    areas=(Area("TH-58", "high-risk", "2026-01-31"),),
)

WRONG = {
    "status": {"state": "care", "since": "2025-06-01"},
    "months": [
        month(month=name, output_t_reo="120", reagents=[{"reagent": "ammonium-sulfate", "t": "60"}])
        for name in ("2026-01", "2026-02")
    ],
    "shipments": [row("shipments", mass_t="500", origin="LA", transit=["MM"])],
    "deposit": [row("deposit", mean="0.5")],
    "licences": [row("licences", capacity_t_reo_per_year="90")],
}
SEEN = {"survey/heap-1": "500", "headcount/own-staff": "300", "activity/heap-1": "9"}
IMPORTED = Imported(
    areas=(RiskArea("MM-11", "2024-01-01", "a made-up list"),),
    parties=(),
    deaths=(DeathRecord("a made-up newspaper", 2, "2025-05-05", "2025-05-05", sure=True),),
    peers={**PEERS, "power_kwh_per_t_reo": ("5000", "5100", "5200", "5300", "5400")},
)


def full() -> Case:
    return case(
        declaration=filing(**WRONG),
        observed=seen({**OBSERVED, **SEEN}),
        imported=IMPORTED,
        points=POINTS,
        photos=PHOTOS,
        signs=SIGNS,
        other_uses=USES,
        uses_complete=False,
        fixes=FIXES,
        ways=WAYS,
        spans=SPANS,
        clocks=CLOCKS,
        surroundings=CONFLICT,
    )


def test_findings_come_in_the_order_of_rules_and_say_everything() -> None:
    found = evaluate(full())
    assert [f.rule for f in found] == [
        *["R01"],
        *["R02"] * 2,
        *["R03"] * 3,
        *["R07"] * 3,
        *["R08"] * 2,
        *["R09"],
        *["R12"] * 3,
        *["R13"] * 3,
        *["R16"],
        *["R18", "R19", "R20", "R21", "R22", "R23", "R24", "R25", "R25"],
        *["R26", "R27", "R28", "R28", "R29", "R31", "R32", "R33"],
    ]
    for flag in (f for f in found if isinstance(f, Flag)):
        assert flag.severity in FLAG_SEVERITIES
        assert flag.subject in SUBJECTS
        assert flag.explanation
        assert flag.threshold
        assert flag.margin
        assert flag.innocent_causes
        assert flag.would_settle
        assert flag.inputs["thresholds"] == "default 3"


def test_a_case_with_nothing_in_it_is_answered_with_what_is_needed() -> None:
    nothing = case(
        declaration=None, points=(), signs={}, photos=(), spans=(), clocks=(), surroundings=None
    )
    found = findings_to_json(evaluate(nothing))
    assert [(f["rule"], f["kind"]) for f in found] == [
        ("R01", "not-evaluated"),
        ("R04", "not-evaluated"),
        ("R05", "not-evaluated"),
        ("R06", "not-evaluated"),
        *((rule.id, "not-evaluated") for rule in RULES if rule.id >= "R16"),
    ]
    assert all(f["needs"] for f in found)


def test_a_case_in_which_everything_fits_raises_nothing() -> None:
    """But for R32, which says the same whether or not there is anything sealed."""
    assert [(f.rule, type(f)) for f in evaluate(case())] == [("R32", NotEvaluated)]


@given(
    st.permutations(POINTS),
    st.permutations(PHOTOS),
    st.permutations(list(SIGNS)),
    st.permutations(list(USES)),
    st.permutations(FIXES),
    st.permutations(WAYS),
    st.permutations(SPANS),
    st.permutations(CLOCKS),
    st.permutations(CONFLICT.sources),
)
def test_the_same_facts_in_any_order_give_the_same_bytes(
    points: Any,
    photos: Any,
    signs: Any,
    uses: Any,
    fixes: Any,
    ways: Any,
    spans: Any,
    clocks: Any,
    sources: Any,
) -> None:
    shuffled = replace(
        full(),
        points=tuple(points),
        photos=tuple(photos),
        signs={s: SIGNS[s] for s in signs},
        other_uses={u: USES[u][::-1] for u in uses},
        fixes=tuple(fixes),
        ways=tuple(ways),
        spans=tuple(spans),
        clocks=tuple(clocks),
        surroundings=replace(CONFLICT, sources=tuple(sources)),
        observed=full().observed[::-1],
    )
    assert findings_bytes(evaluate(shuffled)) == findings_bytes(evaluate(full()))


def test_inputs_hold_texts_and_whole_numbers_only() -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            assert all(isinstance(k, str) for k in value)
            for inner in value.values():
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)
        else:
            assert type(value) in (str, int), value

    for found in findings_to_json(evaluate(full())):
        walk(found.get("inputs", {}))
    assert json.loads(findings_bytes(evaluate(full()))) == findings_to_json(evaluate(full()))


def test_every_rule_explains_itself() -> None:
    for rule in RULES:
        text = explain_rule(rule.id)
        assert rule.title in text
        assert rule.would_settle in text
        assert all(cause in text for cause in rule.innocent_causes)


def test_an_unknown_rule_is_a_catalogue_error_that_names_the_known_ones() -> None:
    with pytest.raises(Problem) as caught:
        explain_rule("R99")
    assert caught.value.code == "rule-unknown"
    assert "R01" in caught.value.remedy
