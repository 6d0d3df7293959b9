"""All rules, in order; judging a case by them, and the bytes of what they found."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from checklists.discrepancies.activity import R16, R17
from checklists.discrepancies.boundaries import R05
from checklists.discrepancies.case import Case, Finding, Flag
from checklists.discrepancies.clocks import R08
from checklists.discrepancies.conflict import R26, R27
from checklists.discrepancies.disturbed import R06
from checklists.discrepancies.fixes import R03
from checklists.discrepancies.licences import R29
from checklists.discrepancies.mass_balance import R18, R19, R20
from checklists.discrepancies.parties import R30
from checklists.discrepancies.people import R31, R32, R33
from checklists.discrepancies.photos import R12, R13
from checklists.discrepancies.places import R01, R04
from checklists.discrepancies.production import R23, R25
from checklists.discrepancies.residues import R21, R22
from checklists.discrepancies.rule import Rule
from checklists.discrepancies.shipments import R24, R28
from checklists.discrepancies.speed import R09
from checklists.discrepancies.tracked import R02
from checklists.discrepancies.visit_time import R07
from sync.problems import problem

RULES: tuple[Rule, ...] = (
    *(R01, R02, R03, R04, R05, R06, R07, R08, R09, R12, R13, R16, R17),
    *(R18, R19, R20, R21, R22, R23, R24, R25, R26, R27, R28, R29, R30, R31, R32, R33),
)


def evaluate(case: Case) -> tuple[Finding, ...]:
    """Judge a case by every rule: the findings in the order of rules, flags by their key."""
    return tuple(f for rule in RULES for f in sorted(rule.find(case), key=_order))


def findings_to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Findings as JSON values: `kind` is flag or not-evaluated, the rest as in the dataclasses."""
    return [
        {"kind": "flag" if isinstance(f, Flag) else "not-evaluated", **_plain(asdict(f))}
        for f in findings
    ]


def findings_bytes(findings: Iterable[Finding]) -> bytes:
    """The canonical JSON of findings: the same case gives the same bytes everywhere."""
    return json.dumps(
        findings_to_json(findings), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def rule(rule_id: str) -> Rule:
    """The rule of that id. Raises `rule-unknown`."""
    for one in RULES:
        if one.id == rule_id:
            return one
    raise problem("rule-unknown", rule=rule_id, known=", ".join(r.id for r in RULES))


def explain_rule(rule_id: str) -> str:
    """What a rule compares, what may explain it innocently, and what would settle it.

    Raises `rule-unknown`.
    """
    one = rule(rule_id)
    about = (
        "what the operator does or says" if one.subject == "operations" else "how it was recorded"
    )
    causes = "".join(f"\n  - {cause}" for cause in one.innocent_causes)
    return (
        f"{one.id} (version {one.version}): {one.title}\n"
        f"It is about {about}. {one.test}\n"
        f"Innocent causes:{causes}\n"
        f"What would settle it: {one.would_settle}\n"
    )


def _order(finding: Finding) -> tuple[bool, str]:
    return (False, finding.key) if isinstance(finding, Flag) else (True, finding.needs)


def _plain(value: Any) -> Any:
    """JSON values of dataclass values: tuples become lists."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
