"""Colleagues' lines on a device: taken after proof, told, given on, dropped (S5, L2, L4, L7)."""

from __future__ import annotations

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from field_device import FieldDevice, busy_office, picture
from handing import certificate, give, joined, runs, visit
from memory_server import Office

from fieldkit import shared
from fieldkit.capture import answer, load_inspection, set_outcome
from fieldkit.cli import cli
from fieldkit.export import write_export
from fieldkit.generations import own_keys
from fieldkit.library import Library
from fieldkit.preview import Sources, score_document
from fieldkit.recompute import recompute
from fieldkit.shared import (
    colleagues,
    drop_colleagues,
    not_taken,
    take_certificate,
    take_lines,
)
from fieldkit.signing import sign_off, standing
from sync.extract import Extract, Hole, Proof, extract_to_json, make_extract, vouch
from sync.problems import Problem
from sync.session import Change


@pytest.fixture
def colleague(tmp_path: Path, office: Office, device: FieldDevice) -> FieldDevice:
    return joined(tmp_path / "colleague", office)


def code_of(to: FieldDevice, extract: Extract) -> str:
    with pytest.raises(Problem) as caught, to.store.database.write("a run") as tx:
        take_lines(tx, to.store.identity(), extract)
    return caught.value.code


# -- taking ---------------------------------------------------------------------------------------


