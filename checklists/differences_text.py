"""Differences between two versions as plain text: what is asked, then what it weighs and shows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checklists.differences import ADDED, CHANGED, REMOVED, Change, Differences, Part

_SIGN = {ADDED: "+", REMOVED: "-", CHANGED: "~"}
_TITLES = (
    ("sections", "Sections"),
    ("items", "Items"),
    ("observed", "Observations"),
    ("limits", "Limits"),
)
_INDENT = "      "


def summary(found: Differences) -> str:
    """The differences counted, as one sentence."""
    if not found.any:
        return "Nothing that is read differs."
    said = []
    for name, noun in (("items", "item"), ("observed", "observation"), ("limits", "limit")):
        parts: Sequence[Part] = getattr(found, name)
        for how in (ADDED, REMOVED, CHANGED):
            count = sum(1 for one in parts if one.how == how)
            if count:
                said.append(f"{count} {noun}{'' if count == 1 else 's'} {how}")
    again = sum(1 for one in found.items if one.asks_again)
    if again:
        said.append(f"answers to {again} of them to be looked at again")
    return f"{', '.join(said).capitalize()}." if said else "Only what stands at its head differs."


def lines(found: Differences) -> Iterator[str]:
    """The differences as lines of text."""
    for name, one in (("before", found.before), ("after", found.after)):
        yield f"{name:<6}  {one.name} {one.version}  {one.digest}"
    yield summary(found)
    for change in found.head:
        yield from change_lines(change, "  ")
    for name, title in _TITLES:
        parts: Sequence[Part] = getattr(found, name)
        if parts:
            yield ""
            yield title
        for part in parts:
            yield f"  {_SIGN[part.how]} {part.id}  {part.label}"
            if part.asks_again:
                yield f"{_INDENT}answers to it are to be looked at again"
            for change in part.changes:
                yield from change_lines(change, _INDENT)


def change_lines(change: Change, indent: str) -> Iterator[str]:
    """One change: on a line where it is short, else both texts under each other."""
    name = change.field if change.language in ("", "en") else f"{change.field} ({change.language})"
    before, after = (_said(one) for one in (change.before, change.after))
    if len(before) + len(after) < 60:
        yield f"{indent}{name}: {before} → {after}"
        return
    yield f"{indent}{name}:"
    yield f"{indent}  - {before}"
    yield f"{indent}  + {after}"


def _said(text: str | None) -> str:
    return "nothing" if text in (None, "") else str(text)
