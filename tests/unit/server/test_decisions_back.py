"""Decisions that a restored server has lost are taken back from whoever received them (S5, S9)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from office import NORTH, Office, make_office
from region import Clock, Device, assign_to, enrolled_device

from server import create_app
from server.context import Context, open_context
from server.permissions import Principal
from server.services import rotation
from server.services.account_log import append_entry
from server.services.backup import make_backup
from server.services.browse_aside import show_aside
from server.services.inspections import Loaded, load_inspection
from server.services.intake import receive
from server.services.resolution import Choice, resolve
from server.services.restore import Surroundings, restore
from server.services.verify import verify
from server.settings import read_settings
from server.store import audit, devices, documents, logs, people
from server.store.devices import ACCOUNT
from sync.log import Segment
from sync.receipt import SignedBytes
from sync.session import Answer, Request, read_answer, write_request

VISIT = "0f8fad5b-d9cb-469f-a165-70867728950e"
PATH = "answers/GEN-G1/-"


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = make_office(tmp_path, Clock())
    yield made
    made.ctx.db.close()


@pytest.fixture
def carrier(office: Office) -> Device:
    """The device of one of two auditors who answered the same question otherwise."""
    with office.ctx.db.read() as tx:
        published = documents.newest(tx, "checklist", "rare-earth-site")
    assert published is not None
    both = []
    for login, seed, level in (("auditor", 1, "fully"), ("reader", 2, "does-not-meet")):
        person = office.person_id(login)
        if login != "auditor":
            office.ctx.db.write(lambda tx, who=person: people.grant(tx, who, "auditor", "north"))
        assign_to(office.ctx, NORTH, person)
        one = enrolled_device(office.ctx, person, seed)
        if not both:
            one.start(VISIT, NORTH, checklist=published.digest)
        one.record(VISIT, PATH, {"level": level}, replaces=[])
        one.send()
        both.append(one)
    return both[0]


def loaded(ctx: Context) -> Loaded:
    with ctx.db.read() as tx:
        found = load_inspection(tx, VISIT)
    assert found is not None
    return found


def decide(ctx: Context, officer: str, keep: int, reason: str) -> None:
    (conflict,) = loaded(ctx).conflicts
    who = principal(ctx, officer)
    choice = Choice(keep=conflict.sides[keep].record.h)
    resolve(ctx, who, VISIT, conflict.path, conflict.code, choice, reason)


def principal(ctx: Context, officer: str) -> Principal:
    with ctx.db.read() as tx:
        return Principal("person", officer, "Officer", None, people.grants_of(tx, officer))


def given_out(ctx: Context) -> tuple[tuple[Segment, ...], tuple[SignedBytes, ...]]:
    """The lines of every account's log as devices received them, and the certificates."""
    segments, certificates = [], []
    with ctx.db.read() as tx:
        for log in logs.logs_of(tx, VISIT):
            if log.kind == ACCOUNT:
                found = devices.find(tx, log.device)
                assert found is not None
                certificates.append(found.certificate)
                first = 1
                for run in logs.segments_of(tx, log.id):
                    lines = tuple(logs.lines_of(tx, log.id, first, run.last))
                    segments.append(Segment(log.device, VISIT, first, lines, run.signature))
                    first = run.last + 1
    return tuple(segments), tuple(certificates)


def offer(
    ctx: Context,
    carrier: Device,
    segments: tuple[Segment, ...],
    certificates: tuple[SignedBytes, ...],
) -> Answer:
    request = Request(carrier.id, None, (), segments, ctx.now() - 5_000, certificates=certificates)
    return read_answer(receive(ctx, carrier.id, carrier.person, write_request(request)))


def restored(ctx: Context, tmp_path: Path) -> Context:
    to = Surroundings(read_settings(tmp_path / "new", environ={}), ctx.now, lambda _n: 7)
    restore(to, tmp_path / "backup")
    return replace(open_context(to.settings), now=ctx.now)


def test_a_log_that_was_begun_after_the_backup_comes_back_with_its_certificate(
    office: Office, carrier: Device, tmp_path: Path
) -> None:
    """S5, S9, L9: it counts as before, and the carrier's clock says nothing of when it was made."""
    officer = office.person_id("officer")
    make_backup(office.ctx, tmp_path / "backup")
    decide(office.ctx, officer, 0, "the register was shown")
    segments, certificates = given_out(office.ctx)
    ctx = restored(office.ctx, tmp_path)
    assert len(loaded(ctx).conflicts) == 1
    refused = offer(ctx, carrier, segments, ())
    assert [s.state for s in refused.logs] == ["refused"]
    assert [s.state for s in offer(ctx, carrier, segments, certificates).logs] == ["held"]
    assert loaded(ctx).conflicts == ()
    assert loaded(ctx).current == loaded(office.ctx).current
    with ctx.db.read() as tx:
        (log,) = [one for one in logs.logs_of(tx, VISIT) if one.kind == ACCOUNT]
        assert [one.offset_ms for one in logs.segments_of(tx, log.id)] == [None]
        told = [one for one in audit.lines(tx) if one["action"] == "decision.returned"]
    assert [(one["who"], one["detail"]["last"]) for one in told] == [(f"device:{carrier.id}", 1)]
    assert verify(ctx).faults == ()
    # The same again changes nothing, and is not told again.
    offer(ctx, carrier, segments, certificates)
    with ctx.db.read() as tx:
        assert [one["action"] for one in audit.lines(tx)].count("decision.returned") == 1
    ctx.db.close()


