"""One item of a checklist read from its node, and the rules that its fields must keep together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal

from checklists.fields import Reader
from checklists.model import (
    PIECE_KINDS,
    PILLARS,
    SCALES,
    SEVERITIES,
    Analyte,
    Clause,
    Condition,
    Instances,
    Item,
    Piece,
    Text,
)
from checklists.yaml_lines import Node
from sync.inspection import LEVELS

ITEM_REQUIRED = ("id", "pillar", "severity", "scale", "question", "evidence")
ITEM_OPTIONAL = ("look-at", "mistakes", "levels", "analytes", "instances", "when", "clauses")
LIMIT_ID = re.compile(r"[a-z][a-z0-9-]{0,39}/[A-Za-z0-9][A-Za-z0-9.-]{0,31}\Z")
LIMIT_ID_REMEDY = "Write medium/analyte, such as surface-water/As."

_ITEM_ID = re.compile(r"(?=.{2,24}\Z)[A-Z][A-Z0-9]*(-[A-Z0-9]+)*\Z")
_PILLAR_ID = re.compile(r"[A-Z]+-([EGS])[0-9]+\Z")
_ANALYTE_ID = re.compile(r"[A-Za-z][A-Za-z0-9.-]{0,31}\Z")
_LEVELS_OF = {"levels": LEVELS, "met-or-not": (LEVELS[0], LEVELS[-1]), "readings": ()}
_MAX_WEIGHT = 100
_MAX_FILES = 50


def read_item(
    reader: Reader, node: Node, noun: str, got: Mapping[str, Node], condition: Condition | None
) -> Item | None:
    """The item whose fields are `got`; None where it has no usable id."""
    item_id = reader.shaped(
        got.get("id"), f"{noun}: id", _ITEM_ID, "Use capitals, digits and hyphens, such as ISL-E1."
    )
    pillar = reader.choice(got.get("pillar"), f"{noun}: pillar", PILLARS)
    severity = reader.choice(got.get("severity"), f"{noun}: severity", SEVERITIES)
    scale = reader.choice(got.get("scale"), f"{noun}: scale", SCALES)
    lettered = _PILLAR_ID.match(item_id)
    if lettered and pillar and lettered[1] != pillar[0].upper():
        reader.fault(
            got["pillar"],
            f"{noun}: the letter {lettered[1]} in its id does not stand for {pillar}.",
            "Use E for environment, S for social, G for governance.",
        )
    item = Item(
        item_id,
        pillar or PILLARS[0],
        severity or SEVERITIES[0],
        scale or SCALES[0],
        reader.text(got.get("question"), f"{noun}: question"),
        _optional_text(reader, got.get("look-at"), f"{noun}: look-at"),
        _optional_text(reader, got.get("mistakes"), f"{noun}: mistakes"),
        _levels(reader, node, noun, got.get("levels"), scale),
        _pieces(reader, noun, got.get("evidence")),
        _analytes(reader, node, noun, got.get("analytes"), scale),
        _instances(reader, noun, got.get("instances")),
        condition,
        _clauses(reader, noun, got.get("clauses")),
    )
    return item if item_id else None


def _optional_text(reader: Reader, node: Node | None, noun: str) -> Text | None:
    return None if node is None else reader.text(node, noun)


def _levels(
    reader: Reader, node: Node, noun: str, given: Node | None, scale: str | None
) -> dict[str, Text]:
    if scale is None:
        return {}
    wanted = _LEVELS_OF[scale]
    if not wanted:
        if given is not None:
            reader.fault(
                given,
                f"{noun} is judged by its readings and has no levels.",
                "Delete levels, or change the scale.",
            )
        return {}
    if given is None:
        reader.fault(
            node, f"{noun} lacks the field levels.", f"Describe each of: {', '.join(wanted)}."
        )
        return {}
    rows = reader.fields(given, f"{noun}: levels", wanted)
    levels = {level: reader.text(rows.get(level), f"{noun}: {level}") for level in wanted}
    seen: dict[str, str] = {}
    for level in wanted:
        text = levels[level].by_language["en"]
        if text and text in seen and level in rows:
            reader.fault(
                rows[level],
                f"{noun}: {level} reads the same as {seen[text]}.",
                "Name the count or measure that tells the two apart.",
            )
        seen[text] = level
    return levels


def _pieces(reader: Reader, noun: str, given: Node | None) -> tuple[Piece, ...]:
    pieces: dict[str, Piece] = {}
    for row in reader.rows(given, f"{noun}: evidence"):
        got = reader.fields(
            row, f"{noun}: a piece of evidence", ("kind", "weight"), ("at-least", "hint")
        )
        kind = reader.choice(got.get("kind"), f"{noun}: the kind of evidence", PIECE_KINDS)
        weight = reader.whole(got.get("weight"), f"{noun}: weight", 1, _MAX_WEIGHT)
        at_least = reader.whole(got.get("at-least"), f"{noun}: at-least", 1, _MAX_FILES)
        hint = _optional_text(reader, got.get("hint"), f"{noun}: hint")
        if kind in pieces:
            # A file counts for every piece of its kind: a second one would come for nothing.
            reader.fault(
                row, f"{noun} asks for evidence of kind {kind} twice.", "Join them: raise at-least."
            )
        elif kind is not None:
            pieces[kind] = Piece(kind, weight, at_least, hint)
    return tuple(pieces.values())


def _instances(reader: Reader, noun: str, given: Node | None) -> Instances | None:
    if given is None:
        return None
    got = reader.fields(given, f"{noun}: instances", ("label",), ("at-least",))
    return Instances(
        reader.text(got.get("label"), f"{noun}: the label of its instances"),
        reader.whole(got.get("at-least"), f"{noun}: at-least", 1, _MAX_FILES),
    )


def _clauses(reader: Reader, noun: str, given: Node | None) -> tuple[Clause, ...]:
    clauses: list[Clause] = []
    for row in reader.rows(given, f"{noun}: clauses"):
        got = reader.fields(row, f"{noun}: a clause", ("ref", "verified"), ("source",))
        ref = reader.word(got.get("ref"), f"{noun}: ref")
        verified = reader.truth(got.get("verified"), f"{noun}: verified")
        source = reader.word(got.get("source"), f"{noun}: source")
        if verified and "source" not in got:
            reader.fault(
                row,
                f"{noun}: the clause {ref} is called verified without a source.",
                "Add source: …, or write verified: false.",
            )
        clauses.append(Clause(ref, verified, source))
    return tuple(clauses)


# -- readings -------------------------------------------------------------------------------------


def _analytes(
    reader: Reader, node: Node, noun: str, given: Node | None, scale: str | None
) -> tuple[Analyte, ...]:
    if scale == "readings" and given is None:
        reader.fault(node, f"{noun} is judged by readings and names no analytes.", "Add analytes.")
    if scale in ("levels", "met-or-not") and given is not None:
        reader.fault(
            given,
            f"{noun} has analytes, but its scale is {scale}.",
            "Write scale: readings, or delete analytes.",
        )
    found: dict[str, Analyte] = {}
    for row in reader.rows(given, f"{noun}: analytes"):
        analyte = _analyte(reader, row, noun)
        if analyte.id and analyte.id.casefold() in found:
            reader.fault(
                row, f"{noun} has the analyte {analyte.id} twice.", "Rename one of the two."
            )
        found[analyte.id.casefold()] = analyte
    return tuple(found.values())


def _analyte(reader: Reader, row: Node, noun: str) -> Analyte:
    got = reader.fields(
        row,
        f"{noun}: an analyte",
        ("id", "label", "unit"),
        ("limit-from", "upper", "lower", "exact"),
    )
    analyte_id = reader.shaped(
        got.get("id"),
        f"{noun}: the analyte's id",
        _ANALYTE_ID,
        "Use letters, digits, dots and hyphens, such as NH4-N.",
    )
    noun = f"{noun}: the analyte {analyte_id}"
    own = [name for name in ("upper", "lower") if name in got]
    if "limit-from" in got and own:
        reader.fault(
            got[own[0]],
            f"{noun} has a limit of its own and one from the table.",
            f"Delete limit-from or {' and '.join(own)}.",
        )
    elif got and "limit-from" not in got and not own:
        reader.fault(
            row,
            f"{noun} says nothing about its limit.",
            "Add limit-from: medium/analyte for a legal limit, or upper or lower for a tolerance.",
        )
    limit_from = reader.shaped(
        got.get("limit-from"), f"{noun}: limit-from", LIMIT_ID, LIMIT_ID_REMEDY
    )
    upper, lower = read_bounds(reader, got, noun)
    return Analyte(
        analyte_id,
        reader.text(got.get("label"), f"{noun}: label"),
        reader.word(got.get("unit"), f"{noun}: unit"),
        limit_from or None,
        upper,
        lower,
        reader.truth(got.get("exact"), f"{noun}: exact"),
    )


def read_bounds(
    reader: Reader, got: Mapping[str, Node], noun: str
) -> tuple[Decimal | None, Decimal | None]:
    """The fields `upper` and `lower`; the upper one may not lie under the lower one."""
    upper = reader.decimal(got.get("upper"), f"{noun}: upper")
    lower = reader.decimal(got.get("lower"), f"{noun}: lower")
    if upper is not None and lower is not None and upper < lower:
        reader.fault(got["upper"], f"{noun}: upper is under lower.", "Swap the two.")
    return upper, lower
