"""Checklists composed of parts, and translations laid over them."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checklists import published
from checklists.compose import Part, compose, digest_of, read_part, read_recipe
from checklists.load import load_checklist
from checklists.translations import english_mark, lay_over, places, read_translation, stamped
from checklists.yaml_lines import Faults, Keyed, Listed, Node, Scalar, read_yaml
from checklists.yaml_writer import write_yaml
from sync.problems import Problem

PART = """\
format: tapak-part/1
id: ponds
process: in-situ-leach
languages: [en]
sections:
  - id: ponds
    title: {en: "Ponds"}
    items:
      - id: PND-E1
        pillar: environment
        severity: minor
        scale: met-or-not
        question: {en: "Is the pond lined?"}
        levels: {fully: {en: "0 tears."}, does-not-meet: {en: "1 tear."}}
        evidence: [{kind: photo, weight: 1, at-least: 2, hint: {en: "Its rim."}}]
      - id: PND-E2
        pillar: environment
        severity: minor
        scale: met-or-not
        question: {en: "Is it fenced?"}
        levels: {fully: {en: "0 gaps."}, does-not-meet: {en: "1 gap."}}
        evidence: [{kind: photo, weight: 1, at-least: 2}]
observed:
  - {what: operating, label: {en: "Signs"}, type: sign, instances: {smoke: {en: "Smoke"}}}
"""
RECIPE = """\
format: tapak-recipe/1
id: pond-check
version: "2026.1"
title: {en: "Ponds"}
parts: [ponds]
"""
MALAY = """\
format: tapak-translation/1
part: ponds
language: ms
reviewed: false
texts:
  ponds: {title: "Kolam"}
  PND-E1:
    question: "Adakah kolam ini berlapik?"
    levels: {fully: "0 koyakan."}
    evidence: {photo: {hint: "Bibirnya."}}
  operating: {label: "Tanda", instances: {smoke: "Asap"}}
