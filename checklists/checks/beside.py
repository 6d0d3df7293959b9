"""A part held against the library that it belongs to: what it names there, and its translations."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from checklists.checks.finding import AMISS, Finding, Lines
from checklists.compose import Part
from checklists.model import Condition, Item, ObservedItem
from checklists.translations import Translation, lay_over
from checklists.yaml_lines import nearest, shown
from sync.problems import Problem


def unknown_names(
    part: Part,
    items: Mapping[str, Item],
    observed: Mapping[str, ObservedItem],
    lines: Lines,
) -> Iterator[Finding]:
    """Subjects of conditions that no part has; `items` and `observed` are those of all parts."""
    signs = [f"{one.what}/{name}" for one in observed.values() for name in one.instances or {}]
    for section in part.content[0]:
        for item in section.items:
            for subject, known in _subjects(item.condition, list(items), signs):
                what = subject.partition("/")[0]
                if subject in known or (what in observed and observed[what].instances is None):
                    continue
                meant = nearest(subject, known)
                yield Finding(
                    lines.item(item.id, "when"),
                    AMISS,
                    "unknown-name",
                    item.id,
                    f"The condition of {item.id} names {shown(subject)}, which no part has.",
                    f'Write "{meant}"?' if meant else "Name what a part has, or add it.",
                )


def stale_translations(
    part: Part, translations: Sequence[Translation], lines: Lines
) -> Iterator[Finding]:
    """Translations that no longer fit the part: a checklist of the two is refused."""
    for one in translations:
        if one.part != part.id:
            continue
        try:
            lay_over(part, one)
        except Problem as exc:
            faults = exc.detail["faults"]
            first = faults[0]
            yield Finding(
                lines.top("id"),
                AMISS,
                "stale-translation",
                one.language,
                f"{one.language}: the translation no longer fits the part (places: {len(faults)}). "
                f"The first: {first['file']}:{first['line']}: {first['message']}",
                "Take the change back, or look at those places again.",
            )


def _subjects(
    condition: Condition | None, items: list[str], signs: list[str]
) -> Iterator[tuple[str, list[str]]]:
    if condition is None:
        return
    if condition.op in ("answer", "observed"):
        yield condition.subject, items if condition.op == "answer" else signs
    for part in condition.args:
        yield from _subjects(part, items, signs)
