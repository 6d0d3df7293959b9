"""A conflict ended with a value of its own, in the words in which it would be recorded at first.

Auditors decide on their devices and officers on the server; what they may say is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checklists.answering import check_second, read_answer, read_observation
from checklists.model import Checklist
from sync.conflicts import Conflict, new_value
from sync.inspection import OUTCOMES
from sync.nearest import nearest
from sync.problems import problem

FAMILIES = ("answers", "observed", "outcome")


@dataclass(frozen=True, slots=True)
class Words:
    """What somebody decides: the value in words, why, and what an answer may need beside it.

    `own` are the names of who decides; `fix` and `evidence` go along as an entry holds them.
    """

    values: Sequence[str]
    why: str = ""
    note: str = ""
    reason: str = ""
    second: str = ""
    own: Iterable[str] = ()
    evidence: Sequence[str] = ()
    fix: Mapping[str, Any] | None = None


def decided_value(conflict: Conflict, checklist: Checklist | None, words: Words) -> dict[str, Any]:
    """The value of the entry that ends the conflict; files of all the values go on supporting it.

    Raises `conflict-keep-only` where only one of the values can be kept, and an answer's problems.
    """
    family, _, rest = conflict.path.partition("/")
    first = rest.partition("/")[0]
    said: dict[str, Any] = {"note": words.note, "fix": words.fix}
    if family == "outcome":
        return new_value(_lean({**said, "outcome": _outcome(words.values)}), words.why)
    said["evidence"] = list(dict.fromkeys((*conflict.evidence, *words.evidence)))
    item = checklist.item(first) if checklist is not None and family == "answers" else None
    seen = checklist.observation(first) if checklist is not None and family == "observed" else None
    if checklist is not None and item is not None:
        said |= read_answer(item, words.values)
        check_second(item, said.get("special"), words.reason, words.second, words.own)
        said |= {"reason": words.reason, "second": words.second, "checklist": checklist.digest}
    elif seen is not None:
        said |= read_observation(seen, rest.removesuffix("/-"), " ".join(words.values))
        said["unit"] = seen.unit
    else:
        raise problem("conflict-keep-only", what=rest.removesuffix("/-") or conflict.path)
    return new_value(_lean(said), words.why)


def _outcome(values: Sequence[str]) -> str:
    given = " ".join(values)
    if given not in OUTCOMES:
        near = nearest(given, OUTCOMES, len(OUTCOMES))
        raise problem("outcome-unknown", outcome=given, nearest=near)
    return given


def _lean(value: Mapping[str, Any]) -> dict[str, Any]:
    return {key: member for key, member in value.items() if member not in (None, "", [])}
