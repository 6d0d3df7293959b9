"""The words in the column `type`: what each question is, and why it may have no counterpart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from checklists.yaml_lines import nearest

_BEGIN_END = re.compile(r"(begin|end)[ _](group|repeat|lgroup|looped group|loop)\b(.*)\Z")
_SELECT_ONE = re.compile(
    r"(?:add select one prompt using|select[ _]one(?: from)?|select1)\s+(\S+)"
    r"(\s+or[ _]other|\s+or specify other)?\Z",
    re.IGNORECASE,
)
_RECORDED = frozenset(
    (
        *("start", "end", "today", "deviceid", "imei", "username", "phonenumber", "simserial"),
        *("subscriberid", "email", "audit", "start-geopoint", "background-geopoint"),
        "background-audio",
    )
)
_OTHERS = ("select_one", "begin_group", "end_group", "begin_repeat", "end_repeat")
_NUMBERS = frozenset(("decimal", "integer", "int", "range"))
_FILES = {
    "image": "photo",
    "photo": "photo",
    "add image prompt": "photo",
    "add photo prompt": "photo",
    "file": "document",
    "add file prompt": "document",
    "geotrace": "track",
}
# By the first word: what has no counterpart in a checklist, and why.
_TEXT = "a text: a checklist asks for levels and numbers; words go into the note of an answer"
_NONE = {
    "text": _TEXT,
    "string": _TEXT,
    "note": "a note: what helps the auditor stands beside an item, as its hint",
    "calculate": "a calculation: what is worked out is left to scoring",
    "hidden": "a hidden value",
    "select_multiple": "a choice of several: an item has one level",
    "select_all_that_apply": "a choice of several: an item has one level",
    "rank": "a ranking",
    "date": "a date",
    "time": "a time",
    "datetime": "a date",
    "geopoint": "a position: each answer has one by itself",
    "geoshape": "an area",
    "location": "a position: each answer has one by itself",
    "audio": "a sound recording",
    "video": "a film",
    "barcode": "a barcode",
    "acknowledge": "an acknowledgement",
    "trigger": "an acknowledgement",
    "phone": "a telephone number",
    "include": "another form",
    "osm": "a map feature",
    "csv-external": "a table beside the form",
    "xml-external": "a table beside the form",
    "select_one_from_file": "a choice from a table beside the form",
    "select_multiple_from_file": "a choice from a table beside the form",
    "select_one_external": "a choice from a table beside the form",
    "cascading_select": "a choice from a table beside the form",
}


@dataclass(frozen=True, slots=True)
class Type:
    """What a row is: `begin` or `end` of a `what`, `choice` of the list `what`, `number`, `file`
    of the evidence kind `what`, or `none` with the reason in `what` and what to do in `remedy`.
    """

    kind: str
    what: str = ""
    or_other: bool = False
    remedy: str = ""


def read_type(text: str) -> Type:
    """What the word in the column `type` says."""
    flat = re.sub(r"\s+", " ", text.strip())
    word = flat.lower()
    if found := _BEGIN_END.match(word):
        repeat = found[2] in ("repeat", "lgroup", "looped group")
        return Type(found[1], "repeat" if repeat else found[2])
    if chosen := _SELECT_ONE.match(flat):
        return Type("choice", chosen[1], bool(chosen[2]))
    if word in _NUMBERS:
        return Type("number")
    if word in _FILES:
        return Type("file", _FILES[word])
    if word in _RECORDED or word.replace(" ", "") in _RECORDED:
        return Type("none", "what Tapak records by itself")
    if word.startswith("uri:"):
        return Type("none", "a program's own field")
    joined = word.replace("select all that apply", "select_all_that_apply").replace(" ", "_")
    for name, why in sorted(_NONE.items(), key=lambda pair: -len(pair[0])):
        if joined == name or joined.startswith(f"{name}_") or word.split(" ")[0] == name:
            return Type("none", why)
    if word.replace(" ", "_") in ("select_one", "select_one_from", "select1"):
        what = "a choice without a list"
        return Type("none", what, remedy="Write the list behind it, as in select_one yes_no.")
    near = nearest(joined, (*_NUMBERS, *_NONE, *_FILES, *_RECORDED, *_OTHERS))
    remedy = f"Write {near}?" if near else "Write one of the types that XLSForm has."
    return Type("none", "a type of question that is not known", remedy=remedy)
