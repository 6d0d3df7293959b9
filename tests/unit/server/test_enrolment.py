"""Enrolling devices: rule S8, as far as one device needs it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from office import NORTH, SOUTH, Office, assign_auditor, filing, make_office
from region import Clock
from sqlalchemy import select
from werkzeug.test import TestResponse

from server.context import open_context
from server.services import enrolment, registry
from server.services.account_log import append_entry
from server.services.audit import CONSOLE
from server.services.changes import changes_after
from server.services.tokens import token_for
from server.store import audit, changes, devices, people, tables
from sync.greeting import is_greeting_of
from sync.log import device_id
from sync.problems import CATALOGUE, Problem
from sync.receipt import SignedBytes, read_certificate, server_id
from sync.server_keys import ServerKeys, read_server_keys, read_statements

HOUR = 3_600_000


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    made = make_office(tmp_path, clock)
    yield made
    made.ctx.db.close()


def key(seed: int) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32).public_key().public_bytes_raw()


def code_of(link: str) -> str:
    return link.partition("#")[2].partition(".")[0]


def ask(office: Office, code: str, seed: int = 1, name: str = "made-up laptop") -> TestResponse:
    body = {"code": code, "public_key": base64.b64encode(key(seed)).decode(), "name": name}
    return office.anonymous().call("POST", "/api/enrol", json=body)


def invited(office: Office, login: str = "auditor", hours: int = 72) -> str:
    return code_of(enrolment.invite(office.ctx, login, CONSOLE, hours))


def talks(office: Office, token: str) -> bool:
    """Whether the server takes this token for a device's."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = office.anonymous().call("POST", "/api/sync", data=b"", headers=headers)
    return answer.json["code"] == "media-type"


def told(office: Office, login: str) -> list[tuple[str, str]]:
    with office.ctx.db.read() as tx:
        return [(kind, ref) for _, kind, ref in changes.after(tx, office.person_id(login), 0)]


def test_s8_an_invitation_names_the_server_by_the_digest_of_its_key(office: Office) -> None:
    link = enrolment.invite(office.ctx, "auditor", CONSOLE)
    form = r"http://127\.0\.0\.1:8040/enrol#([A-Z2-7]{4}-){2}[A-Z2-7]{4}\.[0-9a-f]{16}"
    assert re.fullmatch(form, link)
    assert server_id(office.ctx.public_key).startswith(link.rpartition(".")[2])


def test_only_the_digest_of_a_code_is_stored(office: Office) -> None:
    code = invited(office)
    office.ctx.db.close()
    stored = b"".join(p.read_bytes() for p in office.ctx.settings.data.glob("tapak.sqlite*"))
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored


def test_s8_a_device_gets_a_token_and_a_certificate_of_the_server(office: Office) -> None:
    answer = ask(office, invited(office)).json
    server_key = base64.b64decode(answer["server_key"])
    assert server_key == office.ctx.public_key
    signed = SignedBytes(
        *(base64.b64decode(answer["certificate"][k]) for k in ("payload", "signature"))
    )
    body = read_certificate(server_key, signed)
    assert body == {
        "tapak": 1,
        "device": device_id(key(1)),
        "public_key": base64.b64encode(key(1)).decode(),
        "person": office.person_id("auditor"),
        "person_name": "Made-up Auditor",
        "name": "made-up laptop",
        "issued": office.clock.at,
        "server": office.ctx.id,
    }
    assert (answer["person"], answer["person_name"]) == (body["person"], body["person_name"])
    assert talks(office, answer["token"])


def test_the_token_itself_is_not_stored(office: Office) -> None:
    token = ask(office, invited(office)).json["token"]
    office.ctx.db.close()
    stored = b"".join(p.read_bytes() for p in office.ctx.settings.data.glob("tapak.sqlite*"))
    assert token.encode() not in stored


def test_s8_a_code_enrols_one_device_only(office: Office) -> None:
    code = invited(office)
    assert ask(office, code, seed=1).status_code == 200
    refused = ask(office, code, seed=2)
    assert (refused.status_code, refused.json["code"]) == (403, "invitation-unknown")


def test_the_same_request_again_is_answered_alike_and_writes_nothing(office: Office) -> None:
    """S2, S8: the answer was lost, and whichever of the two requests comes last ends no token."""
    code = invited(office)
    lost = ask(office, code).json
    office.clock.at += 60_000

    def written() -> list[list[Any]]:
        with office.ctx.db.read() as tx:
            return [
                list(tx.execute(select(table)).all())
                for table in (tables.devices, tables.invitations, tables.audit, tables.changes)
            ]

    before = written()
    again = ask(office, code, name="another name").json
    assert {**again, "now": lost["now"]} == lost
    assert written() == before
    assert len(before[0]) == 1
    assert talks(office, lost["token"])


