"""Bundles by the page and the API (S10): who may, what is said, and the answer for the stick."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from office import NORTH, Office, assign_auditor, make_office
from pyrage.x25519 import Identity
from region import VISIT_1, Clock, Device, jpeg

from server.services.bundle_intake import HELD
from sync.bundle import BundleWriter, Opening
from sync.log import DEVICE_LOG, Segment, sign_head
from sync.sealing_key import PATH

PICTURE = jpeg(1)
BINARY = {"Content-Type": "application/octet-stream"}


@pytest.fixture
def office(tmp_path: Path, clock: Clock) -> Iterator[Office]:
    made = make_office(tmp_path, clock)
    assign_auditor(made)
    yield made
    made.ctx.db.close()


@pytest.fixture
def bundle(office: Office) -> tuple[Device, bytes, Identity]:
    """A device's bundle with one visit and its picture, and the key of what is sealed to it."""
    office.device("auditor", seed=1)
    signer = Ed25519PrivateKey.from_private_bytes(b"\1" * 32)
    device = Device(office.ctx, office.person_id("auditor"), signer)
    key = Identity.generate()
    device.start(VISIT_1, NORTH)
    sha256 = device.photo(VISIT_1, PICTURE, [])
    device.record(DEVICE_LOG, PATH, {"recipient": str(key.to_public())})
    w = BundleWriter()
    opening = Opening(device.id, "Made-up <b>Ana</b>", 1, "office", office.ctx.public_key)
    plain = w.opening(opening)
    for log in sorted(device.logs):
        signature = sign_head(signer, device.hashes[log][-1])
        plain += w.segment(Segment(device.id, log, 1, tuple(device.logs[log]), signature))
    plain += b"".join(w.file(sha256, len(PICTURE), [PICTURE])) + w.end()
    return device, pyrage.encrypt(plain, [office.ctx.sealing_key.to_public()]), key


def test_an_officer_reads_a_bundle_on_the_page_and_saves_the_answer(
    office: Office, bundle: tuple[Device, bytes, Identity]
) -> None:
    """S10"""
    device, data, key = bundle
    officer = office.logged_in("officer")
    assert 'type="file"' in officer.call("GET", "/bundles").text
    assert "Bundles" in officer.call("GET", "/facilities").text
    form = {"bundle": (io.BytesIO(data), "made-up.tapak"), "csrf": officer.csrf}
    page = officer.call("POST", "/bundles", data=form)
    assert page.status_code == 200
    assert "held up to entry 2" in page.text
    assert "1 file verified and held" in page.text
    assert "<b>Ana" not in page.text
    answer = officer.call("POST", f"/api/bundles/answers/{device.id}", data={"csrf": officer.csrf})
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert b'"tapak_bundle"' in pyrage.decrypt(answer.data, [key])
    assert list(office.ctx.settings.incoming.iterdir()) == []
    form["bundle"] = (io.BytesIO(data), "made-up.tapak")
    assert "Nothing new" in officer.call("POST", "/bundles", data=form).text


def test_a_program_sends_a_bundle_as_it_is(
    office: Office, bundle: tuple[Device, bytes, Identity]
) -> None:
    officer = office.logged_in("officer")
    said = officer.call("POST", "/api/bundles", data=bundle[1], headers=BINARY)
    assert said.status_code == 200
    assert [one["became"] for one in said.json["files"]] == [HELD]
    assert said.json["new_entries"] == 3
    assert said.json["problem"] is None
    wrong = officer.call("POST", "/api/bundles", json={})
    assert (wrong.status_code, wrong.json["code"]) == (415, "media-type")


def test_what_cannot_be_read_is_said_on_the_page_with_what_to_do(
    office: Office, bundle: tuple[Device, bytes, Identity]
) -> None:
    """S10"""
    _, data, _ = bundle
    officer = office.logged_in("officer")
    for given, said in (
        ({}, "No file was chosen"),
        ({"bundle": (io.BytesIO(b"made up"), "holiday.jpg")}, "holiday.jpg is not a sealed bundle"),
        ({"bundle": (io.BytesIO(data[:-1]), "x.tapak")}, "cut short"),
        (
            {
                "bundle": (io.BytesIO(pyrage.passphrase.encrypt(b"x", "made-up words")), "x"),
            },
            "sealed with a passphrase",
        ),
    ):
        page = officer.call("POST", "/bundles", data={**given, "csrf": officer.csrf})
        assert page.status_code == 422
        assert said in page.text


def test_a_bundle_is_taken_only_from_staff_and_only_from_our_own_page(
    office: Office, bundle: tuple[Device, bytes, Identity]
) -> None:
    for browser in (office.anonymous(), office.logged_in("auditor"), office.logged_in("reader")):
        answer = browser.call("POST", "/api/bundles", data=bundle[1], headers=BINARY)
        assert answer.status_code in (401, 403)
    officer = office.logged_in("officer")
    officer.csrf = "x"
    answer = officer.call("POST", "/api/bundles", data=bundle[1], headers=BINARY)
    assert answer.json["code"] == "form-expired"


def test_a_bundle_that_ends_in_the_middle_of_being_sent_keeps_what_came_whole(
    office: Office, bundle: tuple[Device, bytes, Identity]
) -> None:
    officer = office.logged_in("officer")
    said = officer.call("POST", "/api/bundles", data=bundle[1][:-1], headers=BINARY).json
    code = said["code"] if "code" in said else said["problem"]["code"]
    assert code == "bundle-altered"
    assert list(office.ctx.settings.incoming.iterdir()) == []
