"""What an operator declares beside place and state: licences, parties, months, stocks, shipments.

Quantities are decimals in the unit that the member's name says. What a filing does not mention is
None, and rules then say what they need; an empty tuple says that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Quantity:
    """A declared number and its relative standard uncertainty as a fraction, None if not stated."""

    value: Decimal
    rel: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Party:
    """A firm or person: `role` is operator, owner or consignee; an owner's share is in percent.

    `country` is ISO 3166-1 alpha-2 or empty; days are YYYY-MM-DD, empty where open.
    """

    role: str
    name: str
    country: str
    share_pct: Decimal | None
    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Licence:
    """A permit. `recognised` is False for one that an authority in fact, and not in law, gave out.

    `scope` are the processes it covers; `valid_to` is empty where no end is stated; `capacity` is
    in t REO per year; `renewal_applied` is the day on which a renewal was asked for, or empty.
    """

    number: str
    issuer: str
    recognised: bool
    scope: tuple[str, ...]
    radiation: bool
    valid_from: str
    valid_to: str
    capacity: Quantity | None
    renewal_applied: str


@dataclass(frozen=True, slots=True)
class Capacity:
    """What the plant could make by one process, in t REO per year."""

    process: str
    t_reo_per_year: Quantity


@dataclass(frozen=True, slots=True)
class Amount:
    """Tonnes of a reagent or of a kind of residue."""

    name: str
    t: Quantity


@dataclass(frozen=True, slots=True)
class Month:
    """The figures of one month (YYYY-MM), of one process where it is named.

    Ore in t, grade in % REO, recovery in %, output and purchases in t REO, water in m3, power in
    kWh; `residues` is what arose in that month.
    """

    month: str
    process: str
    ore_t: Quantity | None
    grade_pct: Quantity | None
    recovery_pct: Quantity | None
    output_t_reo: Quantity | None
    purchases_t_reo: Quantity | None
    water_m3: Quantity | None
    power_kwh: Quantity | None
    reagents: tuple[Amount, ...]
    residues: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class Stock:
    """What lay in store at the beginning of a day: t REO for the material "REO", else t."""

    material: str
    on: str
    t: Quantity


@dataclass(frozen=True, slots=True)
class Residue:
    """What lies in one heap or pond on a day. `approved_ratio` is t of this kind per t REO, as
    approved; the activity is in Bq/g.
    """

    kind: str
    heap: str
    on: str
    t: Quantity | None
    m3: Quantity | None
    approved_ratio: Quantity | None
    activity_bq_g: Quantity | None


@dataclass(frozen=True, slots=True)
class Headcount:
    """People by employer and group. `shifts` is how many shifts they work in turn, if stated."""

    employer: str
    group: str
    people: int
    shifts: int | None


@dataclass(frozen=True, slots=True)
class Content:
    """The content of one oxide in percent of the lot's total REO."""

    oxide: str
    pct: Quantity


@dataclass(frozen=True, slots=True)
class Shipment:
    """A lot that left: mass in t, its content of REO in %, its pattern, its way, and for whom.

    `origin` is the country in which it was mined and `transit` what it passes through, each ISO
    3166-1 or a part of a country by ISO 3166-2.
    """

    lot: str
    date: str
    process: str
    mass_t: Quantity
    reo_pct: Quantity | None
    assay: tuple[Content, ...]
    activity_bq_g: Quantity | None
    seal: str
    origin: str
    transit: tuple[str, ...]
    consignee: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """A mark of the declared deposit: a ratio of two oxides ("Dy/Nd") or a share ("Y%")."""

    measure: str
    mean: Decimal
    sd: Decimal


@dataclass(frozen=True, slots=True)
class Mine:
    """A mine whose ore is used, and its country (ISO 3166-1)."""

    name: str
    country: str


@dataclass(frozen=True, slots=True)
class Fatalities:
    """Deaths at work from one day to another, both counted."""

    since: str
    until: str
    number: int


@dataclass(frozen=True, slots=True)
class ConflictArea:
    """Whether the operator says that it works in or draws on a conflict-affected or high-risk area.

    `statement` is none, some or unknown; `areas` are those it names, by ISO 3166.
    """

    statement: str
    on: str
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AnnexII:
    """The assessment of the risks of Annex II of the OECD Guidance: its day and its document."""

    on: str
    document: str


@dataclass(frozen=True, slots=True)
class Document:
    """A source document by the SHA-256 of its bytes."""

    sha256: str
    title: str


@dataclass(frozen=True, slots=True)
class Operations:
    """All of it. A filing of version 1 says none of it, so everything is None."""

    parties: tuple[Party, ...] | None = None
    licences: tuple[Licence, ...] | None = None
    capacity: tuple[Capacity, ...] | None = None
    months: tuple[Month, ...] | None = None
    stocks: tuple[Stock, ...] | None = None
    residues: tuple[Residue, ...] | None = None
    headcount: tuple[Headcount, ...] | None = None
    shipments: tuple[Shipment, ...] | None = None
    deposit: tuple[Pattern, ...] | None = None
    mines: tuple[Mine, ...] | None = None
    fatalities: Fatalities | None = None
    conflict_area: ConflictArea | None = None
    annex_ii: AnnexII | None = None
    documents: tuple[Document, ...] = ()
