"""R03: positions that were too coarse or too old when they were used, or made up by a program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from checklists.discrepancies.case import Case, Finding
from checklists.discrepancies.moments import Taken, offsets
from checklists.discrepancies.rule import Rule, duration, metres, tenth

_LISTED = 50


@dataclass(frozen=True, slots=True)
class _Judged:
    """A fix: its radius in metres and its age in milliseconds, None where not recorded."""

    taken: Taken
    accuracy: Decimal | None
    age: int | None
    coarse: bool
    old: bool


def _positions(case: Case) -> tuple[Finding, ...]:
    standing = [taken for taken in case.fixes if taken.stands]
    judged = [_judge(case, taken) for taken in standing]
    found: list[Finding] = []
    poor = [j for j in judged if j.coarse or j.old]
    if poor:
        found.append(_poor(case, sorted(poor, key=_worst)))
    mocked = [j for j in judged if j.taken.fix.mock]
    if mocked:
        found.append(_mocked(case, sorted(mocked, key=_worst)))
    needs = _needs(judged)
    if needs:
        found.append(R03.needs(needs))
    return tuple(found)


def _judge(case: Case, taken: Taken) -> _Judged:
    limits = case.settings["R03"]
    accuracy = None if taken.fix.accuracy_m is None else tenth(taken.fix.accuracy_m)
    age = _age(case, taken)
    return _Judged(
        taken,
        accuracy,
        age,
        accuracy is not None and accuracy > Decimal(limits["accuracy_m"]),
        age is not None and age > Decimal(limits["age_s"]) * 1000,
    )


def _age(case: Case, taken: Taken) -> int | None:
    """How old the position was when it was used; None where that cannot be said.

    Should a client write its receiver's time in place of its own, the age is taken by whichever
    clock makes it smaller. A position from after its entry has no age.
    """
    if taken.fix.at is None or not _used_at_once(taken):
        return None
    own = taken.at - taken.fix.at
    known = offsets(case.clocks, taken.device)
    ages = [own] if known is None else [own, own + known[0], own + known[1]]
    allowed = -Decimal(case.settings["R03"]["age_s"]) * 1000
    possible = [age for age in ages if age >= allowed]
    return max(min(possible), 0) if possible else None


def _used_at_once(taken: Taken) -> bool:
    """A file is attached when there is time for it, so only client's entries tell an age."""
    return taken.source in ("client", "taken-here") and taken.fix.source not in ("track", "exif")


def _worst(judged: _Judged) -> tuple[Decimal, int, str, str]:
    taken = judged.taken
    return -(judged.accuracy or Decimal(0)), -(judged.age or 0), taken.label, taken.entry


def _poor(case: Case, poor: Sequence[_Judged]) -> Finding:
    limits = case.settings["R03"]
    accuracy, age = Decimal(limits["accuracy_m"]), Decimal(limits["age_s"])
    first = poor[0]
    reasons = [
        *([f"known to ±{metres(first.accuracy)} only"] if first.coarse and first.accuracy else []),
        *([f"{duration(first.age)} old when it was used"] if first.old and first.age else []),
    ]
    text = (
        f"The position recorded with {first.taken.label} is {' and '.join(reasons)}. "
        f"It cannot show well where that was."
    )
    if len(poor) > 1:
        text += f" In all, {len(poor)} positions of the visit are too coarse or too old."
    coarsest = max((j.accuracy for j in poor if j.accuracy is not None), default=Decimal(0))
    oldest = max((j.age for j in poor if j.age is not None), default=0)
    over = [
        *([f"{metres(coarsest - accuracy)} coarser"] if coarsest > accuracy else []),
        *([f"{duration(int(oldest - age * 1000))} older"] if oldest > age * 1000 else []),
    ]
    threshold = f"at most ±{metres(accuracy)} and {duration(int(age * 1000))} old"
    margin = f"{' and '.join(over)} than that"
    return R03.flag(case, "poor", "minor", text, _inputs(poor), threshold, margin, _evidence(poor))


def _mocked(case: Case, mocked: Sequence[_Judged]) -> Finding:
    text = (
        f"The device said that a program, and not its receiver, supplied the position recorded "
        f"with {mocked[0].taken.label}."
    )
    if len(mocked) > 1:
        text += f" In all, {len(mocked)} positions of the visit are marked like this."
    return R03.flag(
        case,
        "mock",
        "major",
        text,
        _inputs(mocked),
        "no position from a program that makes positions up",
        "not a measured quantity",
        _evidence(mocked),
    )


def _inputs(judged: Sequence[_Judged]) -> dict[str, object]:
    return {
        "count": len(judged),
        "positions": [
            {
                "label": j.taken.label,
                "entry": j.taken.entry,
                "used_at": j.taken.at,
                "measured_at": "unknown" if j.taken.fix.at is None else j.taken.fix.at,
                "accuracy_m": "unknown" if j.accuracy is None else str(j.accuracy),
                "age_s": "unknown" if j.age is None else j.age // 1000,
                "source": j.taken.fix.source,
            }
            for j in judged[:_LISTED]
        ],
    }


def _evidence(judged: Sequence[_Judged]) -> tuple[str, ...]:
    return tuple(sorted({j.taken.evidence for j in judged if j.taken.evidence}))


def _needs(judged: Sequence[_Judged]) -> str:
    unknown = sum(1 for j in judged if j.accuracy is None)
    ageless = sum(1 for j in judged if j.age is None and _used_at_once(j.taken))
    parts = [
        *([f"the accuracy of {_counted(unknown)}"] if unknown else []),
        *([f"the time at which {_counted(ageless)} was measured"] if ageless else []),
    ]
    return f"{' and '.join(parts)}; none was recorded" if parts else ""


def _counted(count: int) -> str:
    return "1 position" if count == 1 else f"each of {count} positions"


R03 = Rule(
    "R03",
    "1",
    "record",
    "A position too coarse, too old or made up by a program",
    "The accuracy of a position, or its age when it was used, exceeds the limit; or the device "
    "marked it as supplied by a program.",
    (
        "indoors, under trees or between steep walls a receiver hears few satellites",
        "the device saved power and gave the last position it had",
        "a developer's setting was left on from testing the device",
    ),
    "The auditor's account of where that was, a track of the visit, or a picture that shows it.",
    _positions,
)
