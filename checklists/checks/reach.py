"""Whether a condition can ever hold, once everything it looks at is known.

The test is a search over its alternatives: what must be true at once is gathered literal by
literal, and each subject keeps the values that it may still have.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from checklists.conditions import PROCESSES
from checklists.model import Condition, Item
from sync.inspection import LEVELS, SIGNS, SPECIALS

# Steps of the search after which a condition counts as one that can hold.
MAX_STEPS = 20_000
_HIDING = frozenset(("not-observed", "refused"))
_ANY_EXPOSURE = (0, 100)


@dataclass(frozen=True, slots=True)
class _May:
    """What a subject may still be: the values allowed, and sets of which each must meet one."""

    allowed: frozenset[str]
    wanted: tuple[frozenset[str], ...] = ()
    single: bool = True

    def possible(self) -> bool:
        if not self.allowed:
            return False
        if self.single:
            return bool(self.allowed.intersection(*self.wanted))
        return all(self.allowed & one for one in self.wanted)


@dataclass(frozen=True, slots=True)
class _World:
    """One way in which the literals met so far can all be true."""

    todo: tuple[tuple[bool, Condition], ...]
    may: Mapping[str, _May] = field(default_factory=dict)
    exposure: tuple[int, int] = _ANY_EXPOSURE
    answered: frozenset[str] = frozenset()


def can_hold(condition: Condition, items: Mapping[str, Item], *, wanted: bool = True) -> bool:
    """Whether the condition can come to be `wanted`; `items` are all of the checklist by id.

    An answer counts as possible only where its own item can apply. True also where the search was
    given up after MAX_STEPS.
    """
    worlds = [_World(((wanted, condition),))]
    for _ in range(MAX_STEPS):
        if not worlds:
            return False
        world = worlds.pop()
        if not world.todo:
            return True
        worlds += _steps(world, items)
    return True


def _steps(world: _World, items: Mapping[str, Item]) -> list[_World]:
    """The worlds that follow from taking up the next condition of this one."""
    (wanted, condition), *rest = world.todo
    world = replace(world, todo=tuple(rest))
    parts = [(wanted, part) for part in condition.args]
    match condition.op:
        case "not":
            return [_also(world, [(not wanted, condition.args[0])])]
        case "all" | "any":
            if (condition.op == "all") == wanted:
                return [_also(world, parts)]
            return [_also(world, [part]) for part in parts]
        case "exposure":
            low, high = world.exposure
            at = condition.at_least
            span = (max(low, at), high) if wanted else (low, min(high, at - 1))
            return [replace(world, exposure=span)] if span[0] <= span[1] else []
        case "process":
            every = _May(frozenset(PROCESSES), single=False)
            return _literal(world, "process", every, wanted, condition)
        case "observed":
            every = _May(frozenset(SIGNS))
            return _literal(world, f"observed {condition.subject}", every, wanted, condition)
    item = items.get(condition.subject)
    if item is None:
        return [world]  # of another part: anything may be answered there
    if item.id not in world.answered:
        world = replace(world, answered=world.answered | {item.id})
        if item.condition is not None:
            world = _also(world, [(True, item.condition)])
    every = _May(_answers(item), single=item.instances is None)
    return _literal(world, f"answer {item.id}", every, wanted, condition)


def _also(world: _World, parts: list[tuple[bool, Condition]]) -> _World:
    return replace(world, todo=(*parts, *world.todo))


def _literal(
    world: _World, subject: str, every: _May, wanted: bool, condition: Condition
) -> list[_World]:
    may = world.may.get(subject, every)
    values = frozenset(condition.values)
    if wanted:
        may = replace(may, wanted=(*may.wanted, values))
    else:
        # Not knowing is not a no: an unsure sign and a hidden answer leave the test open.
        hiding = _HIDING if condition.op == "answer" else frozenset(("unsure",))
        may = replace(may, allowed=may.allowed - values - hiding)
    return [replace(world, may={**world.may, subject: may})] if may.possible() else []


def _answers(item: Item) -> frozenset[str]:
    levels = (LEVELS[0], LEVELS[-1]) if item.scale == "met-or-not" else LEVELS
    return frozenset((*levels, *SPECIALS))
