"""The story of the demonstration, told by the real commands, and what must have come of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from small_region import Region, free_port

from server.context import open_context
from server.settings import read_settings
from server.store import assessments, flags

pytestmark = pytest.mark.xdist_group("main-job")


def demo(folder: Path) -> str:
    words = [sys.executable, "-m", "server", "demo", "--once", "--port", str(free_port())]
    done = subprocess.run(
        [*words, "--data", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_demonstration_ends_with_one_grade_given_and_one_withheld(tmp_path: Path) -> None:
    told = demo(tmp_path)
    assert "Doi Tua Yang" in told and "withheld" in told
    ctx = open_context(read_settings(tmp_path / "server", environ={}))
    with ctx.db.read() as tx:
        graded = assessments.find(tx, "facility", "bukit-contoh")
        held_back = assessments.find(tx, "facility", "doi-tua-yang")
        at_bukit = {f.rule for f in flags.of_facility(tx, "bukit-contoh")}
        at_doi = {(f.rule, f.severity, f.subject) for f in flags.of_facility(tx, "doi-tua-yang")}
    ctx.db.close()
    assert graded is not None and graded.grade is not None
    assert held_back is not None and held_back.grade is None
    assert held_back.grade_state == "withheld"
    assert {"R01", "R13"} <= at_bukit, "a picture outside the boundary, and one used twice"
    assert ("R16", "critical", "operations") in at_doi, "declared inactive, but operating"
    again = demo(tmp_path)
    assert "is kept as it is" in " ".join(again.split())
    assert told.split("Facility", 1)[1] == again.split("Facility", 1)[1]


def test_a_jpeg_straight_from_a_camera_card_is_seen_by_the_officer_with_its_position(
    region: Region, shared: Path
) -> None:
    card = shared / "data/photos/ianare+exif-samples/jpg/gps"
    region.fieldkit("start", "bukit-contoh")
    region.fieldkit("photo", str(card / "DSCN0010.jpg"), "--item", "GEN-G1")
    region.fieldkit("sync")
    region.stage.tapak("worker", "--once")
    inspection = json.loads(region.fieldkit("status", "--json"))["inspection"]
    with httpx.Client(base_url=region.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": region.password})
        page = officer.get(f"/inspections/{inspection}")
        assert page.status_code == 200
        digest = "17307b1207eb6487d7908e9d154890b46e3d2e0192369cfd3f4c33d5a5af4035"
        assert digest in page.text
        assert re.search(r"43\.4674", page.text) and re.search(r"11\.885", page.text)
        original = officer.get(re.search(rf'href="([^"]*/files/{digest}[^"]*)"', page.text)[1])
        assert original.content == (card / "DSCN0010.jpg").read_bytes()


def test_everything_but_enrol_prepare_and_sync_works_without_a_network(region: Region) -> None:
    for process in region.processes:
        process.terminate()
        process.wait()
    paper = region.stage.folder / "permit.txt"
    paper.write_text("EXAMPLE", "utf-8")
    region.fieldkit("start", "bukit-contoh", "--fix", "5.0,101.3,5")
    region.fieldkit("answer", "GEN-G1", "FM", "--note", "Seen.")
    region.fieldkit("attach", str(paper), "--kind", "document", "--item", "GEN-G1")
    region.fieldkit("observe", "operating/warm-kiln", "yes")
    for words in (["check"], ["status"], ["outcome", "visited"], ["sign-off"], ["score"]):
        region.fieldkit(*words)
    region.fieldkit("export", str(region.stage.folder / "out.zip"))
    region.fieldkit("score", str(region.stage.folder / "out.zip"))
    region.fieldkit("sync", ends_with=3)
    region.serve()
    region.fieldkit("sync")


def test_a_score_recomputed_from_the_officers_download_is_the_same_to_the_digit(
    region: Region,
) -> None:
    region.fieldkit("start", "bukit-contoh")
    region.fieldkit("answer", "GEN-G1", "FM")
    region.fieldkit("outcome", "visited")
    region.fieldkit("sign-off")
    region.fieldkit("sync")
    region.stage.tapak("worker", "--once")
    inspection = json.loads(region.fieldkit("status", "--json"))["inspection"]
    with httpx.Client(base_url=region.stage.url, follow_redirects=True) as officer:
        officer.post("/login", data={"login": "rosa", "password": region.password})
        page = officer.get(f"/inspections/{inspection}").text
        found = re.search(r'href="([^"]*score[^"]*\.json)"', page)
        assert found is not None
        download = region.stage.folder / "score.json"
        download.write_bytes(officer.get(found[1]).content)
    assert "same" in region.fieldkit("score", str(download))
    body = json.loads(download.read_text("utf-8"))
    body["score"]["coverage"] = "0.999"
    download.write_text(json.dumps(body), "utf-8")
    told = json.loads(region.fieldkit("score", str(download), "--json", ends_with=1))
    assert any("coverage" in difference for difference in told["differences"])


def test_scores_and_flags_rebuilt_are_the_same_bytes_and_the_logs_verify(region: Region) -> None:
    region.fieldkit("start", "bukit-contoh", "--fix", "4.0,101.3,5")
    region.fieldkit("answer", "GEN-G1", "FM")
    region.fieldkit("outcome", "visited")
    region.fieldkit("sign-off")
    region.fieldkit("sync")
    region.stage.tapak("worker", "--once")

    def derived() -> list[tuple[object, ...]]:
        ctx = open_context(read_settings(region.stage.server_data, environ={}))
        with ctx.db.read() as tx:
            rows = [
                *(
                    (a.scope, a.subject, a.score, a.inputs, a.findings)
                    for a in assessments.of_facility(tx, "bukit-contoh")
                ),
                *((f.id, f.status, f.body) for f in flags.of_facility(tx, "bukit-contoh")),
            ]
        ctx.db.close()
        return rows

    before = derived()
    assert len(before) >= 3
    region.stage.tapak("admin", "rebuild")
    assert derived() == before
    region.stage.tapak("admin", "verify")
