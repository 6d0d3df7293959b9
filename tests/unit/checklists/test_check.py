"""What `tapak checklist check` finds: each finding by a file that has it and one that has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from checklists import published
from checklists.check import AMISS, Checked, Finding, Library, check
from checklists.draft import blank_draft, composed_draft, parts_for
from checklists.load import load_checklist, load_limits
from checklists.model import Limits
from sync.problems import Problem

ROOT = Path(__file__).parents[3] / "checklists"
BLANK = blank_draft("my-checklist", "My checklist").decode()
LIMITS = """\
format: tapak-limits/1
jurisdiction: here
title: Here (fictional)
version: "1"
fictional: true
limits:
  surface-water/pH: {lower: 6.0, upper: 9.0, unit: pH, source: Order, date: 2026-01-01}
  surface-water/As: {upper: 0.010, unit: mg/L, source: Order, date: 2026-01-01}
"""
LEVELS = """\
          fully: {en: "All permits are valid, and the register confirms each."}
"""


def library(*tables: Limits) -> Library:
    return Library(published.part_names(), published.part, published.translations(), tables=tables)


def checked(text: str | bytes, *tables: Limits) -> Checked:
    data = text.encode() if isinstance(text, str) else text
    return check(data, "x.yaml", library(*tables))


def found(text: str, *tables: Limits) -> dict[tuple[str, str], Finding]:
    return {(f.what, f.subject): f for f in checked(text, *tables).findings}


def line_of(text: str, piece: str) -> int:
    assert text.count(piece) == 1, piece
    return text[: text.index(piece)].count("\n") + 1


def changed(*pairs: tuple[str, str]) -> str:
    text = BLANK
    for old, new in pairs:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


# -- nothing amiss ---------------------------------------------------------------------------------


def test_the_example_to_begin_from_has_nothing_to_say_about() -> None:
    assert checked(BLANK).findings == ()


@pytest.mark.parametrize("name", published.names())
def test_the_checklists_of_the_library_have_nothing_amiss(name: str) -> None:
    done = checked(published.checklist_bytes(name), *_tables())
    assert [f for f in done.findings if f.rank == AMISS] == []
    assert {f.what for f in done.findings} <= {"missing-translation", "draft-language", "limit-gap"}


SOURCES = sorted(p for p in ROOT.rglob("*.yaml") if p.parent.name not in ("settings",))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_the_sources_of_the_library_have_nothing_amiss(path: Path) -> None:
    done = check(path.read_bytes(), path.name, library())
    assert [f for f in done.findings if f.rank == AMISS] == []


def _tables() -> list[Limits]:
    return [load_limits(published.limits_bytes(n), n) for n in published.limits_names()]


# -- drafts ----------------------------------------------------------------------------------------


def test_a_draft_for_two_processes_asks_by_process_and_has_nothing_amiss() -> None:
    parts = parts_for(["separation", "in-situ-leach"])
    assert parts == ("general", "conflict", "in-situ-leaching", "separation", "observations")
    data = composed_draft("joint-site", "Joint site", parts, ["ms"])
    assert data.startswith(b"# A draft, composed of the parts general, conflict, in-situ-leaching")
    checklist = load_checklist(data, "x")
    assert (checklist.id, checklist.languages, checklist.drafts) == (
        "joint-site",
        ("en", "ms"),
        ("ms",),
    )
    assert {i.id.split("-")[0] for _, i in checklist.items()} == {"GEN", "CON", "ISL", "SX"}
    separation = checklist.item("SX-E1")
    assert separation is not None and separation.condition is not None
    assert [f for f in checked(data).findings if f.rank == AMISS] == []


def test_a_draft_for_one_process_asks_whatever_was_declared() -> None:
    data = composed_draft("my-mine", "Mine", parts_for(["hard-rock"]))
    item = load_checklist(data, "x").item("HRD-E1")
    assert item is not None and item.condition is None


def test_a_process_a_part_or_a_language_that_is_not_there_is_answered_with_the_nearest() -> None:
    for call in (
        lambda: parts_for(["in-situ-leech"]),
        lambda: composed_draft("x1", "X", ["generall"]),
        lambda: composed_draft("x1", "X", ["general"], ["vj"]),
    ):
        with pytest.raises(Problem) as caught:
            call()
        assert caught.value.code == "noun-unknown"
        assert any(n in caught.value.remedy for n in ("in-situ-leach", "general", "vi"))


def test_a_title_with_quotes_comes_back_as_it_was_given() -> None:
    title = 'Ponds: "the two", wells \\ and # more'
    assert str(load_checklist(blank_draft("x1", title), "x").title) == title


# -- conditions that can never hold ----------------------------------------------------------------

OBSERVED = "        when: {observed: operating/discharge, is: [yes]}\n"


@pytest.mark.parametrize(
    "when",
    [
        "{all: [{observed: operating/discharge, is: [yes]},"
        " {observed: operating/discharge, is: [no]}]}",
        "{all: [{answer: MY-G1, is: [fully]}, {not: {answer: MY-G1, is: [fully]}}]}",
        "{all: [{answer: MY-G1, is: [fully]}, {answer: MY-G1, is: [partially]}]}",
        "{not: {process: [in-situ-leach, hard-rock, cracking, separation, residue-storage,"
        " metal-making, magnet-making, recycling, logistics]}}",
        "{not: {exposure: {at-least: 0}}}",
        "{all: [{exposure: {at-least: 60}}, {not: {exposure: {at-least: 50}}}]}",
        "{not: {any: [{answer: MY-G1, is: [refused]}, {not: {answer: MY-G1, is: [refused]}}]}}",
        "{not: {observed: operating/discharge, is: [yes, no, unsure]}}",
        "{all: [{any: [{answer: MY-G1, is: [fully]}, {answer: MY-S2, is: [fully]}]},"
        " {answer: MY-G1, is: [refused]}, {answer: MY-S2, is: [refused]}]}",
    ],
)
def test_an_item_that_no_site_can_be_asked_is_unreachable(when: str) -> None:
    text = changed((OBSERVED, f"        when: {when}\n"))
    one = found(text)[("unreachable", "MY-E2")]
    assert (one.rank, one.line) == (AMISS, line_of(text, f"when: {when}"))


@pytest.mark.parametrize(
    "when",
    [
        # Once per outfall: two outfalls may be answered differently.
        "{all: [{answer: MY-E1, is: [fully]}, {answer: MY-E1, is: [partially]}]}",
        "{all: [{process: [separation]}, {process: [cracking]}]}",
        "{all: [{exposure: {at-least: 50}}, {not: {exposure: {at-least: 60}}}]}",
        "{not: {answer: MY-G1, is: [fully]}}",
        "{any: [{not: {exposure: {at-least: 0}}}, {answer: MY-G1, is: [fully]}]}",
        "{all: [{not: {process: [separation]}}, {process: [separation, cracking]}]}",
    ],
)
def test_an_item_that_some_site_can_be_asked_is_not_unreachable(when: str) -> None:
    told = found(changed((OBSERVED, f"        when: {when}\n")))
    assert told == {}


def test_an_item_behind_one_that_is_never_answered_so_is_unreachable() -> None:
    """S2 is asked where discharge was seen; E2 where S2 was answered and no discharge was seen."""
    text = changed(
        (OBSERVED, "        when: {all: [{answer: MY-S2, is: [fully]}, NO]}\n"),
        (
            "          - {kind: photo, weight: 1, at-least: 2, "
            'hint: {en: "The log where it lies, and a page."}}\n',
            "        when: {observed: operating/discharge, is: [yes]}\n",
        ),
    ).replace("NO", "{observed: operating/discharge, is: [no]}")
    told = found(text)
    assert [key for key in told if key[0] == "unreachable"] == [("unreachable", "MY-E2")]


def test_a_section_that_is_never_asked_is_told_at_its_when() -> None:
    text = changed(
        ("    # when: {process: [in-situ-leach]}\n", "    when: {not: {exposure: {at-least: 0}}}\n")
    )
    told = [f for f in checked(text).findings if f.what == "unreachable"]
    assert [f.subject for f in told] == ["MY-G1", "MY-S2"]
    assert {f.line for f in told} == {line_of(text, "when: {not: {exposure")}


def test_a_condition_that_always_holds_is_a_note() -> None:
    one = found(changed((OBSERVED, "        when: {exposure: {at-least: 0}}\n")))
    assert set(one) == {("always-asked", "MY-E2")}


def test_many_alternatives_are_searched_or_given_up_and_never_called_unreachable() -> None:
    any_of = ", ".join(f"{{exposure: {{at-least: {n}}}}}" for n in range(1, 30))
    never = "{not: {exposure: {at-least: 0}}}"
    many = ", ".join([f"{{any: [{any_of}]}}"] * 20)
    text = changed((OBSERVED, f"        when: {{all: [{many}, {never}]}}\n"))
    assert ("missing", "") not in found(text)  # it ends
    few = changed((OBSERVED, f"        when: {{all: [{{any: [{any_of}]}}, {never}]}}\n"))
    assert ("unreachable", "MY-E2") in found(few)


# -- words -----------------------------------------------------------------------------------------


def test_missing_translations_are_counted_for_each_language_and_named() -> None:
    text = changed(
        ("languages: [en]", "languages: [en, ms, th]"),
        ("# drafts: [ms]", "drafts: [ms]"),
        ('title: {en: "Papers"}', 'title: {en: "Papers", ms: "Kertas"}'),
    )
    told = found(text)
    every = len(told[("missing-translation", "th")].places)
    one = told[("missing-translation", "ms")]
    assert f"ms: {every - 1} of {every} texts are missing" in one.message
    assert "MY-G1 (9)" in one.message
    assert len(one.places) == every - 1
    assert "papers/title" not in one.places
    assert "MY-E1/analytes/As/label" in one.places
    assert "operating/instances/discharge" in one.places
    assert one.line == line_of(text, "languages: [en, ms, th]")
    assert set(told) - {("missing-translation", "ms"), ("missing-translation", "th")} == {
        ("draft-language", "ms")
    }


def test_a_question_that_stands_twice_is_amiss_in_any_language() -> None:
    asked = "Is the outfall that discharges one that the permit names?"
    grievance = "Is the grievance log open to everybody who works or lives here?"
    text = changed((asked, "is the grievance LOG open to everybody who works, or lives here?"))
    assert set(found(text)) == {("duplicate", "MY-E2")}
    text = changed(
        ("languages: [en]", "languages: [en, ms]"),
        (f'en: "{asked}"', f'en: "{asked}", ms: "Sama?"'),
        (f'en: "{grievance}"', f'en: "{grievance}", ms: "Sama?"'),
    )
    one = found(text)[("duplicate", "MY-E2")]
    assert (one.rank, one.line) == (AMISS, line_of(text, asked))
    assert "the same as MY-S2 (ms)" in one.message


def test_a_level_without_anything_to_count_is_a_note_on_its_line() -> None:
    old = "Every outfall that discharges is on the permit's map."
    text = changed((old, "The outfalls are good."))
    one = found(text)[("not-countable", "MY-E2")]
    assert one.line == line_of(text, "The outfalls are good.")
    assert "fully" in one.message


def test_what_an_item_does_not_tell_is_a_note() -> None:
    text = changed(
        ('        mistakes: {en: "Counting a storm drain as the outfall."}\n', ""),
        (', hint: {en: "Each outfall that discharges."}', ""),
        ("one that the permit names?", "named."),
    )
    told = found(text)
    assert told[("guidance", "MY-E2")].message == "MY-E2 lacks mistakes, the hint of photo."
    assert set(told) == {("guidance", "MY-E2"), ("not-a-question", "MY-E2")}


# -- weights ---------------------------------------------------------------------------------------


def test_an_item_that_decides_its_section_is_amiss() -> None:
    head, tail = BLANK.split("      - id: MY-E2\n")
    text = f"{head}      - id: MY-E2\n{tail.replace('severity: major', 'severity: minor')}"
    one = found(text)[("section-weight", "MY-E1")]
    assert "MY-E1 alone has 5 of the weight 6" in one.message
    assert one.line == line_of(text, "severity: critical")


def test_a_section_of_one_item_is_a_note_and_a_pillar_without_items_too() -> None:
    first, rest = BLANK.split("      - id: MY-S2\n")
    text = first + rest[rest.index("  - id: water\n") :]
    assert {key: f.rank for key, f in found(text).items()} == {
        ("section-weight", "papers"): "note",
        ("pillar-empty", "social"): "note",
    }


def test_a_section_in_which_no_item_can_count_has_the_weight_zero() -> None:
    head, tail = BLANK.split("      - id: MY-E2\n")
    text = head + tail[tail.index("# What is recorded and never scored") :]
    none = load_limits(LIMITS.replace("surface-water", "sea-water").encode(), "l.yaml")
    one = checked(text, none).findings
    weights = [f for f in one if f.what == "section-weight" and f.rank == AMISS]
    assert [f.subject for f in weights] == ["water"]
    assert "its weight is zero" in weights[0].message
    assert sum(f.what == "limit-gap" for f in one) == 2
    assert not any(f.rank == AMISS for f in checked(text, limits()).findings)


def test_a_piece_of_evidence_that_never_makes_a_difference_is_amiss() -> None:
    piece = "- {kind: document, weight: 2, hint"
    text = changed((piece, piece.replace("2", "100")))
    one = found(text)[("evidence-weight", "MY-G1")]
    assert "the photo weighs 1 of 101" in one.message
    assert one.line == line_of(text, "The permit board: wide, and close.")
    assert ("evidence-weight", "MY-G1") not in found(changed((piece, piece.replace("2", "3"))))


@pytest.mark.parametrize(
    ("old", "new", "subject"),
    [
        ("{kind: sample, weight: 2,", "{kind: interview, weight: 2,", "MY-E1"),
        (
            'at-least: 2, hint: {en: "Each outfall',
            'at-least: 21, hint: {en: "Each outfall',
            "MY-E2",
        ),
    ],
)
def test_an_item_that_nobody_can_prove_is_amiss(old: str, new: str, subject: str) -> None:
    photo = 'kind: photo, weight: 1, at-least: 2, hint: {en: "The outfall, and'
    text = changed((old, new), (photo, photo.replace("photo", "track")))
    assert found(text)[("no-evidence", subject)].rank == AMISS


# -- limits and profiles ---------------------------------------------------------------------------


def limits() -> Limits:
    return load_limits(LIMITS.encode(), "l.yaml")


def test_limits_that_no_analyte_asks_for_and_other_units_are_amiss() -> None:
    text = LIMITS.replace("surface-water/pH: ", "surface-watr/pH: ").replace("mg/L", "ug/L")
    told = found(text)
    assert {key: f.line for key, f in told.items()} == {
        ("unused-limit", "surface-watr/pH"): 7,
        ("limit-unit", "surface-water/As"): 8,
    }
    assert found(LIMITS) == {}


def test_a_real_table_says_whether_its_rows_were_held_against_the_law() -> None:
    real = LIMITS.replace("fictional: true", "fictional: false")
    told = found(real)[("verified-unsaid", "here")]
    assert (told.line, told.rank) == (5, "note")
    for said in ("true", "false"):
        assert found(real.replace("limits:", f"verified: {said}\nlimits:", 1)) == {}


def test_the_words_of_a_sheet_are_checked_for_what_is_missing_and_who_reviewed_them() -> None:
    text = (ROOT / "words" / "ms.yaml").read_text(encoding="utf-8")
    assert set(found(text)) == {("draft-language", "ms")}
    told = found(text.replace('  look-at: "lihat"\n', ""))[("missing-translation", "ms")]
    assert told.places == ("look-at",)
    assert told.line == line_of(text, "\nwords:") + 1
    assert found((ROOT / "words" / "en.yaml").read_text(encoding="utf-8")) == {}
    with pytest.raises(Problem):
        checked(text.replace("{weight}", "{wait}"))


def test_a_checklist_beside_the_library_may_use_a_limit_too() -> None:
    text = LIMITS.replace("surface-water/pH", "sea-water/pH")
    own = load_checklist(BLANK.replace("surface-water/pH", "sea-water/pH").encode(), "x")
    with_own = Library(published.part_names(), published.part, (), others=[own])
    assert check(text.encode(), "l.yaml", with_own).findings == ()
    assert set(found(text)) == {("unused-limit", "sea-water/pH")}


def test_gaps_and_units_of_a_table_are_told_with_the_analytes_line() -> None:
    other = LIMITS.replace("unit: mg/L", "unit: ug/L").replace("surface-water/pH", "sea-water/pH")
    told = found(BLANK, load_limits(other.encode(), "l.yaml"))
    assert told.keys() == {("limit-gap", "MY-E1"), ("limit-unit", "MY-E1")}
    assert told[("limit-gap", "MY-E1")].line == line_of(BLANK, "- {id: pH")
    assert told[("limit-unit", "MY-E1")].line == line_of(BLANK, "- {id: As")


def test_a_pillar_without_weight_is_amiss() -> None:
    text = published.profile_bytes("default").decode()
    assert found(text) == {}
    none = text.replace("environment: 40", "environment: 75").replace("social: 35", "social: 0")
    assert set(found(none)) == {("pillar-weight", "social")}


# -- other kinds of file ---------------------------------------------------------------------------


def test_a_translation_is_held_against_its_part() -> None:
    text = (ROOT / "translations/ms/logistics.yaml").read_text(encoding="utf-8")
    assert set(found(text)) == {("draft-language", "ms")}
    lines = text.split("\n")
    at = next(n for n, line in enumerate(lines) if line.lstrip().startswith("mistakes:"))
    less = "\n".join([*lines[:at], *lines[at + 1 :]]).replace("of:", "of_:", 0)
    one = found(less)[("missing-translation", "ms")]
    assert one.places == ("LOG-G1/mistakes",)
    with pytest.raises(Problem, match=r'no part "logistcs"\. Write "logistics"'):
        checked(text.replace("part: logistics", "part: logistcs"))


def test_a_part_is_held_against_what_other_parts_have_and_its_translations() -> None:
    text = (ROOT / "parts/logistics.yaml").read_text(encoding="utf-8")
    asked = "        scale: readings\n"
    for when, meant in (
        ("{observed: operating/dischrge, is: [yes]}", "operating/discharge"),
        ("{answer: GEN-G99, is: [fully]}", "GEN-G9"),
    ):
        one = found(text.replace(asked, f"{asked}        when: {when}\n", 1))
        named = one[("unknown-name", "LOG-G1")]
        assert (named.rank, named.line) == (AMISS, line_of(text, "id: LOG-G1") + 4)
        assert meant in named.remedy
    known = f"{asked}        when: {{observed: operating/discharge, is: [yes]}}\n"
    assert found(text.replace(asked, known, 1)) == {}
    stale = found(text.replace("Do seals, weights", "Do seals and weights"))
    assert set(stale) == {("stale-translation", "id"), ("stale-translation", "ms")}
    told = stale[("stale-translation", "ms")].message
    assert "(places: 1)" in told and "The English of LOG-G1 changed" in told


def test_a_recipe_is_checked_as_it_is_composed() -> None:
    text = (ROOT / "recipes/logistics-hub.yaml").read_text(encoding="utf-8")
    done = checked(text)
    assert (done.kind, done.file) == ("tapak-recipe/1", "x.yaml (composed)")
    with pytest.raises(Problem, match=r'no part "logistcs"\. Write "logistics"'):
        checked(text.replace("logistics, obs", "logistcs, obs"))
    last = text.count("\n") + 1
    with pytest.raises(Problem, match=rf"x\.yaml:{last}: None of the parts has the item"):
        checked(f"{text}only: [GEN-G1, GEN-G99]\n")


def test_a_file_that_is_none_of_these_is_refused_with_what_it_may_be() -> None:
    with pytest.raises(Problem, match="lacks its format"):
        checked("id: x\n")
    with pytest.raises(Problem, match=r"x.yaml:1: .*tapak-part/1"):
        checked("format: tapak-prt/1\n")
