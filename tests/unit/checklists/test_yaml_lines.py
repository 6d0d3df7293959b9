"""Only the quiet part of YAML is taken: anything else is a fault with its line, and bounded."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from checklists import published
from checklists.load import load_checklist
from checklists.yaml_lines import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FAULTS,
    Faults,
    Keyed,
    Scalar,
    nearest,
    read_yaml,
    shown,
)
from sync.problems import Problem


def faults_of(data: bytes) -> list[dict[str, Any]]:
    with pytest.raises(Problem) as caught:
        load_checklist(data, "small.yaml")
    assert caught.value.code == "checklist-malformed"
    assert all(f["file"] == "small.yaml" and f["remedy"] for f in caught.value.detail["faults"])
    return list(caught.value.detail["faults"])


def test_scalars_stay_the_text_that_was_written_and_know_their_line() -> None:
    tree = read_yaml(b"a: no\nb: 0.010\n# c\nd: 2026-01-01\n", Faults("x"))
    assert isinstance(tree, Keyed)
    assert [(k.line, v) for k, v in tree.entries] == [
        (1, Scalar(1, "no")),
        (2, Scalar(2, "0.010")),
        (4, Scalar(4, "2026-01-01")),
    ]


def test_what_was_given_is_shown_short_and_without_invisible_characters() -> None:
    assert shown("a\n b") == '"a b"'
    assert shown("a\u2028\u0007b") == '"a ?b"'
    assert len(shown("x" * 100)) == 42


def test_the_nearest_name_is_given_only_where_one_is_near() -> None:
    assert nearest("critcal", ("critical", "major")) == "critical"
    assert nearest("zzz", ("critical", "major")) is None


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [
        (b"", 1, "empty"),
        (b"# only a comment\n", 1, "empty"),
        (b"just words\n", 1, "not a mapping"),
        (b"- a\n- b\n", 1, "not a mapping"),
        (b"format: x\nid: \xff\n", 2, "not UTF-8"),
        (b"format: x\nid:\ty\n", 2, "tab"),
        (b"format: x\n\tid: y\n", 2, "tab"),
        (b"format: x\nid: \x00\n", 2, "U+0000"),
        ("format: x\nid: a\u2028b\n".encode(), 2, "U+2028"),
        (b'format: x\nid: "\\0"\n', 2, "escape for an invisible"),
        (b'format: x\nid: "\\uD800"\n', 2, ""),
        (b'format: "\\UFFFFFFFF"\n', 1, ""),
        (b"format: x\nid: &a y\n", 2, "anchor &a"),
        (b"format: x\nid: *a\n", 2, "alias *a"),
        (b"format: x\n<<: {id: y}\n", 2, "Merge keys"),
        (b"format: x\nid: !!python/name:os.system y\n", 2, "tag"),
        (b"format: !x y\n", 1, "tag"),
        (b"format: x\nformat: y\n", 2, '"format" stands twice; first on line 1'),
        (b"format: x\n? [a, b]\n: y\n", 2, "key is a list"),
        (b"format: x\nid: [a\n", 3, "cannot be read on"),
        (b"format: x\nid: 'a\n", 3, "cannot be read on"),
        (b"format: x\n---\nid: y\n", 2, "second document"),
        (b"%YAML 1.1\n%YAML 1.1\n---\nformat: x\n", 2, "cannot be read on"),
        (b"[" * 400_000, 1, "nested more than"),
        (b"a: " + b"x" * MAX_BYTES, 1, "the limit is"),
    ],
)
def test_what_is_not_plain_yaml_is_a_fault_with_its_line(
    data: bytes, line: int, message: str
) -> None:
    assert any(f["line"] == line and message in str(f["message"]) for f in faults_of(data))


def test_nesting_is_allowed_up_to_its_limit() -> None:
    depth = MAX_DEPTH
    read_yaml(b"[" * depth + b"]" * depth, Faults("x"))
    with pytest.raises(Problem):
        read_yaml(b"[" * (depth + 1) + b"]" * (depth + 1), Faults("x"))


def test_aliases_that_would_unfold_to_billions_are_refused_as_written() -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 20)]
    found = faults_of("\n".join(lines).encode())
    assert sum("alias" in str(f["message"]) for f in found) == 19  # one a line, though used twice


def test_reading_stops_after_a_thousand_faults() -> None:
    found = faults_of("".join(f"k{n}: v\n" for n in range(5_000)).encode())
    assert len(found) == MAX_FAULTS


@pytest.mark.parametrize("name", ["SafeLoader", "CSafeLoader"])
def test_the_tree_is_the_same_with_and_without_the_compiled_parser(name: str) -> None:
    if not hasattr(yaml, name):
        pytest.skip(f"this PyYAML is built without {name}")
    data = published.checklist_bytes("rare-earth-site")
    assert read_yaml(data, Faults("x"), getattr(yaml, name)) == read_yaml(data, Faults("x"))


@pytest.mark.parametrize(
    "data", [b'a: "\\UFFFFFFFF"\n', b'a: "\\uD800"\n', b"%YAML 1." + b"9" * 5000 + b"\n---\na: b"]
)
def test_the_parser_in_python_names_faults_too(data: bytes) -> None:
    faults = Faults("x")
    with pytest.raises(Problem):
        read_yaml(data, faults, yaml.SafeLoader)
        faults.raise_if_any()
