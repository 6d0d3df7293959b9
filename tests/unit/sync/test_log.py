"""Entries, hash chain, segments and limits: rules L1 to L5 and S12."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logs import INSPECTION, Device

from sync.log import (
    MAX_ENTRY_BYTES,
    MAX_NESTING,
    Entry,
    Head,
    Segment,
    Unread,
    check_instance,
    device_id,
    genesis,
    is_log_name,
    link,
    nesting,
    records_of,
    strict_json,
    verify_segment,
    verify_signature,
    write_line,
)
from sync.problems import Problem

SHARED = Path(__file__).parents[4] / "shared"


def values() -> st.SearchStrategy[Any]:
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    leaves = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | text
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=12,
    )


def code(caught: pytest.ExceptionInfo[Problem]) -> str:
    return caught.value.code


# -- L1, L2 ---------------------------------------------------------------------------------------


def test_a_device_id_derives_from_its_public_key_alone() -> None:
    """L1"""
    one, other = Device(1), Device(2)
    assert device_id(one.public_key) == one.id != other.id
    assert len(one.id) == 32


def test_a_log_is_named_by_an_inspection_or_is_the_devices_own() -> None:
    """L2"""
    assert is_log_name(INSPECTION) and is_log_name("device")
    assert not is_log_name("Device") and not is_log_name("../etc") and not is_log_name("")


# -- L3 -------------------------------------------------------------------------------------------


@given(values())
def test_what_is_written_is_read_back_the_same(value: Any) -> None:
    """L3"""
    device = Device(1)
    device.write("answers/GEN-G1/-", value)
    (record,) = device.records()
    assert isinstance(record, Entry)
    assert record.value == value


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":1,"value":2}', "stands twice"),
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":"\\ud800"}', "surrogates"),
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":9007199254740992}', "2^53"),
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":0.5}', "decimal strings"),
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":NaN}', "decimal strings"),
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":"\xff"}', "utf-8"),
        (b'{"seq":2,"at":1,"by":"p","path":"about","value":1}', "its place in the log"),
        (b'{"seq":true,"at":1,"by":"p","path":"about","value":1}', "its place in the log"),
        (b'{"seq":1,"at":-5,"by":"p","path":"about","value":1}', "at is not a time"),
        (b'{"seq":1,"at":1,"by":"","path":"about","value":1}', "by names no person"),
        (b'{"seq":1,"at":1,"by":"p","path":"about"}', "no value"),
        (b'{"seq":1,"at":1,"by":"p","path":"../x","value":1}', "path"),
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":1,"mood":1}', "does not know"),
        (b'{"seq":1,"at":1,"by":"p","path":"about","value":1,"replaces":["x"]}', "replaces"),
        (b"[" * 10_000, "nested"),
        (b"[]", "not an object"),
        (b"", "not I-JSON"),
    ],
)
def test_a_signed_line_that_breaks_l3_is_kept_unread_and_holds_up_nothing(
    line: bytes, why: str
) -> None:
    """L3, L4"""
    device = Device(1)
    device.write_raw(line)
    device.write_raw(b'{"seq":2,"at":1,"by":"p","path":"outcome","value":1}')
    records, head = verify_segment(device.public_key, device.start, device.segment())
    assert isinstance(records[0], Unread)
    assert why in records[0].why
    assert isinstance(records[1], Entry)
    assert head == device.head


@pytest.mark.parametrize(
    "value", [0.5, float("nan"), float("inf"), 2**53, "\ud800", {1, 2}, b"x", {"a": [1.0]}]
)
def test_a_writer_refuses_what_is_not_i_json(value: Any) -> None:
    """L3"""
    with pytest.raises(Problem) as caught:
        write_line(1, 1, "p", "about", value)
    assert code(caught) == "entry-not-ijson"


def test_readers_refuse_duplicate_keys_at_any_depth() -> None:
    """L3"""
    with pytest.raises(ValueError, match="stands twice"):
        strict_json(b'{"a":[{"b":1,"b":1}]}')


# -- L4 -------------------------------------------------------------------------------------------


def test_the_chain_is_the_one_the_protocol_writes_down() -> None:
    """L4: computed here from the protocol's words, not with the code's functions."""
    device = Device(3)
    device.write("about", {"a": 1})
    device.write("outcome", {"b": 2})
    h0 = hashlib.sha256(b"tapak log v1" + device.public_key + INSPECTION.encode()).digest()
    h1 = hashlib.sha256(h0 + device.lines[0]).digest()
    h2 = hashlib.sha256(h1 + device.lines[1]).digest()
    assert (device.start.h, device.hashes) == (h0, [h1, h2])
    assert genesis(device.public_key, INSPECTION) == h0 and link(h0, device.lines[0]) == h1


@given(st.integers(0, 2), st.data())
def test_one_changed_bit_anywhere_in_a_segment_is_refused(which: int, data: st.DataObject) -> None:
    """L4"""
    device = Device(1)
    for i in range(3):
        device.write("answers/GEN-G1/-", {"level": "fully", "note": str(i)})
    segment = device.segment()
    changed = bytearray(segment.signature if which == 0 else segment.lines[which])
    at = data.draw(st.integers(0, len(changed) * 8 - 1))
    changed[at // 8] ^= 1 << (at % 8)
    lines = list(segment.lines)
    signature = segment.signature
    if which == 0:
        signature = bytes(changed)
    else:
        lines[which] = bytes(changed)
    bad = Segment(device.id, INSPECTION, 1, tuple(lines), signature)
    with pytest.raises(Problem):
        verify_segment(device.public_key, device.start, bad)


def test_lines_in_another_order_are_refused() -> None:
    """L4"""
    device = Device(1)
    device.write("about", 1)
    device.write("outcome", 2)
    segment = device.segment()
    swapped = Segment(device.id, INSPECTION, 1, segment.lines[::-1], segment.signature)
    with pytest.raises(Problem) as caught:
        verify_segment(device.public_key, device.start, swapped)
    assert code(caught) == "segment-signature"


def test_a_segment_is_bound_to_its_inspection_and_its_device() -> None:
    """L4"""
    device, other = Device(1), Device(2)
    device.write("about", 1)
    segment = device.segment()
    elsewhere = Head(0, genesis(device.public_key, "6ba7b810-9dad-41d1-80b4-00c04fd430c8"))
    with pytest.raises(Problem):
        verify_segment(device.public_key, elsewhere, segment)
    with pytest.raises(Problem):
        verify_segment(other.public_key, device.start, segment)


def test_a_log_verifies_in_any_cut_into_segments() -> None:
    """L4"""
    device = Device(1)
    for i in range(6):
        device.write("answers/GEN-G1/-", i)
    for cut in range(1, 6):
        first, head = verify_segment(device.public_key, device.start, device.segment(1, cut))
        rest, end = verify_segment(device.public_key, head, device.segment(cut + 1))
        assert end == device.head
        assert [*first, *rest] == device.records()


def test_reading_a_stored_log_gives_the_records_that_were_verified() -> None:
    device = Device(1)
    device.write("about", 1)
    device.write_raw(b"nonsense")
    verified, _ = verify_segment(device.public_key, device.start, device.segment())
    read = records_of(device.lines, device.public_key, device.id, INSPECTION)
    assert read == verified


def test_signatures_agree_with_published_vectors() -> None:
    """L1: Wycheproof's Ed25519 vectors, through the function that checks segments."""
    folder = SHARED / "data/conformance/C2SP+wycheproof/testvectors_v1"
    found = sorted(folder.glob("*ed25519*")) if folder.is_dir() else []
    if not found:
        pytest.skip("the shared conformance vectors are not here")
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    checked = 0
    for group in json.loads(found[0].read_text())["testGroups"]:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            try:
                Ed25519PublicKey.from_public_bytes(key).verify(
                    bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"])
                )
                valid = True
            except InvalidSignature:
                valid = False
            assert valid == (case["result"] == "valid"), case["tcId"]
            checked += 1
    assert checked > 50


