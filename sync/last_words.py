"""Each person's last word at a path where people disagreed, and who may end it (L6).

The value that stands at a path is that of its heads, and nothing here changes it. Where several
people's values stood side by side, an entry of one of them that replaces all is that one's last
word and no more; somebody who was none of them may end it for all.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from graphlib import TopologicalSorter

from sync.log import Entry, Record


def overruled(records: Mapping[str, Record], over: Mapping[str, Collection[str]]) -> frozenset[str]:
    """The last words, by chain hash, of people whom another one of those who disagreed replaced.

    `records` are all of one path, `over` names what each of them replaced, without cycles. Where
    nobody ended a disagreement by their own word there are none.
    """
    if all(len(targets) < 2 for targets in over.values()):
        return frozenset()
    words: dict[str, dict[str, frozenset[str]]] = {}
    sides: dict[str, frozenset[str]] = {}
    for h in TopologicalSorter({h: over.get(h, ()) for h in records}).static_order():
        spoken = _together(words[target] for target in over.get(h, ()))
        people = frozenset[str]().union(*(sides[target] for target in over.get(h, ())))
        if len(spoken) > 1:
            people |= spoken.keys()
        record = records[h]
        if not isinstance(record, Entry):
            spoken = {}  # what it says, and whose it is, needs a newer version
        elif record.by in people:
            spoken = {**spoken, record.by: frozenset((h,))}
        else:
            spoken = {record.by: frozenset((h,))}
        words[h], sides[h] = spoken, people
    heads = records.keys() - {target for targets in over.values() for target in targets}
    standing = _together(words[head] for head in heads)
    return frozenset[str]().union(*standing.values()) - heads


def _together(given: Iterable[Mapping[str, frozenset[str]]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for words in given:
        for person, said in words.items():
            found[person] = found.get(person, frozenset()) | said
    return found
