"""A form that the export wrote, held against what the draft of it would export: what was not kept.

Nobody needs to know which cells the import reads: what it does not read comes back otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from checklists.model import Checklist
from checklists.xlsform.book import Cell, Messages, Place, Sheet, Table
from checklists.xlsform.columns import Key, Listing, Record, read_listing
from checklists.xlsform.export import to_xlsform
from checklists.yaml_lines import shown


def not_kept(
    checklist: Checklist, survey: Listing, choices: Listing | None, messages: Messages
) -> None:
    """A message for each cell of the export's own rows that the draft would not write again."""
    again = {table.name: _listing(table) for table in to_xlsform(checklist)}
    marked = [r for r in survey.records if r.text("tapak::is")]
    _compare(marked, again["survey"], ("name",), messages)
    if choices is not None:
        lists = {row.text("list_name") for row in again["choices"].records}
        kept = [r for r in choices.records if r.text("list_name") in lists]
        _compare(kept, again["choices"], ("list_name", "name"), messages)


def _listing(table: Table) -> Listing:
    rows: list[Mapping[int, Cell]] = [
        {n: Cell(column, Place(table.name, 1, n)) for n, column in enumerate(table.columns, 1)}
    ]
    for number, row in enumerate(table.rows, start=2):
        rows.append(
            {
                n: Cell(row[column].strip(), Place(table.name, number, n))
                for n, column in enumerate(table.columns, 1)
                if row.get(column)
            }
        )
    return read_listing(Sheet(table.name, tuple(rows)), None, Messages())


def _compare(
    given: Iterable[Record], again: Listing, by: tuple[str, ...], messages: Messages
) -> None:
    made = {tuple(r.text(field) for field in by): r for r in again.records}
    seen: set[tuple[str, ...]] = set()
    for record in given:
        key = tuple(record.text(field) for field in by)
        seen.add(key)
        other = made.get(key)
        if other is None:
            _tell(messages, record.place, "a row that the draft does not have", shown(key[-1]), "")
            continue
        for column in {**record.cells, **other.cells}:
            _cell(record, other, column, messages)
    for key, record in made.items():
        if key not in seen and key[-1]:
            what = shown(key[-1])
            place = Place(again.name, record.place.row)
            messages.add(
                place,
                "assumed",
                "a row that was taken out",
                f"The row {what} was taken out; the draft's form has it again.",
                "Change in the draft what it comes from.",
            )


def _cell(record: Record, other: Record, column: Key, messages: Messages) -> None:
    mine, theirs = record.cells.get(column), other.cells.get(column)
    before, after = mine.text if mine else "", theirs.text if theirs else ""
    if before == after.replace("\r\n", "\n"):
        return
    place = mine.place if mine else record.place
    name = "::".join(part for part in column if part)
    _tell(messages, place, "a cell that was changed", name, f" It reads {shown(after)} again.")


def _tell(messages: Messages, place: Place, reason: str, what: str, more: str) -> None:
    messages.add(
        place,
        "left-out",
        reason,
        f"The draft does not hold what stands here ({what}).{more}",
        "Change in the draft what it comes from.",
    )
