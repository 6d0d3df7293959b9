"""A case as a JSON file, to look at, to keep, and to try the rules on (tapak-case/1).

The members are those of Case, each by its type; the declaration is its filing as it was filed.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from checklists.discrepancies.case import Case, Seen
from checklists.discrepancies.declaration import Declaration, read_declaration
from checklists.discrepancies.settings_file import default_settings
from sync.inspection import Fix, is_decimal
from sync.nearest import nearest
from sync.problems import Problem, problem

FORMAT = "tapak-case/1"
# What a case written by hand may leave out.
_LEAST: dict[str, Any] = {
    "facility_name": "",
    "country": "",
    "inspection": "case",
    "outcome": "visited",
    "outcomes": ["visited"],
    "declaration": None,
    "points": [],
    "signs": {},
    "photos": [],
    "other_uses": {},
    "uses_complete": True,
}


def case_to_json(case: Case) -> dict[str, Any]:
    """All of a case as JSON values; `case_bytes` of it read back is the same case."""
    return {"format": FORMAT, **_plain(case)}


def case_bytes(case: Case) -> bytes:
    """A case as a file: JSON with indents, and the same bytes for the same case."""
    text = json.dumps(case_to_json(case), sort_keys=True, indent=1, ensure_ascii=False)
    return f"{text}\n".encode()


def read_case(data: bytes) -> Case:
    """The case that a file holds. What it leaves out of the settings' or the place's members is
    that of the program, of the declaration, or nothing.

    Raises `case-malformed`, which names the member, and `declaration-malformed`.
    """
    try:
        doc = json.loads(data)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as exc:
        raise problem("case-malformed", where="the file", why="it is not JSON") from exc
    if not isinstance(doc, dict) or doc.get("format") != FORMAT:
        raise problem("case-malformed", where="format", why=f"it is not {FORMAT}")
    given = {key: value for key, value in doc.items() if key != "format"}
    declared = given.get("declaration")
    if isinstance(declared, dict):
        given.setdefault("facility", declared.get("facility"))
    given = {**_LEAST, **given}
    given["settings"] = _settings(given.get("settings"))
    read: Case = _object(Case, given, "")
    return read


# -- writing --------------------------------------------------------------------------------------


def _plain(value: Any) -> Any:
    if isinstance(value, Declaration):
        return _plain(value.document)
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, frozenset):
        return [_plain(inner) for inner in sorted(value)]
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return str(value) if isinstance(value, Decimal | date) else value


# -- reading --------------------------------------------------------------------------------------


def _fault(where: str, why: str) -> Problem:
    return problem("case-malformed", where=where or "the case", why=why)


def _settings(given: Any) -> dict[str, Any]:
    """Thresholds in the shape of the program's own, which stand in for what is not given."""
    shipped = default_settings()
    if given is None:
        return shipped
    if not isinstance(given, Mapping):
        raise _fault("settings", "it is not an object")
    for name in sorted(set(given) - set(shipped)):
        raise _fault(f"settings.{name}", f"it is not known; nearest: {nearest(name, shipped)}")
    made: dict[str, Any] = {}
    for name, own in shipped.items():
        value = given.get(name, own)
        if not isinstance(own, Mapping):
            made[name] = _typed(str, value, f"settings.{name}")
            continue
        if not isinstance(value, Mapping) or set(value) != set(own):
            raise _fault(f"settings.{name}", f"its members are not {', '.join(sorted(own))}")
        made[name] = {
            key: _threshold(own[key], value[key], f"settings.{name}.{key}") for key in own
        }
    return made


def _threshold(own: Any, value: Any, where: str) -> Any:
    if isinstance(own, str):
        if not is_decimal(value):
            raise _fault(where, "it is not a decimal number as text")
        return str(value)
    if own and isinstance(own[0], Mapping):
        rows = _typed(tuple[Mapping[str, str], ...], value, where)
        if any(set(row) != set(own[0]) for row in rows):
            raise _fault(where, f"its columns are not {', '.join(sorted(own[0]))}")
        return rows
    return _typed(tuple[str, ...], value, where)


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _object(kind: type, value: Any, where: str) -> Any:
    """A dataclass from an object; every member is checked against its type."""
    if not isinstance(value, Mapping):
        raise _fault(where, "it is not an object")
    hints = _hints(kind)
    within = f"{where}." if where else ""
    for name in sorted(set(value) - set(hints)):
        raise _fault(f"{within}{name}", f"it is not known; nearest: {nearest(name, hints)}")
    made: dict[str, Any] = {}
    for one in fields(kind):
        if one.name in value:
            made[one.name] = _typed(hints[one.name], value[one.name], f"{within}{one.name}")
        elif one.default is MISSING and one.default_factory is MISSING:
            raise _fault(f"{within}{one.name}", "it is missing")
    read = kind(**made)
    for name in _NUMBERS.get(kind, ()):
        number = getattr(read, name)
        if number is not None and not is_decimal(number):
            raise _fault(f"{within}{name}", "it is not a decimal number as text")
    return read


_NUMBERS: dict[type, tuple[str, ...]] = {
    Seen: ("value", "uncertainty"),
    Fix: ("lat", "lon", "accuracy_m"),
}


def _typed(hint: Any, value: Any, where: str) -> Any:
    """A JSON value as the type that a member has."""
    if hint is Any:
        return value
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        inner = [one for one in get_args(hint) if one is not type(None)]
        return None if value is None else _typed(inner[0], value, where)
    if origin is tuple:
        return _tuple(get_args(hint), value, where)
    if origin is frozenset:
        return frozenset(_tuple((get_args(hint)[0], ...), value, where))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise _fault(where, "it is not an object")
        kind = get_args(hint)[1]
        return {key: _typed(kind, inner, f"{where}.{key}") for key, inner in value.items()}
    if hint is Declaration:
        if not isinstance(value, Mapping):
            raise _fault(where, "it is not an object")
        return read_declaration(value)
    if isinstance(hint, type) and is_dataclass(hint):
        return _object(hint, value, where)
    return _scalar(hint, value, where)


def _tuple(kinds: tuple[Any, ...], value: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _fault(where, "it is not a list")
    if len(kinds) == 2 and kinds[1] is ...:
        kinds = (kinds[0],) * len(value)
    if len(kinds) != len(value):
        raise _fault(where, f"it does not have {len(kinds)} members")
    return tuple(
        _typed(kind, inner, f"{where}[{n}]")
        for n, (kind, inner) in enumerate(zip(kinds, value, strict=True), 1)
    )


def _scalar(hint: Any, value: Any, where: str) -> Any:
    if hint in _TEXTS:
        try:
            return _TEXTS[hint](value) if isinstance(value, str) else _TEXTS[hint]("?")
        except (ArithmeticError, ValueError) as exc:
            raise _fault(where, f"it is not text that gives a {hint.__name__}") from exc
    fits = type(value) is hint or (hint is float and type(value) is int)
    if not fits:
        raise _fault(where, f"it is not {_NAMES.get(hint, hint.__name__)}")
    return float(value) if hint is float else value


_TEXTS: dict[Any, Callable[[str], Any]] = {Decimal: Decimal, date: date.fromisoformat}
_NAMES = {str: "text", int: "a whole number", bool: "true or false", float: "a number"}
