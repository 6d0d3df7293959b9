"""Small made-up standards and answers for the scoring tests; nothing here is a real site."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from checklists.model import (
    Ageing,
    Analyte,
    Checklist,
    Condition,
    Instances,
    Item,
    Limit,
    Limits,
    Piece,
    Profile,
    Section,
    Text,
)
from checklists.scoring.inputs import (
    EvidenceFact,
    FlagFact,
    GivenAnswer,
    RuledOut,
    ScoreInputs,
    Visit,
)
from checklists.scoring.rulings import evidence_digest
from sync.inspection import SPECIALS, Reading

DAY_MS = 86_400_000
AS_OF = "2026-11-23"
PHOTO = (Piece("photo", 1),)
PILLAR_WEIGHTS = {"environment": 40, "social": 35, "governance": 25}


def ms(day: str) -> int:
    return (date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal()) * DAY_MS


NOW = ms(AS_OF)


def text(words: str) -> Text:
    return Text({"en": words})


def item(
    item_id: str,
    severity: str = "major",
    pillar: str = "environment",
    *,
    scale: str = "levels",
    pieces: tuple[Piece, ...] = PHOTO,
    analytes: tuple[Analyte, ...] = (),
    instances: int = 0,
    condition: Condition | None = None,
) -> Item:
    return Item(
        id=item_id,
        pillar=pillar,
        severity=severity,
        scale=scale,
        question=text(f"Question {item_id}"),
        look_at=None,
        mistakes=None,
        levels={},
        pieces=pieces,
        analytes=analytes,
        instances=Instances(text("well"), instances) if instances else None,
        condition=condition,
    )


def analyte(name: str, limit_from: str | None = None, **more: object) -> Analyte:
    return Analyte(id=name, label=text(name), unit="mg/L", limit_from=limit_from, **more)  # type: ignore[arg-type]


def limits(**uppers: str) -> Limits:
    rows = {
        k: Limit(k, "mg/L", Decimal(v), None, "made up", "2026-01-01") for k, v in uppers.items()
    }
    return Limits("example", "Example (fictional)", "1", True, rows, "1" * 64)


def checklist(*groups: Sequence[Item]) -> Checklist:
    sections = tuple(
        Section(f"s{n}", text(f"Section {n}"), tuple(items)) for n, items in enumerate(groups, 1)
    )
    return Checklist("test", "1", text("Test"), ("en",), sections, (), "c" * 64)


def profile(weights: Mapping[str, int] = PILLAR_WEIGHTS) -> Profile:
    year, half = Ageing(365, 365), Ageing(180, 180)
    ageing = {"photo": year, "track": year, "interview": year, "sample": half}
    return Profile("default", "1", weights, ageing, 150, "p" * 64)


def fact(
    name: str, kind: str = "photo", *, days_old: int = 0, held: bool = True, **more: object
) -> EvidenceFact:
    sha256 = hashlib.sha256(name.encode()).hexdigest()
    return EvidenceFact(sha256, kind, NOW - days_old * DAY_MS, held, **more)  # type: ignore[arg-type]


def answer(
    item_id: str,
    given: str = "fully",
    *,
    instance: str = "-",
    proof: bool = True,
    evidence: tuple[EvidenceFact, ...] | None = None,
    readings: tuple[Reading, ...] = (),
    auditor: str = "p-aaaaaaaa",
    reason: str = "",
    second: str | None = None,
    at: int = NOW,
    **more: object,
) -> GivenAnswer:
    """An answer by level or special; with `proof`, one fresh picture of its own goes along."""
    if evidence is None:
        evidence = (fact(f"{item_id}/{instance}/{auditor}/{given}/{at}"),) if proof else ()
    special = given if given in SPECIALS else None
    level = given if not special and not readings else None
    entry = hashlib.sha256(
        f"{item_id}/{instance}/{given}/{auditor}/{at}/{readings}".encode()
    ).hexdigest()
    return GivenAnswer(
        item_id,
        instance,
        level,
        special,
        readings,
        reason,
        second,
        evidence,
        auditor,
        at,
        entry,
        **more,  # type: ignore[arg-type]
    )


def reading(name: str, value: str, u: str | None = "0.001", unit: str = "mg/L") -> Reading:
    return Reading(name, value, u, unit)


def visit(name: str, *answers: GivenAnswer, at: int = NOW, outcome: str = "visited") -> Visit:
    return Visit(name, at, outcome, answers)


def ruled_out(given: Visit, item_id: str, instance: str = "-", reason: str = "no photo") -> Visit:
    """The visit with an officer's ruling about what stands at a place, as it stands."""
    here = [a for a in given.answers if (a.item, a.instance) == (item_id, instance)]
    heads = tuple(a.entry for a in here if not a.replaced)
    entry = hashlib.sha256(f"{item_id}/{instance}/{reason}".encode()).hexdigest()
    ruling = RuledOut(
        item_id, instance, heads, evidence_digest(here), reason, "p-officer", NOW, entry
    )
    return replace(given, rulings=(*given.rulings, ruling))


def inputs(
    what: Checklist,
    visits: Iterable[Visit],
    *,
    flags: tuple[FlagFact, ...] = (),
    table: Limits | None = None,
    as_of: str = AS_OF,
    **more: object,
) -> ScoreInputs:
    return ScoreInputs(
        "facility",
        "example-mine",
        what,
        profile(),
        table,
        as_of,
        tuple(visits),
        flags,
        **more,  # type: ignore[arg-type]
    )


def whole(*extra: Item) -> Checklist:
    """One major item in each pillar, and whatever is added in a second section."""
    base = [
        item("B-E", pillar="environment"),
        item("B-S", pillar="social"),
        item("B-G", pillar="governance"),
    ]
    return checklist(base, list(extra)) if extra else checklist(base)


def whole_answers(level: str = "fully") -> tuple[GivenAnswer, ...]:
    return tuple(answer(name, level) for name in ("B-E", "B-S", "B-G"))


def without_bytes(given: GivenAnswer) -> GivenAnswer:
    """The same answer with its files known but not held."""
    return replace(given, evidence=tuple(replace(f, held=False) for f in given.evidence))
