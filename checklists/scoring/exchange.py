"""Score inputs as a document that anyone can recompute the score from, and back."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from typing import Any

from checklists.load import load_checklist, load_limits, load_profile
from checklists.model import Checklist, Limits, Profile
from checklists.scoring.document import canonical
from checklists.scoring.exchange_reader import Malformed, Reader
from checklists.scoring.inputs import (
    EvidenceFact,
    FlagFact,
    GivenAnswer,
    RuledOut,
    ScoreInputs,
    Visit,
)
from checklists.scoring.rulings import fits
from sync.inspection import Reading
from sync.problems import Problem, problem

INPUTS_FORMAT = "tapak score inputs v1"
_FILES = ("checklist", "profile", "limits")  # of the standard, whole in an export


def inputs_to_json(
    inputs: ScoreInputs,
    checklist_bytes: bytes,
    limits_bytes: bytes | None,
    profile_bytes: bytes,
) -> dict[str, Any]:
    """All inputs as one document, the standard's own files inside it as text.

    The document does not depend on the order of visits, answers or evidence. Protected flags are
    left out: they change nothing, and an export must not tell of them. Raises ValueError where the
    bytes are not the ones that the inputs were loaded from.
    """
    return {
        "format": INPUTS_FORMAT,
        "scope": inputs.scope,
        "subject": inputs.subject,
        "as_of": inputs.as_of,
        "checklist": _source(checklist_bytes, inputs.checklist.digest),
        "profile": _source(profile_bytes, inputs.profile.digest),
        "limits": _limits_source(limits_bytes, inputs.limits),
        "visits": _sorted(visit_to_json(visit) for visit in inputs.visits),
        "flags": _sorted(_flag(flag) for flag in inputs.flags if not flag.protected),
        "processes": sorted(inputs.processes),
        "observed": None if inputs.observed is None else dict(inputs.observed),
        "exposure": None if inputs.exposure is None else list(inputs.exposure),
        "sigmas": None if inputs.sigmas is None else dict(inputs.sigmas),
    }


def inputs_digest(document: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of the inputs document in canonical form."""
    return hashlib.sha256(canonical(document)).hexdigest()


def texts_left_out(document: Mapping[str, Any]) -> dict[str, Any]:
    """The inputs document with the standard's own files named by digest alone, to be kept where
    their texts are kept already. It is no export: see `texts_put_back`.
    """
    named = {key: document[key] and {"sha256": document[key]["sha256"]} for key in _FILES}
    return {**document, **named}


def texts_put_back(document: Mapping[str, Any], file: Callable[[str], bytes]) -> dict[str, Any]:
    """The inputs document again as it was before `texts_left_out`; `file` gives the bytes of a
    digest. Raises ValueError where they are other bytes.
    """
    whole = {
        key: document[key] and _source(file(document[key]["sha256"]), document[key]["sha256"])
        for key in _FILES
    }
    return {**document, **whole}


def inputs_from_json(document: object, name: str = "The document") -> ScoreInputs:
    """Read exported inputs back, checking every digest.

    `name` is what the user knows the file by. Raises the problem `score-export-malformed`.
    """
    try:
        doc = Reader(document, "the export")
        return _inputs(
            doc,
            _checklist(_embedded(doc.member("checklist"))),
            _profile(_embedded(doc.member("profile"))),
            _limits(_embedded(limits)) if (limits := doc.optional("limits")) else None,
        )
    except Malformed as fault:
        raise problem("score-export-malformed", name=name, why=str(fault)) from None
    except Problem as fault:
        why = f"a file inside it cannot be used ({fault.happened})"
        raise problem("score-export-malformed", name=name, why=why) from None


def inputs_with(
    document: object,
    checklist: Checklist,
    profile: Profile,
    limits: Limits | None,
    name: str = "The document",
) -> ScoreInputs:
    """Read inputs back of which only `texts_left_out` was kept, with these files in place of the
    texts. Raises the problem `score-export-malformed`.
    """
    try:
        return _inputs(Reader(document, "the export"), checklist, profile, limits)
    except Malformed as fault:
        raise problem("score-export-malformed", name=name, why=str(fault)) from None


