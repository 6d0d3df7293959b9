"""From the nonce before departure to the officer's page: between when every entry was written."""

from __future__ import annotations

import json
import time
from html import unescape

import httpx
import pytest
from small_region import Region

from fieldkit.home import Home
from fieldkit.keys import load_key
from fieldkit.ledger import Ledger
from fieldkit.syncer import Syncer
from fieldkit.transport import HttpTransport

pytestmark = pytest.mark.xdist_group("written-between")

HOUR = 3_600_000
YEAR = 365 * 24 * HOUR


def now() -> int:
    return int(time.time() * 1000)


def sync_at(home: Home, offset: int) -> Ledger:
    """Sync by a clock that is so many milliseconds off."""
    store = home.open_store()
    identity = store.identity()
    ledger = Ledger(store.database)
    with HttpTransport(identity.server, identity.token) as transport:
        key = load_key(home.key)
        Syncer(store, ledger, home.blobs(), key, identity, transport, lambda: now() + offset).run()
    return ledger


def entries(region: Region) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(region.fieldkit("entries", "--json"))["entries"]
    return found


def officers_page(region: Region, path: str) -> str:
    with httpx.Client(base_url=region.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": region.password})
        return unescape(officer.get(path).text)


def test_each_entry_shows_between_when_it_was_written(region: Region) -> None:
    """(L9) Also where the device's clock is a year behind."""
    began = now()
    region.fieldkit("start", "bukit-contoh", "--fix", "4.01,101.01,6")
    region.fieldkit("answer", "GEN-G1", "FM")
    before = entries(region)
    assert [one["path"] for one in before][1:] == ["about", "answers/GEN-G1/-"]
    assert str(before[0]["path"]).startswith("device/nonce/")
    assert {one["not_after"] for one in before} == {None}, "nothing was acknowledged yet"
    first = {one["not_before"] for one in before}
    assert len(first) == 1
    assert all(isinstance(at, int) and at <= began for at in first)

    home = Home(region.stage.home(region.person))
    store = home.open_store()
    inspection = str(store.note("current"))
    with store.writing(store.identity(), now() - YEAR, "an entry") as log:
        log.append(inspection, "answers/GEN-G2/-", {"level": "fully"})
    ledger = sync_at(home, 2 * HOUR)  # by then another nonce is due
    region.fieldkit("answer", "GEN-G3", "FM")
    after = entries(region)
    assert all(one["not_after"] is not None for one in after[:4])
    assert [str(one["path"]).split("/")[0] for one in after[4:]] == ["device", "answers"]
    assert all(one["not_after"] is None for one in after[4:])
    assert {one["not_before"] for one in after[4:]}.isdisjoint(first)
    assert ledger.checkpoint_alarm() is None

    region.fieldkit("outcome", "visited")
    region.fieldkit("sign-off")
    status = json.loads(region.fieldkit("status", "--json"))
    assert (status["signed"], status["after_sign_off"]) == (True, 0)
    region.fieldkit("sync")
    region.stage.tapak("worker", "--once")
    region.stage.tapak("admin", "verify")
    page = officers_page(region, f"/inspections/{inspection}/entries")
    assert page.count("Between <time") == len(entries(region))
    assert "answers/GEN-G2/-" in page
    assert "That is outside what is proved" in page, "the clock that was a year behind"
    home_page = officers_page(region, f"/inspections/{inspection}")
    assert f"/inspections/{inspection}/entries" in home_page
    assert "to be signed again" not in home_page


def test_signing_again_after_another_nonce_says_that_nothing_came_since(region: Region) -> None:
    """(L7, L9) A nonce is quoted before what is signed is listed, and asks for no new sign-off."""
    region.fieldkit("start", "bukit-contoh")
    region.fieldkit("outcome", "visited")
    region.fieldkit("sign-off")
    sync_at(Home(region.stage.home(region.person)), 2 * HOUR)
    said = json.loads(region.fieldkit("sign-off", "--json"))
    assert said["new"] is False
    region.fieldkit("answer", "GEN-G1", "FM")
    region.fieldkit("sign-off")
    status = json.loads(region.fieldkit("status", "--json"))
    assert (status["signed"], status["after_sign_off"]) == (True, 0)


def test_the_server_made_a_checkpoint_that_receipts_quote(region: Region) -> None:
    """(S13) The worker makes it; a device that saw it notices when the server's records go back."""
    region.stage.tapak("admin", "checkpoint", "--now")
    region.fieldkit("start", "bukit-contoh")
    region.fieldkit("sync")
    home = Home(region.stage.home(region.person))
    store = home.open_store()
    epoch, at, n, known = json.loads(store.note("checkpoint") or "")
    made = json.loads(region.stage.tapak("admin", "checkpoint", "--json"))
    assert (n, known) == (made["n"], made["id"])
    store.set_notes(checkpoint=json.dumps([epoch, at, n + 1, "f" * 64]))
    region.fieldkit("outcome", "partly")
    said = json.loads(region.fieldkit("sync", "--json"))
    assert said["waiting"]["entries"] == 0, "work goes on all the same"
    why = f"after checkpoint {n + 1} it names checkpoint {n} as its newest"
    assert said["checkpoint_alarm"] == why
