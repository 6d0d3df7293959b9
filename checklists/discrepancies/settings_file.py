"""Thresholds of the rules: a versioned YAML file per jurisdiction, read strictly."""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from typing import Any

import yaml

from sync.problems import problem

FORMAT = "tapak-thresholds/3"
# What was published before some rules were made still serves: these take their own thresholds.
_IN_3 = frozenset(("R05", "R06", *(f"R{number}" for number in range(17, 32))))
_EARLIER = {
    "tapak-thresholds/1": frozenset({"R02", "R03", "R07", "R08", "R09"}) | _IN_3,
    "tapak-thresholds/2": _IN_3,
}
MAX_BYTES = 100_000

_NUMBER = re.compile(r"\d{1,9}(\.\d{1,3})?\Z")
_WORD = re.compile(r".{1,80}\Z")
_ID = re.compile(r"[a-z0-9-]{2,40}\Z")
# What each rule needs: "n" a number from 0 up, "1" a whole number from 1 up, "list" some texts, and
# the names of columns a list of rows with these; those that end in # are numbers
_RULES: dict[str, dict[str, str]] = {
    "R01": {
        "margin_m": "n",
        "critical_m": "n",
        "assumed_accuracy_m": "n",
        "off_site_items": "list",
    },
    "R02": {"margin_m": "n", "gap_s": "n"},
    "R03": {"accuracy_m": "n", "age_s": "n"},
    "R05": {"overlap_pct": "n", "unclear_pct": "n", "protected_ha": "n"},
    "R06": {"outside_ha": "n", "outside_pct": "n", "open_m": "n"},
    "R07": {"margin_min": "n", "notes_h": "n"},
    "R08": {"skew_s": "n", "major_s": "n"},
    "R09": {"speed_kmh": "n", "least_s": "1", "assumed_accuracy_m": "n"},
    "R12": {"editors": "list"},
    "R16": {"signs_needed": "1"},
    "R17": {"looked_for": "1", "shipped_days": "n"},
    "R18": {
        "assumed_ore_rel": "n",
        "assumed_grade_rel": "n",
        "assumed_recovery_rel": "n",
        "ask_pct": "n",
    },
    "R19": {"margin_pct": "n"},
    "R20": {"bands": "process reagent least# most#"},
    "R21": {"margin_pct": "n", "ratios": "kind ratio#"},
    "R22": {"margin_pct": "n", "assumed_survey_rel": "n", "assumed_density_rel": "n"},
    "R23": {"margin_pct": "n"},
    "R24": {"sigmas": "n"},
    "R25": {"deviations": "n", "least_peers": "1"},
    "R26": {"exposure": "1"},
    "R27": {"distance_km": "n", "days": "1"},
    "R28": {"mining": "list"},
    "R29": {"activity_bq_g": "n"},
    "R30": {"similarity": "n"},
    "R31": {"margin_pct": "n", "least_people": "1"},
}


def default_settings() -> dict[str, Any]:
    """The thresholds that come with the program."""
    file = resources.files("checklists.discrepancies").joinpath("settings/default.yaml")
    return load_settings(file.read_bytes(), "default.yaml")