def visit_from_json(document: object, name: str = "The document") -> Visit:
    """Read back what `visit_to_json` gave. Raises the problem `score-export-malformed`."""
    try:
        return _read_visit(Reader(document, "the visit"))
    except Malformed as fault:
        raise problem("score-export-malformed", name=name, why=str(fault)) from None


def _inputs(
    doc: Reader, checklist: Checklist, profile: Profile, limits: Limits | None
) -> ScoreInputs:
    doc.constant("format", INPUTS_FORMAT)
    observed, sigmas = doc.optional("observed"), doc.optional("sigmas")
    return ScoreInputs(
        scope=doc.choice("scope", ("facility", "inspection")),
        subject=doc.text("subject"),
        checklist=checklist,
        profile=profile,
        limits=limits,
        as_of=doc.date("as_of"),
        visits=tuple(_read_visit(visit) for visit in doc.rows("visits")),
        flags=tuple(_read_flag(flag) for flag in doc.rows("flags")),
        processes=doc.texts("processes"),
        observed=observed.all_texts() if observed else None,
        exposure=doc.three("exposure"),
        sigmas=sigmas.all_counts() if sigmas else None,
    )


# -- the standard's own files ---------------------------------------------------------------------


def _source(data: bytes, digest: str) -> dict[str, str]:
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError("these bytes are not the ones that the score's inputs were loaded from")
    return {"sha256": digest, "text": data.decode("utf-8")}


def _limits_source(data: bytes | None, limits: Limits | None) -> dict[str, str] | None:
    if limits is None and data is None:
        return None
    if limits is None or data is None:
        raise ValueError("a limits table needs its bytes, and bytes a limits table")
    return _source(data, limits.digest)


def _embedded(doc: Reader) -> bytes:
    data = doc.text("text").encode("utf-8")
    if hashlib.sha256(data).hexdigest() != doc.text("sha256"):
        raise Malformed(f"{doc.where} does not fit its digest")
    return data


# The three files are the same for thousands of exports; a loaded one is never changed.
@lru_cache(maxsize=16)
def _checklist(data: bytes) -> Checklist:
    return load_checklist(data, "checklist")


@lru_cache(maxsize=16)
def _limits(data: bytes) -> Limits:
    return load_limits(data, "limits")


@lru_cache(maxsize=16)
def _profile(data: bytes) -> Profile:
    return load_profile(data, "profile")


# -- writing --------------------------------------------------------------------------------------


def _sorted(rows: Any) -> list[dict[str, Any]]:
    return sorted(rows, key=canonical)


def visit_to_json(visit: Visit) -> dict[str, Any]:
    """One visit as it stands in the inputs document, whatever order its answers came in."""
    # Members that came later stand there only where they say something: older exports stay as
    # they are, to the byte.
    said: dict[str, Any] = {}
    if visit.side_by_side:
        said["side_by_side"] = sorted(visit.side_by_side)
    if visit.rulings:
        said["rulings"] = _sorted(_ruling(ruling) for ruling in visit.rulings)
    return {
        "inspection": visit.inspection,
        "at": visit.at,
        "outcome": visit.outcome,
        "answers": _sorted(_answer(answer) for answer in visit.answers),
        "unread": sorted([item, instance] for item, instance in visit.unread),
        "signed": visit.signed,
        **said,
    }


def _answer(answer: GivenAnswer) -> dict[str, Any]:
    return {
        "item": answer.item,
        "instance": answer.instance,
        "level": answer.level,
        "special": answer.special,
        "readings": _sorted(asdict(reading) for reading in answer.readings),
        "reason": answer.reason,
        "second": answer.second,
        "evidence": _sorted(_evidence(fact) for fact in answer.evidence),
        "auditor": answer.auditor,
        "at": answer.at,
        "entry": answer.entry,
        "conflict": answer.conflict,
        "replaced": answer.replaced,
        **({} if answer.signed else {"signed": False}),
        **({"overruled": True} if answer.overruled else {}),
    }


def _ruling(ruling: RuledOut) -> dict[str, Any]:
    return asdict(ruling) | {"answers": sorted(ruling.answers)}


