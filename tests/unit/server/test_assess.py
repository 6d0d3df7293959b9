"""What counts of a visit, what it is held against, and the score and flags that are stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from region import (
    AUDITOR,
    CONSOLE,
    DAY_MS,
    HILL,
    OTHER,
    TODAY,
    VALLEY,
    VISIT_1,
    VISIT_2,
    Clock,
    assign_to,
    declaration,
    enrolled_device,
    fix,
    jpeg,
    make_context,
    visit,
)
from sqlalchemy import delete, insert, select, update

from checklists import published
from checklists.scoring import inputs_digest, inputs_from_json, score, score_bytes
from server.context import Context
from server.schedule import run_once
from server.services.assess import assess_facility, compute, keep, load_inspection
from server.services.inspections import Loaded
from server.services.photos import read_new
from server.services.registry import file_declaration
from server.services.score_inputs import stored_inputs, whole_inputs
from server.store import assessments, facts, flags, gradings, tables
from server.store.flags import FlagRow
from sync.problems import Problem

SIGNS = ("moving-plant", "warm-kiln")


def loaded(ctx: Context, inspection: str = VISIT_1) -> Loaded:
    with ctx.db.read() as tx:
        found = load_inspection(tx, inspection)
    assert found is not None
    return found


def flags_at(ctx: Context, facility: str = HILL) -> list[FlagRow]:
    with ctx.db.read() as tx:
        return flags.of_facility(tx, facility)


def score_of(ctx: Context, scope: str, subject: str) -> dict[str, Any]:
    with ctx.db.read() as tx:
        row = assessments.find(tx, scope, subject)
    assert row is not None
    found: dict[str, Any] = json.loads(row.score)
    return found


def item_of(document: dict[str, Any], item: str) -> dict[str, Any]:
    found: dict[str, Any] = next(i for i in document["items"] if i["item"] == item)
    return found


def codes(document: dict[str, Any]) -> set[str]:
    return {reason["code"] for reason in document["reasons"]}


def rule(ctx: Context, kind: str, subject: str, ruling: str, at: int = TODAY) -> None:
    row = {"kind": kind, "subject": subject, "ruling": ruling, "reason": "seen on site"}
    number = f"r-{kind}-{subject}-{at}"
    ctx.db.write(
        lambda tx: tx.execute(
            insert(tables.rulings).values(id=number, person=AUDITOR, at=at, **row)
        )
    )


def mark(ctx: Context, facility: str = HILL) -> None:
    ctx.db.write(lambda tx: gradings.mark_again(tx, [facility], ctx.now()))


# -- what counts (L7, S9) -------------------------------------------------------------------------


def test_what_is_signed_is_exactly_what_the_sign_off_covers(region: Context) -> None:
    """L7"""
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL)
    signed = loaded(region)
    assert signed.signed is not None
    assert signed.amendments == ()
    device.record(VISIT_1, "answers/GEN-G5/-", {"level": "fully"})
    device.send()
    amended = loaded(region)
    assert amended.signed == signed.signed
    assert [r.path for r in amended.amendments] == ["answers/GEN-G5/-"]
    assert amended.inspection.answers["GEN-G5", "-"].value is not None
    assert amended.inspection.answers["GEN-G5", "-"].value.level == "does-not-meet"
    assert amended.current.answers["GEN-G5", "-"].value is not None
    assert amended.current.answers["GEN-G5", "-"].value.level == "fully"


def test_an_amendment_counts_once_it_is_signed_again(region: Context) -> None:
    """L7"""
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL)
    device.record(VISIT_1, "answers/GEN-G5/-", {"level": "fully"})
    device.sign_off(VISIT_1)
    device.send()
    found = loaded(region)
    assert found.amendments == ()
    answer = found.inspection.answers["GEN-G5", "-"].value
    assert answer is not None
    assert answer.level == "fully"


def test_a_sign_off_of_a_hash_that_the_log_does_not_have_signs_nothing(region: Context) -> None:
    """L7"""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.sign_off(VISIT_1, {device.id: (1, "0" * 64)})
    device.send()
    assert loaded(region).signed is None


def test_a_sign_off_written_on_another_devices_path_signs_nothing(region: Context) -> None:
    """L7"""
    first, second = enrolled_device(region), enrolled_device(region, seed=2)
    first.start(VISIT_1, HILL)
    head = {"device": first.id, "seq": 1, "h": first.hashes[VISIT_1][1].hex()}
    second.record(VISIT_1, f"sign-off/{first.id}", {"statement": "x", "logs": [head]})
    first.send()
    second.send()
    assert loaded(region).signed is None


def test_a_sign_off_covers_another_device_up_to_what_the_signer_had_seen(region: Context) -> None:
    """L7"""
    first, second = enrolled_device(region), enrolled_device(region, seed=2)
    first.start(VISIT_1, HILL)
    second.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    seen = (1, second.hashes[VISIT_1][1].hex())
    second.record(VISIT_1, "answers/GEN-G2/-", {"level": "fully"})
    first.sign_off(VISIT_1, {second.id: seen})
    first.send()
    second.send()
    found = loaded(region)
    assert set(found.inspection.answers) == {("GEN-G1", "-")}
    assert [r.path for r in found.amendments] == ["answers/GEN-G2/-"]


def test_entries_of_someone_not_assigned_are_set_aside_and_counted_nowhere(
    region: Context,
) -> None:
    """S9"""
    stranger = enrolled_device(region, OTHER)
    visit(stranger, VISIT_1, HILL, signs=SIGNS)
    run_once(region)
    found = loaded(region)
    assert len(found.set_aside) == len(stranger.logs[VISIT_1])
    assert found.counted == 0
    assert flags_at(region) == []
    assert "no-visit" in codes(score_of(region, "facility", HILL))
    with region.db.read() as tx:
        assert assessments.find(tx, "inspection", VISIT_1) is None


def test_entries_set_aside_count_once_their_writer_is_assigned(region: Context) -> None:
    """S9"""
    visit(enrolled_device(region, OTHER), VISIT_1, HILL, signs=SIGNS)
    run_once(region)
    assign_to(region, HILL, OTHER)
    run_once(region)
    assert loaded(region).set_aside == ()
    assert [f.rule for f in flags_at(region)] == ["R16"]


def test_a_training_inspection_is_never_part_of_any_score(region: Context) -> None:
    """Scoring rule 11; L5: a later entry cannot make it a live one."""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL, mode="training")
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.send()
    device.start(VISIT_1, HILL, mode="live")
    device.sign_off(VISIT_1)
    device.send()
    run_once(region)
    assert "no-visit" in codes(score_of(region, "facility", HILL))
    with region.db.read() as tx:
        assert [a.scope for a in assessments.of_facility(tx, HILL)] == ["facility"]


def test_a_live_visit_stays_live_whatever_a_later_entry_says(region: Context) -> None:
    """L5: the mode is fixed by the creator's first entry, so no finding can be hidden with it."""
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL, signs=SIGNS)
    device.start(VISIT_1, HILL, mode="training")
    device.sign_off(VISIT_1)
    device.send()
    run_once(region)
    assert [f.rule for f in flags_at(region)] == ["R16"]
    assert item_of(score_of(region, "facility", HILL), "GEN-G5")["status"] != "unanswered"


