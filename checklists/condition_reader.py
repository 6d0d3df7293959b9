"""Conditions read from a checklist file, and held against the items and observations it has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from checklists.conditions import PROCESSES, items_named
from checklists.fields import Reader
from checklists.model import Condition, Item, ObservedItem
from checklists.yaml_lines import Keyed, Node, nearest, shown
from sync.inspection import LEVELS, SIGNS, SPECIALS
from sync.log import check_instance

_OPERATORS = ("all", "any", "not", "answer", "observed", "process", "exposure")
_SHAPES = (
    "{answer: ITEM, is: [fully]}, {observed: operating/warm-kiln, is: [yes]} or {process: […]}"
)


@dataclass(frozen=True, slots=True)
class Named:
    """A subject that a condition names, to be looked up once the whole file is read."""

    node: Node
    op: str
    subject: str
    values: tuple[str, ...]


def read_condition(reader: Reader, node: Node | None, named: list[Named]) -> Condition | None:
    """The condition at `node`; what it names is added to `named`. None after a fault."""
    if node is None:
        return None
    if not isinstance(node, Keyed):
        reader.fault(node, "The condition is not a mapping.", f"Write such as {_SHAPES}.")
        return None
    op = next((key.text for key, _ in node.entries if key.text in _OPERATORS), None)
    if op is None:
        _no_operator(reader, node)
        return None
    got = reader.fields(
        node, f"The condition {op}", (op, "is") if op in ("answer", "observed") else (op,)
    )
    value = got[op]
    if op in ("all", "any"):
        parts = [read_condition(reader, r, named) for r in reader.rows(value, f"The list of {op}")]
        return Condition(op, args=tuple(part for part in parts if part is not None))
    if op == "not":
        inner = read_condition(reader, value, named)
        return None if inner is None else Condition(op, args=(inner,))
    if op == "process":
        return Condition(op, values=_words(reader, value, "The process", PROCESSES))
    if op == "exposure":
        bound = reader.fields(value, "The condition exposure", ("at-least",))
        return Condition(op, at_least=reader.whole(bound.get("at-least"), "at-least", 0, 100))
    subject = reader.word(value, f"The subject of {op}")
    allowed = (*LEVELS, *SPECIALS) if op == "answer" else SIGNS
    noun = "The level" if op == "answer" else "The sign"
    values = _words(reader, got.get("is"), noun, allowed)
    named.append(Named(value, op, subject, values))
    return Condition(op, subject=subject, values=values)


def _no_operator(reader: Reader, node: Keyed) -> None:
    given = node.entries[0][0] if node.entries else None
    meant = nearest(given.text, _OPERATORS) if given else None
    reader.fault(
        given or node,
        f"The condition has no test{f' {shown(given.text)}' if given else ''}.",
        f'Write "{meant}".' if meant else f"Use one of: {', '.join(_OPERATORS)}.",
    )


def _words(
    reader: Reader, node: Node | None, noun: str, allowed: tuple[str, ...]
) -> tuple[str, ...]:
    found: list[str] = []
    for row in reader.rows(node, f"{noun} list"):
        word = reader.choice(row, noun, allowed)
        if word is not None and word in found:
            reader.fault(row, f"{noun} {word} stands twice.", "Keep one of the two.")
        elif word is not None:
            found.append(word)
    return tuple(found)


# -- once the whole file is read ------------------------------------------------------------------


def check_named(
    reader: Reader,
    named: Iterable[Named],
    items: Mapping[str, Item],
    observed: Mapping[str, ObservedItem],
) -> None:
    """Fault every subject that the file does not have, and levels that its item cannot be given."""
    for one in named:
        if one.op == "answer":
            _check_answer(reader, one, items)
        else:
            _check_observed(reader, one, observed)


def _check_answer(reader: Reader, one: Named, items: Mapping[str, Item]) -> None:
    item = items.get(one.subject)
    if item is None:
        meant = nearest(one.subject, items)
        reader.fault(
            one.node,
            f"The condition names the item {shown(one.subject)}, which is not in this file.",
            f'Write "{meant}"?' if meant else "Name an item of this file.",
        )
        return
    never = [v for v in one.values if item.scale == "met-or-not" and v in LEVELS[1:3]]
    if never:
        reader.fault(
            one.node,
            f"{item.id} is met or not, so it is never answered {never[0]}.",
            "Use fully, does-not-meet or a special answer.",
        )


def _check_observed(reader: Reader, one: Named, observed: Mapping[str, ObservedItem]) -> None:
    what, slash, instance = one.subject.partition("/")
    if not slash or check_instance(instance) is not None:
        reader.fault(
            one.node,
            f"{shown(one.subject)} does not name an observation.",
            "Write what/instance, such as operating/warm-kiln.",
        )
        return
    seen = observed.get(what)
    if seen is None:
        meant = nearest(what, observed)
        reader.fault(
            one.node,
            f"The condition names the observation {shown(what)}, which is not in this file.",
            f'Write "{meant}/{instance}"?' if meant else "Name one of the list observed.",
        )
    elif seen.type != "sign":
        reader.fault(
            one.node,
            f"{what} is a number; a condition can only look at signs.",
            "Ask for it by an item of its own and use that item's answer.",
        )
    elif seen.instances is not None and instance not in seen.instances:
        meant = nearest(instance, seen.instances)
        reader.fault(
            one.node,
            f"{what} has no instance {shown(instance)}.",
            f'Write "{what}/{meant}"?' if meant else f"Use one of: {', '.join(seen.instances)}.",
        )


def check_cycles(reader: Reader, items: Mapping[str, Item], whens: Mapping[str, Node]) -> None:
    """Fault every item whose condition leads back to the item itself; `whens` gives the places."""
    needs = {i.id: [n for n in items_named(i.condition) if n in items] for i in items.values()}
    done: set[str] = set()
    for start in needs:
        trail: list[str] = []
        branches = [iter([start])]
        while branches:
            item_id = next(branches[-1], None)
            if item_id is None:
                branches.pop()
                if trail:
                    done.add(trail.pop())
            elif item_id in trail:
                _cycle(reader, trail[trail.index(item_id) :], whens)
            elif item_id not in done:
                trail.append(item_id)
                branches.append(iter(needs[item_id]))


def _cycle(reader: Reader, trail: list[str], whens: Mapping[str, Node]) -> None:
    # Named from its first member on, so that one cycle is one fault wherever it was entered.
    least = trail.index(min(trail))
    loop = [*trail[least:], *trail[:least]]
    shape = " needs ".join([*loop, loop[0]])
    reader.fault(
        whens[loop[0]],
        f"Whether {loop[0]} applies depends on itself: {shape}.",
        "Take one of these items out of the conditions.",
    )
