"""Merging logs: rule L6."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from logs import Device

from sync.log import Entry, Record, Unread
from sync.merge import merge

PATH = "answers/GEN-G1/-"


def head_values(records: list[Record]) -> list[object]:
    state = merge(records).paths[PATH]
    return [h.value if isinstance(h, Entry) else "unread" for h in state.heads]


def test_a_devices_own_later_entry_replaces_its_earlier_one_without_saying_so() -> None:
    """L6"""
    one = Device(1)
    one.write(PATH, "a")
    one.write("outcome", "between")
    one.write(PATH, "b")
    assert head_values(one.records()) == ["b"]


def test_two_devices_that_did_not_see_each_other_are_in_conflict_latest_first() -> None:
    """L6"""
    one, two = Device(1), Device(2)
    one.write(PATH, "early", at=10)
    two.write(PATH, "late", at=20)
    records = [*one.records(), *two.records()]
    assert head_values(records) == ["late", "early"]
    assert merge(records).paths[PATH].conflict
    assert merge(records).paths[PATH].entry is None


def test_an_entry_that_names_all_heads_ends_the_conflict() -> None:
    """L6"""
    one, two = Device(1), Device(2)
    a = one.write(PATH, "a")
    b = two.write(PATH, "b")
    two.write(PATH, "c", replaces=[a, b])
    state = merge([*one.records(), *two.records()]).paths[PATH]
    assert state.entry is not None and state.entry.value == "c"
    assert len(state.replaced) == 2


def test_an_entry_that_names_only_another_devices_head_leaves_its_own_standing() -> None:
    """L6: `replaces` says exactly what was seen."""
    one, two = Device(1), Device(2)
    a = one.write(PATH, "a")
    two.write(PATH, "b")
    two.write(PATH, "c", replaces=[a])
    assert sorted(map(str, head_values([*one.records(), *two.records()]))) == ["b", "c"]


def test_a_reference_to_another_path_or_to_nothing_is_ignored() -> None:
    """L6"""
    one, two = Device(1), Device(2)
    other = one.write("outcome", "x")
    one.write(PATH, "a")
    two.write(PATH, "b", replaces=[other, "0" * 64])
    assert len(head_values([*one.records(), *two.records()])) == 2


def test_references_in_a_cycle_are_ignored() -> None:
    """L6: no chain can hold one, so it is made by hand; what points into it still counts."""

    def entry(h: str, replaces: tuple[str, ...], value: str) -> Entry:
        return Entry("d" + h, "i", 1, h, 1, "p", PATH, value, replaces)

    a, b = entry("aa", ("bb",), "a"), entry("bb", ("aa",), "b")
    assert sorted(map(str, head_values([a, b]))) == ["a", "b"]
    assert sorted(map(str, head_values([a, b, entry("cc", ("aa",), "c")]))) == ["b", "c"]
    assert head_values([entry("ee", ("ee",), "self")]) == ["self"]


def test_an_unread_head_is_shown_as_such_and_never_as_the_value_before_it() -> None:
    """L6"""
    one = Device(1)
    one.write(PATH, "old")
    one.write_raw(b'{"seq":2,"at":5,"by":"p","path":"answers/GEN-G1/-","value":1,"new":true}')
    state = merge(one.records()).paths[PATH]
    assert isinstance(state.heads[0], Unread)
    assert state.entry is None and not state.entries


def test_a_line_without_a_readable_path_is_listed_apart() -> None:
    """L4"""
    one = Device(1)
    one.write_raw(b"nonsense")
    one.write(PATH, "a")
    state = merge(one.records())
    assert [u.seq for u in state.unread] == [1]
    assert head_values(one.records()) == ["a"]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1), st.integers(0, 7)), max_size=14))
def test_the_result_depends_on_the_set_of_entries_alone(
    script: list[tuple[int, int, int]],
) -> None:
    """L6: whatever devices wrote and saw, any order and any repetition merges the same."""
    devices = [Device(1), Device(2), Device(3)]
    written: list[str] = []
    for who, path, seen in script:
        replaces = None
        if seen and written:
            replaces = [written[i] for i in range(len(written)) if (seen >> (i % 3)) & 1]
        written.append(devices[who].write(["outcome", PATH][path], len(written), replaces=replaces))
    records = [r for d in devices for r in d.records()]
    expected = merge(records)
    shuffled = records * 2
    random.Random(len(script)).shuffle(shuffled)
    assert merge(shuffled) == expected
    for path, state in expected.paths.items():
        total = {r.h for r in records if r.path == path}
        kept = {r.h for r in (*state.heads, *state.replaced)}
        assert kept == total, "nothing is dropped"
        assert state.heads, "a path that was written to has a head"


@given(st.integers(1, 12))
def test_merging_is_monotone_more_entries_never_revive_a_replaced_one(n: int) -> None:
    """L6"""
    one = Device(1)
    for i in range(n):
        one.write(PATH, i)
    records = one.records()
    for upto in range(1, n + 1):
        assert head_values(records[:upto]) == [upto - 1]
