"""Exported inputs: anyone can recompute the score from them, and only from them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
import scoring_world as w

from checklists import published
from checklists.load import load_checklist, load_limits, load_profile
from checklists.scoring import (
    explain,
    inputs_digest,
    inputs_from_json,
    inputs_to_json,
    score,
    score_bytes,
    texts_left_out,
    texts_put_back,
)
from checklists.scoring.document import canonical
from checklists.scoring.inputs import FlagFact, ScoreInputs
from sync.problems import Problem

FILES = (
    published.checklist_bytes("rare-earth-site"),
    published.limits_bytes("example"),
    published.profile_bytes("default"),
)
OPEN = FlagFact("f1", "R16", "critical", "operations", "open")
PROTECTED = FlagFact("f2", "R32", "critical", "operations", "open", protected=True)


def site() -> ScoreInputs:
    """A visit to a fictional site with an answer of every kind."""
    checklist, table, profile = (
        load_checklist(FILES[0], "checklist"),
        load_limits(FILES[1], "limits"),
        load_profile(FILES[2], "profile"),
    )
    answers = [
        w.answer("ISL-E1", "partially", instance="pond-1", conflict=True),
        w.answer("ISL-E1", "fully", instance="pond-1", auditor="p-bbbbbbbb", conflict=True),
        w.answer("ISL-E1", "partially", auditor="p-c", replaced=True, overruled=True),
        w.answer("GEN-S12", "not-applicable", reason="no dormitory"),
        w.answer("GEN-G1", "refused"),
        w.answer(
            "ISL-E9",
            "",
            readings=(w.reading("Th", "0.4", "0.1", "Bq/g"), w.reading("U", "2", None)),
        ),
        w.answer("GEN-S2", "does-not-meet", proof=False),
    ]
    visits = (
        replace(w.ruled_out(w.visit("v2", *answers), "GEN-S2"), unread=(("GEN-G2", "-"),)),
        w.visit("v1", w.answer("GEN-E2"), at=w.NOW - w.DAY_MS, outcome="partly"),
        w.visit("v3", outcome="evacuated"),
    )
    return ScoreInputs(
        "facility",
        "example-mine",
        checklist,
        profile,
        table,
        w.AS_OF,
        visits,
        (OPEN, PROTECTED),
        ("in-situ-leach",),
        {"operating/warm-kiln": "yes"},
        (1, 2, 3),
        {"p-aaaaaaaa": 120},
    )


def exported(inputs: ScoreInputs | None = None) -> dict[str, Any]:
    document = inputs_to_json(inputs or site(), *FILES)
    return json.loads(json.dumps(document))


def test_a_score_recomputed_from_its_export_is_the_same_byte_for_byte() -> None:
    """Rule 10."""
    document = exported()
    digest = inputs_digest(document)
    again = score(inputs_from_json(document), digest)
    assert score_bytes(again) == score_bytes(score(site(), digest))
    assert json.loads(score_bytes(again))["digests"]["inputs"] == digest


def test_an_export_read_and_written_again_is_the_same_document() -> None:
    document = exported()
    assert inputs_to_json(inputs_from_json(document), *FILES) == document


def test_the_files_left_out_and_put_back_give_the_same_bytes() -> None:
    by_digest = {hashlib.sha256(body).hexdigest(): body for body in FILES}
    without = replace(site(), limits=None), (FILES[0], None, FILES[2])
    for inputs, files in ((site(), FILES), without):
        whole = inputs_to_json(inputs, *files)
        kept = json.loads(canonical(texts_left_out(whole)))
        assert b'"text"' not in canonical(kept)
        assert len(canonical(kept)) < len(canonical(whole)) - len(FILES[0])
        assert canonical(texts_put_back(kept, by_digest.__getitem__)) == canonical(whole)


@pytest.mark.parametrize("other", [b"", b"name: another", b"\xff"])
def test_other_bytes_are_never_put_back(other: bytes) -> None:
    kept = texts_left_out(exported())
    with pytest.raises(ValueError, match="not the ones"):
        texts_put_back(kept, lambda _: other)


def test_the_digest_does_not_depend_on_the_order_of_the_inputs() -> None:
    inputs = site()
    turned = tuple(replace(v, answers=tuple(reversed(v.answers))) for v in reversed(inputs.visits))
    assert inputs_digest(exported(replace(inputs, visits=turned))) == inputs_digest(exported())


def test_an_export_does_not_tell_of_protected_flags() -> None:
    """Rule 8."""
    text = json.dumps(exported())
    assert "R16" in text
    assert "R32" not in text


def test_bytes_that_are_not_the_inputs_own_are_refused() -> None:
    with pytest.raises(ValueError, match="not the ones"):
        inputs_to_json(site(), FILES[0] + b"\n", FILES[1], FILES[2])
    with pytest.raises(ValueError, match="limits"):
        inputs_to_json(site(), FILES[0], None, FILES[2])


def _tampered_checklist(document: dict[str, Any]) -> None:
    document["checklist"]["text"] += "\n"


def _broken_checklist(document: dict[str, Any]) -> None:
    document["checklist"] = {"text": "{", "sha256": hashlib.sha256(b"{").hexdigest()}


def _ruling(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = document["visits"][0]["rulings"][0]
    return found


def _two_answers_in_one(document: dict[str, Any]) -> None:
    document["visits"][0]["answers"][0] |= {"level": "fully", "special": "refused"}


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda d: d.update(format="tapak score inputs v9"), "format"),
        (lambda d: d.update(as_of="2026-02-30"), "as_of"),
        (lambda d: d.update(as_of="20261123"), "as_of"),
        (lambda d: d.update(visits={}), "visits"),
        (lambda d: d.pop("flags"), "lacks flags"),
        (lambda d: d["visits"][0].update(at=1.5), "at of visits[0]"),
        (lambda d: d["visits"][0].update(at=2**60), "at of visits[0]"),
        (lambda d: d["visits"][0].update(outcome="left early"), "outcome"),
        (lambda d: d["visits"][0].update(unread=[["only one"]]), "unread"),
        (lambda d: d["visits"][0].update(answers=["?"]), "answers[0]"),
        (lambda d: d["visits"][0]["rulings"].append({}), "rulings[1] lacks item"),
        (lambda d: d["visits"][0].update(rulings=2 * d["visits"][0]["rulings"]), "the only one"),
        (lambda d: _ruling(d).update(evidence="0" * 64), "does not fit the answers"),
        (lambda d: _ruling(d).update(answers=[]), "does not fit the answers"),
        (lambda d: _ruling(d).update(item="GEN-S3"), "does not fit the answers"),
        (lambda d: d["visits"][0].update(unread=[["GEN-S2", "-"]]), "does not fit the answers"),
        (lambda d: _ruling(d).update(evidence="x"), "evidence of rulings[0] is not a SHA-256"),
        (lambda d: d.update(exposure=[1, 2]), "exposure"),
        (lambda d: d.update(sigmas={"p-aaaaaaaa": 1001}), "sigmas"),
        (lambda d: d.update(observed={"operating/warm-kiln": 1}), "operating/warm-kiln"),
        (lambda d: d.update(processes=[3]), "processes"),
        (lambda d: d.update(subject="\ud800"), "subject"),
        (_tampered_checklist, "digest"),
        (_broken_checklist, "checklist"),
        (_two_answers_in_one, "exactly one"),
    ],
)
def test_a_spoilt_export_is_refused_with_what_is_wrong(spoil: Any, why: str) -> None:
    document = exported()
    document["visits"].sort(key=lambda v: v["inspection"] != "v2")
    spoil(document)
    with pytest.raises(Problem) as caught:
        inputs_from_json(document, "case.json")
    assert caught.value.code == "score-export-malformed"
    assert why in caught.value.happened
    assert "case.json" in caught.value.happened


def test_no_member_of_an_export_can_be_mistyped_without_a_catalogue_error() -> None:
    """Every member in turn is given each wrong type; it is read, or refused by name."""
    whole = exported()

    def walk(node: Any, path: tuple[Any, ...]) -> Any:
        yield path
        if isinstance(node, dict | list):
            children = node.items() if isinstance(node, dict) else enumerate(node)
            for key, child in children:
                yield from walk(child, (*path, key))

    refused = 0
    for path in list(walk(whole, ()))[1:]:
        node = whole
        for key in path[:-1]:
            node = node[key]
        right = node[path[-1]]
        for wrong in (None, -(2**70), "x", [7]):
            node[path[-1]] = wrong
            try:
                inputs_from_json(whole)
            except Problem as fault:
                assert fault.code == "score-export-malformed"
                refused += 1
        node[path[-1]] = right
    assert refused > 500


@pytest.mark.parametrize("document", [None, [], "text", 7, {}])
def test_what_is_no_export_at_all_is_refused(document: object) -> None:
    with pytest.raises(Problem) as caught:
        inputs_from_json(document)
    assert caught.value.code == "score-export-malformed"


# -- the text -------------------------------------------------------------------------------------


def test_the_text_tells_every_item_every_file_and_that_it_proves_nothing() -> None:
    """Rule 10."""
    document = score(site()).to_json()
    text = explain(document)
    assert text.startswith("– · ")
    assert document["disclaimer"] in text
    for item in document["items"]:
        assert f"\n{item['item']} " in text
        for piece in item["pieces"]:
            assert all(file["sha256"][:12] in text for file in piece["evidence"])
    for reason in document["reasons"]:
        assert reason["text"] in text
    for digest in document["digests"].values():
        assert digest in text


def test_the_first_line_gives_grade_interval_coverage_and_state() -> None:
    """100 − 1.96 · 15 · √(0.40² + 0.35² + 0.25²) = 82.731."""
    good = score(w.inputs(w.whole(), [w.visit("v", *w.whole_answers(), outcome="")])).to_json()
    assert explain(good).splitlines()[0] == (
        "A · 100.000 (82.731–100.000) · 100.0 % seen · provisional"
    )
    capped = score(
        w.inputs(
            w.whole(w.item("C", "critical")),
            [w.visit("v", *w.whole_answers(), w.answer("C", "substantially"))],
        )
    ).to_json()
    assert "84.000 after caps, 92.500 before" in explain(capped).splitlines()[0]


def test_the_text_of_a_site_that_nobody_saw_has_no_invented_numbers() -> None:
    text = explain(score(w.inputs(w.whole(), [])).to_json())
    assert text.startswith("– · 0.0 % seen · no grade\n")
    assert "No visit has been made." in text


def test_what_was_not_signed_at_the_source_is_said_and_changes_no_digit() -> None:
    """Protocol S9: "entries not signed at the source say so, and the score says so"."""
    signed = site()
    first = signed.visits[0]
    answers = tuple(replace(a, signed=a.item != "GEN-G1") for a in first.answers)
    other = replace(first, answers=answers, side_by_side=("outcome",))
    unsigned = replace(signed, visits=(other, *signed.visits[1:]))
    before, after = score(signed).to_json(), score(unsigned).to_json()
    told = {one["item"]: one["unsigned"] for one in after["items"] if "unsigned" in one}
    assert told == {"GEN-G1": [a.entry for a in answers if a.item == "GEN-G1"]}
    assert not any("unsigned" in one for one in before["items"])
    said = explain(after)
    assert "Answers not signed at the source\n  GEN-G1:" in said
    assert "not signed at the source" not in explain(before).replace("signed at the source and", "")
    for key in ("raw", "capped", "low", "high", "se", "grade", "pillars", "sections"):
        assert before[key] == after[key]
    # It travels, and scores that were exported before stay as they were, to the byte.
    assert inputs_from_json(inputs_to_json(unsigned, *FILES)) == unsigned_as_read(unsigned)
    assert '"side_by_side"' not in json.dumps(inputs_to_json(signed, *FILES))
    again = inputs_from_json(inputs_to_json(unsigned, *FILES))
    assert score_bytes(score(again)) == score_bytes(score(unsigned))


def unsigned_as_read(inputs: ScoreInputs) -> ScoreInputs:
    """The inputs in the order in which a document holds them."""
    return inputs_from_json(json.loads(json.dumps(inputs_to_json(inputs, *FILES))))