# -- scores ---------------------------------------------------------------------------------------


def test_an_unsigned_visit_is_marked_and_counts_nothing_for_the_facility(region: Context) -> None:
    visit(enrolled_device(region), VISIT_1, HILL, signs=SIGNS, signed=False)
    run_once(region)
    own = score_of(region, "inspection", VISIT_1)
    assert "unsigned" in codes(own)
    assert own["grade"] is None
    assert [v["inspection"] for v in own["visits"]] == [VISIT_1]
    facility = score_of(region, "facility", HILL)
    assert codes(facility) >= {"no-visit"}
    assert "open-flag" not in codes(facility)
    assert [f.rule for f in flags_at(region)] == ["R16"]


@pytest.mark.parametrize("signed", [True, False])
def test_a_score_can_be_recomputed_to_the_byte_from_its_stored_inputs(
    region: Context, signed: bool
) -> None:
    visit(enrolled_device(region), VISIT_1, HILL, picture=jpeg(1), signs=SIGNS, signed=signed)
    run_once(region)
    with region.db.read() as tx:
        rows = assessments.of_facility(tx, HILL)
        documents = [whole_inputs(tx, row) for row in rows]
    assert len(rows) == 2
    for row, document in zip(rows, documents, strict=True):
        again = score(inputs_from_json(document), inputs_digest(document))
        assert score_bytes(again) == row.score
        assert b'"text"' not in row.inputs, "what is published is kept once, not with each score"


