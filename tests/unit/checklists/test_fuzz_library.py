"""A change to one line of the library is told with file, line and remedy, or read as it stands.

Every 53rd change is tried here; `make fuzz` tries them all.
"""

from __future__ import annotations

from itertools import islice

import pytest

from tests.fuzz.library import HOWS, ROOT, Changed, changes, files, outcome

SHARE = 53


def test_every_kind_of_file_is_among_those_that_are_changed() -> None:
    kinds = {path.relative_to(ROOT).parts[0] for path in files()}
    assert kinds >= {"parts", "recipes", "translations", "limits", "profiles", "discrepancies"}
    assert "words" in kinds


def test_every_change_changes_its_file() -> None:
    for path in files():
        before = path.read_bytes()
        assert all(one.data != before for one in changes(path)), path


@pytest.mark.parametrize("how", HOWS)
def test_a_changed_line_is_told_or_read_as_it_stands(how: str) -> None:
    every = (one for path in files() for one in changes(path) if one.how == how)
    for one in islice(every, 0, None, SHARE):
        try:
            outcome(one)
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is to say where
            pytest.fail(f"{one}: {type(exc).__name__}: {exc}")


@pytest.mark.parametrize(
    ("name", "old", "new", "wanted"),
    [
        ("parts/logistics.yaml", "severity: critical", "severity: critcal", "refused"),
        ("parts/logistics.yaml", "severity: critical", "severty: critical", "refused"),
        ("parts/logistics.yaml", "Do seals, weights", "Do seals weights", "amiss or a note"),
        ("limits/example.yaml", "upper: 0.010", "upper: 0.011", "read as it now stands"),
        ("limits/example.yaml", "upper: 0.010", "upper: 0.0100", "read as it now stands"),
        ("limits/example.yaml", "fictional: true", "fictional: yes", "refused"),
        ("limits/my.yaml", "verified: false\n", "", "amiss or a note"),
        ("words/ms.yaml", "{weight}", "{wait}", "refused"),
        ("words/ms.yaml", '  look-at: "lihat"\n', "", "amiss or a note"),
        ("words/en.yaml", "date: 2026-11-30", "date: 2026-11-29", "read as it now stands"),
        ("words/en.yaml", "reviewer: The authors", "reviewer: An author", "read as it now stands"),
        ("words/ms.yaml", '"lihat"', '"lihatlah"', "read as it now stands"),
        (
            "discrepancies/settings/default.yaml",
            "    - CorelDRAW\n",
            "    - CorelDRAW\n    - CorelDRAW\n",
            "refused",
        ),
        ("recipes/closed-site.yaml", "parts: [", "parts: [ ", "means the same"),
    ],
)
def test_what_comes_of_a_change_is_told_apart(name: str, old: str, new: str, wanted: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert old in text
    assert outcome(Changed(ROOT / name, 1, "", text.replace(old, new, 1).encode())) == wanted
