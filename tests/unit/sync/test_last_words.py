"""Whose last word still stands in a disagreement (rule L6, scoring rule 5)."""

from __future__ import annotations

import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from logs import Device

from sync.conflicts import unsettled_of
from sync.log import Entry, Record
from sync.merge import merge

PATH = "answers/GEN-G1/-"


def auditor(number: int) -> Device:
    return Device(number, person=f"p-{number}")


def overruled(*devices: Device) -> list[object]:
    state = merge([record for one in devices for record in one.records()]).paths[PATH]
    return [one.value for one in state.overruled if isinstance(one, Entry)]


def test_one_of_those_who_disagree_ends_it_for_nobody_but_herself() -> None:
    """L6: her value stands at the path; the other's is still a last word."""
    one, two = auditor(1), auditor(2)
    a, b = one.write(PATH, "a"), two.write(PATH, "b")
    two.write(PATH, "c", replaces=[a, b])
    assert overruled(one, two) == ["a"]
    state = merge([*one.records(), *two.records()])
    (open_one,) = unsettled_of(state)
    assert [side.record.h for side in open_one.sides][1:] == [a]
    assert state.paths[PATH].entry is not None


def test_somebody_else_ends_it_for_all() -> None:
    """L6, scoring rule 5: by naming all, or after one of them did."""
    one, two, three = auditor(1), auditor(2), auditor(3)
    a, b = one.write(PATH, "a"), two.write(PATH, "b")
    three.write(PATH, "c", replaces=[a, b])
    assert overruled(one, two, three) == []
    one, two, three = auditor(1), auditor(2), auditor(3)
    a, b = one.write(PATH, "a"), two.write(PATH, "b")
    c = two.write(PATH, "c", replaces=[a, b])
    three.write(PATH, "d", replaces=[c])
    assert overruled(one, two, three) == []


def test_who_disagreed_does_not_overrule_the_adjudicator_either() -> None:
    one, two, three = auditor(1), auditor(2), auditor(3)
    a, b = one.write(PATH, "a"), two.write(PATH, "b")
    c = three.write(PATH, "c", replaces=[a, b])
    two.write(PATH, "d", replaces=[c])
    assert overruled(one, two, three) == ["c"]


def test_a_correction_that_saw_the_one_value_there_is_no_disagreement() -> None:
    """L6: nothing stood side by side."""
    one, two = auditor(1), auditor(2)
    a = one.write(PATH, "a")
    two.write(PATH, "b", replaces=[a])
    two.write(PATH, "c")
    assert overruled(one, two) == []


def test_two_devices_of_one_person_are_one_auditor() -> None:
    one, two = Device(1, person="p-x"), Device(2, person="p-x")
    a, b = one.write(PATH, "a"), two.write(PATH, "b")
    two.write(PATH, "c", replaces=[a, b])
    assert overruled(one, two) == []


@given(st.integers(0, 2**32))
def test_last_words_do_not_depend_on_the_order_of_arrival(seed: int) -> None:
    """L6"""
    dice = random.Random(seed)
    devices = [auditor(n) for n in range(1, 4)]
    written: list[str] = []
    for n in range(dice.randint(2, 9)):
        seen = dice.sample(written, min(len(written), dice.randint(0, 3)))
        written.append(dice.choice(devices).write(PATH, n, replaces=seen))
    records: Sequence[Record] = [r for one in devices for r in one.records()]
    first = merge(records).paths[PATH]
    again = merge(dice.sample(records, len(records))).paths[PATH]
    assert first == again
    assert set(first.overruled) <= set(first.replaced)
