"""Side by side, and settled (L6): the result is the same whatever the order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from logs import INSPECTION, Device

from sync.conflicts import RESOLVED, conflict_at, conflicts_of, kept_value, new_value
from sync.entry import Entry, Record, attributed, read_line
from sync.inspection import Answer
from sync.inspection_reader import read_inspection
from sync.merge import merge

PATHS = ("answers/GEN-G1/-", "outcome")
VALUES = {
    PATHS[0]: [{"level": "fully"}, {"level": "partially"}, {"level": "something new"}],
    PATHS[1]: [{"outcome": "visited"}, {"outcome": "partly"}],
}


@dataclass
class Party:
    """A device and what it has seen of the others: a beginning of each log."""

    device: Device
    seen: dict[str, int] = field(default_factory=dict)

    def records(self, parties: Sequence[Party]) -> list[Record]:
        found = []
        for other in parties:
            upto = len(other.device.lines) if other is self else self.seen.get(other.device.id, 0)
            found += other.device.records()[:upto]
        return found

    def write(self, parties: Sequence[Party], path: str, value: object, at: int) -> None:
        state = merge(self.records(parties)).paths.get(path)
        heads = [] if state is None else sorted(h.h for h in state.heads)
        self.device.write(path, value, at=at, replaces=heads)

    def settle(self, parties: Sequence[Party], path: str, keep: int, at: int) -> bool:
        """End the conflict that this device sees, by keeping one of its values."""
        conflict = conflict_at(merge(self.records(parties)).paths.get(path))
        if conflict is None:
            return False
        value = kept_value(conflict.sides[keep % len(conflict.sides)]) or new_value(
            VALUES[path][0], "none of them could be read"
        )
        self.device.write(path, value, at=at, replaces=list(conflict.heads))
        return True


STEP = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["write", "settle", "hear"]),
    st.sampled_from(PATHS),
    st.integers(0, 2),
)


@given(steps=st.lists(STEP, max_size=24), shuffles=st.integers(0, 2**16))
def test_deciding_anywhere_in_any_order_ends_with_the_same_everywhere(
    steps: list[tuple[int, str, str, int]], shuffles: int
) -> None:
    """L6"""
    parties = [Party(Device(n + 1)) for n in range(3)]
    for at, (who, what, path, n) in enumerate(steps, 1):
        me, other = parties[who], parties[n]
        if what == "write":
            me.write(parties, path, VALUES[path][n % len(VALUES[path])], at)
        elif what == "settle":
            me.settle(parties, path, n, at)
        else:
            me.seen[other.device.id] = len(other.device.lines)
    everything = [record for one in parties for record in one.device.records()]
    state = merge(everything)
    order = Random(shuffles)
    for _ in range(3):
        order.shuffle(everything)
        assert merge(everything) == state
    # Once somebody has heard of everything and decides, one value stands at every path.
    last = parties[0]
    last.seen = {one.device.id: len(one.device.lines) for one in parties}
    for path in PATHS:
        last.settle(parties, path, 1, 99)
    everything = [record for one in parties for record in one.device.records()]
    order.shuffle(everything)
    after = merge(everything)
    assert conflicts_of(after) == ()
    assert {len(one.heads) for one in after.paths.values()} <= {1}
    kept = {h.h for one in after.paths.values() for h in (*one.heads, *one.replaced)}
    assert kept == {record.h for record in everything}  # nothing is lost


def test_two_decisions_that_did_not_know_of_each_other_are_a_conflict_again() -> None:
    """L6: whoever decides second without having seen the first replaces nothing unseen."""
    parties = [Party(Device(n + 1)) for n in range(3)]
    path = PATHS[0]
    for one, value in zip(parties, VALUES[path], strict=False):
        one.write(parties, path, value, 1)
    for one in parties[:2]:
        one.seen = {other.device.id: 1 for other in parties}
        assert one.settle(parties, path, 0, 2)
    everything = [record for one in parties for record in one.device.records()]
    conflict = conflict_at(merge(everything).paths[path])
    assert conflict is not None
    assert {s.record.device for s in conflict.sides} == {p.device.id for p in parties[:2]}


def test_the_code_tells_these_heads_from_any_others_whatever_their_order() -> None:
    one, other = Device(1), Device(2)
    one.write("outcome", {"outcome": "visited"}, replaces=[])
    other.write("outcome", {"outcome": "partly"}, replaces=[])
    before = conflict_at(merge([*one.records(), *other.records()]).paths["outcome"])
    again = conflict_at(merge([*other.records(), *one.records()]).paths["outcome"])
    third = Device(3)
    third.write("outcome", {"outcome": "evacuated"}, replaces=[])
    more = conflict_at(merge([*one.records(), *other.records(), *third.records()]).paths["outcome"])
    assert before is not None and again is not None and more is not None
    assert before.code == again.code != more.code


def test_what_was_kept_is_taken_over_as_it_was_recorded_and_says_whose_it_was() -> None:
    one, other = Device(1), Device(2)
    value = {"level": "fully", "fix": {"lat": "4", "lon": "101"}, "note": "seen"}
    h = one.write("answers/A/-", value, at=2, replaces=[])
    other.write("answers/A/-", {"level": "partially"}, at=1, replaces=[])
    conflict = conflict_at(merge([*one.records(), *other.records()]).paths["answers/A/-"])
    assert conflict is not None
    first = conflict.sides[0]
    assert first.fix is not None and first.fix.lat == "4" and first.by == "p-aaaaaaaa"
    kept = kept_value(first, "she stood there")
    assert kept == {**value, RESOLVED: {"kept": h, "reason": "she stood there"}}
    # What was settled once may be settled again; only the last decision is told.
    other.write("answers/A/-", kept, replaces=list(conflict.heads))
    read = read_inspection(INSPECTION, merge([*one.records(), *other.records()]))
    answer = read.answers["A", "-"].value
    assert isinstance(answer, Answer) and answer.level == "fully"


def test_a_value_that_cannot_be_read_cannot_be_kept() -> None:
    """L6: a head that a reader cannot read is never the value before it."""
    one, other = Device(1), Device(2)
    one.write("answers/A/-", {"level": "wonderful"}, replaces=[])
    other.write("answers/A/-", {"level": "partially"}, replaces=[])
    other.write_raw(b"not json")
    conflict = conflict_at(merge([*one.records(), *other.records()]).paths["answers/A/-"])
    assert conflict is not None
    assert sorted(kept_value(side) is None for side in conflict.sides) == [False, True]


def test_an_entry_belongs_to_the_devices_person_whoever_it_names() -> None:
    """S9: the name in the entry stays visible."""
    line = b'{"seq":1,"at":1,"by":"p-x","path":"outcome","value":{"outcome":"visited"}}'
    record = read_line(line, "d", INSPECTION, 1, "00" * 32)
    assert isinstance(record, Entry)
    assert attributed(record, "p-x") is record
    found = attributed(record, "p-y", signed=False)
    assert isinstance(found, Entry)
    assert (found.by, found.named, found.signed) == ("p-y", "p-x", False)
    read = read_inspection(INSPECTION, merge([found])).outcome.value
    assert read is not None
    assert (read.written.by, read.written.named, read.written.signed) == ("p-y", "p-x", False)
    unread = read_line(b"nonsense", "d", INSPECTION, 1, "00" * 32)
    assert attributed(unread, "p-y") is unread