def _evidence(fact: EvidenceFact) -> dict[str, Any]:
    return asdict(fact) | {"flagged": sorted(fact.flagged)}


def _flag(flag: FlagFact) -> dict[str, Any]:
    return {
        "id": flag.id,
        "rule": flag.rule,
        "severity": flag.severity,
        "subject": flag.subject,
        "status": flag.status,
    }


# -- reading --------------------------------------------------------------------------------------


def _read_visit(doc: Reader) -> Visit:
    visit = Visit(
        inspection=doc.text("inspection"),
        at=doc.integer("at"),
        outcome=doc.outcome("outcome"),
        answers=tuple(_read_answer(answer) for answer in doc.rows("answers")),
        unread=doc.pairs("unread"),
        signed=doc.flag("signed"),
        side_by_side=doc.texts("side_by_side") if doc.has("side_by_side") else (),
    )
    if not doc.has("rulings"):
        return visit
    return replace(visit, rulings=_read_rulings(doc.rows("rulings"), visit))


def _read_rulings(rows: list[Reader], visit: Visit) -> tuple[RuledOut, ...]:
    """The rulings of a visit; each has to fit its place, and to be the only one there."""
    found: dict[tuple[str, str], RuledOut] = {}
    for doc in rows:
        ruling = RuledOut(
            item=doc.text("item"),
            instance=doc.text("instance"),
            answers=doc.texts("answers"),
            evidence=doc.digest("evidence"),
            reason=doc.text("reason"),
            by=doc.text("by"),
            at=doc.integer("at"),
            entry=doc.text("entry"),
        )
        place = (ruling.item, ruling.instance)
        answers = [a for a in visit.answers if (a.item, a.instance) == place]
        if place in found:
            raise Malformed(f"{doc.where} is not the only one at its place")
        if not fits(ruling, answers, place in visit.unread):
            raise Malformed(f"{doc.where} does not fit the answers that it is about")
        found[place] = ruling
    return tuple(found.values())


def _read_answer(doc: Reader) -> GivenAnswer:
    level, special = doc.level("level"), doc.special("special")
    readings = tuple(_read_reading(reading) for reading in doc.rows("readings"))
    if sum((level is not None, special is not None, bool(readings))) != 1:
        raise Malformed(f"{doc.where} has not exactly one of level, readings and special")
    return GivenAnswer(
        item=doc.text("item"),
        instance=doc.text("instance"),
        level=level,
        special=special,
        readings=readings,
        reason=doc.text("reason"),
        second=doc.text_or_none("second"),
        evidence=tuple(_read_evidence(fact) for fact in doc.rows("evidence")),
        auditor=doc.text("auditor"),
        at=doc.integer("at"),
        entry=doc.text("entry"),
        conflict=doc.flag("conflict"),
        replaced=doc.flag("replaced"),
        signed=doc.flag("signed") if doc.has("signed") else True,
        overruled=doc.flag("overruled") if doc.has("overruled") else False,
    )


def _read_reading(doc: Reader) -> Reading:
    uncertainty = doc.text_or_none("uncertainty")
    return Reading(
        analyte=doc.text("analyte"),
        value=doc.decimal("value"),
        uncertainty=None if uncertainty is None else doc.decimal("uncertainty"),
        unit=doc.text("unit"),
        instrument=doc.text_or_none("instrument"),
    )


def _read_evidence(doc: Reader) -> EvidenceFact:
    return EvidenceFact(
        sha256=doc.digest("sha256"),
        kind=doc.kind("kind"),
        made_at=doc.integer("made_at"),
        held=doc.flag("held"),
        signed=doc.flag("signed"),
        flagged=doc.texts("flagged"),
        rejected=doc.text("rejected"),
        expires=doc.date("expires") if doc.text("expires") else "",
    )


def _read_flag(doc: Reader) -> FlagFact:
    return FlagFact(
        id=doc.text("id"),
        rule=doc.text("rule"),
        severity=doc.choice("severity", ("query", "minor", "major", "critical")),
        subject=doc.choice("subject", ("operations", "record")),
        status=doc.choice("status", ("open", "upheld", "dismissed", "superseded")),
    )