def test_damage_to_what_was_published_is_said_and_never_exported(region: Context) -> None:
    visit(enrolled_device(region), VISIT_1, HILL)
    run_once(region)
    for body in (b"id: another", b"\xff"):
        limits = update(tables.documents).where(tables.documents.c.kind == "limits")
        worse = limits.values(body=body)
        region.db.write(lambda tx, query=worse: tx.execute(query))
        with region.db.read() as tx:
            row = assessments.find(tx, "facility", HILL)
            assert row is not None
            with pytest.raises(Problem) as error:
                whole_inputs(tx, row)
        assert error.value.code == "table-unreadable" and HILL in str(error.value)
    other = published.limits_bytes("example") + b"# another\n"
    region.db.write(lambda tx: tx.execute(limits.values(body=other)))
    with region.db.read() as tx, pytest.raises(Problem) as error:
        stored_inputs(tx, row)
    assert error.value.code == "table-unreadable", "readable, and not what was published"


def test_the_inputs_name_the_digests_of_everything_that_was_read(region: Context) -> None:
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL)
    run_once(region)
    with region.db.read() as tx:
        row = assessments.find(tx, "inspection", VISIT_1)
        filed = tx.execute(
            select(tables.declarations.c.digest).where(tables.declarations.c.facility == HILL)
        ).scalar_one()
        rules = tx.execute(
            select(tables.documents.c.digest).where(tables.documents.c.kind == "rules")
        ).scalar_one()
    assert row is not None
    read = json.loads(row.inputs)["read"]
    head = device.hashes[VISIT_1][-1].hex()
    assert read["logs"] == [[device.id, VISIT_1, len(device.logs[VISIT_1]), head]]
    assert (read["declared"], read["rules"]) == (filed, rules)


def test_a_file_proves_nothing_before_the_server_holds_it(region: Context) -> None:
    """Scoring rule 3"""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.photo(VISIT_1, jpeg(1), ["GEN-G1/-"])
    device.sign_off(VISIT_1)
    device.send()
    run_once(region)
    before = item_of(score_of(region, "facility", HILL), "GEN-G1")
    device.send_file(jpeg(1))
    run_once(region)
    after = item_of(score_of(region, "facility", HILL), "GEN-G1")
    shares = [p["evidence"][0]["q"] for i in (before, after) for p in i["pieces"] if p["evidence"]]
    assert [float(q) for q in shares] == [0, 1]


def test_two_visits_of_a_facility_are_scored_together(region: Context, clock: Clock) -> None:
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL)
    clock.at += DAY_MS
    device.start(VISIT_2, HILL)
    device.record(VISIT_2, "answers/GEN-G5/-", {"special": "not-observed"})
    device.record(VISIT_2, "outcome", {"outcome": "visited"})
    device.sign_off(VISIT_2)
    device.send()
    run_once(region)
    document = score_of(region, "facility", HILL)
    assert [v["inspection"] for v in document["visits"]] == [VISIT_1, VISIT_2]
    assert document["as_of"] == "2026-11-24"
    assert item_of(document, "GEN-G5")["visit"] == VISIT_1


# -- flags ----------------------------------------------------------------------------------------


def test_a_site_declared_closed_but_operating_is_flagged_and_its_grade_withheld(
    region: Context,
) -> None:
    visit(enrolled_device(region), VISIT_1, HILL, signs=SIGNS)
    run_once(region)
    (flag,) = flags_at(region)
    assert (flag.rule, flag.severity, flag.subject, flag.status) == (
        "R16",
        "critical",
        "operations",
        "open",
    )
    assert json.loads(flag.body)["rule"] == "R16"
    assert "open-flag" in codes(score_of(region, "facility", HILL))


def test_a_declaration_filed_late_does_not_make_a_flag_vanish_whatever_date_it_bears(
    region: Context, clock: Clock
) -> None:
    visit(enrolled_device(region), VISIT_1, HILL, signs=SIGNS)
    run_once(region)
    before = flags_at(region)
    clock.at += DAY_MS
    backdated = declaration(HILL, "active", filed="2026-02-01", speaks_of="2026-02-01")
    file_declaration(region, CONSOLE, backdated)
    run_once(region)
    assert flags_at(region) == before
    assert [f.rule for f in before] == ["R16"]


