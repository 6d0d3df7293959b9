"""What is recorded is what sync.inspection reads; what cannot be recorded is told."""

from __future__ import annotations

from typing import Any

import pytest
from field_device import FACILITY, FieldDevice
from memory_server import PERSON, Office

from fieldkit.capture import (
    Extras,
    answer,
    load_inspection,
    observe,
    set_outcome,
    start,
    which_inspection,
)
from fieldkit.fixes import read_fix
from fieldkit.library import Library
from fieldkit.preview import Sources, check, score_document
from fieldkit.progress import open_critical, progress
from fieldkit.signing import sign_off, standing
from sync.problems import Problem


def _code(call: Any, *given: Any, **more: Any) -> Problem:
    with pytest.raises(Problem) as raised:
        call(*given, **more)
    return raised.value


def test_a_visit_reads_back_as_it_was_recorded(device: FieldDevice) -> None:
    """L5."""
    fix = read_fix("4.01,101.01,6")
    begun = device.start(fix=fix)
    extras = Extras("seen at the gate", (), fix)
    answer(device.recorder(), begun.inspection, "gen-g1", ["SM"], extras=extras)
    answer(device.recorder(), begun.inspection, "ISL-E2", ["pH=6.5±0.1"], instance="well-1")
    observe(device.recorder(), begun.inspection, "operating/warm-kiln", "yes", Extras())
    observe(device.recorder(), begun.inspection, "headcount/miners", "24", Extras())
    observe(device.recorder(), begun.inspection, "survey/heap-1", "12000 ± 600", Extras())
    set_outcome(device.recorder(), begun.inspection, "visited", "calm")
    read = load_inspection(device.store, begun.inspection)
    about = read.about.value
    assert about is not None
    assert (about.facility, about.purpose, about.mode) == ("bukit-contoh", "first visit", "live")
    assert about.checklist == begun.checklist.digest
    assert about.fix == fix
    given = read.answers[("GEN-G1", "-")].value
    assert given is not None
    assert (given.level, given.note, given.fix) == ("substantially", "seen at the gate", fix)
    assert given.written.by == PERSON
    assert read.answers[("ISL-E2", "well-1")].value is not None
    assert read.observed[("operating", "warm-kiln")].value.value == "yes"  # type: ignore[union-attr]
    assert read.observed[("headcount", "miners")].value.unit == "people"  # type: ignore[union-attr]
    assert read.observed[("headcount", "miners")].value.uncertainty is None  # type: ignore[union-attr]
    heap = read.observed[("survey", "heap-1")].value
    assert (heap.value, heap.uncertainty) == ("12000", "600")  # type: ignore[union-attr]
    assert read.outcome.value is not None
    assert read.unread == ()


def test_the_devices_own_log_notes_the_inspection(device: FieldDevice) -> None:
    """L2."""
    begun = device.start()
    paths = [record.path for record in device.store.records("device")]
    assert paths == [f"device/opened/{begun.inspection}"]


def test_starting_again_goes_on_with_what_is_not_signed(device: FieldDevice) -> None:
    first = device.start()
    again = device.start()
    assert (again.inspection, again.new) == (first.inspection, False)
    set_outcome(device.recorder(), first.inspection, "visited")
    sign_off(device.recorder(), first.inspection)
    assert device.start().new


def test_an_exercise_is_another_inspection_than_the_real_one(device: FieldDevice) -> None:
    real = device.start()
    exercise = start(device.recorder(), "bukit-contoh", mode="training")
    assert exercise.inspection != real.inspection


def test_which_inspection_is_meant(device: FieldDevice) -> None:
    assert _code(which_inspection, device.store, None).code == "inspection-none"
    first = device.start().inspection
    second = start(device.recorder(), "bukit-contoh", new=True).inspection
    assert which_inspection(device.store, None) == second
    assert which_inspection(device.store, first[:8]) == first
    assert _code(which_inspection, device.store, "zzz").code == "inspection-unknown"
    device.store.set_notes(current="gone")
    assert _code(which_inspection, device.store, None).code == "inspection-which"
    assert _code(which_inspection, device.store, "").code == "inspection-which"


