"""The form of a protected entry: a few named lines, an empty line, and what was said.

It is read from a prompt, from standard input or from a file, never from the command line, which
shells remember. No error repeats anything of what was given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from sync.problems import problem

MAX_CHARACTERS = 200_000
CONSENT = ("given", "not given")
# name in the form -> member, what it asks
FIELDS = {
    "role": "worker, resident, official …",
    "name": "only where it is needed",
    "consent": "given, or not given",
    "scope": "what may be used, how, and by whom",
    "interpreter": "who interpreted, if anybody",
    "language": "the language spoken",
    "place": "where, in words",
    "file": "a picture or recording to be sealed with it; one a line",
}
TEMPLATE = (
    "\n".join(f"{name.title()}: " for name in FIELDS)
    + "\n\nWhat was said, from here on, as many lines as it takes.\n"
)


@dataclass(frozen=True, slots=True)
class Form:
    """What is to be sealed. It is held in memory alone, and printed nowhere."""

    kind: str  # interview or note
    fields: dict[str, str] = field(repr=False)
    text: str = field(repr=False)
    files: tuple[Path, ...] = field(default=(), repr=False)

    def said(self) -> dict[str, str]:
        """The members of the document that say something."""
        named = {key: value for key, value in self.fields.items() if value}
        return {**named, "text": self.text}


def read_form(data: bytes, kind: str) -> Form:
    """A filled-in form; raises `interview-malformed`, which says nothing of what stands in it."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        raise problem("interview-malformed", why="it is not UTF-8 text") from exc
    lines = text.replace("\r\n", "\n").split("\n")
    fields: dict[str, str] = {}
    files: list[Path] = []
    at = 0
    while at < len(lines) and lines[at].strip():
        name, colon, value = lines[at].partition(":")
        name, value = name.strip().casefold(), value.strip()
        if not colon or name not in FIELDS:
            known = ", ".join(FIELDS)
            why = f"line {at + 1} does not begin with one of: {known}; an empty line ends them"
            raise problem("interview-malformed", why=why)
        if name == "file":
            files += [Path(value)] if value else []
        elif name in fields:
            raise problem("interview-malformed", why=f"{name} stands twice (line {at + 1})")
        else:
            fields[name] = value
        at += 1
    return checked(kind, fields, "\n".join(lines[at + 1 :]).strip(), files)


def ask_form(kind: str, ask: Callable[[str], str], lines: Callable[[], str]) -> Form:
    """The form, asked field by field; `lines` reads what was said. Raises `interview-malformed`."""
    fields: dict[str, str] = {}
    files: list[Path] = []
    for name, hint in FIELDS.items():
        if name == "file":
            while given := ask(f"File, or empty ({hint})").strip():
                files.append(Path(given))
        elif kind == "interview" or name not in ("interpreter", "language"):
            fields[name] = ask(f"{name.title()} ({hint})").strip()
    return checked(kind, fields, lines().strip(), files)


def checked(kind: str, fields: dict[str, str], text: str, files: list[Path]) -> Form:
    """The form if it is whole: consent is said, and there is something to seal."""
    consent = fields.get("consent", "").casefold().replace("-", " ")
    if consent not in CONSENT and (kind == "interview" or consent):
        why = "consent has to be: given, or: not given"
        raise problem("interview-malformed", why=why)
    if not text and not files:
        raise problem("interview-malformed", why="nothing was said and no file is named")
    if len(text) + sum(map(len, fields.values())) > MAX_CHARACTERS:
        why = f"it has more than {MAX_CHARACTERS} characters; attach the long text as a file"
        raise problem("interview-malformed", why=why)
    try:
        "".join((text, *fields.values())).encode("utf-8")
    except UnicodeEncodeError as exc:
        raise problem("interview-malformed", why="a character in it is no valid text") from exc
    return Form(kind, {**fields, "consent": consent}, text, tuple(files))
