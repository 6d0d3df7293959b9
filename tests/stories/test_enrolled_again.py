"""A laptop's way through invitations, an ended token and a server that changes its keys (S8)."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from PIL import Image
from small_region import Region

from fieldkit.home import Home
from server.demo.processes import stop
from sync.receipt import server_id

pytestmark = pytest.mark.xdist_group("enrolled-again")


def test_unsent_work_outlives_an_ended_token_and_new_keys(region: Region, tmp_path: Path) -> None:
    """(S8) Retired with unsent work, enrolled again by the short code, keys changed twice."""
    tapak = region.stage.tapak
    region.fieldkit("start", "bukit-contoh")
    region.fieldkit("sync")
    region.fieldkit("answer", "GEN-G1", "FM")
    status = json.loads(region.fieldkit("status", "--json"))
    assert status["entries"]["held"] == status["entries"]["all"] - 1
    home = Home(region.stage.home(region.person))
    identity = home.open_store().identity()
    tapak("admin", "device", "retire", identity.device, "--reason", "lent to a colleague")
    refused = json.loads(region.fieldkit("sync", "--json", ends_with=1))
    assert refused["problem"]["code"] == "token-unknown"

    stop(region.processes.pop())
    tapak("admin", "rotate-keys", "--receipt", "--sealing", "--reason", "a yearly change")
    region.serve()
    drawn = tmp_path / "invitation.png"
    words = ("invite", region.person, "--json", "--qr-file", str(drawn))
    told = json.loads(tapak("admin", *words))
    with Image.open(drawn) as image:
        assert image.size[0] > 100
    pinned = base64.b64encode(identity.server_key).decode()
    again = json.loads(region.fieldkit("enrol", told["server"], told["code"], "--json"))
    assert again["device"] == identity.device, "the same key, so everything unsent is its own"
    sent = json.loads(region.fieldkit("sync", "--json"))
    assert sent["waiting"]["entries"] == 0

    stop(region.processes.pop())
    said = json.loads(tapak("admin", "rotate-keys", "--receipt", "--reason", "again", "--json"))
    region.serve()
    store = home.open_store()
    now_pinned = store.identity().server_key
    assert base64.b64encode(now_pinned).decode() == pinned, "what old keys signed stays readable"
    assert not said["fingerprint"].startswith(server_id(now_pinned))
    region.fieldkit("answer", "GEN-G2", "FM")
    region.fieldkit("outcome", "visited")
    region.fieldkit("sign-off")
    sent = json.loads(region.fieldkit("sync", "--json"))
    assert (sent["waiting"]["entries"], sent["problem"]) == (0, None)
    assert home.open_store().identity().server_key == now_pinned, "pinned once, followed since"
    written = json.loads(region.fieldkit("entries", "--json"))["entries"]
    assert all(one["not_after"] is not None for one in written), "receipts of three keys are read"
    verified = json.loads(tapak("admin", "verify", "--json"))
    assert verified["faults"] == []


def test_a_code_is_shown_to_no_other_server_than_the_invitations(region: Region) -> None:
    """(S8) The wrong fingerprint is noticed first, so the code can still be used."""
    told = json.loads(region.stage.tapak("admin", "invite", region.person, "--json"))
    code = told["code"].partition(".")[0]
    second = region.stage.folder / "second"
    words = ("--home", str(second), "--json")
    refused = region.fieldkit("enrol", told["server"], f"{code}.{'0' * 16}", *words, ends_with=1)
    assert json.loads(refused)["code"] == "server-key-changed"
    region.fieldkit("enrol", told["link"], *words)


def test_the_qr_code_is_drawn_in_the_terminal(region: Region) -> None:
    said = region.stage.tapak("admin", "invite", region.person, "--qr")
    assert any(set("▀▄█") & set(line) for line in said.splitlines())
    assert f"fieldkit enrol {region.stage.url} " in said