"""


def part(name: str) -> Part:
    assert name == "ponds"
    return read_part(PART.encode(), "ponds.yaml")


def test_the_same_sources_give_the_same_bytes_and_these_load() -> None:
    recipe = read_recipe(RECIPE.encode(), "recipe.yaml")
    first, second = compose(recipe, part), compose(recipe, part)
    assert first == second
    checklist = load_checklist(first, "pond-check.yaml")
    assert checklist.digest == digest_of(first)
    assert [item.id for _, item in checklist.items()] == ["PND-E1", "PND-E2"]
    assert checklist.drafts == ()


def test_a_translation_is_laid_over_and_what_it_lacks_falls_back_visibly() -> None:
    recipe = read_recipe(RECIPE.encode(), "recipe.yaml")
    malay = read_translation(MALAY.encode(), "ms/ponds.yaml")
    checklist = load_checklist(compose(recipe, part, [malay]), "pond-check.yaml")
    assert (checklist.languages, checklist.drafts) == (("en", "ms"), ("ms",))
    first, second = (item for _, item in checklist.items())
    assert first.question.get("ms") == ("Adakah kolam ini berlapik?", True)
    assert first.pieces[0].hint is not None
    assert first.pieces[0].hint.get("ms") == ("Bibirnya.", True)
    assert first.levels["does-not-meet"].get("ms") == ("1 tear.", False)
    assert second.question.get("ms") == ("Is it fenced?", False)
    operating = checklist.observation("operating")
    assert operating is not None and operating.instances is not None
    assert operating.instances["smoke"].get("ms") == ("Asap", True)


def test_a_reviewed_translation_names_its_reviewer_and_is_no_draft() -> None:
    recipe = read_recipe(RECIPE.encode(), "recipe.yaml")
    told = MALAY.replace("reviewed: false", "reviewed: true\nreviewer: A. Contoh\ndate: 2026-11-01")
    done = compose(recipe, part, [read_translation(told.encode(), "ms/ponds.yaml")])
    assert load_checklist(done, "x").drafts == ()
    with pytest.raises(Problem, match="reviewer"):
        read_translation(MALAY.replace("false", "true").encode(), "ms/ponds.yaml")


def test_a_text_that_belongs_nowhere_is_named_with_the_place_that_was_meant() -> None:
    malay = read_translation(MALAY.replace("hint:", "hunt:").encode(), "ms/ponds.yaml")
    with pytest.raises(Problem) as caught:
        lay_over(part("ponds"), malay)
    assert "ms/ponds.yaml:10" in str(caught.value)
    assert "PND-E1/evidence/photo/hint" in str(caught.value)


def test_a_translation_of_another_english_is_noticed() -> None:
    one = part("ponds")
    items = one.sections[0].get("items")
    assert isinstance(items, Listed)
    item = items.nodes[0]
    assert isinstance(item, Keyed)
    mark = english_mark(item)
    told = MALAY.replace("  PND-E1:\n", f"  PND-E1:\n    of: {mark}\n")
    lay_over(one, read_translation(told.encode(), "ms/ponds.yaml"))
    changed = read_part(PART.replace("0 tears", "0 holes").encode(), "ponds.yaml")
    with pytest.raises(Problem, match="changed since it was translated"):
        lay_over(changed, read_translation(told.encode(), "ms/ponds.yaml"))


def test_a_translation_is_stamped_with_its_english_where_it_has_no_mark_yet() -> None:
    one = part("ponds")
    done = stamped(MALAY.encode(), one)
    assert stamped(done, one) == done
    assert done.decode().splitlines()[5:8] == [
        '  ponds: {of: df86e58c, title: "Kolam"}',
        "  PND-E1:",
        "    of: 8cb39c86",
    ]
    before, after = (read_translation(d, "ms/ponds.yaml") for d in (MALAY.encode(), done))
    assert {path: text.text for path, text in after.texts.items()} == {
        path: text.text for path, text in before.texts.items()
    }
    assert set(after.of) == {"ponds", "PND-E1", "operating"}
    lay_over(one, after)
    changed = read_part(PART.replace("0 tears", "0 holes").encode(), "ponds.yaml")
    assert stamped(done, changed) == done
    with pytest.raises(Problem, match="changed since it was translated"):
        lay_over(changed, after)


def test_only_some_items_are_kept_and_a_section_without_any_goes() -> None:
    one = read_recipe((RECIPE + "only: [PND-E2]\nby-process: true\n").encode(), "recipe.yaml")
    checklist = load_checklist(compose(one, part), "x")
    (item,) = (item for _, item in checklist.items())
    assert item.id == "PND-E2"
    assert item.condition is not None
    assert (item.condition.op, item.condition.values) == ("process", ("in-situ-leach",))
    none = dataclasses.replace(one, only=("PND-E9",))
    with pytest.raises(Problem, match=r'None of the parts has the item "PND-E9".*"PND-E2"'):
        compose(none, part)


def test_a_site_with_several_processes_gets_the_parts_of_each_once() -> None:
    title = Keyed(0, ((Scalar(0, "en"), Scalar(0, "Leaching and separation")),))
    data = published.checklist_for_several(
        ["in-situ-leaching-mine", "separation-plant"], "joint-site", "2026.1", title
    )
    checklist = load_checklist(data, "joint-site.yaml")
    parts = [item.id.split("-")[0] for _, item in checklist.items()]
    assert {name: parts.count(name) for name in parts} == {"GEN": 27, "CON": 5, "ISL": 10, "SX": 6}


def test_places_are_all_the_texts_that_a_translation_can_fill() -> None:
    found = ["/".join(path) for path in places(part("ponds"))]
    assert len(found) == len(set(found)) == 10
    assert "PND-E1/levels/does-not-meet" in found


# -- the writer ------------------------------------------------------------------------------------


def _keyed(rows: dict[str, Node]) -> Keyed:
    return Keyed(0, tuple((Scalar(0, key), value) for key, value in rows.items()))


_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp", "Cn"], exclude_characters="\ufeff"),
    max_size=30,
)
_nodes = st.recursive(
    _text.map(lambda text: Scalar(0, text)),
    lambda inner: (
        st.lists(inner, max_size=4).map(lambda rows: Listed(0, tuple(rows)))
        | st.dictionaries(_text.filter(lambda t: t != "<<"), inner, max_size=4).map(_keyed)
    ),
    max_leaves=20,
)


def _plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Listed):
        return [_plain(one) for one in node.nodes]
    return {key.text: _plain(value) for key, value in node.entries}


@given(st.dictionaries(_text.filter(lambda t: t != "<<"), _nodes, min_size=1, max_size=4))
def test_what_is_written_reads_back_to_the_same(rows: dict[str, Node]) -> None:
    root = _keyed(rows)
    faults = Faults("written.yaml")
    assert _plain(read_yaml(write_yaml(root), faults)) == _plain(root)
    faults.raise_if_any()
