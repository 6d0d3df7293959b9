"""The published checklists, limits tables and profiles that come with the program, as bytes.

Checklists are composed from the recipes, parts and translations beside this file. All are read
with `checklists.load`; a name that is not published raises `noun-unknown`.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from checklists.compose import Part, Recipe, compose, read_part, read_recipe, several
from checklists.translations import Translation, read_translation
from checklists.yaml_lines import Node, nearest
from sync.problems import problem

_SUFFIX = ".yaml"


def names() -> list[str]:
    """The names of the published checklists, sorted."""
    return _names("recipes")


def limits_names() -> list[str]:
    """The jurisdictions that a limits table is published for, sorted."""
    return _names("limits")


@cache
def checklist_bytes(name: str) -> bytes:
    """The very bytes of a published checklist; its digest is theirs."""
    return compose(recipe(name), part, translations())


def checklist_for_several(names: list[str], checklist_id: str, version: str, title: Node) -> bytes:
    """One checklist for a site whose processes several published ones are about."""
    return compose(several(map(recipe, names), checklist_id, version, title), part, translations())


def recipe(name: str) -> Recipe:
    """What a published checklist is composed of."""
    data = _bytes("recipes", name, "checklist")
    return read_recipe(data, f"recipes/{name}{_SUFFIX}", part_names())


def part_names() -> list[str]:
    """The names of the parts that the published checklists are composed of, sorted."""
    return _names("parts")


@cache
def part(name: str) -> Part:
    """A part of the published checklists."""
    return read_part(_bytes("parts", name, "part of a checklist"), f"parts/{name}{_SUFFIX}")


@cache
def translations() -> tuple[Translation, ...]:
    """All translations of parts, by language and part."""
    return tuple(
        read_translation(file.read_bytes(), f"translations/{folder.name}/{file.name}")
        for folder in sorted(_folder("translations").iterdir(), key=lambda f: f.name)
        if folder.is_dir()
        for file in sorted(folder.iterdir(), key=lambda f: f.name)
        if file.name.endswith(_SUFFIX)
    )


def blank_bytes() -> bytes:
    """A short checklist that explains itself in comments, to be written over."""
    return (files("checklists") / f"blank{_SUFFIX}").read_bytes()


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