@pytest.mark.parametrize("first", [HILL, VALLEY])
def test_a_photograph_used_at_two_facilities_is_flagged_at_both_whichever_came_first(
    region: Context, first: str
) -> None:
    device = enrolled_device(region)
    second = VALLEY if first == HILL else HILL
    visit(device, VISIT_1, first, picture=jpeg(1))
    run_once(region)
    assert flags_at(region, first) == []
    visit(device, VISIT_2, second, picture=jpeg(1))
    run_once(region)
    assert [f.rule for f in flags_at(region, first)] == ["R13"]
    assert [f.rule for f in flags_at(region, second)] == ["R13"]
    with region.db.read() as tx:
        assert gradings.stale(tx) == []


def test_a_photograph_of_a_training_inspection_is_no_second_use(region: Context) -> None:
    """Scoring rule 11"""
    device = enrolled_device(region)
    device.start(VISIT_2, VALLEY, mode="training")
    device.photo(VISIT_2, jpeg(1), ["GEN-G1/-"])
    device.send()
    visit(device, VISIT_1, HILL, picture=jpeg(1))
    run_once(region)
    assert flags_at(region) == []


def test_a_photograph_of_someone_not_assigned_there_is_no_second_use(region: Context) -> None:
    """S9: else a stranger could raise flags against others' visits."""
    stranger = enrolled_device(region, OTHER, seed=2)
    visit(stranger, VISIT_2, VALLEY, picture=jpeg(1))
    visit(enrolled_device(region), VISIT_1, HILL, picture=jpeg(1))
    run_once(region)
    assert flags_at(region) == []


def test_a_flag_on_the_record_halves_its_evidence_until_it_is_dismissed(region: Context) -> None:
    """Scoring rules 3 and 8"""
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully"})
    device.photo(VISIT_1, jpeg(1), ["GEN-G1/-"], source="imported")
    device.sign_off(VISIT_1)
    device.send()
    device.send_file(jpeg(1))
    shares: list[float] = []
    for step in ("open", "upheld", "dismissed"):
        if step != "open":
            rule(region, "flag", flags_at(region)[0].id, step, TODAY + len(shares))
            mark(region)
        run_once(region)
        (flag,) = flags_at(region)
        assert (flag.rule, flag.status) == ("R12", step)
        pieces = item_of(score_of(region, "facility", HILL), "GEN-G1")["pieces"]
        shares += [float(p["evidence"][0]["q"]) for p in pieces if p["evidence"]]
    assert shares == [0.5, 0.5, 1.0]


def test_evidence_that_an_officer_rejected_proves_nothing(region: Context) -> None:
    """Scoring rule 3"""
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL, picture=jpeg(1))
    digest = next(iter(loaded(region).current.evidence))[0]
    rule(region, "evidence", f"{VISIT_1}/{digest}", "rejected")
    run_once(region)
    pieces = item_of(score_of(region, "facility", HILL), "GEN-G1")["pieces"]
    assert [p["evidence"][0]["why"] for p in pieces if p["evidence"]] == ["rejected: seen on site"]


def test_a_flag_that_no_longer_fires_goes_and_the_ruling_about_it_stays(region: Context) -> None:
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL, signs=SIGNS)
    run_once(region)
    (flag,) = flags_at(region)
    rule(region, "flag", flag.id, "dismissed")
    mark(region)
    run_once(region)
    assert [f.status for f in flags_at(region)] == ["dismissed"]
    assert "open-flag" not in codes(score_of(region, "facility", HILL))
    for value in ("no", "yes"):
        device.record(VISIT_1, "observed/operating/warm-kiln", {"value": value})
        device.sign_off(VISIT_1)
        device.send()
        run_once(region)
        expected = [(flag.id, "dismissed")] if value == "yes" else []
        assert [(f.id, f.status) for f in flags_at(region)] == expected


def test_a_point_outside_the_boundary_is_flagged_from_the_fix_in_the_signed_entry(
    region: Context,
) -> None:
    device = enrolled_device(region)
    device.start(VISIT_1, VALLEY, fix=fix("20.47", "99.88"))
    device.record(VISIT_1, "outcome", {"outcome": "visited"})
    device.sign_off(VISIT_1)
    device.send()
    run_once(region)
    assert "R01" in {f.rule for f in flags_at(region, VALLEY)}