def load_settings(data: bytes, name: str) -> dict[str, Any]:
    """Read a thresholds file: id, version, digest, and per rule its thresholds.

    Numbers stay the decimal strings that were written; the digest is the SHA-256 of the bytes. A
    file of an earlier format is completed with the thresholds that come with the program.
    Raises `thresholds-malformed`, naming file and line.
    """
    if len(data) > MAX_BYTES:
        raise problem("thresholds-malformed", where=name, why="the file is too large")
    try:
        node = yaml.compose(data.decode(), Loader=yaml.SafeLoader)
    except (UnicodeDecodeError, RecursionError, yaml.YAMLError) as exc:
        mark = getattr(exc, "problem_mark", None)
        where = f"{name}:{mark.line + 1}" if mark else name
        raise problem("thresholds-malformed", where=where, why="it is not YAML") from exc
    form = _format(node)
    later = _EARLIER.get(form, frozenset())
    rules = {rule: fields for rule, fields in _RULES.items() if rule not in later}
    top = _keyed(node, name, {"format", "id", "version", *rules}, 1)
    settings: dict[str, Any] = {
        "id": _scalar(top["id"], name, _ID, "an id of a-z, 0-9 and -"),
        "version": _scalar(top["version"], name, re.compile(r"[1-9]\d{0,5}\Z"), "a whole number"),
        "digest": hashlib.sha256(data).hexdigest(),
    }
    wanted = form if later else FORMAT
    _scalar(top["format"], name, re.compile(re.escape(wanted) + r"\Z"), FORMAT)
    for rule, fields in rules.items():
        given = _keyed(top[rule], name, set(fields), top[rule].start_mark.line + 1)
        settings[rule] = {key: _value(given[key], name, kind) for key, kind in fields.items()}
    if later:
        shipped = default_settings()
        settings |= {rule: shipped[rule] for rule in sorted(later)}
    return settings


def _format(node: Any) -> str:
    """What a file says its format is, or nothing; everything else about it is judged later."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if getattr(key, "value", None) == "format" and isinstance(value, yaml.ScalarNode):
                return str(value.value)
    return ""


def _keyed(node: Any, name: str, keys: set[str], line: int) -> dict[str, Any]:
    if not isinstance(node, yaml.MappingNode):
        raise problem("thresholds-malformed", where=f"{name}:{line}", why="keys are expected here")
    found: dict[str, Any] = {}
    for key, value in node.value:
        word = key.value if isinstance(key, yaml.ScalarNode) else "?"
        where = f"{name}:{key.start_mark.line + 1}"
        if word not in keys:
            known = ", ".join(sorted(keys))
            why = f"{word[:40]!r} is not known here; known are {known}"
            raise problem("thresholds-malformed", where=where, why=why)
        if word in found:
            raise problem("thresholds-malformed", where=where, why=f"{word!r} stands there twice")
        found[word] = value
    if missing := sorted(keys - set(found)):
        why = f"missing: {', '.join(missing)}"
        raise problem("thresholds-malformed", where=f"{name}:{line}", why=why)
    return found


def _value(node: Any, name: str, kind: str) -> str | tuple[str, ...] | tuple[dict[str, str], ...]:
    if kind == "n":
        return _scalar(node, name, _NUMBER, "a number such as 50 or 0.5")
    if kind == "1":
        return _scalar(node, name, re.compile(r"[1-9]\d{0,5}\Z"), "a whole number from 1 up")
    if not isinstance(node, yaml.SequenceNode):
        where = f"{name}:{node.start_mark.line + 1}"
        raise problem("thresholds-malformed", where=where, why="a list is expected here")
    if kind != "list":
        return tuple(_row(one, name, kind.split()) for one in node.value)
    words: list[str] = []
    for one in node.value:
        word = _scalar(one, name, _WORD, "a short text")
        if word in words:
            where = f"{name}:{one.start_mark.line + 1}"
            raise problem("thresholds-malformed", where=where, why=f"{word!r} stands there twice")
        words.append(word)
    return tuple(words)


def _row(node: Any, name: str, columns: list[str]) -> dict[str, str]:
    line = node.start_mark.line + 1
    given = _keyed(node, name, {column.rstrip("#") for column in columns}, line)
    return {
        key: _scalar(given[key], name, _NUMBER, "a number such as 50 or 0.5")
        if column.endswith("#")
        else _scalar(given[key], name, _WORD, "a short text")
        for column in columns
        for key in (column.rstrip("#"),)
    }


def _scalar(node: Any, name: str, form: re.Pattern[str], wanted: str) -> str:
    if not isinstance(node, yaml.ScalarNode) or not form.match(node.value):
        where = f"{name}:{node.start_mark.line + 1}"
        raise problem("thresholds-malformed", where=where, why=f"this is not {wanted}")
    return str(node.value)
