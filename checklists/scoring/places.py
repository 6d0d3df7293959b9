"""What stands at one place of an item (a well, a pond, or `-`), over all visits that count.

The newest answer stands; "not observed" and favourable answers without evidence never displace an
earlier adverse one (scoring rules 2 to 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from checklists.model import Item
from checklists.scoring.disagreement import VisitAnswers, at_visit, word
from checklists.scoring.inputs import GivenAnswer, RuledOut, Visit
from checklists.scoring.rulings import fits
from checklists.scoring.standing import (
    CLAIMED,
    COUNTED,
    NOT_OBSERVED,
    REFUSED,
    Judge,
    Standing,
    also,
)

History = Sequence[VisitAnswers]  # of one place, newest visit first


def histories(visits: Iterable[Visit]) -> dict[str, dict[str, list[VisitAnswers]]]:
    """Item -> instance -> what each visit says there, newest first, whatever order they came in."""
    found: dict[str, dict[str, list[VisitAnswers]]] = {}
    newest_first = sorted(visits, key=lambda v: (v.at, v.inspection), reverse=True)
    for visit in newest_first:
        places: dict[tuple[str, str], list[GivenAnswer]] = {p: [] for p in visit.unread}
        for answer in visit.answers:
            places.setdefault((answer.item, answer.instance), []).append(answer)
        unread = frozenset(visit.unread)
        ruled = {(r.item, r.instance): r for r in visit.rulings}
        for (item, instance), answers in places.items():
            here = _at_place(visit.inspection, answers, (item, instance) in unread)
            if (item, instance) in ruled:
                here = _with_ruling(here, answers, ruled[item, instance])
            found.setdefault(item, {}).setdefault(instance, []).append(here)
    return found


def _at_place(visit: str, answers: list[GivenAnswer], unread: bool) -> VisitAnswers:
    if len(answers) == 1 and not answers[0].replaced:
        return VisitAnswers(visit, (answers[0],), (), unread)
    answers.sort(key=lambda a: (a.at, a.entry), reverse=True)
    return VisitAnswers(
        visit,
        tuple(a for a in answers if not a.replaced),
        tuple(a for a in answers if a.replaced),
        unread,
        tuple(a for a in answers if a.overruled),
    )


def _with_ruling(
    here: VisitAnswers, answers: Sequence[GivenAnswer], ruling: RuledOut
) -> VisitAnswers:
    return here._replace(ruling=ruling) if fits(ruling, answers, here.unread) else here


def stand(judge: Judge, item: Item, history: History, ruled: bool = False) -> Standing:
    """What stands at a place, walking from the newest visit to the oldest.

    With `ruled`, without what officers ruled out there.
    """
    silent: Standing | None = None
    claims = 0
    for index, here in enumerate(history):
        latest = at_visit(judge, item, here, ruled)
        if silent is None and latest.status not in (CLAIMED, NOT_OBSERVED):
            return _corroborated(judge, item, latest, history[index + 1 :], ruled)
        claimed = silent is not None and silent.status == CLAIMED
        if latest.adverse or (latest.status not in (CLAIMED, NOT_OBSERVED) and not claimed):
            found = _corroborated(judge, item, latest, history[index + 1 :], ruled)
            return _behind(found, claims)
        if latest.status not in (CLAIMED, NOT_OBSERVED):
            break  # claimed now, favourable before: it was visited, so nothing carries over
        if latest.status == CLAIMED or silent is None:
            silent = latest if not claimed else silent
        claims += latest.status == CLAIMED
        for answer in here.replaced:
            earlier = word(judge, item, answer, here, ruled)
            if earlier.adverse:
                why = "an earlier adverse answer of this visit, which nothing observed has replaced"
                return _behind(replace(earlier, why=also(why, earlier.why)), claims)
    return silent or Standing(NOT_OBSERVED, "no answer")


def _corroborated(
    judge: Judge, item: Item, found: Standing, older: History, ruled: bool
) -> Standing:
    """Add the auditors who found the same value before, as far back as nobody found another."""
    if found.status != COUNTED or not older:
        return found
    auditors = set(found.auditors)
    for here in older:
        before = at_visit(judge, item, here, ruled)
        if before.status == NOT_OBSERVED:
            continue
        if before.status != COUNTED or before.value != found.value:
            break
        auditors.update(before.auditors)
    return replace(found, auditors=tuple(sorted(auditors)))


def _behind(found: Standing, claims: int) -> Standing:
    counts = claims and found.status in (COUNTED, REFUSED)
    return replace(found, claims=found.claims + claims) if counts else found
