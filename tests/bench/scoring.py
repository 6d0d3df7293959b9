"""Scoring one inspection, beside parsing its inputs with the standard library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from checklists.load import load_checklist, load_limits, load_profile
from checklists.published import checklist_bytes, limits_bytes, profile_bytes
from checklists.scoring import score
from checklists.scoring.exchange import inputs_to_json
from checklists.scoring.inputs import EvidenceFact, GivenAnswer, ScoreInputs, Visit
from tests.bench.figure import Figure, beside, rate

BATCH = 20


def figures(_folder: Path) -> Iterator[Figure]:
    inputs, document = full_inspection()
    text = json.dumps(document)

    def rescore() -> None:
        for _ in range(BATCH):
            score(inputs)

    def parse() -> None:
        for _ in range(BATCH):
            json.loads(text)

    yield beside(
        "inspections scored",
        "1/s",
        lambda: rate(BATCH, rescore),
        "parsing their inputs",
        lambda: rate(BATCH, parse),
    )


def full_inspection() -> tuple[ScoreInputs, dict[str, object]]:
    """Every item of the published checklist answered, with the evidence it requires."""
    raw = checklist_bytes("rare-earth-site"), limits_bytes("example"), profile_bytes("default")
    checklist = load_checklist(raw[0], "rare-earth-site.yaml")
    answers = []
    for n, (_, item) in enumerate(checklist.items()):
        evidence = tuple(
            EvidenceFact(hashlib.sha256(f"{n}{p.kind}{i}".encode()).hexdigest(), p.kind, 0, True)
            for p in item.pieces
            for i in range(p.at_least)
        )
        level = ("fully", "substantially", "partially")[n % 3]
        if item.scale == "met-or-not":
            level = "fully"
        answers.append(
            GivenAnswer(
                item.id, "-", level, None, (), "", None, evidence, "p-aaaaaaaa", 0, f"{n:064x}"
            )
        )
    inputs = ScoreInputs(
        scope="inspection",
        subject="0f8fad5b-d9cb-469f-a165-70867728950e",
        checklist=checklist,
        profile=load_profile(raw[2], "default.yaml"),
        limits=load_limits(raw[1], "example.yaml"),
        as_of="1970-01-02",
        visits=(Visit("0f8fad5b-d9cb-469f-a165-70867728950e", 0, "visited", tuple(answers)),),
        processes=("in-situ-leach",),
    )
    return inputs, dict(inputs_to_json(inputs, *raw))
