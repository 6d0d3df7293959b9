"""One visit held against what the operator declared: its case, findings and flags."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any

from checklists.conflict.around import Surroundings
from checklists.discrepancies.case import Case, Finding, Flag, Use, build_case
from checklists.discrepancies.catalogue import evaluate, findings_to_json
from checklists.discrepancies.days import visit_day
from checklists.discrepancies.declaration import Declaration, in_force
from checklists.discrepancies.moments import Reading
from checklists.scoring import EvidenceState
from checklists.scoring.document import canonical
from checklists.scoring.inputs import FlagFact
from server.services.conflict_around import surroundings
from server.services.inspections import Loaded
from server.store import facts, flags, logs
from server.store.facilities import Facility
from server.store.flags import FlagRow
from server.store.transaction import Tx
from sync.inspection import Evidence

STATUS_OF_RULING = {"upheld": "upheld", "dismissed": "dismissed", "reopened": flags.OPEN}


@dataclass(frozen=True, slots=True)
class Filed:
    """A declaration and when the server received it, UTC milliseconds."""

    declaration: Declaration
    received_at: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A visit, what the rules found in it, and how officers ruled about that."""

    loaded: Loaded
    declaration: Declaration | None
    findings: tuple[Finding, ...]
    rows: tuple[FlagRow, ...]
    uses: tuple[facts.OtherUse, ...]
    held: frozenset[str]
    flagged: Mapping[str, tuple[str, ...]]
    rejected: Mapping[str, str]
    around: Surroundings | None = None

    def evidence_state(self, evidence: Evidence) -> EvidenceState:
        """What the server knows of a file; who named it unsigned did not sign at the source."""
        return EvidenceState(
            held=evidence.sha256 in self.held,
            signed=evidence.written.signed,
            flagged=self.flagged.get(evidence.sha256, ()),
            rejected=self.rejected.get(evidence.sha256, ""),
        )

    def flag_facts(self) -> list[FlagFact]:
        """The flags as they act on a grade."""
        protected = {flag_id(self.loaded.id, f): f.protected for f in _flags(self.findings)}
        return [
            FlagFact(r.id, r.rule, r.severity, r.subject, r.status, protected[r.id])
            for r in self.rows
        ]

    def findings_bytes(self) -> bytes:
        """All findings as canonical JSON, put together one by one: there may be many."""
        return b"[" + b",".join(map(_finding_bytes, self.findings)) + b"]"


def judge(
    tx: Tx,
    facility: Facility,
    loaded: Loaded,
    filed: Sequence[Filed],
    settings: Mapping[str, Any],
) -> Judged:
    """Run the rules over a visit, as signed or else as it is, and see how officers ruled."""
    digests = _digests(loaded)
    uses = uses_of(tx, loaded)
    case = case_of(tx, facility, loaded, filed, settings, uses)
    findings = evaluate(case)
    rows = _rows(tx, facility.id, loaded.id, findings)
    return Judged(
        loaded,
        case.declaration,
        findings,
        rows,
        uses,
        frozenset(facts.held(tx, loaded.id, digests)),
        _flagged(loaded.id, findings, rows),
        _rejected(tx, loaded.id, digests),
        case.surroundings,
    )


def case_of(
    tx: Tx,
    facility: Facility,
    loaded: Loaded,
    filed: Sequence[Filed],
    settings: Mapping[str, Any],
    uses: Sequence[facts.OtherUse],
) -> Case:
    """The case that the rules read; `uses` are other visits in which its files occur."""
    said, faults = _read_facts(tx, _digests(loaded))
    declaration = declared_at_visit(filed, loaded, facility.country)
    day = visit_day(loaded.inspection, facility.country)
    return build_case(
        loaded.inspection,
        {"id": facility.id, "name": facility.name, "country": facility.country},
        declaration,
        said,
        faults,
        _by_digest(uses),
        True,
        settings,
        _clocks(tx, loaded),
        surroundings=surroundings(tx, facility, declaration, day, settings),
    )


def uses_of(tx: Tx, loaded: Loaded) -> tuple[facts.OtherUse, ...]:
    """Other visits in which files of this one occur."""
    digests = _digests(loaded)
    return tuple(use for use in facts.other_uses(tx, loaded.id) if use.sha256 in digests)


