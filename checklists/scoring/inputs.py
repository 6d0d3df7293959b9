"""Everything that a score is computed from, as one value that can be exported and read back.

The digests of checklist, limits and profile name their very bytes; `as_of` is a date that is
given, never the clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from checklists.model import Checklist, Limits, Profile
from sync.inspection import Reading


@dataclass(frozen=True, slots=True)
class EvidenceFact:
    """What is known of one file that supports an answer.

    `made_at` is UTC milliseconds (when taken or sampled, else when attached); `expires` is a date
    (YYYY-MM-DD) for documents. `held`: the server holds the bytes and their digest is verified.
    `signed`: the entry that names it was signed at the source. `flagged`: ids of open flags on
    that record. `rejected`: the officer's reason, empty where it was not rejected.
    """

    sha256: str
    kind: str
    made_at: int
    held: bool
    signed: bool = True
    flagged: tuple[str, ...] = ()
    rejected: str = ""
    expires: str = ""


@dataclass(frozen=True, slots=True)
class GivenAnswer:
    """One answer of one visit at one instance, as it counts.

    `conflict` marks one of several values standing side by side. `replaced` marks an earlier
    adverse answer of the same place that another entry replaced: it stands again where what came
    after it counts as not observed (scoring rule 2). `overruled` marks one that is replaced and is
    still its auditor's last word in a disagreement (rule 5). `auditor` is the person. `signed` is
    False where nobody signed the entry at the source (protocol S9).
    """

    item: str
    instance: str
    level: str | None
    special: str | None
    readings: tuple[Reading, ...]
    reason: str
    second: str | None
    evidence: tuple[EvidenceFact, ...]
    auditor: str
    at: int
    entry: str  # the chain hash of the entry, so that every point leads back to what was signed
    conflict: bool = False
    replaced: bool = False
    signed: bool = True
    overruled: bool = False


@dataclass(frozen=True, slots=True)
class RuledOut:
    """An officer's ruling that the unproven adverse answers at one place do not count (rule 3).

    `answers` are the chain hashes of the answers that stand there; `evidence` is the digest of
    what was known of their files (`checklists.scoring.rulings`). `by` is the person, `at` UTC
    milliseconds, `entry` the ruling's own chain hash.
    """

    item: str
    instance: str
    answers: tuple[str, ...]
    evidence: str
    reason: str
    by: str
    at: int
    entry: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: its outcome, when it was, and its answers (earlier adverse ones included
    where a later "not observed" on the same path must not displace them). `outcome` is empty
    where none was recorded yet. `unread` names the places (item, instance) where an entry stands
    that needs a newer version to be read. `signed` is False for a visit that is not signed off
    yet; a facility's score has signed ones only. `side_by_side` names what else than answers has
    several values: outcome, observations, what is said of a file. `rulings` are those that fit
    what stands now, one a place.
    """

    inspection: str
    at: int
    outcome: str
    answers: tuple[GivenAnswer, ...]
    unread: tuple[tuple[str, str], ...] = ()
    signed: bool = True
    side_by_side: tuple[str, ...] = ()
    rulings: tuple[RuledOut, ...] = ()


@dataclass(frozen=True, slots=True)
class FlagFact:
    """A flag as it acts on a grade: only critical ones about operations do (scoring rule 8)."""

    id: str
    rule: str
    severity: str
    subject: str
    status: str  # open, upheld, dismissed, superseded
    protected: bool = False


@dataclass(frozen=True, slots=True)
class ScoreInputs:
    """All inputs of one score. `processes` are the facility's declared processes, for conditions;
    `observed` maps "what/instance" to the observed value; `exposure` is None where unknown.
    `sigmas` holds an auditor's own sigma in thousandths where training has measured it.
    """

    scope: str  # "facility" or "inspection"
    subject: str  # the facility's or the inspection's id
    checklist: Checklist
    profile: Profile
    limits: Limits | None
    as_of: str  # YYYY-MM-DD
    visits: tuple[Visit, ...]
    flags: tuple[FlagFact, ...] = ()
    processes: tuple[str, ...] = ()
    observed: Mapping[str, str] | None = None
    exposure: tuple[int, int, int] | None = None  # low, mid, high, in thousandths
    sigmas: Mapping[str, int] | None = None
