"""One item of a score as JSON: answer, evidence share, effective value, points (rule 10)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from checklists.scoring.bands import BandedReading
from checklists.scoring.evidence import MICRO, PieceShare, Proof
from checklists.scoring.exact import VALUE_LEVEL, level_value, rounded
from checklists.scoring.gains import Step
from checklists.scoring.grades import said_for_grade
from checklists.scoring.inputs import GivenAnswer
from checklists.scoring.items import ItemOutcome
from checklists.scoring.standing import Standing


def item_json(
    one: ItemOutcome, pillar_answered: int, step: Step | None, newest: str
) -> dict[str, Any]:
    """The item's part of the score document.

    Points won and lost are points of the item's pillar: 100·w·s / Σ w(answered).
    """
    deciding = one.deciding
    proof = deciding.proof if deciding is not None else None
    won, lost = _points(one, pillar_answered)
    unsigned = [a.entry for _, s in one.places for a in s.answers if not a.signed]
    return {
        "item": one.item.id,
        "question": str(one.item.question),
        "section": one.section.id,
        "pillar": one.item.pillar,
        "severity": one.item.severity,
        "weight": one.item.weight,
        "status": one.status,
        "why": one.why,
        "answer": _answer(one),
        "pieces": [_piece(share) for share in proof.pieces] if proof is not None else [],
        "e": rounded(proof.e, 6) if proof is not None else None,
        "allowance": _allowance(proof),
        "value": _level(deciding.value if deciding is not None else None),
        "effective": _level(one.effective),
        "low": level_value(one.low) if one.applicable else None,
        "high": level_value(one.high) if one.applicable else None,
        "won": won,
        "lost": lost,
        "next": {"text": step.text, "gain": rounded(step.gain)} if step is not None else None,
        "entries": [a.entry for _, s in one.places for a in s.answers],
        "visit": deciding.visit if deciding is not None and deciding.visit else None,
        "carried": bool(deciding is not None and deciding.visit and deciding.visit != newest),
        "auditors": len(deciding.auditors) if deciding is not None else 0,
        "conflict": one.conflict,
        # Said only where it is so: scores of before stay as they are, to the byte (S9).
        **({"unsigned": unsigned} if unsigned else {}),
        **({"adjudicate": True} if one.adjudicate else {}),
        **_for_grade(one),
        **_ruled_out(one),
    }


def _for_grade(one: ItemOutcome) -> dict[str, Any]:
    """Said only where it is so, as above."""
    if one.for_grade is None:
        return {}
    return {"for_grade": {"value": level_value(one.for_grade), "text": said_for_grade(one)}}


def _ruled_out(one: ItemOutcome) -> dict[str, Any]:
    """Said only where it is so, as above."""
    if not one.ruled_out:
        return {}
    told = [
        {"instance": r.instance, "reason": r.reason, "by": r.by, "at": r.at, "entry": r.entry}
        for r in one.ruled_out
    ]
    return {"ruled_out": told}


def _points(one: ItemOutcome, pillar_answered: int) -> tuple[str | None, str | None]:
    if not one.answered or one.effective is None:
        return None, None
    weight = one.item.weight
    won = Fraction(weight * one.effective, 10 * pillar_answered)
    lost = Fraction(weight * (1000 - one.effective), 10 * pillar_answered)
    return rounded(won), rounded(lost)


def _answer(one: ItemOutcome) -> dict[str, Any] | None:
    """The deciding answer; where there are named instances, what each of them says as well."""
    if one.deciding is None:
        return None
    found: dict[str, Any] = _given(one.deciding)
    readings = [_reading(name, row) for name, s in one.places for row in s.readings]
    if readings:
        found["readings"] = readings
    if len(one.places) > 1 or one.places[0][0] != "-":
        deciding = [name for name, s in one.places if s is one.deciding]
        found["instance"] = deciding[0]
        found["instances"] = {name: _place(standing) for name, standing in one.places}
    return found


def _place(standing: Standing) -> dict[str, Any]:
    proof = standing.proof
    return {
        **_given(standing),
        "status": standing.status,
        "why": standing.why,
        "pieces": [_piece(share) for share in proof.pieces] if proof is not None else [],
        "e": rounded(proof.e, 6) if proof is not None else None,
        "allowance": _allowance(proof),
        "effective": _level(standing.effective),
        "entries": [a.entry for a in standing.answers],
        "visit": standing.visit or None,
    }


def _given(standing: Standing) -> dict[str, Any]:
    """What was answered: one answer, or all of them where they stand side by side."""
    if not standing.answers:
        return {}
    if len(standing.answers) == 1:
        return _one_answer(standing.answers[0], standing)
    found: dict[str, Any] = {"side_by_side": [_one_answer(a, None) for a in standing.answers]}
    if standing.value is not None:
        found["level"] = VALUE_LEVEL[standing.value]
    return found


def _one_answer(answer: GivenAnswer, standing: Standing | None) -> dict[str, Any]:
    if answer.special is not None:
        found: dict[str, Any] = {"special": answer.special, "reason": answer.reason}
        return found | ({"second": answer.second} if answer.second else {})
    if answer.level is not None:
        return {"level": answer.level}
    if standing is not None and standing.value is not None:
        return {"band": VALUE_LEVEL[standing.value]}
    return {"given": [f"{r.analyte} {r.value} {r.unit}".rstrip() for r in answer.readings]}


def _reading(instance: str, row: BandedReading) -> dict[str, Any]:
    r = row.reading
    return {
        "instance": instance,
        "analyte": r.analyte,
        "value": r.value,
        "uncertainty": r.uncertainty,
        "unit": r.unit,
        "limit": row.limit,
        "band": None if row.band is None else VALUE_LEVEL[row.band],
        "why": row.why,
    }


def _piece(share: PieceShare) -> dict[str, Any]:
    return {
        "kind": share.piece.kind,
        "weight": share.piece.weight,
        "at_least": share.piece.at_least,
        "q": _micro(share.q),
        "evidence": [{"sha256": f.sha256, "q": _micro(f.q), "why": f.why} for f in share.files],
    }


def _micro(q: int) -> str:
    return rounded(Fraction(q, MICRO), 6)


def _allowance(proof: Proof | None) -> str | None:
    return _level(proof.allowance) if proof is not None else None


def _level(thousandths: int | None) -> str | None:
    return None if thousandths is None else level_value(thousandths)
