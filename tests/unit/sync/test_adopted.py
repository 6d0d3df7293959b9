"""Adopted lines: carried verbatim, read as their own device's, merged as if never carried (S3)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from logs import INSPECTION, Device

from sync.adopted import MOST_CARRIED, Run, entries_for, expand
from sync.inspection_reader import read_inspection
from sync.lineage import branch_up_to
from sync.log import MAX_ENTRY_BYTES, Entry, Record, Unread, link, sign_head
from sync.merge import merge

PERSON = "p-aaaaaaaa"


def run_of(old: Device, first: int = 1, *, signed: bool = True) -> Run:
    after = old.hashes[first - 2] if first > 1 else old.start.h
    signature = sign_head(old.key, old.head.h) if signed else None
    return Run(old.id, first, after, old.lines[first - 1 :], old.hashes[first - 1 :], signature)


def adopt(new: Device, old: Device, first: int = 1, *, signed: bool = True) -> None:
    for _, path, value in entries_for(run_of(old, first, signed=signed)):
        new.write(path, value)


def owners(*devices: Device) -> Any:
    return {d.id: (d.public_key, PERSON) for d in devices}.get


def inner(records: Sequence[Record], old: Device) -> list[Record]:
    return [r for r in records if r.device == old.id]


def copy_of(device: Device, length: int) -> Device:
    return Device(device.seed, device.inspection, device.lines[:length], device.hashes[:length])


@pytest.fixture
def old() -> Device:
    device = Device(1)
    device.write("outcome", {"outcome": "partly"})
    device.write("observed/rain/-", {"value": "yes", "note": "aé😀\\\n\u0001"})
    device.write("outcome", {"outcome": "visited"})
    return device


def test_an_adopted_line_is_read_as_the_old_devices_own_record(old: Device) -> None:
    """S3: same device, position, chain hash, person and value; marked as adopted and signed."""
    new = Device(2)
    adopt(new, old)
    found = inner(expand(new.records(), owners(old, new)), old)
    for record, plain in zip(found, old.records(), strict=True):
        assert isinstance(record, Entry)
        assert isinstance(plain, Entry)
        assert (record.seq, record.h, record.path, record.value) == (
            plain.seq,
            plain.h,
            plain.path,
            plain.value,
        )
        assert record.adopted is not None
        assert (record.adopted.by, record.adopted.signed) == (new.id, True)


@pytest.mark.parametrize("how", ["no signature", "key unknown", "another key's signature"])
def test_without_the_old_keys_signature_a_line_is_marked_unsigned(old: Device, how: str) -> None:
    """S3: the key is lost, or its signature cannot be held against it."""
    new = Device(2)
    if how == "another key's signature":
        run = Run(old.id, 1, old.start.h, old.lines, old.hashes, sign_head(new.key, old.head.h))
        for _, path, value in entries_for(run):
            new.write(path, value)
    else:
        adopt(new, old, signed=how != "no signature")
    known = owners(new) if how == "key unknown" else owners(old, new)
    found = inner(expand(new.records(), known), old)
    assert len(found) == 3
    assert all(r.adopted is not None and not r.adopted.signed for r in found)


def test_one_signature_speaks_for_the_lines_before_it_and_for_none_after(old: Device) -> None:
    """L4, S3: a later run of the same branch that came without a signature stays unsigned."""
    new = Device(2)
    adopt(new, copy_of(old, 2))
    adopt(new, old, 3, signed=False)
    found = inner(expand(new.records(), owners(old, new)), old)
    assert [r.adopted is not None and r.adopted.signed for r in found] == [True, True, False]


def test_a_line_near_the_limit_travels_in_parts_and_comes_out_byte_for_byte() -> None:
    """S12, S3: what is full of quotation marks is far longer as the text of an entry."""
    old, new = Device(1), Device(2)
    old.write("observed/rain/-", {"value": "yes", "note": '"' * 32_000})
    assert len(old.lines[0]) > MAX_ENTRY_BYTES - 2_000
    adopt(new, old)
    assert len(new.lines) > 1
    assert max(map(len, new.lines)) <= MAX_ENTRY_BYTES
    (found,) = inner(expand(new.records(), owners(old, new)), old)
    assert found.h == old.hashes[0].hex()
    assert isinstance(found, Entry)
    # A part that is missing leaves the line unread, and says so.
    torn = [r for r in new.records() if r.seq != 1]
    read = expand(torn, owners(old, new))
    assert not inner(read, old)
    assert any(isinstance(r, Unread) and "part" in r.why for r in read)


def test_a_line_that_is_no_text_is_adopted_and_stays_unread() -> None:
    """S3, L4: signed bytes that are not even UTF-8 are carried like all others."""
    old, new = Device(1), Device(2)
    old.write_raw(b"\xff\xfe not a line")
    adopt(new, old)
    (found,) = inner(expand(new.records(), owners(old, new)), old)
    assert isinstance(found, Unread)
    assert found.h == old.hashes[0].hex()


def test_nobody_adopts_the_lines_of_another_persons_device(old: Device) -> None:
    """S3, L1: else anyone could put words into a colleague's log."""
    new = Device(2)
    adopt(new, old)
    known = {old.id: (old.public_key, "p-bbbbbbbb"), new.id: (new.public_key, PERSON)}
    read = expand(new.records(), known.get)
    assert not inner(read, old)
    assert [type(r) for r in read] == [Unread] * 3
    assert len(merge(read).unread) == 3


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        {"line": 5, "h": "0" * 64, "after": "0" * 64},
        {"line": "x", "h": "0" * 64, "after": "0" * 64},
        {"line": "x", "h": "zz", "after": "0" * 64},
        {"base64": "*", "h": "0" * 64, "after": "0" * 64},
        {"line": "x", "part": [2, 2], "h": "0" * 64, "after": "0" * 64},
        {"line": "x", "part": [0, 2]},
        {"line": "x", "part": "1"},
    ],
    ids=["none", "empty", "number", "hash", "nohex", "base64", "alone", "zero", "text"],
)
def test_an_adopted_entry_that_is_not_understood_is_shown_as_unread(value: Any) -> None:
    """L4: it holds up nothing and is not passed over in silence."""
    new = Device(2)
    new.write("outcome", {"outcome": "visited"})
    new.write(f"adopted/{'a' * 32}/1", value)
    state = merge(expand(new.records(), owners(new)))
    assert [u.seq for u in state.unread] == [2]
    assert state.paths["outcome"].entry is not None


