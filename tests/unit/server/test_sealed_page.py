"""The safeguarding person's page (L8): who sees it, what it gives out, and what the trail notes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from office import NORTH, PASSWORD, SOUTH, Browser, Office, assign_auditor, make_office
from region import VISIT_1, VISIT_2, Clock, Device, enrolled_device

from server.services import accounts
from server.services.audit import CONSOLE
from server.store import audit
from sync.inspection import SealedFile
from sync.sealed import sealed_value

HERE = "5a8fad5b-d9cb-469f-a165-70867728950e"
THERE = "6a8fad5b-d9cb-469f-a165-70867728950e"
AGE = b"age-encryption.org/v1\n"


def digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def data(entry: str) -> dict[str, bytes]:
    return {name: AGE + f"{name} of {entry}".encode() for name in ("payload", "key", "file")}


@dataclass(frozen=True, slots=True)
class World:
    office: Office
    device: Device

    def lines(self, action: str) -> list[dict[str, object]]:
        with self.office.ctx.db.read() as tx:
            return [one for one in audit.lines(tx) if one["action"] == action]

    def take(self, browser: Browser, *entries: str) -> tuple[int, list[str], list[str]]:
        """Status, the entries that are listed in the zip, and the digests of its files."""
        answer = browser.call("POST", "/sealed/take", data={"entry": list(entries)})
        if answer.status_code != 200:
            return answer.status_code, [], []
        with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
            listed = [one["id"] for one in json.loads(archive.read("sealed.json"))["entries"]]
            names = [n.rpartition("/")[2] for n in archive.namelist() if n.startswith("files/")]
            assert all(digest(archive.read(f"files/{n}")) == n for n in names)
        return 200, listed, names


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A sealed entry in the north, where the safeguarding person is, and one in the south."""
    office = make_office(tmp_path, Clock())
    assign_auditor(office)
    device = enrolled_device(office.ctx, office.person_id("auditor"))
    for visit, facility, entry in ((VISIT_1, NORTH, HERE), (VISIT_2, SOUTH, THERE)):
        device.start(visit, facility)
        named = {k: SealedFile(digest(v), len(v)) for k, v in data(entry).items()}
        value = sealed_value(named["payload"], named["key"], (named["file"],), ("aaaa",))
        device.record(visit, f"sealed/{entry}", value, at=office.ctx.now())
    device.send()
    for entry in (HERE, THERE):
        for raw in data(entry).values():
            device.send_file(raw)
    yield World(office, device)
    office.ctx.db.close()


def test_only_the_role_reaches_it_and_only_where_it_was_granted(world: World) -> None:
    rina = world.office.logged_in("safeguarding")
    page = rina.call("GET", "/sealed")
    assert HERE in page.text and THERE not in page.text
    assert rina.call("GET", "/").location == "/sealed"
    for login in ("officer", "reader", "administrator", "auditor"):
        assert world.office.logged_in(login).call("GET", "/sealed").status_code == 403
    assert rina.call("GET", f"/inspections/{VISIT_1}").status_code == 403
    assert world.take(rina, THERE)[0] == 404
    withdrawn = rina.call("POST", f"/sealed/{THERE}/withdraw", data={"reason": "asked for"})
    assert withdrawn.status_code == 404
    assert world.lines("sealed.take") == world.lines("consent.withdraw") == []


def test_what_is_taken_is_ciphertext_with_its_key_and_the_trail_says_who_took_it(
    world: World,
) -> None:
    rina = world.office.logged_in("safeguarding")
    wanted = sorted(digest(raw) for raw in data(HERE).values())
    for entries in ((HERE,), ()):
        assert world.take(rina, *entries) == (200, [HERE], wanted)
    who = f"person:{world.office.person_id('safeguarding')}"
    assert [(n["who"], n["subject"]) for n in world.lines("sealed.take")] == [
        (who, f"sealed:{HERE}")
    ] * 2
    assert world.take(rina, HERE, "no-such")[0] == 404


def test_an_officer_sees_that_it_exists_and_gets_no_byte_of_it(world: World) -> None:
    officer = world.office.logged_in("officer")
    page = officer.call("GET", f"/inspections/{VISIT_1}").text
    assert "1 sealed entry" in page
    for raw in data(HERE).values():
        assert digest(raw) not in page
        assert officer.call("GET", f"/files/{digest(raw)}").status_code == 404
    assert HERE not in page


def test_withdrawing_on_the_page_needs_a_reason_and_ends_the_taking(world: World) -> None:
    rina = world.office.logged_in("safeguarding")
    silent = rina.call("POST", f"/sealed/{HERE}/withdraw", data={"reason": " "})
    assert silent.status_code >= 400 and HERE in silent.text
    done = rina.call("POST", f"/sealed/{HERE}/withdraw", data={"reason": "asked for it"})
    assert done.status_code == 303
    assert "its key was destroyed" in rina.call("GET", "/sealed").text
    assert world.take(rina, HERE)[0] == 404
    assert world.lines("consent.withdraw")[0]["detail"]["reason"] == "asked for it"  # type: ignore[index]
    assert not world.office.ctx.blobs.has(digest(data(HERE)["key"]))


def test_a_person_with_two_roles_sees_both_parts(world: World) -> None:
    grants = [("safeguarding", "south"), ("reader", "north")]
    given = {"login": "both", "name": "Made-up Both", "password": PASSWORD, "grants": grants}
    accounts.add_person(world.office.ctx, CONSOLE, **given)  # type: ignore[arg-type]
    both = world.office.logged_in("both")
    assert both.call("GET", "/").location == "/facilities"
    page = both.call("GET", "/sealed").text
    assert THERE in page and HERE not in page
