"""What a rule looks at (Case) and what it answers with (Flag or NotEvaluated)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checklists.discrepancies.declaration import Declaration
from sync.inspection import Fix

FLAG_SEVERITIES = ("query", "minor", "major", "critical")
SUBJECTS = ("operations", "record")


@dataclass(frozen=True, slots=True)
class Point:
    """A place where the inspection was: a fix, what it belongs to, and how it was obtained."""

    label: str  # "start of the visit", "answer ISL-E1/-", "photo 3fa9…"
    fix: Fix
    source: str  # "client" for the client's own fix, or the evidence's source
    evidence: str = ""  # SHA-256 where the point is a photograph's own position
    entry: str = ""  # chain hash of the entry it comes from


@dataclass(frozen=True, slots=True)
class CasePhoto:
    """A photograph of the visit: how it came in, and what its bytes say.

    `facts` is PhotoFacts.to_json() or None while the bytes are not here or cannot be read
    (`unreadable` then says why, or is empty while they are not here).
    """

    sha256: str
    kind: str
    source: str
    name: str
    facts: Mapping[str, Any] | None
    unreadable: str = ""
    digest_holds: bool = True
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """Another visit in which the same bytes were submitted."""

    inspection: str
    facility: str
    facility_name: str
    at: int


@dataclass(frozen=True, slots=True)
class Case:
    """All that the rules may read about one visit. Pure data: the device and the server build the
    same case from the same facts.

    `signs` maps an operating sign to yes, no or unsure. `other_uses` maps SHA-256 to other visits;
    `uses_complete` is False on a device, which knows its own visits only. `settings` are the
    versioned thresholds.
    """

    facility: str
    facility_name: str
    country: str  # ISO 3166-1 alpha-2
    inspection: str
    visited_on: str  # YYYY-MM-DD
    outcome: str
    declaration: Declaration | None
    points: tuple[Point, ...]
    signs: Mapping[str, str]
    photos: tuple[CasePhoto, ...]
    other_uses: Mapping[str, tuple[Use, ...]]
    uses_complete: bool
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Flag:
    """A discrepancy: what was compared, by which threshold, with what margin, in plain words.

    `key` distinguishes several flags of one rule in one case. `inputs` holds JSON values only.
    `evidence` lists the digests of the records that a record flag is about.
    """

    rule: str
    version: str
    key: str
    severity: str
    subject: str
    title: str
    explanation: str
    inputs: Mapping[str, Any]
    threshold: str
    margin: str
    innocent_causes: tuple[str, ...]
    would_settle: str
    evidence: tuple[str, ...] = ()
    protected: bool = False


@dataclass(frozen=True, slots=True)
class NotEvaluated:
    """A rule that could not be run, and what it needs."""

    rule: str
    version: str
    needs: str


Finding = Flag | NotEvaluated
