"""Re-scoring full inspections, beside parsing their JSON with the standard library.

An inspection's JSON is what is its own: answers, readings and what is known of the files. The
standard's texts, which an export holds too, are the same for all and would flatter the ratio.
"""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from checklists.load import load_checklist, load_limits, load_profile
from checklists.model import Item
from checklists.published import checklist_bytes, limits_bytes, profile_bytes
from checklists.scoring import score, visit_from_json, visit_to_json
from checklists.scoring.bands import bound_of
from checklists.scoring.inputs import EvidenceFact, GivenAnswer, ScoreInputs, Visit
from sync.inspection import LEVELS, Reading
from tests.bench.figure import Figure

INSPECTIONS = 10_000
CHUNK = 50  # measured in turn, so that a machine that slows down slows all
AS_OF = "2026-11-23"
NOW = 1_795_392_000_000
DAY_MS = 86_400_000


def figures(_folder: Path) -> Iterator[Figure]:
    inputs = standard()
    dice = random.Random(4)
    parsing = scoring = reading = 0.0
    for chunk in range(INSPECTIONS // CHUNK):
        texts = [
            json.dumps(visit_to_json(full_visit(inputs, dice, f"{chunk}/{n}")))
            for n in range(CHUNK)
        ]
        began = time.process_time()
        parsed = [json.loads(text) for text in texts]
        then = time.process_time()
        visits = [visit_from_json(document) for document in parsed]
        read = time.process_time()
        for visit in visits:
            score(replace(inputs, visits=(visit,), subject=visit.inspection))
        done = time.process_time()
        parsing, reading, scoring = (
            parsing + then - began,
            reading + read - then,
            scoring + done - read,
        )
    floor = INSPECTIONS / parsing
    for name, spent in (
        ("inspections re-scored", scoring),
        ("inspections parsed, read and re-scored", parsing + reading + scoring),
    ):
        value, ratio = INSPECTIONS / spent, parsing / spent
        yield Figure(
            name, round(value, 1), "1/s", round(floor, 1), "parsing their JSON", round(ratio, 3)
        )


def standard() -> ScoreInputs:
    """The published standard for a mine that leaches in situ; no visits yet."""
    name = "in-situ-leaching-mine"
    return ScoreInputs(
        scope="inspection",
        subject="",
        checklist=load_checklist(checklist_bytes(name), name),
        profile=load_profile(profile_bytes("default"), "default.yaml"),
        limits=load_limits(limits_bytes("example"), "example.yaml"),
        as_of=AS_OF,
        visits=(),
        processes=("in-situ-leach",),
    )


def full_visit(inputs: ScoreInputs, dice: random.Random, name: str) -> Visit:
    """Every item answered at every instance that it asks for, with all its evidence and readings;
    files of up to three years, some of them flagged.
    """
    answers = []
    for _, item in inputs.checklist.items():
        many = item.instances.at_least if item.instances is not None else 0
        for instance in [f"place-{n}" for n in range(many)] or ["-"]:
            answers.append(_answer(inputs, dice, item, instance))
    return Visit(hashlib.sha256(name.encode()).hexdigest()[:32], NOW, "visited", tuple(answers))


def _answer(inputs: ScoreInputs, dice: random.Random, item: Item, instance: str) -> GivenAnswer:
    evidence = tuple(
        EvidenceFact(
            dice.randbytes(32).hex(),
            piece.kind,
            NOW - dice.randrange(3 * 365) * DAY_MS,
            held=True,
            flagged=("R12",) if dice.random() < 0.05 else (),
        )
        for piece in item.pieces
        for _ in range(piece.at_least)
    )
    readings = tuple(
        Reading(a.id, f"{dice.random() * 2:.4f}", "0.0005", bound.unit, "meter 7")
        for a in item.analytes
        if (bound := bound_of(a, inputs.limits)) is not None
    )
    level = None if readings else dice.choice(LEVELS[:3])
    if item.scale == "met-or-not":
        level = dice.choice((LEVELS[0], LEVELS[3]))
    return GivenAnswer(
        item.id,
        instance,
        level,
        None,
        readings,
        "",
        None,
        evidence,
        dice.choice(("p-aaaaaaaa", "p-bbbbbbbb")),
        NOW,
        dice.randbytes(32).hex(),
    )
