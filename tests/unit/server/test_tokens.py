"""Colours: every text can be read on its ground, in the light and the dark theme and in print."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

import server.pages

CSS = (Path(server.pages.__file__).parent / "static" / "tokens.css").read_text("utf-8")
SITE = (Path(server.pages.__file__).parent / "static" / "site.css").read_text("utf-8")
GROUNDS = ("paper", "sheet", "wash", "wash-accent")
TEXTS = ("ink", "ink-soft", "accent", "accent-strong", "critical", "major", "minor", "query")
PAIRS = [
    *((text, ground) for text in TEXTS for ground in GROUNDS),
    *((f"on-{letter}", f"grade-{letter}") for letter in "abcde"),
    ("on-accent", "accent"),
    ("on-accent", "accent-strong"),
    ("on-accent", "map-photo"),
    ("ink", "map-ground"),
    ("ink", "map-inside"),
]


def theme(name: str) -> dict[str, str]:
    light, dark, printed = re.split(r"@media[^{]*\{", CSS)
    block = {"light": "", "dark": dark, "print": printed}[name]
    found = re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", light + block)
    return dict(found)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("name", ["light", "dark", "print"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_has_enough_contrast(name: str, text: str, ground: str) -> None:
    colours = theme(name)
    assert contrast(colours[text], colours[ground]) >= 4.5


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_best_and_the_worst_grade_differ_from_their_neighbours_in_grey(name: str) -> None:
    colours = theme(name)
    shades = [luminance(colours[f"grade-{letter}"]) for letter in "abcde"]
    assert all(abs(a - b) > 0.02 for a, b in pairwise(shades))


def test_there_are_four_sizes_of_text_and_none_is_under_14_px() -> None:
    sizes = sorted(float(size) * 16 for size in re.findall(r"--size-[a-z]+: ([\d.]+)rem", CSS))
    assert sizes == [14, 16, 20, 28]
    used = set(re.findall(r"font-size: ([^;]+);", SITE))
    assert {u for u in used if not u.startswith("var(--size-")} <= {"14px", "21px", "10pt"}
