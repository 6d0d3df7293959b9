"""Languages as headings name them (`label::Bahasa Melayu (ms)`) and as checklists do (`ms`)."""

from __future__ import annotations

import re

# The name that is written first; others are understood.
NAMES = {
    "en": ("English",),
    "ms": ("Bahasa Melayu", "Malay", "Melayu"),
    "id": ("Bahasa Indonesia", "Indonesian", "Indonesia"),
    "my": ("Burmese", "Myanmar"),
    "th": ("Thai",),
    "vi": ("Vietnamese", "Tiếng Việt"),
    "lo": ("Lao",),
    "km": ("Khmer",),
    "fil": ("Filipino", "Tagalog"),
    "ta": ("Tamil",),
    "zh": ("Chinese", "中文"),
    "fr": ("French", "Français", "Francais"),
    "es": ("Spanish", "Español", "Espanol"),
    "pt": ("Portuguese", "Português"),
    "de": ("German", "Deutsch"),
    "ru": ("Russian",),
    "ar": ("Arabic",),
    "hi": ("Hindi",),
    "sw": ("Swahili", "Kiswahili"),
}
_BY_NAME = {name.casefold(): code for code, names in NAMES.items() for name in names}
_CODED = re.compile(r".*\(\s*([A-Za-z]{2,3})(-[A-Za-z0-9]{2,8})?\s*\)\Z", re.DOTALL)
_BARE = re.compile(r"([A-Za-z]{2,3})(-[A-Za-z0-9]{2,8})?\Z")


def heading(code: str) -> str:
    """The language as it is written into a heading: name and code."""
    return f"{NAMES.get(code, (code,))[0]} ({code})"


def code_of(text: str) -> str | None:
    """The code of a language in a heading, by its code or by a name that is known; else None."""
    flat = text.strip()
    if flat.casefold() in _BY_NAME:
        return _BY_NAME[flat.casefold()]
    found = _CODED.match(flat) or _BARE.match(flat)
    return found[1].lower() + (found[2] or "") if found else None
