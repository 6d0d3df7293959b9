"""The words that a sheet has of its own, such as headings and severities: one file per language.

A word that a language lacks is given in English, and says so. The files are read as carefully as
checklists are: an unknown key, or something in braces that the English has not, is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from checklists.fields import Reader
from checklists.yaml_lines import nearest, shown

WORDS_FORMAT = "tapak-words/1"
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
_FOLDER, _SUFFIX = "words", ".yaml"

Said = dict[str, str]
Find = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The words of one language by key; `reviewed` where a native speaker has looked at them, and
    then who and when.
    """

    language: str
    reviewed: bool
    words: Mapping[str, str]
    reviewer: str = ""
    date: str = ""


class Words:
    """What a sheet says in one language; each saying is `{"words": …, "lang": …}`, and `lang` is
    another one, English, where the language lacks a word of it.
    """

    def __init__(self, language: str) -> None:
        self._language = language
        self._own = catalogue(language)

    @property
    def draft(self) -> bool:
        """Whether there are words in the language that no native speaker has reviewed."""
        return self._own is not None and not self._own.reviewed

    def say(self, key: str, **parts: object) -> Said:
        """The words of a key, with what its braces name put in."""
        return self.phrase(lambda find: find(key).format(**parts))

    def phrase(self, make: Callable[[Find], str]) -> Said:
        """What `make` makes of several words; all of it is English where one of them is missing."""
        own = self._own
        if own is not None:
            try:
                return {"words": make(own.words.__getitem__), "lang": self._language}
            except KeyError:
                pass
        return {"words": make(english_words().__getitem__), "lang": "en"}


def languages() -> list[str]:
    """The languages that have a file of words, sorted."""
    found = (file.name for file in (files("checklists") / _FOLDER).iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))


def english_words() -> Mapping[str, str]:
    """The English words by key: all that there are, and what other languages are made from."""
    english = catalogue("en")
    assert english is not None  # noqa: S101 - it is part of the program
    return english.words


@cache
def catalogue(language: str) -> Catalogue | None:
    """The words of a language, None where it has no file."""
    # Looked up among the files that are there, so that a code is never taken for a path.
    if language not in languages():
        return None
    name = f"{_FOLDER}/{language}{_SUFFIX}"
    data = (files("checklists") / name).read_bytes()
    return read_words(data, name, None if language == "en" else english_words())


def read_words(data: bytes, name: str, english: Mapping[str, str] | None = None) -> Catalogue:
    """A file of words read; raises `checklist-malformed` with every fault.

    Its keys, and what stands in braces, are held against the English words where they are given.
    """
    reader = Reader(data, name)
    top = reader.fields(
        reader.root,
        "The file of words",
        ("format", "language", "reviewed", "words"),
        ("reviewer", "date"),
    )
    reader.constant(top.get("format"), "format", WORDS_FORMAT)
    language = reader.shaped(
        top.get("language"), "language", _LANGUAGE, "Use a code such as ms or zh-Hant."
    )
    reviewed, reviewer, date = reader.reviewed(top)
    words: dict[str, str] = {}
    for key, value in reader.pairs(top.get("words"), "words"):
        text = words[key.text] = reader.word(value, key.text)
        if english is None:
            continue
        if key.text not in english:
            meant = nearest(key.text, list(english))
            reader.fault(
                key,
                f"The sheet has no word {shown(key.text)}.",
                f'Write "{meant}"?' if meant else "Delete it.",
            )
        elif (wanted := braces(english[key.text])) != braces(text):
            reader.fault(
                value,
                f"{key.text} does not have the same in braces as the English.",
                f"Keep each as it is: {', '.join(wanted)}." if wanted else "Write no braces.",
            )
    reader.faults.raise_if_any()
    return Catalogue(language, reviewed, words, reviewer, date)


def braces(text: str) -> list[str]:
    """What stands in braces in a word, sorted."""
    return sorted(_BRACES.findall(text))