def test_the_same_answer_again_adds_nothing(device: FieldDevice) -> None:
    inspection = device.start().inspection
    assert answer(device.recorder(), inspection, "GEN-G1", ["FM"]).new
    assert not answer(device.recorder(), inspection, "GEN-G1", ["fully"]).new
    assert answer(device.recorder(), inspection, "GEN-G1", ["PM"]).new
    assert len(device.store.records(inspection)) == 3


def test_names_that_do_not_fit_are_told_with_the_nearest(device: FieldDevice) -> None:
    inspection = device.start().inspection
    recorder = device.recorder()
    assert "bukit-contoh" in _code(start, recorder, "bukit-conto").remedy
    assert "GEN-G1" in _code(answer, recorder, inspection, "GEN-G1x", ["FM"]).remedy
    near = _code(observe, recorder, inspection, "operating/warm-kin", "yes", Extras())
    assert "operating/warm-kiln" in near.remedy
    assert _code(observe, recorder, inspection, "operating", "yes", Extras()).code == (
        "observation-unknown"
    )
    assert "visited" in _code(set_outcome, recorder, inspection, "visitd").remedy
    assert len(device.store.records(inspection)) == 1


def test_a_sign_is_yes_no_or_unsure_and_a_count_is_a_number(device: FieldDevice) -> None:
    inspection = device.start().inspection
    recorder = device.recorder()
    signs = _code(observe, recorder, inspection, "operating/warm-kiln", "maybe", Extras())
    assert "yes, no, unsure" in signs.remedy
    for given in ("12±-1", "12±", "±1", "12±1±1", "12+1", "12 m3", "1e3±1"):
        assert _code(observe, recorder, inspection, "survey/heap-1", given, Extras()).code == (
            "level-unknown"
        )
    count = _code(observe, recorder, inspection, "headcount/miners", "many", Extras())
    assert "people" in count.remedy


def test_not_applicable_needs_a_reason_and_on_a_critical_item_a_second_person(
    device: FieldDevice,
) -> None:
    inspection = device.start().inspection
    recorder = device.recorder()
    critical = next(i for _, i in device.start().checklist.items() if i.severity == "critical").id
    assert "a reason" in _code(answer, recorder, inspection, "GEN-G2", ["NA"]).happened
    for second in ("", PERSON, "example auditor"):
        refused = _code(
            answer, recorder, inspection, critical, ["NA"], reason="none here", second=second
        )
        assert refused.code == "answer-incomplete"
    recorded = answer(
        recorder, inspection, critical, ["NA"], reason="none here", second="p-other222"
    )
    assert recorded.value["second"] == "p-other222"


def test_an_item_of_wells_asks_which_one_and_others_have_none(device: FieldDevice) -> None:
    inspection = device.start().inspection
    recorder = device.recorder()
    assert _code(answer, recorder, inspection, "ISL-E2", ["pH=6.5"]).code == "answer-incomplete"
    assert answer(recorder, inspection, "ISL-E2", ["NO"]).path == "answers/ISL-E2/-"
    for name in ("a/b", "", "x" * 65, "e\u0301"):
        if name:
            raised = _code(answer, recorder, inspection, "ISL-E2", ["pH=6.5"], instance=name)
            assert raised.code == "instance-malformed"
    whole = _code(answer, recorder, inspection, "GEN-G1", ["FM"], instance="well-1")
    assert whole.code == "instance-malformed"


def test_a_note_beyond_the_limit_is_told_and_nothing_is_added(device: FieldDevice) -> None:
    """S12."""
    inspection = device.start().inspection
    extras = Extras("x" * 70_000)
    refused = _code(answer, device.recorder(), inspection, "GEN-G1", ["FM"], extras=extras)
    assert refused.code == "entry-too-large"
    assert len(device.store.records(inspection)) == 1


def test_without_its_checklist_a_facility_cannot_be_started(
    device: FieldDevice, office: Office
) -> None:
    from sync.session import Change

    other = {**FACILITY, "id": "other-place", "checklist": "not-published"}
    office.changes.append(Change("facility", "other-place", other))
    device.sync()
    assert _code(start, device.recorder(), "other-place").code == "checklist-unknown"


# -- signing --------------------------------------------------------------------------------------


