"""The published checklists, limits tables and profiles that come with the program, as bytes.

Read with `checklists.load`; a name that is not published raises `noun-unknown`.
"""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

from checklists.yaml_lines import nearest
from sync.problems import problem

_SUFFIX = ".yaml"


def names() -> list[str]:
    """The names of the published checklists, sorted."""
    return _names("library")


def limits_names() -> list[str]:
    """The jurisdictions that a limits table is published for, sorted."""
    return _names("limits")


def checklist_bytes(name: str) -> bytes:
    """The very bytes of a published checklist; its digest is theirs."""
    return _bytes("library", name, "checklist")


def limits_bytes(name: str) -> bytes:
    """The very bytes of a jurisdiction's limits table."""
    return _bytes("limits", name, "limits table")


def profile_bytes(name: str) -> bytes:
    """The very bytes of a scoring profile."""
    return _bytes("profiles", name, "scoring profile")


def _folder(folder: str) -> Traversable:
    return files("checklists") / folder


def _names(folder: str) -> list[str]:
    found = (entry.name for entry in _folder(folder).iterdir())
    return sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))


def _bytes(folder: str, name: str, noun: str) -> bytes:
    # Looked up among the names that are there, so that a name is never taken for a path.
    known = _names(folder)
    if name not in known:
        near = nearest(name, known) or ", ".join(known)
        raise problem("noun-unknown", noun=noun, name=name, nearest=near)
    return (_folder(folder) / f"{name}{_SUFFIX}").read_bytes()
