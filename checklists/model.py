"""The shared standard as values: checklist, section, item, analyte, evidence piece, limits.

Texts are given per language (`en` always there); numbers are exact (Fraction or Decimal), never
binary floats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

PILLARS = ("environment", "social", "governance")
SEVERITIES = ("critical", "major", "minor")
SEVERITY_WEIGHT = {"critical": 5, "major": 3, "minor": 1}
SCALES = ("levels", "met-or-not", "readings")
PIECE_KINDS = ("photo", "document", "sample", "interview", "track")


@dataclass(frozen=True, slots=True)
class Text:
    """A text in one or more languages; `en` is always there."""

    by_language: Mapping[str, str]

    def get(self, language: str = "en") -> tuple[str, bool]:
        """The text in that language, and whether it really is in that language."""
        if language in self.by_language:
            return self.by_language[language], True
        return self.by_language["en"], False

    def __str__(self) -> str:
        return self.by_language["en"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of evidence that an item requires: its kind, weight, and how many files make it."""

    kind: str
    weight: int
    at_least: int = 1
    hint: Text | None = None


@dataclass(frozen=True, slots=True)
class Instances:
    """An item asked once per thing of a kind (well, outfall, pond)."""

    label: Text
    at_least: int = 1


@dataclass(frozen=True, slots=True)
class Analyte:
    """What is read for an item: its unit and where its limit comes from.

    `limit_from` names a row of the jurisdiction's limits table; `limit` is a tolerance that the
    item itself sets (`upper` and `lower` as Decimal, either may be None). `exact` marks figures
    that have no measuring uncertainty, such as a book balance.
    """

    id: str
    label: Text
    unit: str
    limit_from: str | None = None
    upper: Decimal | None = None
    lower: Decimal | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """When an item applies, as a small tree (see conditions.py); `op` names the node."""

    op: str  # all, any, not, answer, observed, process, exposure
    args: tuple[Condition, ...] = ()
    subject: str = ""
    values: tuple[str, ...] = ()
    at_least: int = 0


@dataclass(frozen=True, slots=True)
class Clause:
    """A reference into another standard; `verified` only where a source stands beside it."""

    ref: str
    verified: bool = False
    source: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    id: str
    pillar: str
    severity: str
    scale: str
    question: Text
    look_at: Text | None
    mistakes: Text | None
    levels: Mapping[str, Text]
    pieces: tuple[Piece, ...]
    analytes: tuple[Analyte, ...] = ()
    instances: Instances | None = None
    condition: Condition | None = None
    clauses: tuple[Clause, ...] = ()

    @property
    def weight(self) -> int:
        """Scoring rule 1: critical 5, major 3, minor 1."""
        return SEVERITY_WEIGHT[self.severity]


@dataclass(frozen=True, slots=True)
class ObservedItem:
    """Something to record without scoring it, for the discrepancy rules.

    `type` is `sign` (yes, no, unsure) or `number` (decimal string in `unit`). `instances` are the
    fixed instances that are asked, such as the operating signs; empty where they are free.
    """

    what: str
    label: Text
    type: str
    unit: str = ""
    instances: Mapping[str, Text] | None = None


@dataclass(frozen=True, slots=True)
class Section:
    id: str
    title: Text
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Checklist:
    """A published checklist; `digest` is the SHA-256 of the very bytes it was loaded from.

    `drafts` are those of its languages that no native speaker has reviewed yet.
    """

    id: str
    version: str
    title: Text
    languages: tuple[str, ...]
    sections: tuple[Section, ...]
    observed: tuple[ObservedItem, ...]
    digest: str
    drafts: tuple[str, ...] = ()

    def items(self) -> Iterator[tuple[Section, Item]]:
        for section in self.sections:
            for item in section.items:
                yield section, item

    def item(self, item_id: str) -> Item | None:
        return next((i for _, i in self.items() if i.id == item_id), None)

    def observation(self, what: str) -> ObservedItem | None:
        return next((o for o in self.observed if o.what == what), None)


@dataclass(frozen=True, slots=True)
class Limit:
    """A legal limit: a value may not be over `upper` nor under `lower`, in `unit`."""

    id: str
    unit: str
    upper: Decimal | None
    lower: Decimal | None
    source: str
    date: str


@dataclass(frozen=True, slots=True)
class Limits:
    """A jurisdiction's limits table.

    `verified` only where it says that its rows were checked against the law itself.
    """

    jurisdiction: str
    title: str
    version: str
    fictional: bool
    limits: Mapping[str, Limit]
    digest: str
    verified: bool = False

    @property
    def caution(self) -> str:
        """What is said wherever the table is shown; empty where its rows were verified."""
        if self.fictional:
            return "fictional"
        return "" if self.verified else "not verified against the law"


@dataclass(frozen=True, slots=True)
class Ageing:
    """Scoring rule 4: q halves every `half_life_days` once a piece is older than `fresh_days`."""

    fresh_days: int
    half_life_days: int


@dataclass(frozen=True, slots=True)
class Profile:
    """The numbers that scoring takes from outside: pillar weights (percent) and ageing by kind."""

    id: str
    version: str
    pillar_weights: Mapping[str, int]
    ageing: Mapping[str, Ageing]
    sigma_thousandths: int
    digest: str