def _digests(loaded: Loaded) -> set[str]:
    slots = loaded.inspection.evidence.values()
    return {head.sha256 for slot in slots for head in slot.heads}


def _read_facts(
    tx: Tx, digests: set[str]
) -> tuple[dict[str, dict[str, Any] | None], dict[str, str]]:
    """What the bytes of these files say, and why those of others cannot be read.

    Names and words that many pictures share are kept once.
    """
    said: dict[str, dict[str, Any] | None] = {}
    faults: dict[str, str] = {}
    for row in facts.each_of(tx, digests):
        read = None if row.facts is None else json.loads(row.facts)
        said[row.sha256] = None if read is None else {intern(k): _kept(v) for k, v in read.items()}
        if row.problem is not None:
            faults[row.sha256] = row.problem
    return said, faults


def _kept(value: Any) -> Any:
    return intern(value) if type(value) is str else value


def _clocks(tx: Tx, loaded: Loaded) -> list[Reading]:
    """Each device's clock against the server's, as measured with each segment (L9)."""
    return [
        Reading(log.device, "server", one.received_at - one.offset_ms, one.offset_ms)
        for log in loaded.logs
        for one in logs.segments_of(tx, log.id)
        if one.offset_ms is not None
    ]


def declared_at_visit(filed: Sequence[Filed], loaded: Loaded, country: str) -> Declaration | None:
    """The declaration that was on file at the visit.

    What the server received after it first heard of the visit counts as filed later, whatever
    date it bears; only where nothing had been received by then does its own date decide.
    """
    day = visit_day(loaded.inspection, country)
    if day is None:
        return None
    before = [one for one in filed if one.received_at <= loaded.first_seen_at]
    return in_force([one.declaration for one in before or filed], day)


def flag_id(inspection: str, flag: Flag) -> str:
    """The flag's id: the same discrepancy of the same visit has the same id at every run."""
    return hashlib.sha256(canonical([inspection, flag.rule, flag.key])).hexdigest()[:16]


def _by_digest(uses: Sequence[facts.OtherUse]) -> dict[str, tuple[Use, ...]]:
    found: dict[str, list[Use]] = {}
    for use in uses:
        one = Use(use.inspection, use.facility, use.facility_name, use.at)
        found.setdefault(use.sha256, []).append(one)
    return {sha: tuple(some) for sha, some in found.items()}


def _rows(
    tx: Tx, facility: str, inspection: str, findings: Sequence[Finding]
) -> tuple[FlagRow, ...]:
    by_id = {flag_id(inspection, flag): flag for flag in _flags(findings)}
    rulings = flags.latest_rulings(tx, "flag", by_id)
    rows: list[FlagRow] = []
    for one, flag in sorted(by_id.items()):
        ruling = rulings.get(one)
        status = flags.OPEN if ruling is None else STATUS_OF_RULING.get(ruling.ruling, flags.OPEN)
        body = _finding_bytes(flag)
        rows.append(
            FlagRow(one, facility, inspection, flag.rule, flag.severity, flag.subject, status, body)
        )
    return tuple(rows)


def _finding_bytes(finding: Finding) -> bytes:
    return canonical(findings_to_json([finding])[0])


def _flags(findings: Sequence[Finding]) -> list[Flag]:
    return [finding for finding in findings if isinstance(finding, Flag)]


def _flagged(
    inspection: str, findings: Sequence[Finding], rows: Sequence[FlagRow]
) -> dict[str, tuple[str, ...]]:
    """Which flags stand against which file's record; a dismissed one does no more (rule 3)."""
    standing = {r.id for r in rows if r.subject == "record" and r.status != "dismissed"}
    found: dict[str, list[str]] = {}
    for flag in _flags(findings):
        one = flag_id(inspection, flag)
        if one in standing:
            for sha256 in flag.evidence:
                found.setdefault(sha256, []).append(one)
    return {sha: tuple(sorted(ids)) for sha, ids in found.items()}


def _rejected(tx: Tx, inspection: str, digests: set[str]) -> dict[str, str]:
    subjects = {f"{inspection}/{sha}": sha for sha in digests}
    rulings = flags.latest_rulings(tx, "evidence", subjects)
    return {
        subjects[subject]: ruling.reason or "no reason given"
        for subject, ruling in rulings.items()
        if ruling.ruling == "rejected"
    }
