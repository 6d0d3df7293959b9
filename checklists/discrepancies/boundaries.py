"""R05: the declared boundary in itself, against other licences, and against protected areas."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from checklists.discrepancies.case import Case, Finding, Flag, shown
from checklists.discrepancies.declaration import GivenShape
from checklists.discrepancies.ground import Outline
from checklists.discrepancies.reread import shape_area
from checklists.discrepancies.rule import Rule, declared_as, metres, on_file, tenth
from sync.overlap import shared, shrunk, sketch
from sync.place import system_name
from sync.polygon import Area, area_m2
from sync.problems import Problem
from sync.rings import Shape


@dataclass(frozen=True, slots=True)
class Limits:
    """Percent of overlap and of disagreement, and hectares of a protected area, before a flag."""

    overlap_pct: Decimal
    unclear_pct: Decimal
    protected_ha: Decimal


@dataclass(frozen=True, slots=True)
class Common:
    """What two boundaries share (`part`), in hectares and in percent of the smaller; `sure_…` is
    what they share however the accuracies fall, None where one of them is not known.
    """

    part: Shape | None
    ha: Decimal
    pct: Decimal
    sure_ha: Decimal | None
    sure_pct: Decimal | None
    doubt_m: Decimal | None


def hectares(shape: Shape | None) -> Decimal:
    """A geodesic area in hectares, to the hundredth, so that device and server agree."""
    return Decimal(f"{0.0 if shape is None else area_m2(shape) / 10_000:.2f}")


def percent(part: Decimal, whole: Decimal) -> Decimal:
    """A share in percent, to the hundredth."""
    return Decimal(0) if whole == 0 else (100 * part / whole).quantize(Decimal("0.01"))


def _boundary(case: Case) -> tuple[Finding, ...]:
    if case.declaration is None:
        return (R05.needs(on_file(case)),)
    given = case.declaration.boundary
    if given is None:
        return (R05.needs("a declared boundary of the concession"),)
    try:
        own = shape_area(given)
    except Problem as exc:
        if exc.code == "polygon-malformed" and not exc.detail.get("unplaced"):
            return (_refused(case, given, exc),)
        need = f"a declared boundary that can be placed on the map. {exc.happened}"
        return (R05.needs(need),)
    found: list[Finding] = [*_repaired(case, given, own)]
    lacking: list[str] = []
    if case.neighbours is None:
        lacking.append("the boundaries of neighbouring licences")
    if case.protected_areas is None:
        lacking.append("the boundaries of protected areas")
    for kind, outlines in (("licence", case.neighbours), ("protected", case.protected_areas)):
        for outline in sorted(outlines or (), key=lambda o: (o.id, str(o))):
            found += _against(case, given, own, outline, kind)
    if lacking:
        found.append(R05.needs(" and ".join(lacking)))
    return tuple(found)


def _limits(case: Case) -> Limits:
    s = case.settings["R05"]
    return Limits(*(Decimal(s[k]) for k in ("overlap_pct", "unclear_pct", "protected_ha")))


# -- in itself ------------------------------------------------------------------------------------


def _refused(case: Case, given: GivenShape, exc: Problem) -> Flag:
    text = f"{_declared(case, given)} No area can be made of it. {exc.happened}"
    inputs = {**_inputs(case, given), "fault": exc.happened}
    threshold = "rings that enclose an area"
    return R05.flag(case, "polygon", "major", text, inputs, threshold, "not a measured quantity")


def _repaired(case: Case, given: GivenShape, own: Area) -> tuple[Flag, ...]:
    if not own.repaired:
        return ()
    limit = _limits(case).unclear_pct
    unclear = Decimal(f"{100 * own.unclear:.2f}")
    severity = "major" if unclear > limit else "query"
    text = (
        f"{_declared(case, given)} It is not a valid polygon: {'; '.join(own.notes)}. What the "
        f"given points enclose is unclear on {unclear} % of its {hectares(own.shape)} ha."
    )
    if severity == "query":
        text += f" That is no more than {limit} %, so it is a question."
    inputs = {
        **_inputs(case, given),
        "notes": list(own.notes),
        "unclear_pct": str(unclear),
        "area_ha": str(hectares(own.shape)),
    }
    threshold = f"a valid polygon; asked up to {limit} % of its area unclear"
    margin = f"{unclear} % unclear"
    return (R05.flag(case, "polygon", severity, text, inputs, threshold, margin),)


# -- against others -------------------------------------------------------------------------------


def _against(
    case: Case, given: GivenShape, own: Area, outline: Outline, kind: str
) -> tuple[Finding, ...]:
    key = f"{kind}:{outline.id}"
    name = shown(outline.name)
    try:
        other = shape_area(outline.boundary)
        common = _common(own, other, outline)
    except Problem as exc:
        need = f"a boundary of {name} that can be compared. {exc.happened}"
        return (R05.needs(need),)
    limits = _limits(case)
    if not _over(common.pct, common.ha, kind, limits):
        return ()
    sure = (
        common.sure_ha is not None
        and common.sure_pct is not None
        and _over(common.sure_pct, common.sure_ha, kind, limits)
    )
    clear = all(Decimal(f"{100 * a.unclear:.2f}") <= limits.unclear_pct for a in (own, other))
    charged = "critical" if kind == "protected" else "major"
    severity = charged if sure and clear else "query"
    what = "the protected area" if kind == "protected" else "the licence"
    doubt = "unknown" if common.doubt_m is None else f"±{metres(common.doubt_m)}"
    text = (
        f"{_declared(case, given)} It shares {common.ha} ha with {what} {name} "
        f"({shown(outline.source)}), {common.pct} % of the smaller of the two. How far the two "
        f"boundaries may be off together: {doubt}."
    )
    if severity == "query":
        text += (
            " That is not known, so this is a question."
            if common.doubt_m is None
            else " The doubt about them may explain it, so it is a question."
        )
    inputs = {
        **_inputs(case, given),
        "operation": own.operation,
        "other": {
            "id": outline.id,
            "name": outline.name,
            "source": outline.source,
            "kind": kind,
            "crs": outline.boundary.crs,
            "axes": outline.boundary.axes,
            "operation": other.operation,
            "edge_accuracy_m": outline.accuracy_m or "unknown",
        },
        "notes": [*own.notes, *other.notes],
        "area_ha": str(hectares(own.shape)),
        "other_area_ha": str(hectares(other.shape)),
        "shared_ha": str(common.ha),
        "shared_outline": "" if common.part is None else sketch(common.part),
        "shared_pct": str(common.pct),
        "surely_shared_ha": "unknown" if common.sure_ha is None else str(common.sure_ha),
        "accuracy_together_m": "unknown" if common.doubt_m is None else str(common.doubt_m),
    }
    threshold = (
        f"more than {limits.protected_ha} ha of a protected area, whatever the accuracies"
        if kind == "protected"
        else f"more than {limits.overlap_pct} % shared with a licence, whatever the accuracies"
    )
    margin = (
        "cannot be said, as the accuracy of a boundary is unknown"
        if common.sure_ha is None
        else f"{common.sure_ha} ha ({common.sure_pct} %) shared after all accuracies"
    )
    return (R05.flag(case, key, severity, text, inputs, threshold, margin),)


def _over(pct: Decimal, ha: Decimal, kind: str, limits: Limits) -> bool:
    return ha > limits.protected_ha if kind == "protected" else pct > limits.overlap_pct


def _common(own: Area, other: Area, outline: Outline) -> Common:
    """Raises what `shared` raises."""
    part = shared(own.shape, other.shape)
    ha = hectares(part)
    smaller = min(hectares(own.shape), hectares(other.shape))
    pct = percent(ha, smaller)
    off = (own.accuracy_m, other.accuracy_m, outline.accuracy_m)
    known = [tenth(accuracy) for accuracy in off if accuracy is not None]
    if len(known) < len(off):
        return Common(part, ha, pct, None, None, None)
    doubt = sum(known, Decimal(0))
    # However far either edge is off: what remains when one of them gives way by all of it.
    inner = shrunk(own.shape, float(doubt)) if part is not None else None
    sure = hectares(shared(inner, other.shape) if inner is not None else None)
    return Common(part, ha, pct, sure, percent(sure, smaller), doubt)


def _declared(case: Case, given: GivenShape) -> str:
    filed = case.declaration.filed if case.declaration else ""
    name = system_name(given.crs)
    named = f"{given.crs} ({name})" if name != given.crs else name
    return (
        f"Declared on {filed}: the boundary of the concession, in {named} ({shown(given.source)})."
    )


def _inputs(case: Case, given: GivenShape) -> Mapping[str, Any]:
    return {
        "declaration": declared_as(case),
        "boundary": {"crs": given.crs, "axes": given.axes, "source": given.source},
    }


R05 = Rule(
    "R05",
    "1",
    "operations",
    "The declared boundary is invalid or lies over other ground",
    "The rings of the declared boundary are no valid polygon, or it shares more than the limit "
    "with another licence or a protected area, whatever the accuracies of the boundaries.",
    (
        "an old boundary, of the concession or of the other, that was changed since",
        "a point left out or exchanged when the boundary was typed off a map",
        "a licence that was granted within another, or an agreement between the two",
    ),
    "The licence maps of both with their coordinate systems, or the register's own record of the "
    "boundary.",
    _boundary,
)
