"""Weights that make a section, a pillar or a piece of evidence meaningless; limits without use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from checklists.checks.finding import AMISS, NOTE, Finding, Lines
from checklists.model import PILLARS, Analyte, Checklist, Item, Limits, Piece, Profile, Section
from checklists.yaml_lines import Keyed, Node

# More than this many files of a kind, and a piece is one that hardly anybody brings together.
MANY_FILES = 20
_READ_FROM = frozenset(("sample", "document", "photo"))  # where a value can be read


def section_weights(section: Section, lines: Lines) -> Iterator[Finding]:
    """A section that one item decides: more than three quarters of its weight, or all of it."""
    total = sum(item.weight for item in section.items)
    for item in section.items:
        if len(section.items) > 1 and 4 * item.weight > 3 * total:
            yield Finding(
                lines.item(item.id, "severity"),
                AMISS,
                "section-weight",
                item.id,
                f"In the section {section.id}, {item.id} alone has {item.weight} of the weight "
                f"{total}: it decides the section whatever the others say.",
                "Move it to a section with others of its severity, or ask what it asks in several.",
            )
    if len(section.items) == 1:
        yield Finding(
            lines.section(section.id),
            NOTE,
            "section-weight",
            section.id,
            f"The section {section.id} has one item, which is all of its score.",
            "Join it with a neighbour, unless it stands for itself.",
        )


def pillars_without_items(checklist: Checklist, lines: Lines) -> Iterator[Finding]:
    """Pillars that no item is of: the others then share their weight."""
    there = {item.pillar for _, item in checklist.items()}
    for pillar in PILLARS:
        if pillar not in there:
            yield Finding(
                lines.top("sections"),
                NOTE,
                "pillar-empty",
                pillar,
                f"No item is of the pillar {pillar}: a facility's score is made of the others.",
                f"Add items of the pillar {pillar}, unless another checklist asks them.",
            )


def evidence(item: Item, lines: Lines) -> Iterator[Finding]:
    """Items that nobody can prove, and pieces whose weight never makes a difference."""
    kinds = {piece.kind for piece in item.pieces}
    if item.scale == "readings" and not kinds & _READ_FROM:
        yield Finding(
            lines.item(item.id, "evidence"),
            AMISS,
            "no-evidence",
            item.id,
            f"{item.id} is judged by readings, and nothing that could hold one is asked for "
            f"({', '.join(sorted(kinds))}).",
            "Ask for a sample, a document or a photo of the instrument.",
        )
    for piece in item.pieces:
        line = lines.item(item.id, "evidence", piece.kind)
        if piece.at_least > MANY_FILES:
            yield Finding(
                line,
                AMISS,
                "no-evidence",
                item.id,
                f"{item.id} asks for at least {piece.at_least} files of kind {piece.kind}: "
                "below that the piece counts as missing, and hardly anybody brings them.",
                f"Ask for {MANY_FILES} or fewer; say what they have to show in the hint.",
            )
        if _never_matters(piece, [one for one in item.pieces if one is not piece]):
            yield Finding(
                line,
                AMISS,
                "evidence-weight",
                item.id,
                f"{item.id}: the {piece.kind} weighs {piece.weight} of "
                f"{sum(one.weight for one in item.pieces)}: with or without it the evidence "
                "allows the same levels.",
                "Give it more weight, or leave it out.",
            )


def _never_matters(piece: Piece, others: Sequence[Piece]) -> bool:
    """Whether the allowance of rule 3 is the same with the piece and without, whatever else."""
    if not others:
        return False
    total = piece.weight + sum(one.weight for one in others)
    for there in product((0, 1), repeat=len(others)):
        rest = sum(one.weight * q for one, q in zip(others, there, strict=True))
        if _quarters(rest, total) != _quarters(rest + piece.weight, total):
            return False
    return True


def _quarters(reached: int, wanted: int) -> int:
    return min(3, 4 * reached // wanted)


# -- limits and profiles --------------------------------------------------------------------------


def gaps(checklist: Checklist, tables: Iterable[Limits], lines: Lines) -> Iterator[Finding]:
    """What a jurisdiction has no limit for, and sections in which nothing would count there."""
    for table in tables:
        for section in checklist.sections:
            empty = [item for item in section.items if _not_judged(item, table)]
            if empty and len(empty) == len(section.items):
                yield Finding(
                    lines.section(section.id),
                    AMISS,
                    "section-weight",
                    section.id,
                    f"With the limits of {table.jurisdiction} no item of the section {section.id} "
                    "can count: its weight is zero.",
                    "Add the rows to the table, or give the section an item that needs none.",
                )
            for item in section.items:
                yield from _item_gaps(item, table, lines)


def _not_judged(item: Item, table: Limits) -> bool:
    return bool(item.analytes) and all(
        a.limit_from is not None and a.limit_from not in table.limits for a in item.analytes
    )


def _item_gaps(item: Item, table: Limits, lines: Lines) -> Iterator[Finding]:
    for analyte in item.analytes:
        if analyte.limit_from is None:
            continue
        line = lines.item(item.id, "analytes", analyte.id)
        row = table.limits.get(analyte.limit_from)
        if row is None:
            yield Finding(
                line,
                NOTE,
                "limit-gap",
                item.id,
                f"{item.id}: the limits of {table.jurisdiction} have no row {analyte.limit_from}, "
                f"so {analyte.id} is not judged there.",
                "Nothing to do where the law sets no limit; else add the row, with its source.",
            )
        elif row.unit != analyte.unit:
            yield Finding(
                line,
                AMISS,
                "limit-unit",
                item.id,
                f"{item.id}: {analyte.id} is read in {analyte.unit}, and the limits of "
                f"{table.jurisdiction} give {analyte.limit_from} in {row.unit}.",
                "Use one unit in both.",
            )


def unused_limits(table: Limits, items: Iterable[Item], lines: Lines) -> Iterator[Finding]:
    """Rows that no analyte of these items asks for, and rows in another unit than asked."""
    asked: dict[str, Analyte] = {}
    for item in items:
        asked |= {a.limit_from: a for a in item.analytes if a.limit_from is not None}
    for row in table.limits.values():
        analyte = asked.get(row.id)
        line = lines.top("limits", row.id)
        if analyte is None:
            yield Finding(
                line,
                AMISS,
                "unused-limit",
                row.id,
                f"No analyte asks for the limit {row.id}.",
                "Check its name against the analytes' limit-from, or delete the row.",
            )
        elif analyte.unit != row.unit:
            yield Finding(
                line,
                AMISS,
                "limit-unit",
                row.id,
                f"The limit {row.id} is in {row.unit}, and {analyte.id} is read in {analyte.unit}.",
                "Use one unit in both.",
            )


def verified_unsaid(root: Node, table: Limits, lines: Lines) -> Iterator[Finding]:
    """A real table that does not say whether it was verified, and so counts as one that was not."""
    if not table.fictional and isinstance(root, Keyed) and root.get("verified") is None:
        yield Finding(
            lines.top("fictional"),
            NOTE,
            "verified-unsaid",
            table.jurisdiction,
            "The table does not say whether its rows were held against the law; it counts as not "
            "verified.",
            "Write verified: true or verified: false.",
        )


def pillar_weights(profile: Profile, lines: Lines) -> Iterator[Finding]:
    """Pillars that a profile gives no weight."""
    weights: Mapping[str, int] = profile.pillar_weights
    for pillar, weight in weights.items():
        if weight == 0:
            yield Finding(
                lines.top("pillars", pillar),
                AMISS,
                "pillar-weight",
                pillar,
                f"The pillar {pillar} has the weight 0: none of its items counts for a facility.",
                "Give it a weight.",
            )
