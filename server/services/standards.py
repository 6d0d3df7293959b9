"""The published documents that apply to a facility, loaded: checklist, limits, profile, rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from checklists.discrepancies.settings_file import load_settings
from checklists.load import load_checklist, load_limits, load_profile
from checklists.model import Checklist, Limits, Profile
from server.store import documents
from server.store.facilities import Facility
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


def standard_for(tx: Tx, facility: Facility, checklist_digest: str = "") -> Standard | None:
    """The newest published documents for the facility; None where one was never published.

    An inspection that names a published checklist by digest is judged by that one. Raises
    `checklist-malformed` and `thresholds-malformed` where stored bytes were damaged.
    """
    checklist = documents.newest(tx, "checklist", facility.checklist)
    named = documents.by_digest(tx, checklist_digest) if checklist_digest else None
    if named is not None and named.kind == "checklist":
        checklist = named
    limits = documents.newest(tx, "limits", facility.limits) if facility.limits else None
    profile = documents.newest(tx, "profile", DEFAULT)
    rules = documents.newest(tx, "rules", DEFAULT)
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