def test_a_signature_of_the_wrong_length_is_a_problem_not_a_crash() -> None:
    with pytest.raises(Problem) as caught:
        verify_signature(Device(1).public_key, b"x" * 32, b"short", "log")
    assert code(caught) == "segment-signature"


# -- L5 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "about",
        "outcome",
        "answers/ISL-E1/-",
        "answers/ISL-E2/kolam 3",
        "answers/ISL-E2/บ่อ-1",
        "observed/operating/warm-kiln",
        f"evidence/{'a' * 64}/dev",
        "track/dev/1",
        "sample/x",
        "sealed/x",
        "comments/x",
        "sign-off/dev",
        "device/opened/x",
    ],
)
def test_paths_of_the_protocol_can_be_written(path: str) -> None:
    """L5"""
    assert write_line(1, 1, "p", path, 1)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "about/x",
        "answers/A",
        "answers/A/b/c",
        "answers//-",
        "answers/A/a\u202eb",
        "/",
        "a\n",
    ],
)
def test_other_paths_cannot(path: str) -> None:
    """L5"""
    with pytest.raises(Problem) as caught:
        write_line(1, 1, "p", path, 1)
    assert code(caught) == "path-malformed"


def test_an_instance_has_one_spelling() -> None:
    assert check_instance("e\u0301tang") is not None  # decomposed accent
    assert check_instance("\u00e9tang") is None


# -- S12 ------------------------------------------------------------------------------------------


def test_limits_are_enforced_by_writers_before_appending() -> None:
    """S12"""
    with pytest.raises(Problem) as caught:
        write_line(1, 1, "p", "about", "x" * MAX_ENTRY_BYTES)
    assert code(caught) == "entry-too-large"
    deep: Any = 1
    for _ in range(MAX_NESTING):
        deep = [deep]
    with pytest.raises(Problem) as caught:
        write_line(1, 1, "p", "about", deep)
    assert code(caught) == "entry-too-deep"
    assert write_line(1, 1, "p", "about", deep[0])


def test_limits_are_enforced_by_readers_before_parsing() -> None:
    """S12"""
    device = Device(1)
    device.write_raw(b"x" * (MAX_ENTRY_BYTES + 1))
    with pytest.raises(Problem) as caught:
        verify_segment(device.public_key, device.start, device.segment())
    assert code(caught) == "entry-too-large"
    many = Device(2)
    for _ in range(2_001):
        many.write_raw(b"x")
    with pytest.raises(Problem) as caught:
        verify_segment(many.public_key, many.start, many.segment())
    assert code(caught) == "segment-too-long"


@given(values())
def test_nesting_is_found_without_parsing(value: Any) -> None:
    """S12"""

    def depth(v: Any) -> int:
        if isinstance(v, dict):
            return 1 + max((depth(x) for x in v.values()), default=0)
        if isinstance(v, list):
            return 1 + max((depth(x) for x in v), default=0)
        return 0

    assert nesting(json.dumps(value).encode()) == depth(value)
