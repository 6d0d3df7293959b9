"""A draft checklist to begin from: composed of the parts that fit a site, or a short example.

Both are whole files that load; the example explains itself in comments.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from checklists.compose import Recipe, compose
from checklists.conditions import PROCESSES
from checklists.published import blank_bytes, part, part_names, translations
from checklists.yaml_lines import Keyed, Scalar, nearest
from sync.problems import problem

FIRST_VERSION = "0.1"
# Asked at every site, before and after the parts about its processes.
FIRST, LAST = ("general", "conflict"), ("observations",)


def parts_for(processes: Iterable[str]) -> tuple[str, ...]:
    """The parts of the library that a site with these processes needs; raises `noun-unknown`."""
    wanted = tuple(processes)
    for one in wanted:
        if one not in PROCESSES:
            raise _unknown("process", one, PROCESSES)
    by_process = {part(name).process: name for name in part_names()}
    return (*FIRST, *(by_process[one] for one in PROCESSES if one in wanted), *LAST)


def composed_draft(
    checklist_id: str,
    title: str,
    parts: Sequence[str],
    languages: Sequence[str] | None = None,
    version: str = FIRST_VERSION,
) -> bytes:
    """A checklist composed of parts of the library, its title in English only.

    `languages` are the translations to lay over, None for all there are. Sections ask by process
    where the parts are about several. Raises `noun-unknown`.
    """
    there = {one.language for one in translations()}
    for code in languages or ():
        if code != "en" and code not in there:
            raise _unknown("translation of the library", code, sorted(there))
    for name in parts:
        if name not in part_names():
            raise _unknown("part of a checklist", name, part_names())
    several = len({part(name).process for name in parts} - {None}) > 1
    given = Keyed(0, ((Scalar(0, "en"), Scalar(0, title)),))
    recipe = Recipe(checklist_id, version, given, tuple(parts), None, several)
    wanted = [t for t in translations() if languages is None or t.language in languages]
    return _head(parts).encode() + compose(recipe, part, wanted)


def blank_draft(checklist_id: str, title: str, version: str = FIRST_VERSION) -> bytes:
    """The commented example under another id and title."""
    text = blank_bytes().decode()
    quoted = json.dumps(title, ensure_ascii=False)
    for old, new in (
        ("id: my-checklist\n", f"id: {checklist_id}\n"),
        ('version: "0.1"\n', f"version: {json.dumps(version)}\n"),
        (
            'title: {en: "My checklist"}\n',
            f"title: {{en: {quoted}}}\n",
        ),
    ):
        text = text.replace(old, new, 1)
    return text.encode()


def _head(parts: Sequence[str]) -> str:
    return (
        f"# A draft, composed of the parts {', '.join(parts)}.\n"
        "# Delete what is not asked, change what is, and give it a version of its own.\n"
        "# docs/checklist-format.md describes every field, docs/authoring.md how to go on.\n"
    )


def _unknown(noun: str, name: str, known: Sequence[str]) -> Exception:
    near = nearest(name, known) or ", ".join(known)
    return problem("noun-unknown", noun=noun, name=name, nearest=near)
