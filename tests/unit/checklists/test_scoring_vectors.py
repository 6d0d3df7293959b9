"""The worked vectors: our own file always, the shared one where it is there."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import scoring_world as w

from checklists.model import PILLARS, Piece
from checklists.scoring.aggregate import Totals, facility_of
from checklists.scoring.bands import Bound, band
from checklists.scoring.compute import score
from checklists.scoring.evidence import MICRO, PieceShare, Proof, decayed
from checklists.scoring.exact import VALUE_LEVEL, level_value, rounded
from checklists.scoring.grades import grade_of
from checklists.scoring.prevalence import wilson

ROOT = Path(__file__).resolve().parents[3]
OURS = json.loads((ROOT / "tests" / "vectors" / "scoring.json").read_text("utf-8"))
SHARED = ROOT.parent / "shared" / "domain" / "score-vectors.json"
SHORT = {"fully": "FM", "substantially": "SM", "partially": "PM", "does-not-meet": "DNM"}


@pytest.fixture(scope="module")
def shared() -> dict[str, Any]:
    if not SHARED.exists():
        pytest.skip("the shared score-vectors.json is not there")
    return json.loads(SHARED.read_text("utf-8"))


def cases(group: str) -> Any:
    return pytest.mark.parametrize("case", OURS[group], ids=lambda c: c["name"])


def _limit(text: str) -> Fraction | None:
    return Fraction(text) if text else None


def _band(case: dict[str, Any]) -> str:
    bound = Bound(_limit(case["upper"]), _limit(case["lower"]), "", case["deviation"], "")
    return VALUE_LEVEL[band(Fraction(case["value"]), Fraction(case["u"]), bound)]


def _proof(pieces: list[list[Any]]) -> Proof:
    shares = tuple(
        PieceShare(Piece("photo", weight), int(Fraction(q) * MICRO), ()) for weight, q in pieces
    )
    reached = sum(share.piece.weight * share.q for share in shares)
    return Proof(shares, reached, MICRO * sum(share.piece.weight for share in shares))


def _group(case: dict[str, Any]) -> dict[str, Any]:
    """Score the items of a vector for real; every auditor makes a visit of their own."""
    items = [w.item(f"I-{n}", severity) for n, (severity, _) in enumerate(case["items"])]
    visits = [
        w.visit(
            f"v{auditor}",
            *(
                w.answer(
                    f"I-{n}", given, auditor=f"p-{auditor}", reason="none here", second="p-second"
                )
                for n, (_, given) in enumerate(case["items"])
            ),
        )
        for auditor in range(case["auditors"])
    ]
    document = score(w.inputs(w.checklist(items), visits)).to_json()
    pillar = document["pillars"][PILLARS.index("environment")]
    return {key: pillar[key] for key in ("S", "coverage", "L", "U", "se", "interval")}


def _grade(case: dict[str, Any]) -> dict[str, Any]:
    sums = {
        pillar: Totals(1, 1, int(s) * 10, int(s) * 10, int(s) * 10, Fraction(0))
        for pillar, s in zip(PILLARS, case["pillars"], strict=True)
    }
    outcomes = ()
    if case["critical"]:
        what = w.checklist([w.item("C", "critical")])
        outcomes = score(w.inputs(what, [w.visit("v", w.answer("C", case["critical"]))])).outcomes
    facility = facility_of(sums, w.PILLAR_WEIGHTS)
    grading = grade_of(facility, sums, outcomes, (), [w.visit("v")])
    assert facility.raw is not None and grading.capped is not None and grading.smallest is not None
    return {
        "raw": rounded(facility.raw),
        "capped": rounded(grading.capped),
        "smallest": rounded(grading.smallest[1]),
        "grade": grading.grade,
    }


def _disagreement(case: dict[str, Any]) -> dict[str, Any]:
    """Every auditor answers beside the others, with the same evidence."""
    given = [
        w.answer("I", said, auditor=f"p-{n}", evidence=(w.fact("a"),), reason="none", conflict=True)
        for n, said in enumerate(case["answers"])
    ]
    what = w.checklist([w.item("I", case["severity"])])
    (item,) = score(w.inputs(what, [w.visit("v", *given)])).to_json()["items"]
    found = {"value": item["effective"], "low": item["low"], "high": item["high"]}
    return found | {"adjudicate": item.get("adjudicate", False)}


@cases("bands")
def test_bands_of_readings_are_as_worked(case: dict[str, Any]) -> None:
    """Rule 1, V8."""
    assert _band(case) == case["band"]


@cases("decay")
def test_shares_halve_with_age_as_worked(case: dict[str, Any]) -> None:
    """Rule 4, V4."""
    q = decayed(int(Fraction(case["base"]) * MICRO), case["over_days"], case["half_life_days"])
    assert rounded(Fraction(q, MICRO), 6) == case["q"]


@cases("evidence")
def test_evidence_shares_and_what_they_allow_are_as_worked(case: dict[str, Any]) -> None:
    """Rule 3, V4."""
    proof = _proof(case["pieces"])
    allowed = proof.allowance
    assert rounded(proof.e, 6) == case["e"]
    assert ("" if allowed is None else level_value(allowed)) == case["allowance"]


@cases("groups")
def test_sums_bounds_and_intervals_are_as_worked(case: dict[str, Any]) -> None:
    """Rules 2, 6 and 7: V1, V2, V6."""
    assert _group(case) == {key: case[key] for key in _group(case)}


@cases("grades")
def test_caps_and_grades_are_as_worked(case: dict[str, Any]) -> None:
    """Rules 8 and 9, V3."""
    assert _grade(case) == {key: case[key] for key in ("raw", "capped", "smallest", "grade")}


@cases("disagreements")
def test_the_median_of_auditors_and_its_bounds_are_as_worked(case: dict[str, Any]) -> None:
    """Rule 5, V5."""
    got = _disagreement(case)
    assert got == {key: case[key] for key in got}


@cases("prevalence")
def test_prevalence_is_as_worked(case: dict[str, Any]) -> None:
    """Rule 7: Wilson."""
    low, high = wilson(case["yes"], case["asked"])
    assert (rounded(low, 4), rounded(high, 4)) == (case["low"], case["high"])


def test_prevalence_of_nobody_asked_is_refused() -> None:
    with pytest.raises(ValueError, match="somebody"):
        wilson(0, 0)


# -- the shared file ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("theirs", "ours"), [("V1", "V1"), ("V2", "V2"), ("V6_two_auditors", "V6")]
)
def test_the_shared_sums_agree(shared: dict[str, Any], theirs: str, ours: str) -> None:
    want = shared[theirs]
    got = _group(next(c for c in OURS["groups"] if c["name"] == ours))
    flat = [got["S"], got["coverage"], got["L"], got["U"], got["se"], *got["interval"]]
    assert [Fraction(x) for x in flat] == [
        Fraction(str(want[key])) for key in ("S", "C", "L", "U", "se", "lo", "hi")
    ]


@pytest.mark.parametrize("name", ["V3a", "V3b", "V3c", "V3d", "V3e", "V3f"])
def test_the_shared_grades_agree(shared: dict[str, Any], name: str) -> None:
    got = _grade(next(c for c in OURS["grades"] if c["name"] == name))
    want = shared[name]
    assert got["grade"] == want["grade"]
    assert [Fraction(got[k]) for k in ("raw", "capped", "smallest")] == [
        Fraction(str(want[k])) for k in ("raw", "capped", "minpillar")
    ]


def test_the_shared_evidence_shares_agree(shared: dict[str, Any]) -> None:
    want = shared["V4"]
    for age in ("540", "900"):
        q = decayed(MICRO, int(age) - 180, 180)
        assert Fraction(q, MICRO) == Fraction(str(want[f"q{age}"]))
    got = [_proof(c["pieces"]) for c in OURS["evidence"][:3]]
    assert [p.e for p in got] == [Fraction(str(want[k])) for k in ("e540", "e900", "e_none")]
    capped = [want[k] for k in ("cap540", "cap900", "cap_none")]
    assert [p.allowance for p in got] == [None if c is None else int(c * 1000) for c in capped]


def test_the_shared_arsenic_bands_agree(shared: dict[str, Any]) -> None:
    for value, want in shared["V8_arsenic"].items():
        case = {"value": value, "u": "0.001", "upper": "0.010", "lower": "", "deviation": False}
        assert SHORT[_band(case)] == want


def test_the_shared_disagreements_agree(shared: dict[str, Any]) -> None:
    """V5."""
    wanted = shared["V5"]
    for case, want in zip(OURS["disagreements"], wanted, strict=False):
        got = _disagreement(case)
        numbers = [Fraction(got[key]) for key in ("value", "low", "high")]
        assert numbers == [Fraction(str(want[key])) for key in ("val", "low", "high")]
        assert got["adjudicate"] == want["adjudicate"]
        assert SHORT[VALUE_LEVEL[int(numbers[0] * 1000)]] == want["point"]
    assert len(wanted) == 3


def test_the_shared_prevalence_agrees(shared: dict[str, Any]) -> None:
    low, high = wilson(3, 12)
    want = shared["V6b_wilson_3of12"]
    assert [rounded(low, 4), rounded(high, 4)] == [f"{value:.4f}" for value in want]