def test_lines_are_taken_without_tracks_and_taking_them_again_changes_nothing(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S5, S10"""
    inspection = visit(colleague)
    (theirs,) = colleague.store.logs(inspection)
    without = [x for x in theirs.lines if b'"track/' not in x]
    assert give(office, colleague, device, inspection) == len(without) == len(theirs.lines) - 2
    (here,) = device.store.logs(inspection)
    assert list(here.lines) == without
    assert give(office, colleague, device, inspection) == 0
    read = load_inspection(device.store, inspection)
    assert not read.unread and set(read.answers) == {("GEN-G1", "-"), ("GEN-G2", "-")}
    told = colleagues(device.store.database, device.store.identity(), inspection)
    assert [(c.device, c.name, c.entries, c.withheld, c.vouched) for c in told] == [
        (colleague.id, "Example Colleague", len(without), 2, 0)
    ]
    answer(colleague.recorder(), inspection, "GEN-G3", ["FM"])
    assert give(office, colleague, device, inspection) == 1


def test_a_run_is_refused_by_name_and_nothing_of_it_is_written(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S5, S8, L4"""
    inspection = visit(colleague)
    first, *rest = runs(colleague, inspection)
    assert code_of(device, first) == "lines-unknown-device"
    store = device.store
    with store.database.write("a certificate") as tx:
        take_certificate(tx, store.identity(), colleague.id, certificate(office, colleague))
    assert code_of(device, rest[0]) == "lines-unfit"
    forged = replace(first, rows=(b'{"seq":1}', *first.rows[1:]))
    assert code_of(device, forged) == "lines-unproved"
    assert store.logs(inspection) == []
    with store.database.write("a run") as tx:
        take_lines(tx, store.identity(), first)
    # Another branch of the colleague's log, properly signed: what is here stays.
    other = joined(device.home.folder.parent / "other", office)
    assert code_of(device, replace(first, device=other.id)) == "lines-unknown-device"
    lines = [row for row in first.rows if isinstance(row, bytes)]
    assert list(store.logs(inspection)[0].lines) == lines


def test_another_branch_of_a_colleagues_log_is_not_taken_over_the_first(
    office: Office, tmp_path: Path, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S3, S5: a colleague's device that was put back from a backup."""
    inspection = visit(colleague, track=False)
    shutil.copytree(colleague.home.folder, tmp_path / "backup")
    answer(colleague.recorder(), inspection, "GEN-G3", ["FM"])
    give(office, colleague, device, inspection)
    before = device.store.logs(inspection)
    again = FieldDevice(tmp_path / "backup", office)
    answer(again.recorder(), inspection, "GEN-G3", ["DNM"])
    (branch,) = runs(again, inspection)
    assert code_of(device, branch) == "lines-unfit"
    assert device.store.logs(inspection) == before


def test_a_certificate_that_the_server_did_not_sign_is_not_kept(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S8"""
    stranger = busy_office()
    store = device.store
    good = certificate(office, colleague)
    for body, name in (
        (certificate(stranger, colleague), colleague.id),
        (good, device.id),
        ({"payload": good["payload"]}, colleague.id),
        ({**good, "signature": "!"}, colleague.id),
        ("text", colleague.id),
    ):
        with pytest.raises(Problem) as caught, store.database.write("a certificate") as tx:
            take_certificate(tx, store.identity(), name, body)
        assert caught.value.code == "receipt-signature"
    assert colleague.id not in shared.certificates_of(store.database)


def test_own_lines_that_come_back_are_left_alone(office: Office, device: FieldDevice) -> None:
    """L2"""
    inspection = visit(device)
    before = device.store.logs(inspection)
    assert give(office, device, device, inspection) == 0
    assert device.store.logs(inspection) == before


def test_a_line_withheld_before_is_filled_in_when_it_comes(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L4: the hash that stood in its place is the line's."""
    inspection = visit(colleague)
    give(office, colleague, device, inspection)
    (theirs,) = colleague.store.logs(inspection)
    sign = next(p for run in runs(colleague, inspection)[-1:] for p in run.proofs)
    whole = Extract(colleague.id, inspection, 1, theirs.lines, (sign,))
    store = device.store
    with store.database.write("a run") as tx:
        assert take_lines(tx, store.identity(), whole) == 2
    assert store.logs(inspection)[0].lines == theirs.lines
    assert store.database.rows("select count(*) from holes") == [(0,)]


# -- by sync --------------------------------------------------------------------------------------


def test_what_does_not_verify_is_told_and_the_rest_of_the_answer_is_taken(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S5: nothing else is lost, and it is asked for again a day later."""
    bad, good = visit(colleague), visit(colleague)
    forged = extract_to_json(runs(colleague, bad)[0])
    forged["lines"][0] = forged["lines"][0].replace("GEN", "XXX").replace("live", "dead")
    office.changes += [
        Change("lines", f"{colleague.id}/{good}/1", extract_to_json(runs(colleague, good)[0])),
        Change("certificate", colleague.id, certificate(office, colleague)),
        Change("lines", f"{colleague.id}/{bad}/1", forged),
        Change("lines", f"{colleague.id}/{good}/1", extract_to_json(runs(colleague, good)[0])),
        Change("lines", f"{colleague.id}/{good}/x", {"device": 7}),
        Change("assignment", "a2", {"id": "a2", "facility": "bukit-contoh", "purpose": "later"}),
    ]
    report = device.sync()
    assert report.lines_taken == len(runs(colleague, good)[0].rows)
    store = device.store
    assert store.inspections() == [good]
    assert [a["id"] for a in Library(store.database).documents("assignment")] == ["a1", "a2"]
    found = {(n.log, n.problem["code"]) for n in not_taken(store.database)}
    assert found == {(bad, "lines-unproved"), (good, "lines-unproved")}
    office.changes[-4] = Change(
        "lines", f"{colleague.id}/{bad}/1", extract_to_json(runs(colleague, bad)[0])
    )
    del office.changes[-2]
    device.sync()
    assert bad not in device.store.inspections()
    device.clock += shared.RETRY_MS
    device.sync()
    assert set(device.store.inspections()) == {bad, good}
    assert not_taken(device.store.database) == []


def test_a_server_in_a_new_epoch_is_read_anew_and_nothing_is_doubled(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S5"""
    inspection = visit(colleague)
    office.changes += [
        Change("certificate", colleague.id, certificate(office, colleague)),
        *(
            Change("lines", f"{colleague.id}/{inspection}/{r.first}", extract_to_json(r))
            for r in runs(colleague, inspection)
        ),
    ]
    device.sync()
    before = device.store.database.rows("select * from lines order by log, device, seq")
    office.restore(office.backup())
    device.sync()
    assert device.store.database.rows("select * from lines order by log, device, seq") == before
    assert not_taken(device.store.database) == []


# -- going on, signing ----------------------------------------------------------------------------


def test_start_goes_on_with_a_colleagues_inspection_and_the_own_log_notes_it(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S5, L2: instead of beginning a second one; not with an exercise, nor with one long signed."""
    inspection = visit(colleague)
    give(office, colleague, device, inspection)
    assert device.start(mode="training").inspection != inspection
    begun = device.start()
    assert (begun.inspection, begun.new) == (inspection, False)
    device.start()
    opened = [r for r in device.store.records("device") if r.path == f"device/opened/{inspection}"]
    assert len(opened) == 1
    set_outcome(colleague.recorder(), inspection, "visited")
    sign_off(colleague.recorder(), inspection)
    give(office, colleague, device, inspection)
    assert device.start().inspection != inspection


def test_a_sign_off_names_every_log_that_was_seen(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """L7: up to the last line seen; a colleague's own sign-off is nothing new to sign for."""
    inspection = visit(colleague)
    give(office, colleague, device, inspection)
    device.start()
    answer(device.recorder(), inspection, "GEN-G4", ["FM"])
    set_outcome(device.recorder(), inspection, "visited")
    assert sign_off(device.recorder(), inspection).logs == 2
    read = load_inspection(device.store, inspection)
    (signed,) = read.sign_offs[device.id].heads
    heads = {
        log.device: (log.seqs[-1], log.hashes[-1].hex()) for log in device.store.logs(inspection)
    }
    named = {log.device: (log.seq, log.h) for log in signed.logs}
    assert named[colleague.id] == heads[colleague.id]
    assert named[device.id][0] == heads[device.id][0] - 1
    give(office, device, colleague, inspection)
    sign_off(colleague.recorder(), inspection)
    give(office, colleague, device, inspection)
    assert not sign_off(device.recorder(), inspection).new
    entries = {log.device: log.seqs for log in device.store.logs(inspection)}
    both = standing(entries, load_inspection(device.store, inspection))
    assert (set(both.devices), both.after) == ({device.id, colleague.id}, 0)
    answer(colleague.recorder(), inspection, "GEN-G5", ["FM"])
    give(office, colleague, device, inspection)
    assert sign_off(device.recorder(), inspection).new


# -- a tombstone ----------------------------------------------------------------------------------


def test_a_tombstone_drops_colleagues_lines_and_keeps_ones_own_and_what_one_signed_for(
    office: Office, device: FieldDevice, colleague: FieldDevice, tmp_path: Path
) -> None:
    """S5, L7"""
    inspection = visit(colleague)
    give(office, colleague, device, inspection)
    device.start()
    device.photo(inspection, picture(tmp_path / "p.jpg"), items=["GEN-G1"])
    set_outcome(device.recorder(), inspection, "visited")
    sign_off(device.recorder(), inspection)
    covered = dict(signed_of(device, inspection))[colleague.id]
    answer(colleague.recorder(), inspection, "GEN-G5", ["FM"])
    give(office, colleague, device, inspection)
    unseen = visit(colleague)
    give(office, colleague, device, unseen)
    mine = [log for log in device.store.logs(inspection) if log.device == device.id]
    own = device.store.logs("device")
    office.changes += [
        Change("inspection", inspection, None),
        Change("inspection", unseen, None),
        Change("facility", "bukit-contoh", None),
        Change("declaration", "d1", None),
        Change("assignment", "a1", None),
    ]
    device.sync()
    store = device.store
    left = {log.device: log for log in store.logs(inspection)}
    assert [left[device.id]] == mine and store.logs("device") == own
    assert left[colleague.id].seqs[-1] == covered
    assert store.inspections() == [inspection]
    for table in ("holes", "proofs"):
        (last,) = store.database.rows(
            f"select max(seq) from {table} where device = ?",
            (colleague.id,),
        )[0]
        assert last <= covered
    library = Library(store.database)
    assert library.documents("facility") == library.documents("declaration") == []
    assert library.documents("assignment") == []
    # What was recorded can still be looked at, signed and sent.
    assert sign_off(device.recorder(), inspection, "again").logs == 2


def signed_of(of: FieldDevice, inspection: str) -> list[tuple[str, int]]:
    (signed,) = load_inspection(of.store, inspection).sign_offs[of.id].heads
    return [(log.device, log.seq) for log in signed.logs]


def test_a_tombstone_takes_nothing_of_another_device_of_the_same_person(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S5: nor of a device of which no certificate is here, as of a generation before."""
    inspection = visit(colleague)
    store = device.store
    identity = store.identity()
    with store.database.write("own lines") as tx:
        mine = certificate(office, colleague, identity.person)
        take_certificate(tx, identity, colleague.id, mine)
        for run in runs(colleague, inspection):
            take_lines(tx, identity, run)
        drop_colleagues(tx, identity, inspection)
    (kept,) = store.logs(inspection)
    assert kept.device == colleague.id
    with store.database.write("own lines") as tx:
        tx.execute("delete from documents where kind = 'certificate'")
        drop_colleagues(tx, identity, inspection)
    assert store.logs(inspection) == [kept]


# -- giving on ------------------------------------------------------------------------------------


def test_a_third_device_takes_a_colleagues_lines_from_the_second_with_their_own_proofs(
    office: Office, device: FieldDevice, colleague: FieldDevice, tmp_path: Path
) -> None:
    """S2, S10: it is the log's signature that counts, whoever carries it."""
    inspection = visit(colleague)
    give(office, colleague, device, inspection)
    third = joined(tmp_path / "third", office)
    store = third.store
    with store.database.write("lines") as tx:
        take_certificate(tx, store.identity(), colleague.id, certificate(office, colleague))
        for run in runs(device, inspection):
            take_lines(tx, store.identity(), run)
    assert store.logs(inspection) == device.store.logs(inspection)
    assert runs(third, inspection) == runs(device, inspection)


def test_an_export_holds_colleagues_logs_with_holes_and_is_checked_as_such(
    office: Office, device: FieldDevice, colleague: FieldDevice, tmp_path: Path
) -> None:
    """L4, S5: what is withheld is counted, what only the server vouches for too."""
    inspection = visit(colleague)
    (theirs,) = colleague.store.logs(inspection)

    def vouched(seq: int, h: bytes) -> bytes:
        return vouch(office.key, colleague.id, inspection, seq, h)

    store = device.store
    lines, hashes = theirs.lines, theirs.hashes
    run = make_extract(colleague.id, inspection, 1, lines, hashes, {}, vouched)
    with store.database.write("lines") as tx:
        take_certificate(tx, store.identity(), colleague.id, certificate(office, colleague))
        take_lines(tx, store.identity(), run)
    device.start()
    answer(device.recorder(), inspection, "GEN-G4", ["FM"])
    set_outcome(device.recorder(), inspection, "visited")
    sign_off(device.recorder(), inspection)
    sources = Sources(store, Library(store.database), device.home.blobs(), "2026-11-25")
    document = score_document(sources, inspection)
    out = tmp_path / "export.zip"
    keys = own_keys(device.home, store)
    done = write_export(sources, store.identity(), keys, inspection, document, out)
    again = recompute(out)
    assert again.differences == ()
    assert done.entries == again.entries
    assert (again.withheld, again.vouched) == (2, len(theirs.lines) - 2)
    for what in ("line", "hole", "proof", "certificate"):
        with pytest.raises(Problem):
            recompute(tampered(out, tmp_path / f"{what}.zip", what, colleague.id))


def tampered(source: Path, target: Path, what: str, device: str) -> Path:
    """The export with one thing of a colleague's log changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if what == "line" and name == f"logs/{device}.ndjson":
                data = data.replace(b"fully", b"never", 1)
            elif name == "manifest.json":
                manifest = json.loads(data)
                log = next(one for one in manifest["logs"] if one["device"] == device)
                if what == "hole":
                    log["withheld"].pop()
                elif what == "proof":
                    log["signatures"].pop(0)
                elif what == "certificate":
                    log["certificate"] = {**log["certificate"], "payload": "e30="}
                data = json.dumps(manifest).encode()
            new.writestr(name, data)
    return target


def test_status_says_who_else_recorded(
    office: Office, device: FieldDevice, colleague: FieldDevice
) -> None:
    """S5: own entries are counted as sent and held, not theirs."""
    inspection = visit(colleague)
    give(office, colleague, device, inspection)
    device.start()
    answer(device.recorder(), inspection, "GEN-G4", ["FM"])
    set_outcome(colleague.recorder(), inspection, "visited")
    sign_off(colleague.recorder(), inspection)
    give(office, colleague, device, inspection)

    def run(*words: str) -> str:
        result = CliRunner().invoke(cli, ["--home", str(device.home.folder), *words])
        assert result.exit_code == 0, result.output
        return result.output

    shown = run("status")
    assert "also recorded by" in shown and "Example Colleague, 5 entries" in shown
    assert "2 parts of a track stayed at the office" in shown
    assert "by Example Colleague; not by you yet" in shown
    said = json.loads(run("status", "--json"))
    assert said["entries"]["all"] == 1
    assert said["signed_by"] == [colleague.id]
    assert [one["entries"] for one in said["colleagues"]] == [5]
    store = device.store
    with store.database.write("a refusal") as tx:
        bad = Extract(colleague.id, inspection, 99, (Hole(bytes(32)),), (Proof(99, b""),))
        body = extract_to_json(bad)
        shared.take_change(tx, store.identity(), Change("lines", "x", body), device.now())
    assert "does not go on from what is here" in run("status")
