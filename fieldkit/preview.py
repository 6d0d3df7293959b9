"""What the server will compute, computed here from what is here: flags and a score, as a preview.

The device knows its own visits only, and counts a file as held when its bytes are here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from checklists.discrepancies.case import Case, Finding, Flag, Use, build_case
from checklists.discrepancies.catalogue import evaluate
from checklists.discrepancies.days import day_in
from checklists.discrepancies.moments import Reading
from checklists.discrepancies.settings_file import default_settings, load_settings
from checklists.load import load_limits, load_profile
from checklists.published import profile_bytes
from checklists.scoring import (
    EvidenceState,
    inputs_digest,
    inputs_to_json,
    score,
)
from checklists.scoring.inputs import FlagFact, ScoreInputs, Visit
from fieldkit.blobs import Blobs
from fieldkit.capture import about_of, checklist_of, load_inspection
from fieldkit.declared import declaration_of, processes_of
from fieldkit.founded import observed_in, visit_in
from fieldkit.ledger import Ledger
from fieldkit.library import Library
from fieldkit.store import Store
from sync.inspection import Evidence, Inspection


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a preview reads from, and the day it speaks of (YYYY-MM-DD)."""

    store: Store
    library: Library
    blobs: Blobs
    as_of: str


def today(now: int) -> str:
    """The day, in UTC, of a time in UTC milliseconds."""
    return datetime.fromtimestamp(now / 1000, UTC).date().isoformat()


def check(sources: Sources, inspection_id: str) -> tuple[Finding, ...]:
    """What the rules say about a visit with what is here, in their order."""
    return evaluate(case_of(sources, inspection_id))


def case_of(sources: Sources, inspection_id: str) -> Case:
    """The case that the rules read of a visit, with what is here."""
    return _case(sources, load_inspection(sources.store, inspection_id))


def score_document(sources: Sources, inspection_id: str) -> dict[str, Any]:
    """The inputs and the score of one inspection: `{"inputs": …, "score": …}`.

    Raises `checklist-unknown` and `training-not-scored`.
    """
    inspection = load_inspection(sources.store, inspection_id)
    facility = sources.library.facility(about_of(inspection).facility)
    findings = evaluate(_case(sources, inspection))
    flags = [f for f in findings if isinstance(f, Flag)]
    checklist = checklist_of(sources.store, sources.library, inspection_id)
    checklist_text = sources.library.text(checklist.digest)
    assert checklist_text is not None  # noqa: S101 - the checklist was loaded from it
    visit = _visit(sources, inspection, flags)
    day = day_in(str(facility["country"]), visit.at)
    limits_text = sources.library.applying("limits", facility, day)
    profile_text = sources.library.applying("profile", facility, day)
    profile_data = profile_text.data if profile_text else profile_bytes("default")
    inputs = ScoreInputs(
        scope="inspection",
        subject=inspection_id,
        checklist=checklist,
        profile=load_profile(profile_data, "default"),
        limits=load_limits(limits_text.data, limits_text.name) if limits_text else None,
        as_of=sources.as_of,
        visits=(visit,),
        flags=tuple(_flag_fact(inspection_id, flag) for flag in flags),
        processes=processes_of(sources.library, inspection, facility),
        observed=observed_in(inspection),
    )
    document = inputs_to_json(
        inputs, checklist_text.data, limits_text.data if limits_text else None, profile_data
    )
    return {"inputs": document, "score": score(inputs, inputs_digest(document)).to_json()}


# -- inside ---------------------------------------------------------------------------------------


def _case(sources: Sources, inspection: Inspection) -> Case:
    facility = sources.library.facility(about_of(inspection).facility)
    readable: dict[str, Mapping[str, Any] | None] = {}
    unreadable: dict[str, str] = {}
    for sha256, (facts, why) in sources.store.facts().items():
        if facts is not None:
            readable[sha256] = json.loads(facts)
        elif why is not None:
            unreadable[sha256] = why
    rules = sources.library.applying("rules", facility, sources.as_of)
    return build_case(
        inspection,
        {k: str(facility[k]) for k in ("id", "name", "country")},
        declaration_of(sources.library, inspection, facility),
        readable,
        unreadable,
        _own_uses(sources, inspection.id),
        False,
        load_settings(rules.data, rules.name) if rules else default_settings(),
        _own_clock(sources, inspection.id),
    )


def _own_clock(sources: Sources, inspection: str) -> list[Reading]:
    """This device's clock against the server's; of other devices' clocks it knows nothing."""
    device = sources.store.identity().device
    return [Reading(device, "server", *one) for one in sources.store.clock(inspection)]


def _own_uses(sources: Sources, inspection: str) -> dict[str, tuple[Use, ...]]:
    """The same bytes in other visits of this device."""
    names = {str(f["id"]): str(f["name"]) for f in sources.library.documents("facility")}
    found: dict[str, dict[str, Use]] = {}
    for sha256, other, at in sources.store.evidence_uses(inspection):
        about = sources.store.about(other)
        value = about.value if about is not None and isinstance(about.value, dict) else {}
        facility = str(value.get("facility", ""))
        use = Use(other, facility, names.get(facility, facility), at)
        found.setdefault(sha256, {}).setdefault(other, use)
    return {sha256: tuple(uses.values()) for sha256, uses in found.items()}


def _visit(sources: Sources, inspection: Inspection, flags: Sequence[Flag]) -> Visit:
    return visit_in(inspection, _evidence_state(sources, inspection.id, flags))


def _evidence_state(
    sources: Sources, inspection: str, flags: Sequence[Flag]
) -> Callable[[Evidence], EvidenceState]:
    flagged: dict[str, list[str]] = {}
    for flag in flags:
        if flag.subject == "record":
            for sha256 in flag.evidence:
                flagged.setdefault(sha256, []).append(_flag_id(inspection, flag))

    # A copy that was freed is held all the same (S4).
    files = Ledger(sources.store.database).files(inspection)
    held = {file.sha256 for file in files if file.held_at is not None}

    def state(evidence: Evidence) -> EvidenceState:
        return EvidenceState(
            held=evidence.sha256 in held or sources.blobs.has(evidence.sha256),
            signed=evidence.written.signed,
            flagged=tuple(sorted(flagged.get(evidence.sha256, ()))),
        )

    return state


def _flag_id(inspection: str, flag: Flag) -> str:
    """The id that the server gives the same flag."""
    name = json.dumps([inspection, flag.rule, flag.key], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(name.encode("utf-8")).hexdigest()[:16]


def _flag_fact(inspection: str, flag: Flag) -> FlagFact:
    name = _flag_id(inspection, flag)
    return FlagFact(name, flag.rule, flag.severity, flag.subject, "open", flag.protected)