def test_a_generation_that_ended_in_turn_carries_on_what_it_had_carried(old: Device) -> None:
    """S3: an adopted line of an adopted log, and a part of it on either side of the cut."""
    middle, last = Device(2), Device(3)
    old.write("observed/dust/-", {"value": "no", "note": '"' * 32_000})
    adopt(middle, old)
    middle.write("observed/people/-", {"value": "12"})
    parts = len(middle.lines) - 4
    assert parts > 1
    for cut in (1, 2, 3 + parts):  # of the last one, the parts are on both sides
        held = copy_of(middle, cut)
        last = Device(3)
        adopt(last, middle, cut + 1)
        read = expand([*held.records(), *last.records()], owners(old, middle, last))
        assert {r.h for r in inner(read, old)} == {h.hex() for h in old.hashes}
        assert not merge(read).unread
        assert merge(read).paths["observed/people/-"].entry is not None


def nested(old: Device, times: int) -> Device:
    """The last of so many generations, each of which carries the whole log of the one before."""
    for n in range(times):
        new = Device(10 + n)
        adopt(new, old)
        old = new
    return old


def all_owners(times: int) -> Any:
    return owners(Device(1), *(Device(10 + n) for n in range(times)))


def test_sixteen_generations_may_carry_each_others_lines_and_not_seventeen(old: Device) -> None:
    """S3, S12: what is within more than that is kept, unread, and holds up nothing."""
    last = nested(old, MOST_CARRIED)
    found = expand(last.records(), all_owners(MOST_CARRIED))
    assert [r.h for r in inner(found, old)] == [r.h for r in old.records()]
    assert all(r.adopted is not None and r.adopted.signed for r in inner(found, old))
    assert not any(isinstance(r, Unread) for r in found)
    further = nested(old, MOST_CARRIED + 1)
    further.write("outcome", {"outcome": "refused"})
    found = expand(further.records(), all_owners(MOST_CARRIED + 1))
    assert inner(found, old) == []
    unread = [r for r in found if isinstance(r, Unread)]
    assert len(unread) == len(old.records())
    assert all("more than 16" in r.why for r in unread)
    assert [r.path for r in found if r.path == "outcome"] == ["outcome"]


def test_lines_within_lines_grow_by_a_third_at_most(old: Device) -> None:
    """S12: quotes within quotes would double with each generation; base64 does not."""
    sizes = [max(len(line) for line in nested(old, n).lines) for n in range(1, MOST_CARRIED + 1)]
    assert all(b <= a * 1.36 + 420 for a, b in pairwise(sizes))
    assert max(sizes) <= MAX_ENTRY_BYTES


@pytest.mark.parametrize("parts", [[1, 9], [9, 9], [200_000, 200_000]])
def test_a_line_in_more_parts_than_one_can_have_is_unread(old: Device, parts: list[int]) -> None:
    """S12: nobody looks for two hundred thousand parts of it."""
    new = Device(2)
    said = {"h": "0" * 64, "after": "0" * 64}
    new.write(f"adopted/{old.id}/1", {"line": "x", "part": parts, **said})
    (found,) = expand(new.records(), owners(old, new))
    assert isinstance(found, Unread)
    assert "which of how many" in found.why


