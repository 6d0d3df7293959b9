"""What is amiss with the words: missing translations, uncountable levels, doubled questions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from checklists.checks.finding import AMISS, NOTE, Finding, Lines, counted
from checklists.model import Checklist, Item, Text

# English words that let one decide by counting, beside figures.
COUNTABLE = re.compile(
    r"\d|\b(one|two|three|four|five|six|all|both|none|no|every|each|nobody|never|under|over|fewer|"
    r"less|more|half)\b",
    re.IGNORECASE,
)
_SHOWN = 8


def texts(checklist: Checklist) -> Iterator[tuple[tuple[str, ...], Text]]:
    """Every text of the checklist by where it stands, as translations name the places."""
    yield ("title",), checklist.title
    for section in checklist.sections:
        yield (section.id, "title"), section.title
        for item in section.items:
            yield from _item_texts(item)
    for seen in checklist.observed:
        yield (seen.what, "label"), seen.label
        for name, label in (seen.instances or {}).items():
            yield (seen.what, "instances", name), label


def _item_texts(item: Item) -> Iterator[tuple[tuple[str, ...], Text]]:
    yield (item.id, "question"), item.question
    for field, text in (("look-at", item.look_at), ("mistakes", item.mistakes)):
        if text is not None:
            yield (item.id, field), text
    for level, text in item.levels.items():
        yield (item.id, "levels", level), text
    for piece in item.pieces:
        if piece.hint is not None:
            yield (item.id, "evidence", piece.kind, "hint"), piece.hint
    for analyte in item.analytes:
        yield (item.id, "analytes", analyte.id, "label"), analyte.label
    if item.instances is not None:
        yield (item.id, "instances", "label"), item.instances.label


def missing_translations(checklist: Checklist, lines: Lines) -> Iterator[Finding]:
    """Each language with the number of texts that fall back to English, and where they stand."""
    every = list(texts(checklist))
    for code in checklist.languages:
        missing = [path for path, text in every if not text.by_language.get(code)]
        if not missing:
            continue
        about = Counter(path[0] for path in missing)
        told = counted(dict(list(about.items())[:_SHOWN]))
        if len(about) > _SHOWN:
            told += f" and {len(about) - _SHOWN} more"
        yield Finding(
            lines.top("languages"),
            NOTE,
            "missing-translation",
            code,
            f"{code}: {len(missing)} of {len(every)} texts are missing and fall back to English: "
            f"{told}.",
            "Translate them, or leave the language out.",
            tuple("/".join(path) for path in missing),
        )


def drafts(checklist: Checklist, lines: Lines) -> Iterator[Finding]:
    """The languages that no native speaker has reviewed."""
    for code in checklist.drafts:
        yield Finding(
            lines.top("drafts"),
            NOTE,
            "draft-language",
            code,
            f"{code}: no native speaker has reviewed it; every page says so.",
            "Have it reviewed, then take it out of drafts.",
        )


def questions(checklist: Checklist, lines: Lines) -> Iterator[Finding]:
    """Questions that stand twice, in any of the languages, and ones that are none."""
    for code in checklist.languages:
        first: dict[str, str] = {}
        for _, item in checklist.items():
            text = item.question.by_language.get(code, "")
            bare = " ".join(re.findall(r"\w+", text.casefold()))
            if not bare:
                continue
            if bare in first:
                yield Finding(
                    lines.item(item.id, "question"),
                    AMISS,
                    "duplicate",
                    item.id,
                    f"{item.id} asks the same as {first[bare]} ({code}).",
                    "Delete one of the two, or say in the question how they differ.",
                )
            first.setdefault(bare, item.id)
    for _, item in checklist.items():
        if not str(item.question).rstrip().endswith("?"):
            yield Finding(
                lines.item(item.id, "question"),
                NOTE,
                "not-a-question",
                item.id,
                f"The question of {item.id} does not end with a question mark.",
                "Ask what the auditor is to decide.",
            )


def levels(item: Item, lines: Lines) -> Iterator[Finding]:
    """Levels in which nothing is seen that could be counted or measured."""
    for level, text in item.levels.items():
        if not COUNTABLE.search(str(text)):
            yield Finding(
                lines.item(item.id, "levels", level),
                NOTE,
                "not-countable",
                item.id,
                f"{item.id}: {level} names no number, and no word such as all, none or under.",
                "Say what is counted or measured, and how many or how much decides.",
            )


def guidance(item: Item, lines: Lines) -> Iterator[Finding]:
    """What an item does not tell the auditor."""
    lacks = [
        name
        for name, text in (("look-at", item.look_at), ("mistakes", item.mistakes))
        if text is None
    ]
    lacks += [f"the hint of {piece.kind}" for piece in item.pieces if piece.hint is None]
    if lacks:
        yield Finding(
            lines.item(item.id),
            NOTE,
            "guidance",
            item.id,
            f"{item.id} lacks {', '.join(lacks)}.",
            "Say what to look at, how it is proven, and what is often got wrong.",
        )
