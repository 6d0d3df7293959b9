"""What a person types as an answer -> what an entry holds: levels, special answers, readings.

Auditors type on their devices, officers where they settle a conflict; the words are the same.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from checklists.model import Analyte, Item, ObservedItem
from sync.inspection import LEVELS, SIGNS, is_decimal
from sync.nearest import nearest
from sync.problems import problem

LEVEL_NAMES = {
    "fully": "fully",
    "fm": "fully",
    "met": "fully",
    "substantially": "substantially",
    "sm": "substantially",
    "partially": "partially",
    "pm": "partially",
    "does-not-meet": "does-not-meet",
    "dnm": "does-not-meet",
    "not-met": "does-not-meet",
}
SPECIAL_NAMES = {
    "not-applicable": "not-applicable",
    "na": "not-applicable",
    "not-observed": "not-observed",
    "no": "not-observed",
    "refused": "refused",
    "ref": "refused",
}
_MET_OR_NOT = ("met", "not-met")

_READING = re.compile(
    r"(?P<analyte>[^=\s]+)=(?P<value>[-−]?[\d.,]+)"
    r"(?:\s*(?:±|\+/-|\+-)\s*(?P<u>-?[\d.,]+))?\s*(?P<unit>\S.*)?\Z"
)
_NUMBER = re.compile(r"(?P<value>\S+?)(?:\s*(?:±|\+/-|\+-)\s*(?P<u>\S+))?\Z")


def read_answer(item: Item, values: Sequence[str]) -> dict[str, object]:
    """One of {"level": …}, {"special": …}, {"readings": […]} for an item, from typed words.

    Raises `level-unknown` and `reading-malformed`, each with what would fit.
    """
    word = values[0].casefold() if len(values) == 1 else ""
    if word in SPECIAL_NAMES:
        return {"special": SPECIAL_NAMES[word]}
    if item.scale == "readings" or any("=" in value for value in values):
        readings = [_reading(item, text) for text in _split(item, values)]
        if len({r["analyte"] for r in readings}) < len(readings):
            raise _malformed(item, " ".join(values), "an analyte stands in it twice")
        return {"readings": readings}
    level = LEVEL_NAMES.get(word)
    if level in _allowed(item) and not (word in _MET_OR_NOT and item.scale != "met-or-not"):
        return {"level": level}
    given = " ".join(values)
    raise problem("level-unknown", level=given, item=item.id, nearest=", ".join(_words(item)))


def check_second(item: Item, special: object, reason: str, second: str, own: Iterable[str]) -> None:
    """Raise `answer-incomplete` where a "not applicable" lacks its reason or, for a critical item,
    a second person; `own` are the names of the one who answers.
    """
    if special != "not-applicable":
        return
    if not reason.strip():
        hint = 'Add --reason "…": why the question does not arise on this site.'
        raise problem("answer-incomplete", item=item.id, what="a reason", hint=hint)
    if item.severity != "critical":
        return
    if not second.strip() or second.strip().casefold() in {one.casefold() for one in own}:
        raise problem(
            "answer-incomplete",
            item=item.id,
            what="a second person besides you who agrees, as it is a critical item",
            hint="Add --second with that person's id.",
        )


def read_observation(known: ObservedItem, what: str, given: str) -> dict[str, str]:
    """The value of an observation, from typed words: a sign, or a number and what is uncertain
    about it, such as 24 or 12000±600.

    Raises `level-unknown` unless it is one that this observation can have.
    """
    if known.type != "number":
        if known.type == "sign" and given not in SIGNS:
            raise problem("level-unknown", level=given, item=what, nearest=", ".join(SIGNS))
        return {"value": given}
    match = _NUMBER.match(given)
    u = match["u"] if match is not None else None
    known_u = u is None or (is_decimal(u) and not u.startswith("-"))
    if match is None or not is_decimal(match["value"]) or not known_u:
        unit = f" in {known.unit}" if known.unit else ""
        hint = f"a number{unit}, such as 24 or 24±2"
        raise problem("level-unknown", level=given, item=what, nearest=hint)
    return {"value": match["value"]} | ({} if u is None else {"u": u})


def _allowed(item: Item) -> tuple[str, ...]:
    return ("fully", "does-not-meet") if item.scale == "met-or-not" else LEVELS


def _words(item: Item) -> list[str]:
    levels = _MET_OR_NOT if item.scale == "met-or-not" else LEVELS
    return [*levels, "not-observed", "refused", "not-applicable"]


def _split(item: Item, values: Sequence[str]) -> list[str]:
    """One text per reading: a word with = begins one, what follows belongs to it."""
    texts: list[str] = []
    for word in re.sub(r"\s*=\s*", "=", " ".join(values)).split():
        if "=" in word:
            texts.append(word)
        elif texts:
            texts[-1] += f" {word}"
        else:
            raise _malformed(item, " ".join(values), "it names no analyte before a = sign")
    return texts


def _reading(item: Item, text: str) -> dict[str, str]:
    if item.scale != "readings":
        raise _malformed(item, text, "this item is answered with a level")
    match = _READING.match(text)
    if match is None:
        raise _malformed(item, text, "it is not of the form analyte=value")
    analyte = _analyte(item, match["analyte"], text)
    value = match["value"].replace("−", "-")
    for number, what in ((value, "value"), (match["u"], "uncertainty")):
        if number is not None and not is_decimal(number):
            why = f"the {what} {number!r} is not a number with a decimal point"
            raise _malformed(item, text, why)
    reading = {"analyte": analyte.id, "value": value}
    if match["u"] is not None:
        if match["u"].startswith("-"):
            raise _malformed(item, text, "an uncertainty is not below zero")
        reading["u"] = match["u"]
    if match["unit"] is not None and _same(match["unit"]) != _same(analyte.unit):
        why = f"{analyte.id} is given in {analyte.unit}, not in {match['unit']}"
        raise _malformed(item, text, why)
    return reading | {"unit": analyte.unit}


def _analyte(item: Item, name: str, text: str) -> Analyte:
    known = {analyte.id.casefold(): analyte for analyte in item.analytes}
    if name.casefold() in known:
        return known[name.casefold()]
    near = nearest(name, [analyte.id for analyte in item.analytes])
    raise _malformed(item, text, f"{name!r} is not read for this item; nearest: {near}")


def _same(unit: str) -> str:
    """A unit as it is compared: the micro sign and the Greek letter are one, blanks none."""
    return unicodedata.normalize("NFKC", unit).replace(" ", "")


def _malformed(item: Item, text: str, why: str) -> Exception:
    if item.scale == "readings":
        analytes = ", ".join(f"{a.id} ({a.unit})" for a in item.analytes)
        hint = f"{item.id} takes: {analytes}."
    else:
        hint = f"{item.id} takes: {', '.join(_words(item))}."
    return problem("reading-malformed", reading=text, item=item.id, why=why, hint=hint)
