"""Every rule of the protocol is proved by a test, and broken on purpose, or it is said why not."""

from __future__ import annotations

import re

import pytest

from .broken import ROOT, every
from .table import in_page, rules

# Rules that no single change of the program breaks, and why.
NOT_BROKEN: dict[str, str] = {}


@pytest.mark.parametrize("rule", rules())
def test_a_rule_is_cited_by_a_test(rule: str) -> None:
    cited = re.compile(rf"\b{rule}\b", re.IGNORECASE)
    tests = [p for p in (ROOT / "tests").rglob("test_*.py") if "faults" not in p.parts]
    assert any(cited.search(path.read_text("utf-8")) for path in tests)


@pytest.mark.parametrize("rule", rules())
def test_a_rule_is_broken_on_purpose_or_it_is_said_why_not(rule: str) -> None:
    assert rule in NOT_BROKEN or any(one.rule == rule for one in every())


def test_every_broken_build_is_in_the_page_and_was_caught_and_there_is_one_for_each_rule() -> None:
    page = {name: (rule, by) for rule, name, by in in_page()}
    known = {one.name: one.rule for one in every()}
    assert {name: rule for name, (rule, _) in page.items()} == known
    assert [name for name, (_, by) in page.items() if "not caught" in by] == []
    assert {rule for rule, _ in page.values()} >= set(rules()) - NOT_BROKEN.keys()


def test_the_names_of_broken_builds_are_each_their_own() -> None:
    names = [one.name for one in every()]
    assert len(set(names)) == len(names)
