"""What would gain most next: the step at each item, and the points it brings (rule 10)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from checklists.scoring.aggregate import Facility, Totals
from checklists.scoring.evidence import MICRO, PieceShare, Proof
from checklists.scoring.exact import VALUE_LEVEL
from checklists.scoring.grades import cap_of
from checklists.scoring.items import COUNTED, REFUSED, UNPROVEN, ItemOutcome
from checklists.scoring.standing import CLAIMED


@dataclass(frozen=True, slots=True)
class Step:
    """The next step at an item; `gain` is what it adds to the facility's lower bound, in points.

    The lower bound is what has been shown; so steps at answered and at unseen items compare.
    """

    item: str
    text: str
    gain: Fraction


def steps_of(
    outcomes: Iterable[ItemOutcome], pillars: Mapping[str, Totals], facility: Facility
) -> dict[str, Step]:
    """The next step of every item that applies and is not yet fully shown, by item."""
    found: dict[str, Step] = {}
    for one in outcomes:
        share = facility.shares.get(one.item.pillar)
        if not one.applicable or share is None:
            continue
        text, target = _step(one)
        if text:
            points = one.item.weight * max(0, target - one.low)
            gain = share * points / (10 * pillars[one.item.pillar].applicable)
            cap = cap_of(one)
            if cap is not None:
                text += f" It caps the score at {cap} until then."
            found[one.item.id] = Step(one.item.id, text, gain)
    return found


def best(steps: Iterable[Step], count: int = 5) -> list[Step]:
    """The steps that gain most, the largest first; those that gain nothing are left out."""
    worth = [step for step in steps if step.gain > 0]
    return sorted(worth, key=lambda step: (-step.gain, step.item))[:count]


def _step(one: ItemOutcome) -> tuple[str, int]:
    """The text of the next step (empty where nothing is left) and the value it leads to."""
    deciding = one.deciding
    if one.adjudicate and one.answered:
        return "Have it adjudicated by somebody who is none of the auditors.", one.high
    if one.status == REFUSED:
        return "Obtain access and answer it.", 1000
    if deciding is None:
        return "Answer it.", 1000
    lacking = _lacking(deciding.proof)
    value = deciding.value if deciding.value is not None else 1000
    if one.status == UNPROVEN:
        return f"Bring the evidence ({lacking}), or have it ruled out.", value
    if one.ruled_out and not one.answered:
        return f"Bring the evidence ({lacking}), or observe and answer it.", 1000
    if one.status == COUNTED:
        if deciding.effective != value:
            return f"Complete the evidence: {lacking}.", value
        if value == 1000:
            return "", value
        return f"Raise it from {VALUE_LEVEL[value].replace('-', ' ')} to fully.", 1000
    if deciding.status == CLAIMED and deciding.proof is not None:
        if deciding.proof.allowance is None:
            return f"Complete the evidence: {lacking}.", value
        return f"Complete the answer: {deciding.why}.", value
    if deciding.status == COUNTED:
        return f"Answer more instances: {one.why}.", deciding.effective or 0
    return f"Observe and answer it: {one.why}.", 1000


def _lacking(proof: Proof | None) -> str:
    if proof is None:
        return ""
    return ", ".join(_piece(share) for share in proof.pieces if share.q < MICRO)


def _piece(share: PieceShare) -> str:
    full = sum(f.q == MICRO for f in share.files)
    return f"{share.piece.kind} {min(full, share.piece.at_least)} of {share.piece.at_least}"
