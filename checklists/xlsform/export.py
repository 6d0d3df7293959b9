"""A checklist -> the sheets survey, choices and settings of an XLSForm (docs/xlsform.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from checklists.conditions import PROCESSES
from checklists.model import Checklist, Condition, ObservedItem, Section, Text
from checklists.xlsform import names
from checklists.xlsform.book import Table
from checklists.xlsform.export_item import item_rows
from checklists.xlsform.languages import heading
from checklists.xlsform.relevant import relevant
from checklists.xlsform.rows import Row, Writer
from checklists.xlsform.wording import word
from sync.inspection import SIGNS, SPECIALS

FORMAT = "tapak-xlsform/1"
SIGN_LIST = "tapak_signs"
READINGS_LIST = "tapak_readings"


def to_xlsform(checklist: Checklist) -> list[Table]:
    """The sheets of the form; raises `xlsform-text` for a text that XLSForm cannot hold."""
    writer = Writer(checklist.languages)
    rows = list(_survey(writer, checklist))
    choices = list(_choices(writer, checklist))
    return [
        writer.table("survey", rows),
        writer.table("choices", choices),
        _settings(checklist),
    ]


# -- settings -------------------------------------------------------------------------------------


def _settings(checklist: Checklist) -> Table:
    row = {
        "form_title": str(checklist.title),
        "form_id": checklist.id,
        "version": checklist.version,
        "default_language": heading("en"),
        "tapak::format": FORMAT,
        "tapak::languages": " ".join(checklist.languages),
    }
    if checklist.drafts:
        row["tapak::drafts"] = " ".join(checklist.drafts)
    for code, text in checklist.title.by_language.items():
        if code != "en":
            row[f"tapak::title ({code})"] = text
    return Table("settings", tuple(row), (row,))


# -- choices --------------------------------------------------------------------------------------


def _choices(writer: Writer, checklist: Checklist) -> Iterator[Row]:
    def listed(name: str, choices: Mapping[str, Text]) -> Iterator[Row]:
        for choice, text in choices.items():
            yield {"list_name": name, "name": choice, **writer.texts("label", text)}

    specials = {special: word(special) for special in SPECIALS}
    for _, item in checklist.items():
        if item.levels:
            yield from listed(item.id, {**item.levels, **specials})
    if any(not item.levels for _, item in checklist.items()):
        yield from listed(READINGS_LIST, {names.READINGS: word("readings"), **specials})
    if any(seen.type == "sign" for seen in checklist.observed):
        yield from listed(SIGN_LIST, {sign: word(sign) for sign in SIGNS})
    if "process" in _asked(checklist):
        yield from listed(names.PROCESS, {process: word(process) for process in PROCESSES})


# -- survey ---------------------------------------------------------------------------------------


def _survey(writer: Writer, checklist: Checklist) -> Iterator[Row]:
    asked = _asked(checklist)
    if "process" in asked:
        yield {
            "type": f"select_multiple {names.PROCESS}",
            "name": names.PROCESS,
            **writer.texts("label", word("process")),
            "tapak::is": "process",
        }
    if "exposure" in asked:
        yield {
            "type": "decimal",
            "name": names.EXPOSURE,
            **writer.texts("label", word("exposure")),
            **writer.between("0", "100"),
            "tapak::is": "exposure",
        }
    for section in checklist.sections:
        yield from _section(writer, checklist, section)
    for seen in checklist.observed:
        yield from _observed(writer, seen, f"observed {seen.what}" in asked)


def _section(writer: Writer, checklist: Checklist, section: Section) -> Iterator[Row]:
    shared = _shared(section)
    yield {
        "type": "begin_group",
        "name": names.section_name(section.id),
        **writer.texts("label", section.title, f"the section {section.id}"),
        "relevant": relevant(shared, checklist),
        "tapak::is": "section",
        "tapak::id": section.id,
    }
    for item in section.items:
        own = _own(item.condition, shared)
        list_name = item.id if item.levels else READINGS_LIST
        yield from item_rows(writer, item, list_name, relevant(own, checklist))
    yield {"type": "end_group"}


def _shared(section: Section) -> Condition | None:
    """The condition that every item of the section has, alone or before one of its own."""
    if not section.items or section.items[0].condition is None:
        return None
    first = section.items[0].condition
    heads = [first, *(first.args[:1] if first.op == "all" else ())]
    for head in heads:
        if all(head in (item.condition, _head(item.condition)) for item in section.items):
            return head
    return None


def _head(condition: Condition | None) -> Condition | None:
    """The first of two conditions that both must hold, as a section and its item are joined."""
    both = condition is not None and condition.op == "all" and len(condition.args) == 2
    return condition.args[0] if condition is not None and both else None


def _own(condition: Condition | None, shared: Condition | None) -> Condition | None:
    if shared is None or condition is None:
        return condition
    return None if condition == shared else condition.args[1]


def _observed(writer: Writer, seen: ObservedItem, named_in_condition: bool) -> Iterator[Row]:
    group = names.observed_name(seen.what)
    noun = f"the observation {seen.what}"
    kind = f"select_one {SIGN_LIST}" if seen.type == "sign" else "decimal"
    yield {
        "type": "begin_group" if seen.instances else "begin_repeat",
        "name": group,
        **writer.texts("label", seen.label, noun),
        "tapak::is": "observation",
        "tapak::id": seen.what,
        "tapak::unit": seen.unit,
    }
    if seen.instances:
        for instance, name in names.instance_names(seen).items():
            yield {
                "type": kind,
                "name": name,
                **writer.texts("label", seen.instances[instance], noun),
                **writer.unit(seen.unit),
                "tapak::is": "observed",
                "tapak::id": instance,
            }
        yield {"type": "end_group"}
        return
    yield {
        "type": "text",
        "name": f"{group}_name",
        **writer.texts("label", word("which")),
        "required": "yes",
        "tapak::is": "name",
    }
    yield {
        "type": kind,
        "name": f"{group}_value",
        **writer.texts("label", seen.label, noun),
        **writer.unit(seen.unit),
        "tapak::is": "observed",
    }
    if named_in_condition:
        yield {
            "type": "calculate",
            "name": f"{group}_said",
            "calculation": f"concat(${{{group}_name}}, '=', ${{{group}_value}})",
            "tapak::is": "said",
        }
    yield {"type": "end_repeat"}


def _asked(checklist: Checklist) -> set[str]:
    """What the conditions look at besides answers: `process`, `exposure`, `observed WHAT`."""
    found: set[str] = set()

    def note(condition: Condition | None) -> None:
        if condition is None:
            return
        if condition.op == "observed":
            found.add(f"observed {condition.subject.partition('/')[0]}")
        found.add(condition.op)
        for part in condition.args:
            note(part)

    for _, item in checklist.items():
        note(item.condition)
    return found