# -- pictures -------------------------------------------------------------------------------------


def test_a_broken_picture_is_noted_with_its_fault_and_holds_up_no_other(region: Context) -> None:
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    broken = device.photo(VISIT_1, jpeg(1)[:400], ["GEN-G1/-"])
    whole = device.photo(VISIT_1, jpeg(2), ["GEN-G1/-"])
    device.send()
    device.send_file(jpeg(1)[:400])
    device.send_file(jpeg(2))
    assert run_once(region).pictures == 2
    assert run_once(region).pictures == 0
    with region.db.read() as tx:
        found = facts.facts_of(tx, [broken, whole])
    assert found[broken].facts is None
    assert found[broken].problem is not None
    assert "cannot be read" in found[broken].problem
    assert found[whole].problem is None
    assert json.loads(found[whole].facts or b"")["sha256"] == whole
    assert region.previews.size(whole)
    assert not region.previews.size(broken)


def test_a_facility_graded_before_its_pictures_were_read_is_graded_again(region: Context) -> None:
    device = enrolled_device(region)
    device.start(VISIT_1, HILL)
    device.photo(VISIT_1, jpeg(1), ["GEN-G1/-"], source="imported")
    device.sign_off(VISIT_1)
    device.send()
    device.send_file(jpeg(1))
    assess_facility(region, HILL)
    assert flags_at(region) == []
    with region.db.read() as tx:
        asked = gradings.find(tx, HILL)
    assert read_new(region) == 1
    with region.db.read() as tx:
        again = gradings.find(tx, HILL)
    assert asked is not None
    assert again is not None
    assert (again.stale, again.as_of) == (True, asked.as_of)
    run_once(region)
    assert [f.rule for f in flags_at(region)] == ["R12"]


# -- storing --------------------------------------------------------------------------------------


def test_what_arrives_while_a_facility_is_graded_is_graded_next(region: Context) -> None:
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL)
    under_way = compute(region, HILL)
    visit(device, VISIT_2, HILL, signs=SIGNS)
    assert under_way is not None
    assert keep(region, under_way)
    with region.db.read() as tx:
        assert HILL in [one.facility for one in gradings.stale(tx)]
    run_once(region)
    assert [f.rule for f in flags_at(region)] == ["R16"]


def test_a_worker_that_comes_late_does_not_overwrite_what_a_newer_one_stored(
    region: Context,
) -> None:
    device = enrolled_device(region)
    visit(device, VISIT_1, HILL)
    under_way = compute(region, HILL)
    visit(device, VISIT_2, HILL, signs=SIGNS)
    run_once(region)
    assert under_way is not None
    assert not keep(region, under_way)
    assert [f.rule for f in flags_at(region)] == ["R16"]


def test_a_facility_that_was_never_asked_for_is_not_assessed(region: Context) -> None:
    assert assess_facility(region, "no-such-facility") is None


def test_a_facility_without_a_published_standard_is_left_without_a_score(region: Context) -> None:
    visit(enrolled_device(region), VISIT_1, HILL)
    for table in (tables.in_force, tables.documents):
        region.db.write(lambda tx, table=table: tx.execute(delete(table)))
    run_once(region)
    with region.db.read() as tx:
        assert assessments.of_facility(tx, HILL) == []
        assert gradings.stale(tx) == []


def test_a_damaged_declaration_stops_its_own_facility_and_no_other(region: Context) -> None:
    damaged = update(tables.declarations).where(tables.declarations.c.facility == HILL)
    region.db.write(lambda tx: tx.execute(damaged.values(body=b'{"format":"?"}')))
    graded = run_once(region).graded
    assert graded.done == [VALLEY]
    assert list(graded.left) == [HILL]
    with region.db.read() as tx:
        assert [one.facility for one in gradings.stale(tx)] == [HILL]
    with pytest.raises(Problem, match="declaration-malformed"):
        assess_facility(region, HILL)


def test_a_visit_that_names_an_unlisted_facility_is_no_error(region: Context) -> None:
    visit(enrolled_device(region), VISIT_1, "not-listed-here")
    assert run_once(region).graded.left == {}


def test_an_empty_server_has_nothing_to_do(tmp_path: Any) -> None:
    ctx = make_context(tmp_path)
    assert run_once(ctx).graded.done == []
    ctx.db.close()