def test_a_carried_line_that_is_longer_than_an_entry_may_be_is_unread(old: Device) -> None:
    """S12"""
    new = Device(2)
    line = b"x" * (MAX_ENTRY_BYTES + 1)
    run = Run(old.id, 1, old.start.h, [line], [link(old.start.h, line)], None)
    for _, path, value in entries_for(run):
        new.write(path, value)
    found = expand(new.records(), owners(old, new))
    assert inner(found, old) == []
    assert any(isinstance(r, Unread) and "longer than" in r.why for r in found)


def test_of_two_branches_neither_silently_replaces_the_other(old: Device) -> None:
    """S3, L6: the author of one had not seen the other, though both say nothing of it."""
    one, two, new = copy_of(old, 3), copy_of(old, 3), Device(2)
    one.write("outcome", {"outcome": "evacuated"})
    two.write("observed/dust/-", {"value": "no"})
    two.write("outcome", {"outcome": "unsafe-and-left"})
    adopt(new, two, 4)
    read = expand([*one.records(), *new.records()], owners(old, new))
    state = merge(read).paths["outcome"]
    assert {h.h for h in state.heads} == {one.hashes[3].hex(), two.hashes[4].hex()}
    assert {h.h for h in state.replaced} == {old.hashes[0].hex(), old.hashes[2].hex()}


def test_a_branch_whose_beginning_is_not_here_replaces_nothing_of_the_other(old: Device) -> None:
    """S3, L6: what is held before its first line is not what its author had written."""
    one, two, new = copy_of(old, 1), copy_of(old, 1), Device(2)
    one.write("observed/rain/-", {"value": "no"})
    two.write("observed/dust/-", {"value": "no"})
    two.write("observed/rain/-", {"value": "yes"})
    adopt(new, two, 3)
    read = expand([*one.records(), *new.records()], owners(old, new))
    heads = {h.h for h in merge(read).paths["observed/rain/-"].heads}
    assert heads == {one.hashes[1].hex(), two.hashes[2].hex()}


def test_what_was_signed_is_the_branch_that_the_signer_had(old: Device) -> None:
    """L7, S3: up to a line of the branch, and not what another branch has at these positions."""
    one, two, new = copy_of(old, 2), copy_of(old, 2), Device(2)
    one.write("outcome", {"outcome": "evacuated"})
    two.write("outcome", {"outcome": "unsafe-and-left"})
    two.write("observed/dust/-", {"value": "no"})
    adopt(new, two, 3)
    read = expand([*one.records(), *new.records()], owners(old, new))
    hexes = [h.hex() for h in two.hashes]
    assert branch_up_to(read, old.id, 4, hexes[3]) == dict(enumerate(hexes, 1))
    assert branch_up_to(read, old.id, 3, hexes[2]) == dict(enumerate(hexes[:3], 1))
    others = {n: h.hex() for n, h in enumerate(one.hashes, 1)}
    assert branch_up_to(read, old.id, 3, one.hashes[2].hex()) == others
    assert branch_up_to(read, old.id, 4, "0" * 64) is None
    assert branch_up_to(inner(read, two)[3:], old.id, 4, hexes[3]) is None


PATHS = ("outcome", "observed/rain/-", "answers/A1/-")


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Device], int, bool]:
    """A device's log beside another one's, and from where on it was adopted too."""
    first, second = Device(1), Device(2)
    for _ in range(draw(st.integers(1, 12))):
        device = draw(st.sampled_from((first, second)))
        seen = [*first.hashes, *second.hashes]
        replaces = draw(st.none() | st.lists(st.sampled_from(seen), max_size=2)) if seen else None
        texts = None if replaces is None else [h.hex() for h in replaces]
        value = {"outcome": "visited", "value": draw(st.sampled_from("abc"))}
        device.write(draw(st.sampled_from(PATHS)), value, replaces=texts)
    if not first.lines:
        first.write("outcome", {"outcome": "visited"})
    return [first, second], draw(st.integers(1, len(first.lines))), draw(st.booleans())


@settings(max_examples=150, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.booleans())
def test_merging_originals_and_adopted_copies_is_merging_the_originals(
    history: tuple[list[Device], int, bool], order: Any, lost: bool
) -> None:
    """S3, L6: whether the originals' tail is held beside its copies, or only the copies are."""
    (first, second), at, signed = history
    new = Device(3)
    adopt(new, first, at, signed=signed)
    originals = [*first.records(), *second.records()]
    held = [r for r in originals if not lost or r.device != first.id or r.seq < at]
    both = [*held, *new.records()]
    order.shuffle(both)
    wanted, got = merge(originals), merge(expand(both, owners(first, second, new)))
    assert list(got.paths) == list(wanted.paths)
    for path, state in wanted.paths.items():
        assert [r.h for r in got.paths[path].heads] == [r.h for r in state.heads]
        assert [r.h for r in got.paths[path].replaced] == [r.h for r in state.replaced]
    if not lost:
        assert got == wanted
    assert (
        read_inspection(INSPECTION, got).conflicts == read_inspection(INSPECTION, wanted).conflicts
    )
