"""Whatever text a client sends: it is stored or refused by name, on each database, and never 500.

U+0000 is no text to PostgreSQL, half a surrogate pair to no database, and a long one no key.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from office import NORTH, Office, facility_fields, filing, make_office
from region import (
    CONSOLE,
    HILL,
    VISIT_1,
    VISIT_2,
    VISIT_3,
    Clock,
    enrolled_device,
    jpeg,
)

from server.context import Context
from server.schedule import run_once
from server.services.enrolment import invite, revoke_device
from server.services.intake import receive
from server.services.rebuild import rebuild
from server.services.verify import verify
from server.store import audit, devices, gradings, logs
from sync.log import Segment, link, sign_head
from sync.session import Request, read_answer, write_request

# Digests one after another: nothing that an index could press together.
LONG = "".join(hashlib.sha256(bytes([n % 256, n // 256])).hexdigest() for n in range(900))
ODD = ("a\x00b", "\x00", LONG, "🏭" * 15_000, "a'b\"c%s%(x)s\\:d")


@pytest.fixture(params=("sqlite", "postgresql"))
def office(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Office]:
    url = ""
    if request.param == "postgresql":
        postgres = request.getfixturevalue("postgres")
        url = postgres.url(postgres.migrated())
    made = make_office(tmp_path, clock, url)
    yield made
    made.ctx.db.close()


def answered(status: int) -> None:
    assert 200 <= status < 500, status


# -- in what devices sign -------------------------------------------------------------------------


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
def test_a_visit_to_a_facility_named_by_any_text_is_kept_to_the_byte(
    either_region: Context, odd: str
) -> None:
    ctx, device = either_region, enrolled_device(either_region)
    device.start(VISIT_1, odd, purpose=odd[:100])
    device.record(VISIT_1, "outcome", {"outcome": "visited", "note": odd[:100]})
    device.send()
    device.record(VISIT_1, "comments/c", {"text": odd[:100]})
    device.send()
    with ctx.db.read() as tx:
        (log,) = logs.logs_of(tx, VISIT_1)
        assert logs.lines_of(tx, log.id) == device.logs[VISIT_1]
        assert [one.id for one in logs.inspections_at(tx, odd)] == [VISIT_1]
        assert gradings.find(tx, odd) is not None
    run_once(ctx)
    rebuild(ctx)
    assert verify(ctx).faults == ()


def test_a_photograph_described_by_any_text_is_kept_read_and_graded(
    either_region: Context,
) -> None:
    ctx, device = either_region, enrolled_device(either_region)
    device.start(VISIT_1, HILL)
    device.record(VISIT_1, "answers/GEN-G1/-", {"level": "fully", "note": "a\x00b"})
    device.photo(VISIT_1, jpeg(1), ["GEN-G1/-", "\x00"])
    device.record(VISIT_1, "outcome", {"outcome": "visited"})
    device.sign_off(VISIT_1)
    for n, odd in enumerate(ODD):
        value = {"kind": "photo", "source": "imported", "media_type": odd, "size": n}
        path = f"evidence/{n:064x}/{device.id}"
        device.record(VISIT_2, path, {**value, "name": odd[:3], "items": [odd[:3]]})
    device.send()
    device.send_file(jpeg(1))
    ran = run_once(ctx)
    assert (ran.pictures, ran.graded.left) == (1, {})
    assert verify(ctx).faults == ()


def test_lines_that_are_no_text_at_all_are_kept_and_hold_up_nothing(
    either_region: Context,
) -> None:
    """L4"""
    ctx, device = either_region, enrolled_device(either_region)
    device.start(VISIT_3, HILL)
    lines = device.logs[VISIT_3]
    for raw in (b"\x00", b"\xff\xfe", b'{"path":"about","value":{"facility":"\\ud800"}}'):
        lines.append(raw)
        device.hashes[VISIT_3].append(link(device.hashes[VISIT_3][-1], raw))
    signature = sign_head(device.key, device.hashes[VISIT_3][-1])
    segment = Segment(device.id, VISIT_3, 1, tuple(lines), signature)
    device.sent[VISIT_3] = 0
    body = write_request(Request(device.id, None, (), (segment,), ctx.now()))
    answer = read_answer(receive(ctx, device.id, device.person, body))
    assert [one.state for one in answer.logs] == ["held"]
    run_once(ctx)
    assert verify(ctx).faults == ()


# -- in requests ----------------------------------------------------------------------------------


def test_a_device_may_call_itself_anything(office: Office) -> None:
    for n, name in enumerate(("lap\x00top", "\x00", "🏭" * 40, "%s'\"")):
        code = invite(office.ctx, "auditor", CONSOLE).partition("#")[2].partition(".")[0]
        key = Ed25519PrivateKey.from_private_bytes(bytes([n + 1]) * 32).public_key()
        body = {"code": code, "public_key": base64.b64encode(key.public_bytes_raw()).decode()}
        answer = office.anonymous().call("POST", "/api/enrol", json={**body, "name": name})
        assert answer.status_code == 200, answer.text
        device = json.loads(base64.b64decode(answer.json["certificate"]["payload"]))["device"]
        certified = json.loads(base64.b64decode(answer.json["certificate"]["payload"]))["name"]
        with office.ctx.db.read() as tx:
            assert devices.find(tx, device).name == certified
        assert "\x00" not in certified
    assert verify(office.ctx).faults == ()


@pytest.mark.parametrize("login", ["a\x00b", "\x00", "x" * 80, "a' or '1'='1", "\ud7ff"])
def test_a_login_by_any_name_fails_as_any_other(office: Office, login: str) -> None:
    body = {"login": login, "password": "no\x00thing"}
    answer = office.anonymous().call("POST", "/api/session", json=body)
    assert (answer.status_code, answer.json["code"]) == (401, "login-failed")
    assert office.anonymous().call("POST", "/login", data=body).status_code == 401


def test_addresses_with_any_text_in_them_name_nothing(office: Office) -> None:
    officer = office.logged_in("officer")
    for odd in ("a%00b", "%00", "%ff%fe", "%ed%a0%80", "x" * 9000, "%F0%9F%8F%AD"):
        for path in (
            f"/facilities/{odd}",
            f"/inspections/{odd}",
            f"/files/{odd}",
            f"/previews/{odd}",
            f"/scores/facility/{odd}.json",
            f"/scores/inspection/{odd}.json",
            f"/api/facilities/{odd}",
            f"/api/facilities/{odd}/declarations",
            f"/api/assignments/{odd}",
        ):
            assert officer.call("GET", path).status_code in (404, 405), path
        for path in ("/facilities?q=", "/facilities?page=", "/login?next="):
            answered(officer.call("GET", path + odd[:300]).status_code)
        for path in ("/api/facilities?after=", "/api/assignments?after="):
            answered(officer.call("GET", path + odd[:70]).status_code)
        device = office.device(seed=9)
        for method in ("HEAD", "PATCH", "DELETE"):
            tus = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}
            kind = "application/offset+octet-stream"
            sent = {"headers": tus, "content_type": kind, "data": b"x"}
            answered(device.call(method, f"/api/files/{odd}", **sent).status_code)


@pytest.mark.parametrize("odd", ["a\x00b", "\x00", "%s'\""])
def test_what_staff_type_is_stored_whole_or_refused_by_field(office: Office, odd: str) -> None:
    staff = office.logged_in("administrator")
    fine = facility_fields("west-ridge", "north")
    plain: dict[str, Any] = {
        "facility": NORTH,
        "person": "auditor",
        "purpose": "visit",
        "not_before": "2026-01-01",
        "not_after": "2026-12-31",
    }
    for field in fine:
        if field != "example":
            sent = staff.call("POST", "/api/facilities", json={**fine, field: odd})
            assert sent.status_code in (201, 403, 404, 409, 422), (field, sent.text)
            assert sent.status_code != 201 or sent.json[field] == odd
    for field in plain:
        sent = staff.call("POST", "/api/assignments", json={**plain, field: odd})
        assert sent.status_code in (201, 404, 422), (field, sent.text)
        assert sent.status_code != 201 or sent.json[field] == odd
    for field in ("facility", "operator", "filed", "speaks_of"):
        body = {**filing(NORTH), field: odd}
        sent = staff.call("POST", f"/api/facilities/{NORTH}/declarations", json=body)
        answered(sent.status_code)
    assert verify(office.ctx).faults == ()


def test_a_reason_typed_in_a_terminal_of_another_encoding_goes_into_the_trail(
    office: Office,
) -> None:
    office.device(seed=3)
    with office.ctx.db.read() as tx:
        (device,) = devices.every(tx)
    reason = "perdu \udce9 \x00"  # as Python hands over what is not UTF-8
    revoke_device(office.ctx, CONSOLE, device.id, reason)
    with office.ctx.db.read() as tx:
        (line,) = [one for one in audit.lines(tx) if one["action"] == "device.revoke"]
        assert line["detail"]["reason"] == reason
        assert list(audit.faults(tx)) == []
