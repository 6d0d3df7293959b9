"""The published documents that apply to a facility, loaded: checklist, limits, profile, rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from checklists.discrepancies.days import day_in
from checklists.discrepancies.settings_file import load_settings
from checklists.load import load_checklist, load_limits, load_profile
from checklists.model import Checklist, Limits, Profile
from server.store import documents, in_force
from server.store.facilities import Facility
from server.store.in_force import ALWAYS, EVERYWHERE
from server.store.transaction import Tx

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Standard:
    """What a facility is judged by, beside the very bytes it was loaded from."""

    checklist: Checklist
    checklist_bytes: bytes
    limits: Limits | None
    limits_bytes: bytes | None
    profile: Profile
    profile_bytes: bytes
    settings: Mapping[str, Any]


def standard_for(
    tx: Tx, facility: Facility, days: Sequence[str], checklist_digest: str = ""
) -> Standard | None:
    """The documents in force for the facility on the first of these days (YYYY-MM-DD) on which
    there was one of the kind; None where there is none of some kind.

    An inspection that names a published checklist by digest is judged by that one. Raises
    `checklist-malformed` and `thresholds-malformed` where stored bytes were damaged.
    """
    applying = digests_for(tx, facility, *days)
    named = documents.by_digest(tx, checklist_digest) if checklist_digest else None
    checklist, limits, profile, rules = (
        documents.by_digest(tx, found) if found else None for found in applying.values()
    )
    if named is not None and named.kind == "checklist":
        checklist = named
    if checklist is None or profile is None or rules is None:
        return None
    if facility.limits and limits is None:
        return None
    return Standard(
        _checklist(checklist.body),
        checklist.body,
        None if limits is None else _limits(limits.body),
        None if limits is None else limits.body,
        _profile(profile.body),
        profile.body,
        _settings(rules.body),
    )


def named_checklist(tx: Tx, digest: str) -> Checklist | None:
    """The checklist of this digest, or None where none is published here under it.

    Raises `checklist-malformed` where its stored bytes were damaged.
    """
    body = _named(tx, "checklist", digest)
    return None if body is None else _checklist(body)


def named_limits(tx: Tx, digest: str) -> Limits | None:
    """As `named_checklist`, the limits table."""
    body = _named(tx, "limits", digest)
    return None if body is None else _limits(body)


def named_profile(tx: Tx, digest: str) -> Profile | None:
    """As `named_checklist`, the scoring profile."""
    body = _named(tx, "profile", digest)
    return None if body is None else _profile(body)


def digests_for(tx: Tx, facility: Facility, *days: str) -> dict[str, str | None]:
    """Kind -> the digest of the document that applies to a facility on the first of these days
    (YYYY-MM-DD) on which there was one.
    """
    names, where = _names(facility), facility.jurisdiction
    found: dict[str, str | None] = dict.fromkeys(names)
    for kind, name in names.items():
        rows = in_force.reaching(tx, kind, name, where) if name else []
        there = (in_force.applying(rows, day) for day in days)
        found[kind] = next((one for one in there if one), None)
    return found


def history_of(tx: Tx, facility: Facility, kind: str, day: str) -> list[tuple[str, str | None]]:
    """(day, digest) of each document of a kind that applied to a facility from that day, up to a
    day (YYYY-MM-DD); the first one from always.
    """
    name = _names(facility)[kind]
    rows = in_force.reaching(tx, kind, name, facility.jurisdiction) if name else []
    came = [one for one in in_force.coming(rows, ALWAYS) if one[0] <= day]
    return [(ALWAYS, in_force.applying(rows, ALWAYS)), *came]


def told_of(tx: Tx, facility: Facility, now: int) -> dict[str, list[list[str]]]:
    """Kind -> [day, digest] of each document that applies from that day, the first from now on.

    Only of kinds where a jurisdiction has decided: elsewhere the newest that came down applies.
    """
    day, where = day_in(facility.country, now), facility.jurisdiction
    found: dict[str, list[list[str]]] = {}
    for kind, name in _names(facility).items():
        rows = in_force.reaching(tx, kind, name, where) if name else []
        if name and any(one.jurisdiction != EVERYWHERE for one in rows):
            applies = in_force.applying(rows, day)
            first = [[ALWAYS, applies]] if applies else []
            later = in_force.coming(rows, day)
            found[kind] = [*first, *([begins, digest] for begins, digest in later)]
    return found


def _named(tx: Tx, kind: str, digest: str) -> bytes | None:
    found = documents.by_digest(tx, digest) if digest else None
    return found.body if found is not None and found.kind == kind else None


def _names(facility: Facility) -> dict[str, str | None]:
    return {
        "checklist": facility.checklist,
        "limits": facility.limits,
        "profile": DEFAULT,
        "rules": DEFAULT,
    }


def caution_of(tx: Tx, digests: Mapping[str, str | None]) -> str:
    """What must be said of the limits table among a score's digests; empty where nothing must.

    Raises `checklist-malformed` where its stored bytes were damaged.
    """
    digest = digests.get("limits")
    document = documents.by_digest(tx, digest) if digest else None
    return "" if document is None else _limits(document.body).caution


# The same few documents serve every facility; a loaded one is never changed.
@lru_cache(maxsize=16)
def _checklist(data: bytes) -> Checklist:
    return load_checklist(data, "checklist")


@lru_cache(maxsize=16)
def _limits(data: bytes) -> Limits:
    return load_limits(data, "limits")


@lru_cache(maxsize=16)
def _profile(data: bytes) -> Profile:
    return load_profile(data, "profile")


@lru_cache(maxsize=16)
def _settings(data: bytes) -> Mapping[str, Any]:
    return load_settings(data, "rules")
