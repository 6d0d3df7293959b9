"""Limits tables and scoring profiles read from YAML, with the same care as checklists."""

from __future__ import annotations

import hashlib

from checklists.fields import Reader
from checklists.item_reader import LIMIT_ID, LIMIT_ID_REMEDY, read_bounds
from checklists.model import PIECE_KINDS, PILLARS, Ageing, Limit, Limits, Profile
from checklists.yaml_lines import Node, Scalar

LIMITS_FORMAT = "tapak-limits/1"
PROFILE_FORMAT = "tapak-profile/1"
_MAX_DAYS = 36_500


def load_limits(data: bytes, name: str) -> Limits:
    """The limits table in `data`; `name` is the file's name as faults shall show it.

    Raises `checklist-malformed`, whose detail lists every fault as file, line, message and remedy.
    """
    reader = Reader(data, name)
    top = reader.fields(
        reader.root,
        "The limits table",
        ("format", "jurisdiction", "title", "version", "fictional", "limits"),
        ("verified",),
    )
    reader.constant(top.get("format"), "format", LIMITS_FORMAT)
    jurisdiction = reader.slug(top.get("jurisdiction"), "jurisdiction")
    title = reader.word(top.get("title"), "title")
    version = reader.version(top.get("version"), "version")
    fictional = reader.truth(top.get("fictional"), "fictional")
    verified = "verified" in top and reader.truth(top["verified"], "verified")
    if verified and fictional:
        reader.fault(
            top["verified"],
            "The limits table is called verified and fictional.",
            "Write verified: false.",
        )
    limits: dict[str, Limit] = {}
    for key, node in reader.pairs(top.get("limits"), "limits"):
        limits[key.text] = _limit(reader, key, node)
    reader.faults.raise_if_any()
    digest = hashlib.sha256(data).hexdigest()
    return Limits(jurisdiction, title, version, fictional, limits, digest, verified)


def _limit(reader: Reader, key: Scalar, node: Node) -> Limit:
    limit_id = reader.shaped(key, "The limit", LIMIT_ID, LIMIT_ID_REMEDY)
    noun = f"The limit {limit_id}"
    got = reader.fields(node, noun, ("unit", "source", "date"), ("upper", "lower"))
    if got and "upper" not in got and "lower" not in got:
        reader.fault(key, f"{noun} has neither upper nor lower.", "Add: upper: …")
    upper, lower = read_bounds(reader, got, noun)
    for name, bound in (("upper", upper), ("lower", lower)):
        if bound is not None and bound < 0:
            reader.fault(got[name], f"{noun}: {name} is under zero.", "Write zero or more.")
    return Limit(
        limit_id,
        reader.word(got.get("unit"), f"{noun}: unit"),
        upper,
        lower,
        reader.word(got.get("source"), f"{noun}: source"),
        reader.day(got.get("date"), f"{noun}: date"),
    )


def load_profile(data: bytes, name: str) -> Profile:
    """The scoring profile in `data`; `name` is the file's name as faults shall show it.

    Raises `checklist-malformed`, whose detail lists every fault as file, line, message and remedy.
    """
    reader = Reader(data, name)
    top = reader.fields(
        reader.root,
        "The profile",
        ("format", "id", "version", "pillars", "sigma-thousandths", "ageing"),
    )
    reader.constant(top.get("format"), "format", PROFILE_FORMAT)
    profile_id = reader.slug(top.get("id"), "id")
    version = reader.version(top.get("version"), "version")
    weights = _pillar_weights(reader, top.get("pillars"))
    sigma = reader.whole(top.get("sigma-thousandths"), "sigma-thousandths", 1, 1000)
    kinds = reader.fields(top.get("ageing"), "ageing", PIECE_KINDS)
    ageing: dict[str, Ageing] = {}
    for kind, node in kinds.items():
        one = _ageing(reader, node, f"ageing: {kind}")
        if one is not None:
            ageing[kind] = one
    reader.faults.raise_if_any()
    digest = hashlib.sha256(data).hexdigest()
    return Profile(profile_id, version, weights, ageing, sigma, digest)


def _pillar_weights(reader: Reader, node: Node | None) -> dict[str, int]:
    got = reader.fields(node, "pillars", PILLARS)
    weights = {p: reader.whole(got.get(p), f"The weight of {p}", 0, 100) for p in PILLARS}
    total = sum(weights.values())
    if node is not None and len(got) == len(PILLARS) and total != 100:
        reader.fault(
            node,
            f"The weights of the pillars add up to {total}.",
            "They are percent: make them add up to 100.",
        )
    return weights


def _ageing(reader: Reader, node: Node, noun: str) -> Ageing | None:
    """How a kind of evidence ages; `none` is written for a kind that does not."""
    if isinstance(node, Scalar):
        reader.choice(node, noun, ("none",))
        return None
    got = reader.fields(node, noun, ("fresh-days", "half-life-days"))
    return Ageing(
        reader.whole(got.get("fresh-days"), f"{noun}: fresh-days", 0, _MAX_DAYS),
        reader.whole(got.get("half-life-days"), f"{noun}: half-life-days", 1, _MAX_DAYS),
    )