def test_a_request_that_comes_late_ends_no_token_of_another_invitation(office: Office) -> None:
    """S2, S8: the device was enrolled again meanwhile, and has not shown the new token yet."""
    first, second = invited(office), invited(office)
    ask(office, first)
    token = ask(office, second).json["token"]
    late = ask(office, first)
    assert (late.status_code, late.json["code"]) == (403, "invitation-unknown")
    assert ask(office, second).json["token"] == token
    assert talks(office, token)


def test_the_greeting_proves_that_the_server_holds_its_key(office: Office) -> None:
    """S8: to who asks with a challenge; an older device, which has none, is answered as before."""
    browser, key_ = office.anonymous(), office.ctx.public_key
    plain = browser.call("GET", "/api/enrol").json
    assert set(plain) == {"server_key", "server_keys", "server_name"}
    for challenge in ("ab" * 16, "0f" * 64):
        said = browser.call("GET", f"/api/enrol?challenge={challenge}").json
        proof = base64.b64decode(said["proof"])
        assert is_greeting_of(key_, challenge, proof)
        assert not is_greeting_of(key_, "cd" * 16, proof)
        assert not is_greeting_of(key(1), challenge, proof)
    for bad in ("", "ab", "AB" * 16, "ab" * 65, "%00" * 40, "zz" * 16):
        refused = browser.call("GET", f"/api/enrol?challenge={bad}")
        assert (refused.status_code, refused.json["code"]) == (422, "fields-malformed"), bad


