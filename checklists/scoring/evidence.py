"""What evidence is worth on a day: q of a file, of a piece, and e of an answer (rules 3 and 4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from checklists.model import PIECE_KINDS, Ageing, Piece
from checklists.scoring.exact import shared_out
from checklists.scoring.inputs import EvidenceFact, ScoreInputs

MICRO = 1_000_000
_DAY_MS = 86_400_000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN)
_HALF = Decimal("0.5")


class FileShare(NamedTuple):
    """What one file is worth, in millionths. `age` is its age in days where that took from it."""

    fact: EvidenceFact
    q: int
    expired: bool = False
    age: int | None = None

    @property
    def sha256(self) -> str:
        return self.fact.sha256

    @property
    def why(self) -> str:
        """Why it is worth that, in words."""
        fact = self.fact
        if fact.rejected:
            return f"rejected: {fact.rejected}"
        if not fact.held:
            return "the server does not hold it yet"
        if self.expired:
            return f"expired on {fact.expires}"
        halves = []
        if fact.flagged:
            halves.append(f"open flag on the record ({', '.join(sorted(fact.flagged))})")
        if not fact.signed:
            halves.append("not signed at the source")
        aged = [] if self.age is None else [f"{self.age} days old"]
        return "; ".join((*(halves or ["signed at the source and held"]), *aged))


class PieceShare(NamedTuple):
    """What one required piece is worth, in millionths, and the files that were looked at."""

    piece: Piece
    q: int
    files: tuple[FileShare, ...]


class Proof(NamedTuple):
    """The evidence behind one answer; e = `reached` / `wanted`."""

    pieces: tuple[PieceShare, ...]
    reached: int
    wanted: int

    @property
    def e(self) -> Fraction:
        """The evidence share of rule 3; 1 where nothing is required."""
        return Fraction(self.reached, self.wanted) if self.wanted else Fraction(1)

    @property
    def allowance(self) -> int | None:
        """The highest value that the evidence allows, in thousandths; None below e = 0.25."""
        if 4 * self.reached >= 3 * self.wanted:
            return 1000
        if 2 * self.reached >= self.wanted:
            return 700
        return 300 if 4 * self.reached >= self.wanted else None


@dataclass(frozen=True, slots=True)
class Dating:
    """What ages are counted from: the day of the score, and the first that is known of each file.

    A file that is attached again later does not become younger by it.
    """

    as_of: str
    day: int
    ageing: Mapping[str, Ageing]
    first_made: Mapping[str, int]

    def age_days(self, fact: EvidenceFact) -> int:
        """Whole days from the file's date (UTC) to the day of the score, never negative."""
        made = self.first_made.get(fact.sha256, fact.made_at)
        return max(0, self.day - made // _DAY_MS)


def dating_of(inputs: ScoreInputs) -> Dating:
    """The dates that one score counts from; raises ValueError unless `as_of` is a date."""
    first: dict[str, int] = {}
    for visit in inputs.visits:
        for answer in visit.answers:
            for fact in answer.evidence:
                known = first.get(fact.sha256)
                if known is None or fact.made_at < known:
                    first[fact.sha256] = fact.made_at
    day = date.fromisoformat(inputs.as_of).toordinal() - _EPOCH_DAY
    return Dating(inputs.as_of, day, inputs.profile.ageing, first)


def prove(pieces: tuple[Piece, ...], facts: Sequence[EvidenceFact], dating: Dating) -> Proof:
    """What the evidence of one answer is worth against the pieces that its item requires."""
    by_kind: dict[str, list[FileShare]] = {}
    for fact in _one_per_file(facts):
        by_kind.setdefault(fact.kind, []).append(_file_share(fact, dating))
    shares = []
    reached = wanted = 0
    for piece in pieces:
        share = _piece_share(piece, by_kind.get(piece.kind, []))
        shares.append(share)
        reached += piece.weight * share.q
        wanted += piece.weight
    return Proof(tuple(shares), reached, MICRO * wanted)


@lru_cache(maxsize=4096)
def decayed(base: int, over: int, half_life: int) -> int:
    """`base` millionths halved every `half_life` days, `over` days long, rounded half to even."""
    if over <= 0:
        return base
    if over >= 21 * half_life:  # 1 / 2**21 is less than half a millionth
        return 0
    exponent = _CONTEXT.divide(Decimal(over), Decimal(half_life))
    value = _CONTEXT.multiply(Decimal(base), _CONTEXT.power(_HALF, exponent))
    return int(value.quantize(Decimal(1), context=_CONTEXT))


def _piece_share(piece: Piece, files: list[FileShare]) -> PieceShare:
    if len(files) > 1:
        files = sorted(files, key=lambda f: (-f.q, f.sha256))
    best = 0
    for file in files[: piece.at_least]:
        best += file.q
    q = best if piece.at_least == 1 else shared_out(best, piece.at_least)
    return PieceShare(piece, q, tuple(files))


def _file_share(fact: EvidenceFact, dating: Dating) -> FileShare:
    expired = bool(fact.expires) and fact.expires < dating.as_of
    if fact.rejected or not fact.held or expired:
        return FileShare(fact, 0, expired)
    base = MICRO // 2 if fact.flagged or not fact.signed else MICRO
    ageing = dating.ageing.get(fact.kind)
    if ageing is None:
        return FileShare(fact, base)
    age = dating.age_days(fact)
    q = decayed(base, age - ageing.fresh_days, ageing.half_life_days)
    return FileShare(fact, q, age=None if q == base else age)


def _one_per_file(facts: Sequence[EvidenceFact]) -> Iterable[EvidenceFact]:
    """Each file once: one picture attached by two devices is still one picture."""
    if len(facts) < 2:
        return facts
    found: dict[str, EvidenceFact] = {}
    for fact in facts:
        known = found.get(fact.sha256)
        found[fact.sha256] = fact if known is None else _joined(known, fact)
    return found.values()


def _joined(one: EvidenceFact, other: EvidenceFact) -> EvidenceFact:
    expiries = sorted(e for e in (one.expires, other.expires) if e)
    return replace(
        one,
        kind=min(one.kind, other.kind, key=PIECE_KINDS.index),
        made_at=min(one.made_at, other.made_at),
        held=one.held or other.held,
        signed=one.signed or other.signed,
        flagged=tuple(sorted({*one.flagged, *other.flagged})),
        rejected=max(one.rejected, other.rejected),
        expires=expiries[0] if expiries else "",
    )