def test_where_both_servers_decided_the_two_stand_side_by_side(
    office: Office, carrier: Device, tmp_path: Path
) -> None:
    """L6, S5: the restored server's own decision is not replaced by the one of before, nor the
    other way round.
    """
    officer = office.person_id("officer")
    make_backup(office.ctx, tmp_path / "backup")
    decide(office.ctx, officer, 0, "before")
    ctx = restored(office.ctx, tmp_path)
    decide(ctx, officer, 1, "afterwards")
    assert [s.state for s in offer(ctx, carrier, *given_out(office.ctx)).logs] == ["held"]
    (conflict,) = loaded(ctx).conflicts
    reasons = {side.record.value["resolved"]["reason"] for side in conflict.sides}
    assert reasons == {"before", "afterwards"}
    ctx.db.close()


def test_an_account_whose_person_is_not_known_either_comes_back_without_access(
    office: Office, carrier: Device, tmp_path: Path
) -> None:
    """S5, S9: the decision is there, under the name that the certificate says."""
    make_backup(office.ctx, tmp_path / "backup")
    new = replace(person_of(office, "officer"), id="p-newcomer", login="newcomer", name="Newcomer")
    office.ctx.db.write(
        lambda tx: (people.add(tx, new), people.grant(tx, new.id, "officer", "north"))
    )
    decide(office.ctx, new.id, 0, "decided by somebody new")
    ctx = restored(office.ctx, tmp_path)
    offer(ctx, carrier, *given_out(office.ctx))
    assert loaded(ctx).conflicts == ()
    with ctx.db.read() as tx:
        known = people.by_id(tx, new.id)
        assert known is not None
        assert (known.name, known.active, people.grants_of(tx, new.id)) == ("Newcomer", False, ())
    browser = replace(office, ctx=ctx, app=create_app(ctx)).anonymous()
    for login in (known.login, new.login):
        given = {"login": login, "password": known.password}
        assert browser.call("POST", "/api/session", json=given).status_code == 401
    ctx.db.close()


def person_of(office: Office, login: str) -> people.Person:
    with office.ctx.db.read() as tx:
        found = people.by_login(tx, login)
    assert found is not None
    return found


def test_other_lines_at_the_same_place_are_a_branch_and_never_overwrite(
    office: Office, carrier: Device, tmp_path: Path
) -> None:
    """S3, S9: a data folder that was copied back without `restore` writes on in the same epoch."""
    officer = office.person_id("officer")
    data, copy = office.ctx.settings.data, tmp_path / "copy"
    office.ctx.db.close()
    shutil.copytree(data, copy)
    decide(office.ctx, officer, 0, "here")
    ctx = replace(open_context(read_settings(copy, environ={})), now=office.clock)
    decide(ctx, officer, 1, "and there")
    kept = loaded(ctx).current
    assert kept != loaded(office.ctx).current
    (state,) = offer(ctx, carrier, *given_out(office.ctx)).logs
    assert (state.state, state.seq) == ("forked", 1)
    assert loaded(ctx).current == kept
    view = show_aside(ctx, principal(ctx, officer))
    assert [(line.branch.fork, line.person) for line in view.branches] == [(1, "Made-up Officer")]
    ctx.db.close()


def test_what_an_older_receipt_key_certified_is_known_again(
    office: Office, carrier: Device, tmp_path: Path
) -> None:
    """S8, S9: the keys were changed after the decision and before the backup that is taken."""
    officer = office.person_id("officer")
    make_backup(office.ctx, tmp_path / "old")
    decide(office.ctx, officer, 0, "the register was shown")
    segments, certificates = given_out(office.ctx)
    to = Surroundings(read_settings(tmp_path / "new", environ={}), office.ctx.now, lambda _n: 7)
    restore(to, tmp_path / "old")
    with_old = replace(open_context(to.settings), now=office.ctx.now)
    rotation.rotate(with_old, "console", receipt=True, sealing=False, reason="yearly")
    with_old.db.close()
    ctx = replace(open_context(to.settings), now=office.ctx.now)
    assert [s.state for s in offer(ctx, carrier, segments, certificates).logs] == ["held"]
    assert loaded(ctx).conflicts == ()
    ctx.db.close()


def test_nobody_makes_an_account_or_a_device_of_a_certificate(
    office: Office, carrier: Device, tmp_path: Path
) -> None:
    """S8, S9: what another server signed, what is damaged, and a device's are passed over."""
    make_backup(office.ctx, tmp_path / "backup")
    late = enrolled_device(office.ctx, office.person_id("reader"), 9)
    officer = person_of(office, "officer")
    office.ctx.db.write(
        lambda tx: append_entry(office.ctx, tx, officer, VISIT, PATH, {"level": "fully"}, [])
    )
    with office.ctx.db.read() as tx:
        device = devices.find(tx, late.id)
    assert device is not None
    (of_account,) = given_out(office.ctx)[1]
    stranger = make_office(tmp_path / "stranger", Clock())
    stranger.ctx.db.write(
        lambda tx: append_entry(stranger.ctx, tx, officer, VISIT, PATH, {"level": "fully"}, [])
    )
    (of_another,) = given_out(stranger.ctx)[1]
    stranger.ctx.db.close()
    ctx = restored(office.ctx, tmp_path)
    with ctx.db.read() as tx:
        before = devices.every(tx)
    bad = (
        device.certificate,
        of_another,
        SignedBytes(of_account.payload + b" ", of_account.signature),
        SignedBytes(b'{"device":"a\\u0000"}', bytes(64)),
        SignedBytes(b"[" * 100_000, bytes(64)),
        SignedBytes(b"", bytes(64)),
    )
    offer(ctx, carrier, (), bad)
    carrier.record(VISIT, "outcome", {"outcome": "visited"})
    moved = replace(carrier, ctx=ctx)
    moved.send()
    offer(ctx, carrier, (), bad)
    with ctx.db.read() as tx:
        assert devices.every(tx) == before
    ctx.db.close()
