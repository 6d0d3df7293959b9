"""A filing of tapak-declaration/2 -> what it declares beside place and state."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from checklists.discrepancies.declared_fields import Faults, Row, one, rows
from checklists.discrepancies.operations import (
    Amount,
    AnnexII,
    Capacity,
    ConflictArea,
    Content,
    Document,
    Fatalities,
    Headcount,
    Licence,
    Mine,
    Month,
    Operations,
    Party,
    Pattern,
    Quantity,
    Residue,
    Shipment,
    Stock,
)

T = TypeVar("T")

HEAD = ("format", "example", "note", "facility", "speaks_of", "filed", "status", "processes")
PLACES = ("location", "boundary")
ROLES = ("operator", "owner", "consignee")
STATEMENTS = ("none", "some", "unknown")

_COUNTRY = re.compile(r"[A-Z]{2}\Z")
_AREA = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?\Z")
_OXIDE = re.compile(r"[A-Z][A-Za-z0-9]{0,7}\Z")
_MEASURE = re.compile(r"[A-Z][A-Za-z0-9]{0,7}(/[A-Z][A-Za-z0-9]{0,7}|%)\Z")
_NOTHING = Quantity(Decimal(0))


def read_operations(faults: Faults, doc: Mapping[str, Any]) -> Operations:
    """What a filing of version 2 declares; whatever is wrong with it is added to `faults`."""
    made: dict[str, Any] = {}
    for key, read in _LISTS.items():
        if doc.get(key) is not None:
            made[key] = rows(faults, doc[key], key, read)
    for key, read_one in _OBJECTS.items():
        if doc.get(key) is not None:
            made[key] = one(faults, doc[key], key, read_one)
    made["documents"] = made.get("documents") or ()
    faults.unknown(doc, {*HEAD, *PLACES, *_LISTS, *_OBJECTS})
    said = Operations(**made)
    _once(faults, said)
    _sources(faults, doc, {d.sha256 for d in said.documents})
    return said


# -- one row each ---------------------------------------------------------------------------------


def _party(row: Row) -> Party:
    role = row.choice("role", ROLES)
    share = row.percent("share_pct")
    if share is not None and role != "owner":
        row.fault("share_pct", "belongs to an owner only")
    country = row.matching("country", _COUNTRY, "a country by ISO 3166-1, such as MY", need=False)
    since, until = row.days("from", "to")
    value = None if share is None else share.value
    return Party(role, row.text("name"), country, value, since, until)


def _licence(row: Row) -> Licence:
    since, until = row.days("valid_from", "valid_to")
    return Licence(
        row.text("number"),
        row.text("issuer"),
        row.yes("recognised", otherwise=True),
        row.texts("scope"),
        row.yes("radiation", otherwise=False),
        since or row.day("valid_from"),
        until,
        row.quantity("capacity_t_reo_per_year"),
        row.day("renewal_applied", need=False),
    )


def _capacity(row: Row) -> Capacity:
    return Capacity(row.text("process"), row.quantity("t_reo_per_year", need=True) or _NOTHING)


def _amount(name: str) -> Callable[[Row], Amount]:
    return lambda row: Amount(row.text(name), row.quantity("t", need=True) or _NOTHING)


def _month(row: Row) -> Month:
    return Month(
        row.month("month"),
        row.text("process", need=False),
        row.quantity("ore_t"),
        row.percent("grade_pct"),
        row.percent("recovery_pct"),
        row.quantity("output_t_reo"),
        row.quantity("purchases_t_reo"),
        row.quantity("water_m3"),
        row.quantity("power_kwh"),
        row.rows("reagents", _amount("reagent")) or (),
        row.rows("residues", _amount("kind")) or (),
    )


def _stock(row: Row) -> Stock:
    return Stock(row.text("material"), row.day("on"), row.quantity("t", need=True) or _NOTHING)


def _residue(row: Row) -> Residue:
    return Residue(
        row.text("kind"),
        row.text("heap", need=False),
        row.day("on"),
        row.quantity("t"),
        row.quantity("m3"),
        row.quantity("approved_ratio"),
        row.quantity("activity_bq_g"),
    )


def _headcount(row: Row) -> Headcount:
    return Headcount(
        row.text("employer"),
        row.text("group"),
        row.whole("people") or 0,
        row.whole("shifts", least=1, need=False),
    )


def _content(row: Row) -> Content:
    oxide = row.matching("oxide", _OXIDE, "an oxide or element, such as Dy2O3")
    return Content(oxide, row.percent("pct", need=True) or _NOTHING)


def _shipment(row: Row) -> Shipment:
    transit = row.texts("transit")
    if not all(_AREA.match(area) for area in transit):
        row.fault("transit", "has an area that is not given by ISO 3166, such as MM or MM-11")
    return Shipment(
        row.text("lot"),
        row.day("date"),
        row.text("process", need=False),
        row.quantity("mass_t", need=True) or _NOTHING,
        row.percent("reo_pct"),
        row.rows("assay", _content) or (),
        row.quantity("activity_bq_g"),
        row.text("seal", need=False),
        row.matching("origin", _AREA, "an area by ISO 3166, such as MM or MM-11", need=False),
        transit,
        row.text("consignee", need=False),
    )


def _pattern(row: Row) -> Pattern:
    measure = row.matching("measure", _MEASURE, 'a ratio such as "Dy/Nd" or a share such as "Y%"')
    mean, sd = row.decimal("mean") or Decimal(0), row.decimal("sd") or Decimal(0)
    return Pattern(measure, mean, sd)


def _mine(row: Row) -> Mine:
    country = row.matching("country", _COUNTRY, "a country by ISO 3166-1, such as MY")
    return Mine(row.text("name"), country)


def _document(row: Row) -> Document:
    return Document(row.digest("sha256"), row.text("title"))


def _fatalities(row: Row) -> Fatalities:
    since, until = row.days("from", "to", need=True)
    return Fatalities(since, until, row.whole("number") or 0)


def _conflict_area(row: Row) -> ConflictArea:
    statement = row.choice("statement", STATEMENTS)
    areas = row.texts("areas")
    if not all(_AREA.match(area) for area in areas):
        row.fault("areas", "has an area that is not given by ISO 3166, such as MM or MM-11")
    if areas and statement == "none":
        row.fault("areas", "names areas although the statement is none")
    return ConflictArea(statement, row.day("on"), areas)


def _annex_ii(row: Row) -> AnnexII:
    return AnnexII(row.day("on"), row.digest("document", need=False))


_LISTS: dict[str, Callable[[Row], Any]] = {
    "parties": _party,
    "licences": _licence,
    "capacity": _capacity,
    "months": _month,
    "stocks": _stock,
    "residues": _residue,
    "headcount": _headcount,
    "shipments": _shipment,
    "deposit": _pattern,
    "mines": _mine,
    "documents": _document,
}
_OBJECTS: dict[str, Callable[[Row], Any]] = {
    "fatalities": _fatalities,
    "conflict_area": _conflict_area,
    "annex_ii": _annex_ii,
}


# -- the whole ------------------------------------------------------------------------------------


def _once(faults: Faults, said: Operations) -> None:
    """Names rows that stand there twice: which of them should hold cannot be known."""

    def check(
        where: str, found: Iterable[T] | None, key: Callable[[T], tuple[Hashable, ...]]
    ) -> None:
        seen: set[tuple[Hashable, ...]] = set()
        for n, each in enumerate(found or (), 1):
            name = " ".join(str(part) for part in key(each) if part)
            if name and key(each) in seen:
                faults.fault(f"{where}[{n}]", f"repeats {name}")
            seen.add(key(each))

    check("licences", said.licences, lambda one: (one.number, one.issuer))
    check("capacity", said.capacity, lambda one: (one.process,))
    check("months", said.months, lambda one: (one.month, one.process))
    check("stocks", said.stocks, lambda one: (one.material, one.on))
    check("residues", said.residues, lambda one: (one.kind, one.heap, one.on))
    check("headcount", said.headcount, lambda one: (one.employer, one.group))
    check("shipments", said.shipments, lambda one: (one.lot,))
    check("deposit", said.deposit, lambda one: (one.measure,))
    check("documents", said.documents, lambda one: (one.sha256,))


def _sources(faults: Faults, doc: Mapping[str, Any], known: set[str]) -> None:
    """A row that names its source document names one that is listed."""
    for key in (*_LISTS, *_OBJECTS):
        value = doc.get(key)
        listed = value if isinstance(value, list) else [value]
        for n, row in enumerate(listed, 1):
            named = row.get("document") if isinstance(row, Mapping) else None
            if named is None or (isinstance(named, str) and named in known):
                continue
            where = f"{key}[{n}]" if isinstance(value, list) else key
            faults.fault(f"{where}.document", "is not the SHA-256 of one of the documents listed")