def test_signing_needs_an_outcome(device: FieldDevice) -> None:
    inspection = device.start().inspection
    assert _code(sign_off, device.recorder(), inspection).code == "sign-off-incomplete"


def test_a_sign_off_covers_exactly_what_came_before_it(device: FieldDevice) -> None:
    """L7, and L2 in the device's own log."""
    inspection = device.start().inspection
    set_outcome(device.recorder(), inspection, "visited")
    head = device.store.logs(inspection)[0].hashes[-1].hex()
    signed = sign_off(device.recorder(), inspection, "I was there.")
    assert (signed.entries, signed.logs, signed.new) == (2, 1, True)
    read = load_inspection(device.store, inspection)
    slot = read.sign_offs[device.id]
    assert slot.value is not None
    assert slot.value.statement == "I was there."
    assert [(log.device, log.seq, log.h) for log in slot.value.logs] == [(device.id, 2, head)]
    assert device.store.records("device")[-1].path == f"device/signed/{inspection}"
    assert standing({device.id: range(1, 4)}, read).after == 0


def test_signing_again_adds_nothing_until_something_came(device: FieldDevice) -> None:
    inspection = device.start().inspection
    set_outcome(device.recorder(), inspection, "visited")
    assert sign_off(device.recorder(), inspection).new
    assert not sign_off(device.recorder(), inspection).new
    answer(device.recorder(), inspection, "GEN-G1", ["FM"])
    read = load_inspection(device.store, inspection)
    assert standing({device.id: range(1, 5)}, read).after == 1
    assert sign_off(device.recorder(), inspection).new
    read = load_inspection(device.store, inspection)
    assert standing({device.id: range(1, 6)}, read).after == 0


# -- how far, and previews ------------------------------------------------------------------------


def _sources(device: FieldDevice) -> Sources:
    store = device.store
    return Sources(store, Library(store.database), device.home.blobs(), "2026-11-20")


def test_what_does_not_apply_is_not_open_and_what_is_answered_lacks_its_evidence(
    device: FieldDevice,
) -> None:
    begun = device.start()
    answer(device.recorder(), begun.inspection, "GEN-G1", ["FM"])
    answer(device.recorder(), begun.inspection, "ISL-E2", ["pH=6.5"], instance="well-1")
    read = load_inspection(device.store, begun.inspection)
    items = {i.item.id: i for i in progress(begun.checklist, read, ("in-situ-leach",))}
    assert "ISL-E1" in items
    assert not any(name.startswith("SX-") for name in items)
    assert items["GEN-G1"].state == "answered"
    assert items["GEN-G1"].missing
    assert items["ISL-E2"].state == "partly"
    assert items["GEN-G2"].state == "open"
    assert items["GEN-G2"].missing == ()
    assert "ISL-E2" in open_critical(list(items.values())) or items["ISL-E2"].item.severity != (
        "critical"
    )


def test_a_site_declared_in_care_that_operates_would_be_flagged(device: FieldDevice) -> None:
    """R16, offline."""
    inspection = device.start(fix=read_fix("4.01,101.01,6")).inspection
    for sign in ("warm-kiln", "fresh-reagent"):
        observe(device.recorder(), inspection, f"operating/{sign}", "yes", Extras())
    findings = {f.rule: f for f in check(_sources(device), inspection)}
    assert getattr(findings["R16"], "severity", "") == "critical"
    assert "R01" not in findings


def test_a_position_outside_the_declared_boundary_would_be_flagged(device: FieldDevice) -> None:
    """R01, offline."""
    inspection = device.start(fix=read_fix("4.50,101.01,6")).inspection
    flags = [f for f in check(_sources(device), inspection) if hasattr(f, "severity")]
    assert "R01" in [f.rule for f in flags]


def test_the_preview_is_a_score_of_what_is_here(device: FieldDevice) -> None:
    begun = device.start()
    answer(device.recorder(), begun.inspection, "GEN-G1", ["FM"])
    set_outcome(device.recorder(), begun.inspection, "visited")
    document = score_document(_sources(device), begun.inspection)
    assert document["score"]["subject"] == begun.inspection
    assert document["score"]["as_of"] == "2026-11-20"
    assert document == score_document(_sources(device), begun.inspection)
