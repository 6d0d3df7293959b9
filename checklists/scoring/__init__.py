"""Answers and evidence -> a score, every point of it explained (docs/scoring.md)."""

from checklists.scoring.compute import score
from checklists.scoring.document import Score, score_bytes
from checklists.scoring.exchange import (
    inputs_digest,
    inputs_from_json,
    inputs_to_json,
    inputs_with,
    texts_left_out,
    texts_put_back,
    visit_from_json,
    visit_to_json,
)
from checklists.scoring.explain import explain
from checklists.scoring.visits import EvidenceState, visit_of

__all__ = [
    "EvidenceState",
    "Score",
    "explain",
    "inputs_digest",
    "inputs_from_json",
    "inputs_to_json",
    "inputs_with",
    "score",
    "score_bytes",
    "texts_left_out",
    "texts_put_back",
    "visit_from_json",
    "visit_of",
    "visit_to_json",
]
