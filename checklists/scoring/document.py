"""A score as a value, and as the JSON that pages, terminals and exports render."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from checklists.model import PILLARS
from checklists.scoring.aggregate import (
    NOT_APPLICABLE_ALERT,
    Facility,
    Totals,
    by_section,
    interval_of,
    not_applicable_share,
    totals,
)
from checklists.scoring.exact import rounded
from checklists.scoring.gains import best, steps_of
from checklists.scoring.grades import NO_GRADE_OUTCOMES, Grading, counts
from checklists.scoring.inputs import Visit
from checklists.scoring.item_document import item_json
from checklists.scoring.items import DOES_NOT_APPLY, ItemOutcome

FORMAT = "tapak score v1"
DISCLAIMER = "A finding of inspections, not a proof of compliance."


@dataclass(frozen=True, slots=True)
class Score:
    """A facility's or an inspection's score with everything it rests on, unrounded.

    What explains it (reasons for files, next steps, rules that applied) is worked out when it is
    made a document.
    """

    scope: str
    subject: str
    as_of: str
    outcomes: tuple[ItemOutcome, ...]
    pillars: Mapping[str, Totals]
    pillar_weights: Mapping[str, int]
    facility: Facility
    grading: Grading
    visits: tuple[Visit, ...]  # oldest first
    newest: str  # the newest visit that counts, or empty
    digests: Mapping[str, str | None]

    def to_json(self) -> dict[str, Any]:
        """The score as a document: numbers as decimal strings, rounded half to even once."""
        f, g = self.facility, self.grading
        interval = f.interval
        steps = steps_of(self.outcomes, self.pillars, self.facility)
        return {
            "format": FORMAT,
            "scope": self.scope,
            "subject": self.subject,
            "as_of": self.as_of,
            "grade": g.grade,
            "grade_state": g.state,
            "reasons": [{"code": r.code, "state": r.state, "text": r.text} for r in g.reasons],
            "raw": _number(f.raw),
            "capped": _number(g.capped),
            **self._for_grade(),
            "coverage": _number(f.coverage),
            "interval": [rounded(interval.low), rounded(interval.high)] if interval else None,
            "low": _number(f.lower),
            "high": _number(f.upper),
            "se": _number(interval.se if interval else None),
            "smallest_pillar": _smallest(g.smallest),
            "caps": [_cap(c.at, c.because, c.item, c.flag) for c in g.caps],
            "pillars": [self._pillar(p) for p in PILLARS],
            "sections": self._sections(),
            "items": [
                item_json(
                    one,
                    self.pillars[one.item.pillar].answered,
                    steps.get(one.item.id),
                    self.newest,
                )
                for one in self.outcomes
            ],
            "gaps": self._gaps(),
            "alerts": self._alerts(),
            "next": [
                {"item": s.item, "text": s.text, "gain": rounded(s.gain)}
                for s in best(steps.values())
            ],
            "visits": [_visit(v) for v in self.visits],
            "digests": dict(self.digests),
            "rules": rules_applied(self.outcomes, g, self.newest),
            "disclaimer": DISCLAIMER,
        }

    def _for_grade(self) -> dict[str, Any]:
        """What the grade is read from, where hidden evidence makes it lower than what is shown."""
        if self.facility.graded == self.facility.raw:
            return {}
        pillars = {p: self.pillars[p].graded for p in self.facility.shares}
        return {
            "for_grade": {
                "raw": _number(self.facility.graded),
                "pillars": {p: _number(s) for p, (s, _) in pillars.items()},
                "items": sorted(item for _, items in pillars.values() for item in items),
            }
        }

    def _pillar(self, pillar: str) -> dict[str, Any]:
        sums = self.pillars[pillar]
        return {
            "pillar": pillar,
            "weight": str(self.pillar_weights.get(pillar, 0)),
            "share": _number(self.facility.shares.get(pillar), 6),
            "weight_applicable": sums.applicable,
            "weight_answered": sums.answered,
            **_sums(sums),
        }

    def _sections(self) -> list[dict[str, Any]]:
        found = []
        for section_id, outcomes in by_section(self.outcomes).items():
            found.append(
                {
                    "id": section_id,
                    "title": str(outcomes[0].section.title),
                    **_sums(totals(outcomes)),
                    "not_applicable_share": rounded(not_applicable_share(outcomes)),
                }
            )
        return found

    def _gaps(self) -> list[dict[str, str]]:
        text = "no legal limit in the limits used"
        return [
            {"item": one.item.id, "analyte": analyte, "text": text}
            for one in self.outcomes
            if one.status != DOES_NOT_APPLY
            for analyte in one.gaps
        ]

    def _alerts(self) -> list[dict[str, str]]:
        alerts = []
        for section_id, outcomes in by_section(self.outcomes).items():
            share = not_applicable_share(outcomes)
            if share > NOT_APPLICABLE_ALERT:
                text = f"{rounded(100 * share, 1)} % of its weight was said not to apply."
                alerts.append({"section": section_id, "text": text})
        return alerts


def canonical(document: object) -> bytes:
    """JSON as it is stored and compared: sorted members, no spaces, UTF-8."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8")


def score_bytes(score: Score) -> bytes:
    """A score as the bytes that are stored and compared."""
    return canonical(score.to_json())


def rules_applied(outcomes: tuple[ItemOutcome, ...], grading: Grading, newest: str) -> list[str]:
    """The numbers of the scoring rules that shaped this score."""
    standings = [s for one in outcomes for _, s in one.places]
    answers = [a for s in standings for a in s.answers]
    proofs = [s.proof for s in standings if s.proof is not None]
    aged = any(f.age is not None for p in proofs for w in p.pieces for f in w.files)
    held_back = grading.caps or any(r.state != "graded" for r in grading.reasons)
    applied = {
        "1": any(one.answered for one in outcomes),
        "2": any(a.special for a in answers)
        or any(r.code in NO_GRADE_OUTCOMES for r in grading.reasons),
        "3": any(p.e < 1 for p in proofs),
        "4": aged or any(s.visit != newest for s in standings),
        "5": any(s.conflict or s.adjudicate or len(s.auditors) > 1 for s in standings),
        "6": True,
        "7": True,
        "8": bool(held_back),
        "9": grading.grade is not None,
        "10": True,
    }
    return [rule for rule, used in applied.items() if used]


def _sums(sums: Totals) -> dict[str, Any]:
    interval = interval_of(sums.lower, sums.upper, sums.se_squared)
    return {
        "S": _number(sums.s),
        "coverage": _number(sums.coverage),
        "L": _number(sums.lower),
        "U": _number(sums.upper),
        "se": _number(interval.se if interval else None),
        "interval": [rounded(interval.low), rounded(interval.high)] if interval else None,
    }


def _number(value: Fraction | None, places: int = 3) -> str | None:
    return None if value is None else rounded(value, places)


def _smallest(smallest: tuple[str, Fraction] | None) -> dict[str, str] | None:
    return smallest and {"pillar": smallest[0], "value": rounded(smallest[1])}


def _cap(at: int, because: str, item: str, flag: str) -> dict[str, str]:
    cap = {"at": str(at), "because": because}
    return cap | ({"item": item} if item else {"flag": flag})


def _visit(visit: Visit) -> dict[str, Any]:
    why = NO_GRADE_OUTCOMES.get(visit.outcome, "" if visit.outcome else "no outcome recorded")
    return {
        "inspection": visit.inspection,
        "at": visit.at,
        "outcome": visit.outcome,
        "counts": counts(visit),
        "why": why,
    }