def test_a_token_follows_from_nothing_that_is_stored(office: Office) -> None:
    """S8: another code, another device or another server gives another one."""
    codes = [invited(office) for _ in range(3)]
    tokens = {ask(office, code, seed).json["token"] for seed, code in enumerate(codes[:2], 1)}
    tokens |= {token_for(office.ctx, "enrolment", codes[0], device_id(key(2)))}
    tokens |= {token_for(office.ctx, "enrolment", codes[2], device_id(key(1)))}
    other = replace(office.ctx, key=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    tokens |= {token_for(other, "enrolment", codes[2], device_id(key(1)))}
    assert len(tokens) == 5
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", one) for one in tokens)


def test_the_log_of_an_account_is_neither_retired_nor_revoked(office: Office) -> None:
    """S9: what is decided in it would be marked as a compromised device's from then on."""
    with office.ctx.db.read() as tx:
        officer = people.by_login(tx, "officer")
    assert officer is not None
    visit = "0f8fad5b-d9cb-469f-a165-70867728950e"
    office.ctx.db.write(
        lambda tx: append_entry(office.ctx, tx, officer, visit, "outcome", {"outcome": "left"}, [])
    )
    with office.ctx.db.read() as tx:
        before = devices.every(tx)
    (account,) = [one.id for one in before if one.kind == devices.ACCOUNT]
    for end in (enrolment.retire_device, enrolment.revoke_device):
        with pytest.raises(Problem, match="device-is-account"):
            end(office.ctx, CONSOLE, account, "tidying up")
    with pytest.raises(Problem, match="noun-unknown") as unknown:
        enrolment.revoke_device(office.ctx, CONSOLE, "no such device", "")
    assert account not in str(unknown.value)
    with office.ctx.db.read() as tx:
        assert devices.every(tx) == before


def test_a_code_is_spent_once_its_token_was_shown(office: Office) -> None:
    code = invited(office)
    token = ask(office, code).json["token"]
    assert talks(office, token)
    assert ask(office, code).json["code"] == "invitation-unknown"
    assert talks(office, token)


def test_s8_an_invitation_expires(office: Office, clock: Clock) -> None:
    first, second = invited(office, hours=2), invited(office, hours=2)
    clock.at += 2 * HOUR - 1
    assert ask(office, first).status_code == 200
    clock.at += 1
    assert ask(office, first).json["code"] == "invitation-unknown"
    assert ask(office, second, seed=2).json["code"] == "invitation-unknown"


def test_a_code_may_be_typed_loosely(office: Office) -> None:
    code = invited(office)
    loose = code.lower().replace("-", " ").replace("o", "0").replace("i", "1")
    assert ask(office, loose).status_code == 200


def test_a_device_may_be_enrolled_anew_by_its_person_only(office: Office) -> None:
    old = ask(office, invited(office)).json["token"]
    assert ask(office, invited(office, "officer")).json["code"] == "device-of-another"
    assert talks(office, old)
    new = ask(office, invited(office), name="").json["token"]
    assert talks(office, new) and not talks(office, old)


def test_a_refused_device_does_not_use_the_invitation_up(office: Office) -> None:
    ask(office, invited(office))
    code = invited(office, "officer")
    assert ask(office, code, seed=1).status_code == 409
    assert ask(office, code, seed=2).status_code == 200


def test_s8_a_revoked_device_is_out_and_stays_out(office: Office) -> None:
    token = ask(office, invited(office)).json["token"]
    enrolment.revoke_device(office.ctx, CONSOLE, device_id(key(1)), "left on a bus")
    assert not talks(office, token)
    assert ask(office, invited(office)).json["code"] == "device-of-another"
    enrolment.revoke_device(office.ctx, CONSOLE, device_id(key(1)), "said again")
    with office.ctx.db.read() as tx:
        lines = audit.lines(tx, f"device:{device_id(key(1))}")
    assert [line["action"] for line in lines] == ["device.enrol", "device.revoke"]
    assert lines[1]["detail"]["reason"] == "left on a bus"
    with pytest.raises(Problem, match="noun-unknown"):
        enrolment.revoke_device(office.ctx, CONSOLE, "no such device", "")


def test_s5_a_new_device_is_told_everything_its_person_is_assigned(office: Office) -> None:
    registry.file_declaration(office.ctx, CONSOLE, json.dumps(filing(NORTH)).encode())
    assign_auditor(office)
    before = len(told(office, "auditor"))
    ask(office, invited(office))
    fresh = told(office, "auditor")[before:]
    kinds = [kind for kind, _ in fresh]
    assert kinds == [
        "facility",
        "declaration",
        "checklist",
        "limits",
        "profile",
        "rules",
        "assignment",
        "certificate",
        "server-keys",
    ]
    assert dict(fresh)["facility"] == NORTH
    assert dict(fresh)["certificate"] == device_id(key(1))
    assert SOUTH not in dict(told(office, "auditor")).values()


def test_a_device_learns_the_sealing_key_under_the_key_it_has_pinned(office: Office) -> None:
    """S8: with its enrolment, and again as a change."""
    answer = ask(office, invited(office)).json
    server_key = base64.b64decode(answer["server_key"])
    for body in ({"statements": answer["server_keys"]}, change_of(office, "server-keys")):
        keys = read_server_keys(server_key, read_statements(body))
        assert keys == ServerKeys(1, office.ctx.public_key, office.ctx.recipient)
    sealed = pyrage.encrypt(b"made-up", [pyrage.x25519.Recipient.from_str(keys.sealing_key)])
    assert pyrage.decrypt(sealed, [office.ctx.sealing_key]) == b"made-up"


def change_of(office: Office, kind: str) -> Any:
    page = changes_after(office.ctx, office.person_id("auditor"), device_id(key(1)), None)
    return next(one.body for one in page.changes if one.kind == kind)


def test_a_device_enrolled_before_there_was_a_sealing_key_is_told_once(
    office: Office, clock: Clock
) -> None:
    """S8: as after an update of the server, or a restore that lost the key."""
    ask(office, invited(office))
    folder = office.ctx.settings.keys
    (folder / "sealing.age").unlink()
    before = told(office, "auditor")
    for _ in range(2):
        ctx = open_context(office.ctx.settings)
        with ctx.db.read() as tx:
            after = changes.after(tx, office.person_id("auditor"), 0)
        ctx.db.close()
        assert [thing[1:] for thing in after[len(before) :]] == [("server-keys", ctx.recipient)]
    assert (folder / "sealing.age").stat().st_mode & 0o077 == 0
    assert ctx.recipient != office.ctx.recipient


def test_an_assignment_that_is_over_is_not_told_to_a_new_device(office: Office) -> None:
    assign_auditor(office, not_before="2026-01-01", not_after="2026-11-22")
    before = len(told(office, "auditor"))
    ask(office, invited(office))
    assert [kind for kind, _ in told(office, "auditor")[before:]] == [
        "certificate",
        "server-keys",
    ]


def test_when_a_device_was_seen_is_written_once_an_hour(office: Office, clock: Clock) -> None:
    token = ask(office, invited(office)).json["token"]

    def seen() -> int | None:
        with office.ctx.db.read() as tx:
            return tx.execute(select(tables.devices.c.last_seen_at)).scalar_one()

    assert seen() is None
    assert talks(office, token)
    first = clock.at
    for later, expected in ((HOUR, first), (1, first + HOUR + 1)):
        clock.at += later
        assert talks(office, token)
        assert seen() == expected


def test_only_somebody_who_is_known_is_invited(office: Office) -> None:
    with pytest.raises(Problem, match="noun-unknown"):
        enrolment.invite(office.ctx, "nobody-here", CONSOLE)
    for hours in (0, 721):
        with pytest.raises(Problem, match="fields-malformed"):
            enrolment.invite(office.ctx, "auditor", CONSOLE, hours)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
BODIES = st.fixed_dictionaries(
    {}, optional={"code": ANYTHING, "public_key": ANYTHING, "name": ANYTHING, "more": ANYTHING}
)


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=BODIES)
def test_whatever_is_sent_the_answer_is_an_error_of_the_catalogue(
    office: Office, body: dict[str, Any]
) -> None:
    answer = office.anonymous().call("POST", "/api/enrol", json=body)
    assert answer.mimetype == "application/problem+json"
    assert CATALOGUE[answer.json["code"]].status == answer.status_code < 500
