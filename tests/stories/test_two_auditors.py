"""Two auditors on one site share an inspection, and meet again without losing a word (S5, L7)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_region import SITE, Region
from team import BUDI, on_laptop, on_server

from fieldkit.home import Home

pytestmark = pytest.mark.xdist_group("two-auditors")

LINE_GPX = """<?xml version="1.0"?><gpx version="1.1" creator="example"><trk><trkseg>
<trkpt lat="4.0110" lon="101.0100"><time>2026-11-01T09:00:00Z</time></trkpt>
<trkpt lat="4.0120" lon="101.0110"><time>2026-11-01T09:01:00Z</time></trkpt>
</trkseg></trk></gpx>"""


def test_two_auditors_record_offline_meet_by_sync_and_both_sign_the_same(
    team: Region, tmp_path: Path
) -> None:
    """S5, L2, L6, L7: the same bytes on both laptops and on the server, signed by both."""

    def aminah(*words: str) -> str:
        return team.fieldkit(*words)

    def budi(*words: str) -> str:
        return team.stage.fieldkit(BUDI, *words)

    aminah("start", SITE.id)
    aminah("answer", "GEN-G1", "FM")
    walk = tmp_path / "walk.gpx"
    walk.write_text(LINE_GPX)
    aminah("track", str(walk))
    aminah("answer", "GEN-G3", "FM", "--note", "เห็นแล้ว")
    aminah("sync")
    assert json.loads(budi("sync", "--json"))["colleagues"]["entries"] >= 3
    begun = json.loads(budi("start", SITE.id, "--json"))
    inspection = json.loads(aminah("status", "--json"))["inspection"]
    assert begun["inspection"] == inspection and not begun["new"]
    # Both are on the hill now, without a network; on one question they do not agree.
    aminah("answer", "GEN-G2", "FM")
    aminah("outcome", "visited")
    budi("answer", "GEN-G2", "DNM")
    budi("answer", "GEN-G5", "FM")
    for sync in (aminah, budi, aminah):
        sync("sync")
    for person, words in (("aminah", aminah), (BUDI, budi)):
        told = json.loads(words("status", "--json"))
        assert [one["path"] for one in told["conflicts"]] == ["answers/GEN-G2/-"], person
        assert on_laptop(team.stage, person, inspection) == on_server(team.stage, inspection)
    (seen,) = json.loads(budi("status", "--json"))["colleagues"]
    assert (seen["withheld"], seen["vouched"]) == (1, 0)
    (conflict,) = json.loads(budi("status", "--json"))["conflicts"]
    budi("resolve", "GEN-G2", "--keep", "1", "--seen", conflict["code"], "--why", "seen together")
    budi("sync")
    aminah("sync")
    aminah("sign-off")
    aminah("sync")
    budi("sync")
    budi("sign-off")
    budi("sync")
    aminah("sync")
    for words in (aminah, budi):
        told = json.loads(words("status", "--json"))
        assert (len(told["signed_by"]), told["after_sign_off"]) == (2, 0)
        assert told["conflicts"] == []
    assert on_laptop(team.stage, "aminah", inspection) == on_server(team.stage, inspection)
    assert on_laptop(team.stage, BUDI, inspection) == on_server(team.stage, inspection)
    # A stranger can check what Budi takes home, though Aminah's way is not in it.
    export = tmp_path / "visit.zip"
    budi("export", str(export))
    done = json.loads(budi("score", str(export), "--json"))
    assert done["same"] and done["entries_withheld"] == 1 and done["entries_vouched"] == 0


def test_whoever_is_taken_off_the_visit_keeps_their_own_work_and_what_they_signed(
    team: Region,
) -> None:
    """S5: tombstones drop what is not theirs any more; their own work is still sent."""

    def budi(*words: str) -> str:
        return team.stage.fieldkit(BUDI, *words)

    team.fieldkit("start", SITE.id)
    team.fieldkit("answer", "GEN-G1", "FM")
    team.fieldkit("sync")
    budi("sync")
    budi("start", SITE.id)
    budi("answer", "GEN-G2", "FM")
    budi("outcome", "partly")
    listed = json.loads(team.stage.tapak("admin", "assignments", SITE.id, "--json"))
    (mine,) = [one["id"] for one in listed if one["not_before"] == "2026-02-01"]
    team.stage.tapak("admin", "end-assignment", mine, "--reason", "another team goes")
    budi("sync")
    told = json.loads(budi("status", "--json", "--inspection", _only(team)))
    assert told["facility"] == SITE.id, "what their own entries are about is known still"
    (about,) = told["colleagues"]
    assert about["entries"] <= 2 and told["entries"]["all"] == told["entries"]["held"] > 0
    answered = {item["item"] for item in told["items"] if item["state"] != "open"}
    assert answered == {"GEN-G2"}, "the colleague's answers are gone"
    budi("sign-off")
    budi("sync")
    store = Home(team.stage.home(BUDI)).open_store()
    kinds = {kind for (kind,) in store.database.rows("select distinct kind from documents")}
    assert not kinds & {"facility", "declaration", "assignment"}


def _only(team: Region) -> str:
    store = Home(team.stage.home(BUDI)).open_store()
    (inspection,) = store.inspections()
    return inspection
