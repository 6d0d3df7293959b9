"""What a rule looks at (Case) and what it answers with (Flag or NotEvaluated)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from checklists.conflict.around import Surroundings
from checklists.discrepancies.days import visit_day
from checklists.discrepancies.declaration import Declaration
from checklists.discrepancies.ground import Outline, Trace, traces_of
from checklists.discrepancies.imported import Imported
from checklists.discrepancies.moments import (
    Reading,
    Span,
    Taken,
    Way,
    clocks_of,
    fixes_of,
    spans_of,
    ways_of,
)
from sync.inspection import Evidence, Fix, Inspection, is_decimal

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
    (`unreadable` then says why, or is empty while they are not here). `device`, `at` (by that
    device's clock), `taken_at` and `fix` are those of the entry that attached it.
    """

    sha256: str
    kind: str
    source: str
    name: str
    facts: Mapping[str, Any] | None
    unreadable: str = ""
    digest_holds: bool = True
    entry: str = ""
    device: str = ""
    at: int = 0
    taken_at: int | None = None
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """A number that was observed: `uncertainty` is expanded, in the same unit, None if not stated.

    Of values that stand side by side at one place, each is one.
    """

    what: str
    instance: str
    value: str
    uncertainty: str | None
    unit: str
    entry: str


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

    `signs` maps an operating sign to yes, no or unsure; `observed` are the numbers. `other_uses`
    maps SHA-256 to other visits; `uses_complete` is False on a device, which knows its own visits
    only. `settings` are the versioned thresholds. `outcomes` are all outcomes that stand side by
    side. `fixes`, `ways` (tracks), `spans` (when each device recorded the visit) and `clocks` (how
    far each device's clock was off, as far as that is known here) are those of `moments`. `traces`
    were walked around disturbed ground. `neighbours` (other licences) and `protected_areas` that
    may reach the declared boundary are None where nobody brought a list of them.
    `surroundings` is the conflict around the declared place, None where nobody could look.
    `imported` is what no visit can supply, as far as somebody brought it.
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
    outcomes: tuple[str, ...] = ()
    fixes: tuple[Taken, ...] = ()
    ways: tuple[Way, ...] = ()
    spans: tuple[Span, ...] = ()
    clocks: tuple[Reading, ...] = ()
    observed: tuple[Seen, ...] = ()
    traces: tuple[Trace, ...] = ()
    neighbours: tuple[Outline, ...] | None = None
    protected_areas: tuple[Outline, ...] | None = None
    surroundings: Surroundings | None = None
    imported: Imported = field(default_factory=Imported)


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


# What may be shown or said anywhere, so that where it was recorded tells nothing about the site;
# the place of an interview is not used at all.
_PLACELESS = ("document", "interview")
_SEEN = ("visited", "partly")


def build_case(
    inspection: Inspection,
    facility: Mapping[str, str],
    declaration: Declaration | None,
    photo_facts: Mapping[str, Mapping[str, Any] | None],
    unreadable: Mapping[str, str],
    other_uses: Mapping[str, tuple[Use, ...]],
    uses_complete: bool,
    settings: Mapping[str, Any],
    clocks: Iterable[Reading] = (),
    neighbours: tuple[Outline, ...] | None = None,
    protected_areas: tuple[Outline, ...] | None = None,
    surroundings: Surroundings | None = None,
    imported: Imported | None = None,
) -> Case:
    """The case of one visit: `facility` has id, name and country (ISO 3166-1 alpha-2).

    `photo_facts` and `unreadable` are keyed by SHA-256. `clocks` are the devices' clocks compared
    with the server's, each time that entries of this visit were sent. Where several values stand
    side by side at one path, all of their positions count, and signs that contradict each other
    become unsure.
    """
    day = visit_day(inspection, facility["country"])
    outcome = inspection.outcome.value
    fixes = fixes_of(inspection, called)
    spans = spans_of(inspection, fixes)
    return Case(
        facility["id"],
        facility["name"],
        facility["country"],
        inspection.id,
        day.isoformat() if day else "",
        outcome.outcome if outcome else "",
        declaration,
        _points(inspection, photo_facts, settings),
        _signs(inspection),
        _photos(inspection, photo_facts, unreadable),
        {
            sha: tuple(sorted(others, key=lambda u: (u.at, u.inspection)))
            for sha, uses in sorted(other_uses.items())
            if (others := [u for u in uses if u.inspection != inspection.id])
        },
        uses_complete,
        settings,
        tuple(sorted({head.outcome for head in inspection.outcome.heads})),
        fixes,
        ways_of(inspection),
        spans,
        clocks_of(inspection, spans, clocks),
        _seen(inspection),
        traces_of(inspection),
        neighbours,
        protected_areas,
        surroundings,
        imported or Imported(),
    )


def _points(
    inspection: Inspection,
    photo_facts: Mapping[str, Mapping[str, Any] | None],
    settings: Mapping[str, Any],
) -> tuple[Point, ...]:
    off_site = set(settings["R01"]["off_site_items"])
    points: list[Point] = []

    def add(label: str, fix: Fix | None, entry: str, source: str = "client", sha: str = "") -> None:
        if fix is not None:
            points.append(Point(label, fix, source, sha, entry))

    for about in inspection.about.heads:
        add("the start of the visit", about.fix, about.written.h)
    for outcome in inspection.outcome.heads:
        if outcome.outcome in _SEEN:  # who was turned away or left in haste stands elsewhere
            add("the end of the visit", outcome.fix, outcome.written.h)
    for (item, instance), answers in inspection.answers.items():
        for answer in answers.heads if item not in off_site else ():
            add(f"the answer to {_place(item, instance)}", answer.fix, answer.written.h)
    for (what, instance), observed in inspection.observed.items():
        for seen in observed.heads if what == "operating" else ():
            add(f"the observation of {instance}", seen.fix, seen.written.h)
    for attached in inspection.evidence.values():
        for head in attached.heads:
            if head.kind in _PLACELESS or _only_about(head, off_site):
                continue
            label = f"the {head.kind} {called(head.name, head.sha256)}"
            if head.source == "taken-here":
                add(label, head.fix, head.written.h, head.source, head.sha256)
            elif head.source == "imported" and head.kind == "photo":
                own = _own_position(photo_facts.get(head.sha256))
                add(label, own, head.written.h, head.source, head.sha256)
    return tuple(sorted(points, key=lambda p: (p.label, p.entry, p.evidence, p.fix.lat, p.fix.lon)))


def _place(item: str, instance: str) -> str:
    return item if instance == "-" else f"{item} at {instance}"


def called(name: str, sha256: str) -> str:
    """How a file is called in a sentence: its name, if it has one, and the start of its digest."""
    short = sha256[:8]
    return f"{shown(name)} ({short})" if shown(name) else short


def shown(text: str, limit: int = 80) -> str:
    """A text from a file or a form as it may stand in a sentence: printable and not too long."""
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return clean if len(clean) <= limit else f"{clean[: limit - 1]}…"


def _only_about(evidence: Evidence, items: set[str]) -> bool:
    named = {path.split("/")[0] for path in evidence.items}
    return bool(named) and named <= items


def _own_position(facts: Mapping[str, Any] | None) -> Fix | None:
    """The position in the picture's own EXIF block."""
    if facts is None or facts.get("gps_block") != "position":
        return None
    lat, lon, accuracy = facts.get("lat"), facts.get("lon"), facts.get("accuracy_m")
    if not (is_decimal(lat) and is_decimal(lon)):
        return None
    known = accuracy if isinstance(accuracy, str) and is_decimal(accuracy) else None
    return Fix(str(lat), str(lon), known, None, "exif")


def _signs(inspection: Inspection) -> dict[str, str]:
    signs: dict[str, str] = {}
    for (what, sign), slot in sorted(inspection.observed.items()):
        values = {head.value for head in slot.heads}
        if what == "operating" and values:
            one = next(iter(values)) if len(values) == 1 and not slot.unread else "unsure"
            signs[sign] = one if one in ("yes", "no") else "unsure"
    return signs


def _seen(inspection: Inspection) -> tuple[Seen, ...]:
    """The numbers observed. A place with a value that needs a newer version is left out whole."""
    seen = [
        Seen(what, instance, head.value, head.uncertainty, head.unit, head.written.h)
        for (what, instance), slot in inspection.observed.items()
        if not slot.unread
        for head in slot.heads
        if is_decimal(head.value)
    ]
    return tuple(sorted(seen, key=lambda s: (s.what, s.instance, s.entry)))


def _photos(
    inspection: Inspection,
    photo_facts: Mapping[str, Mapping[str, Any] | None],
    unreadable: Mapping[str, str],
) -> tuple[CasePhoto, ...]:
    """Every attached file once; attached in several ways, the way that is judged most strictly."""

    def strictness(e: Evidence) -> tuple[bool, bool, int, str, str]:
        return e.kind != "photo", e.source != "imported", e.written.at, e.device, e.written.h

    heads = [h for slot in inspection.evidence.values() for h in slot.heads]
    first: dict[str, Evidence] = {}
    for head in sorted(heads, key=strictness):
        first.setdefault(head.sha256, head)
    photos: list[CasePhoto] = []
    for sha, head in sorted(first.items()):
        facts = photo_facts.get(sha)
        holds = facts is None or facts.get("sha256", sha) == sha
        why = unreadable.get(sha, "")
        w = head.written
        photos.append(
            CasePhoto(
                sha,
                head.kind,
                head.source,
                head.name,
                facts,
                why,
                holds,
                w.h,
                w.device,
                w.at,
                head.taken_at,
                head.fix,
            )
        )
    return tuple(photos)
