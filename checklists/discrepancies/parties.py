"""R30: owners, operators and consignees whose names resemble a listed party.

The similarity of two names is 1 - d / (m + n), d the number of letters to take out and put in to
make one of the other, m and n their lengths; whole numbers, so it is the same everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from checklists.discrepancies.case import Case, Finding, Flag, shown
from checklists.discrepancies.doubt import plain, reckoned
from checklists.discrepancies.imported import ListedParty
from checklists.discrepancies.operations import Operations
from checklists.discrepancies.periods import filed
from checklists.discrepancies.rule import Rule, declared_as, on_file

_SHOWN = 5  # entries that a flag names, the nearest
_LEAST = 5  # letters; shorter names resemble too many others and must be the same
_WORD = re.compile(r"\w+")
# What says only what kind of firm it is.
_FORM = re.compile(
    r"(ab|ag|bhd|bv|co|company|corp|corporation|cv|gmbh|inc|incorporated|jsc|kg|limited|llc|ltd|nv|"
    r"oy|pcl|plc|pt|pte|pty|public|pvt|private|sa|sarl|sdn|spa|tbk|tnhh)\Z"
)


@dataclass(frozen=True, slots=True)
class _Party:
    name: str
    role: str
    country: str


@dataclass(frozen=True, slots=True)
class _Match:
    entry: ListedParty
    name: str
    similarity: Decimal


@reckoned
def _resembles(case: Case) -> tuple[Finding, ...]:
    if case.declaration is None:
        return (R30.needs(on_file(case)),)
    parties = _parties(case, case.declaration.operations)
    if not parties:
        return (R30.needs("declared owners and consignees"),)
    listed = case.imported.parties
    if listed is None:
        return (R30.needs("imported lists of sanctions and the like"),)
    least = Decimal(case.settings["R30"]["similarity"])
    flags: list[Flag] = []
    for party in parties:
        matches = _matches(party.name, listed, least)
        if matches:
            flags.append(_flag(case, party, matches, least))
    return tuple(flags)


def _parties(case: Case, said: Operations) -> list[_Party]:
    """Those that are parties on the day of the visit, and whoever a lot went to; each name once."""
    day = case.visited_on
    found = {
        one.name: _Party(one.name, one.role, one.country)
        for one in sorted(said.parties or (), key=lambda p: (p.name, p.role, p.country))
        if one.since <= day and (not one.until or day <= one.until)
    }
    for shipment in said.shipments or ():
        name = shipment.consignee
        if name and name not in found:
            found[name] = _Party(name, "consignee", "")
    return [found[name] for name in sorted(found)]


def letters(name: str) -> str:
    """A name as it is compared: without accents, case, marks, the order of its words, and what
    only says what kind of firm it is.
    """
    folded = unicodedata.normalize("NFKD", name).casefold()
    bare = "".join(c for c in folded if not unicodedata.combining(c)).replace(".", "")
    words = _WORD.findall(bare)
    kept = [word for word in words if not _FORM.match(word)]
    return " ".join(sorted(kept or words))


@lru_cache(maxsize=50_000)
def _letters(name: str) -> str:
    return letters(name)


def similarity(one: str, other: str, least: Decimal = Decimal(0)) -> Decimal:
    """How alike two compared names are, 0 to 1; 0 where it is surely less than `least`."""
    from rapidfuzz.distance import Indel  # noqa: PLC0415 - most commands never compare names

    both = len(one) + len(other)
    if not both:
        return Decimal(0)
    if one != other and min(len(one), len(other)) < _LEAST:
        return Decimal(0)
    most = int((1 - least) * both)
    distance = Indel.distance(one, other, score_cutoff=most)
    return Decimal(0) if distance > most else 1 - Decimal(distance) / both


def _matches(name: str, listed: Sequence[ListedParty], least: Decimal) -> list[_Match]:
    """Entries one of whose names is alike enough, the most alike first."""
    own = _letters(name)
    found: list[_Match] = []
    for entry in listed:
        alike = [
            (value, called)
            for called in (entry.name, *entry.aliases)
            if (value := similarity(own, _letters(called), least)) >= least and value > 0
        ]
        if alike:
            value, called = max(alike, key=lambda one: (one[0], one[1]))
            found.append(_Match(entry, called, value))
    return sorted(found, key=lambda m: (-m.similarity, m.entry.source, m.entry.entry, m.name))


def _flag(case: Case, party: _Party, matches: Sequence[_Match], least: Decimal) -> Flag:
    """Critical where the countries agree too; otherwise it may well be a namesake, and is asked."""
    certain = [m for m in matches if party.country and m.entry.country == party.country]
    best = (certain or matches)[0]
    value = plain(best.similarity.quantize(Decimal("0.0001")))
    text = (
        f"{filed(case)}{shown(party.name)} as {party.role}. It resembles the listed party "
        f"{shown(best.name)} ({shown(best.entry.source)}, {shown(best.entry.entry, 40)}); "
        f"similarity {value}, limit {least}. A person must confirm who it is."
        + ("" if certain else " The countries do not confirm it, so this is a question.")
    )
    inputs = {
        "declaration": declared_as(case),
        "party": party.name,
        "role": party.role,
        "country": party.country,
        "candidates": [
            {
                "source": m.entry.source,
                "entry": m.entry.entry,
                "name": m.name,
                "country": m.entry.country,
                "similarity": plain(m.similarity.quantize(Decimal("0.0001"))),
            }
            for m in matches[:_SHOWN]
        ],
    }
    severity = "critical" if certain else "query"
    threshold = f"a similarity of names of {least} or more; critical where the country agrees"
    margin = f"similarity {value}; {len(matches)} candidates"
    return R30.flag(case, party.name, severity, text, inputs, threshold, margin)


R30 = Rule(
    "R30",
    "1",
    "operations",
    "A party resembles a listed one",
    "The name of an operator, owner or consignee is alike to one on an imported list. It is a "
    "candidate: a person confirms or dismisses it.",
    (
        "a namesake: the same name in another country, or a common name",
        "a firm that was taken off the list since it was imported",
    ),
    "The party's register number, owners and address beside those of the list.",
    _resembles,
)
