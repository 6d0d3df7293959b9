"""The rows of one item: its question, what goes with an answer, its readings and its evidence."""

from __future__ import annotations

from collections.abc import Iterator

from checklists.model import Analyte, Clause, Item, Piece
from checklists.xlsform import names
from checklists.xlsform.rows import Row, Writer
from checklists.xlsform.wording import same, word
from checklists.yaml_lines import Keyed, Listed, Node, Scalar
from checklists.yaml_writer import write_flow

QUESTION_OF = {
    "photo": "image",
    "document": "file",
    "sample": "file",
    "interview": "file",
    "track": "geotrace",
}
# Evidence is kept as it was taken. pyxform warns of a photograph without a bound, so it has one
# that no camera reaches.
_PHOTO = "max-pixels=100000"


def item_rows(writer: Writer, item: Item, list_name: str, condition: str) -> Iterator[Row]:
    """The rows of an item, within a group of its own, or a repeat where it has instances."""
    noun = f"the item {item.id}"
    repeated = item.instances is not None
    label = item.instances.label if item.instances else same(item.id)
    yield {
        "type": "begin_repeat" if repeated else "begin_group",
        "name": names.aside(item, "asked"),
        **writer.texts("label", label, noun),
        "relevant": condition,
        "appearance": "" if repeated else "field-list",
        "tapak::is": "asked",
        "tapak::at-least": str(item.instances.at_least) if item.instances else "",
    }
    if item.instances:
        hint = word("at-least", str(item.instances.at_least))
        yield {
            "type": "text",
            "name": names.aside(item, "name"),
            **writer.texts("label", label, noun),
            **writer.texts("hint", hint),
            "required": "yes",
            "tapak::is": "name",
        }
    yield {
        "type": f"select_one {list_name}",
        "name": item.id,
        **writer.texts("label", item.question, noun),
        **writer.texts("hint", item.look_at, noun),
        **writer.texts("guidance_hint", item.mistakes, noun),
        "tapak::is": "item",
        "tapak::pillar": item.pillar,
        "tapak::severity": item.severity,
        "tapak::scale": item.scale,
        "tapak::clauses": _clauses(item.clauses),
    }
    yield from _not_applicable(writer, item)
    for analyte in item.analytes:
        yield from _reading(writer, item, analyte)
    for piece in item.pieces:
        yield from _evidence(writer, item, piece)
    yield {"type": "end_repeat" if repeated else "end_group"}


def _not_applicable(writer: Writer, item: Item) -> Iterator[Row]:
    asked = ("reason", "second") if item.severity == "critical" else ("reason",)
    for what in asked:
        yield {
            "type": "text",
            "name": names.aside(item, what),
            **writer.texts("label", word(what)),
            "relevant": f"${{{item.id}}} = 'not-applicable'",
            "required": "yes",
            "tapak::is": what,
        }


def _reading(writer: Writer, item: Item, analyte: Analyte) -> Iterator[Row]:
    name = f"{item.id}.{analyte.id}"
    given = f"${{{item.id}}} = '{names.READINGS}'"
    yield {
        "type": "decimal",
        "name": name,
        **writer.texts("label", analyte.label, f"the item {item.id}"),
        **writer.unit(analyte.unit),
        "relevant": given,
        "tapak::is": "reading",
        "tapak::id": analyte.id,
        "tapak::unit": analyte.unit,
        "tapak::limit-from": analyte.limit_from or "",
        "tapak::upper": "" if analyte.upper is None else format(analyte.upper, "f"),
        "tapak::lower": "" if analyte.lower is None else format(analyte.lower, "f"),
        "tapak::exact": "true" if analyte.exact else "",
    }
    if not analyte.exact:
        yield {
            "type": "decimal",
            "name": f"{name}_u",
            **writer.texts("label", word("uncertainty")),
            **writer.unit(analyte.unit),
            **writer.between("0"),
            "relevant": given,
            "tapak::is": "uncertainty",
        }


def _evidence(writer: Writer, item: Item, piece: Piece) -> Iterator[Row]:
    for n in range(1, piece.at_least + 1):
        label = word(piece.kind, "")
        if piece.at_least > 1:
            numbered = {c: f"{t} {n}/{piece.at_least}" for c, t in label.by_language.items()}
            label = type(label)(numbered)
        row = {
            "type": QUESTION_OF[piece.kind],
            "name": names.aside(item, f"{piece.kind}_{n}"),
            **writer.texts("label", label),
            **writer.texts("hint", piece.hint, f"the item {item.id}"),
            "relevant": f"${{{item.id}}} != ''",
            "parameters": _PHOTO if piece.kind == "photo" else "",
            "tapak::is": "evidence",
            "tapak::kind": piece.kind,
        }
        if n == 1:
            row["tapak::weight"] = str(piece.weight)
            row["tapak::at-least"] = str(piece.at_least) if piece.at_least > 1 else ""
        yield row


def _clauses(clauses: tuple[Clause, ...]) -> str:
    """Clauses in the notation of a checklist file, on one line."""
    if not clauses:
        return ""
    rows: list[Node] = []
    for clause in clauses:
        fields = {"ref": clause.ref, "verified": "true" if clause.verified else "false"}
        if clause.source:
            fields["source"] = clause.source
        rows.append(Keyed(0, tuple((Scalar(0, k), Scalar(0, v)) for k, v in fields.items())))
    return write_flow(Listed(0, tuple(rows)))
