"""Protected people, end to end with the real processes (L8): nothing said is found without the key.

From the server's files alone (database, files, backup, logs), and from the laptop's, no protected
text, name or place can be found; with the safeguarding key, off the server, all of it is.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from leaks import traces, writings
from PIL import Image
from small_region import SITE, Region

pytestmark = pytest.mark.xdist_group("protected-people")

NAME = "Sitinurhaliza Contohbinti"
SAID = "ผู้คุมล็อกประตูหอพักทุกคืน Kolamketiga bocorsetiapmalam"
PLACE = "Belakanggudang ketujuh ปากน้ำ"
SCOPE = "Hanyalaporantahunan tanpanama"
INTERPRETER = "Penterjemahcontoh Zulkarnain"
PHOTO = "Wajahsiti-dipintu"
DESCRIPTION = "Portraitofwitness Exifcontoh"
NOTED = "Pengawalmengancam dengan parang"
SECRETS = (NAME, SAID, PLACE, SCOPE, INTERPRETER, PHOTO, DESCRIPTION, NOTED)


def form(photo: Path) -> str:
    return (
        f"Role: worker\nName: {NAME}\nConsent: given\nScope: {SCOPE}\nInterpreter: {INTERPRETER}\n"
        f"Language: th\nPlace: {PLACE}\nFile: {photo}\n\n{SAID}\n"
    )


def portrait(path: Path) -> bytes:
    """A picture whose EXIF block says who and where."""
    image = Image.effect_noise((320, 240), 60)
    exif = Image.Exif()
    exif[0x010E] = DESCRIPTION
    exif[0x8825] = {1: "N", 2: (4.0, 7.0, 41.5), 3: "E", 4: (101.0, 13.0, 7.7)}
    image.save(path, "JPEG", exif=exif)
    return path.read_bytes()


@dataclass
class Story:
    """What was recorded, where the plain originals lie, and the key that opens it."""

    region: Region
    key: Path
    plain: Path
    picture: bytes
    fingerprint: str

    @property
    def own(self) -> list[Path]:
        stage = self.region.stage
        logs = sorted(stage.folder.glob("*.log"))
        return [stage.server_data, stage.home(self.region.person), *logs]

    def raw(self) -> list[bytes]:
        """Pieces of the picture as it is: its EXIF block, and its pixels."""
        middle = len(self.picture) // 2
        return [self.picture[:200], self.picture[middle : middle + 48]]

    @contextmanager
    def browser(self, login: str) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.region.stage.url, follow_redirects=True) as client:
            client.post("/login", data={"login": login, "password": self.region.password})
            yield client


@pytest.fixture
def story(region: Region) -> Story:
    stage = region.stage
    plain = stage.folder / "plain"
    plain.mkdir()
    key = plain / "key.txt"
    words = ("safeguarding-key", "--out", str(key), "--name", "Rina", "--json")
    made = json.loads(stage.tapak("admin", *words))
    words = ("person", "add", "rina", "--name", "Rina", "--role", "safeguarding")
    where = ("--jurisdiction", "asean", "--password-stdin")
    stage.tapak("admin", *words, *where, given=region.password + "\n")
    picture = portrait(plain / f"{PHOTO}.jpg")
    (plain / "form.txt").write_text(form(plain / f"{PHOTO}.jpg"), "utf-8")
    (plain / "note.txt").write_text(f"Role: guard\n\n{NOTED}\n", "utf-8")
    return Story(region, key, plain, picture, made["fingerprint"])


def record(story: Story) -> tuple[str, list[str]]:
    """Two interviews and a note on one visit, signed and sent; the visit and their numbers."""
    fieldkit, plain = story.region.fieldkit, story.plain
    assert story.fingerprint in fieldkit("prepare")
    inspection = json.loads(fieldkit("start", SITE.id, "--json"))["inspection"]
    fieldkit("answer", "GEN-G1", "FM")
    numbers = [
        json.loads(fieldkit(*words, "--from", str(plain / name), "--json"))["id"]
        for words, name in (
            (("interview",), "form.txt"),
            (("note", "--protected"), "note.txt"),
            (("interview",), "form.txt"),
        )
    ]
    assert "3 protected entries wait" in fieldkit("sync")
    fieldkit("outcome", "visited")
    fieldkit("sign-off")
    fieldkit("sync")
    listed = json.loads(fieldkit("interview", "list", "--json"))["protected"]
    assert {one["state"] for one in listed} == {"held safely"}
    assert {one["id"] for one in listed} == set(numbers)
    return inspection, numbers


def taken(story: Story, to: Path, *entries: str) -> None:
    """The safeguarding person's download."""
    with story.browser("rina") as rina:
        page = rina.get("/sealed")
        csrf = re.search(r'name="csrf" value="([^"]+)"', page.text)
        assert csrf is not None
        form = {"csrf": csrf[1], "entry": list(entries)}
        answer = rina.post("/sealed/take", data=form)
        assert answer.status_code == 200, answer.text
        to.write_bytes(answer.content)


def test_the_search_finds_a_secret_in_every_way_it_can_be_written_down(tmp_path: Path) -> None:
    for n, (how, written) in enumerate(writings(SAID).items()):
        place = tmp_path / str(n)
        place.mkdir()
        (place / "log").write_bytes(b"before " + written + b" after")
        assert traces([place], [SAID]), how
        (place / "log").write_bytes(gzip.compress(b"x" + written))
        assert traces([place], [SAID]), how
    for shift in range(3):
        packed = base64.b64encode(b"abcdef"[: 3 + shift] + SAID.encode() + b"more behind it")
        (tmp_path / "base64").write_bytes(packed)
        assert traces([tmp_path / "base64"], [SAID])
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(NAME, "x")
    (tmp_path / "archive").write_bytes(whole.getvalue())
    assert traces([tmp_path / "archive"], [NAME]) and not traces([tmp_path / "archive"], [SAID])


def test_without_the_key_nothing_that_was_said_is_found_and_with_it_all_of_it(
    story: Story,
) -> None:
    stage = story.region.stage
    inspection, numbers = record(story)
    stage.tapak("worker", "--once")
    stage.tapak("admin", "verify")
    backup, export = stage.folder / "backup", stage.folder / "export.zip"
    stage.tapak("admin", "backup", str(backup))
    story.region.fieldkit("export", str(export))
    with story.browser("rosa") as officer:
        page = officer.get(f"/inspections/{inspection}").text
        assert "3 sealed entries" in page
        assert officer.get("/sealed").status_code == 403
        stored = [p for p in stage.settings().files.rglob("*") if p.is_file()]
        assert len(stored) == 8, "three payloads, three keys, two pictures"
        for path in stored:
            sha256 = path.parent.name + path.name
            assert officer.get(f"/files/{sha256}").status_code == 404
            assert sha256 not in page
    (stage.folder / "page.html").write_text(page, "utf-8")
    searched = [*story.own, backup, export, stage.folder / "page.html"]
    assert traces(searched, SECRETS, story.raw()) == []

    zipped, out = stage.folder / "sealed.zip", stage.folder / "opened"
    taken(story, zipped)
    assert traces([zipped], SECRETS, story.raw()) == []
    words = ("unseal", str(zipped), "--key", str(story.key), "--out", str(out), "--json")
    opened = json.loads(stage.tapak("safeguarding", *words))
    assert {one["id"] for one in opened} == set(numbers)
    read = [json.loads((Path(one["folder"]) / "entry.json").read_text("utf-8")) for one in opened]
    by_kind = {one["kind"]: one for one in read}
    interview, note = by_kind["interview"], by_kind["note"]
    assert (interview["name"], interview["text"], interview["place"]) == (NAME, SAID, PLACE)
    assert (interview["scope"], interview["interpreter"]) == (SCOPE, INTERPRETER)
    assert note["text"] == NOTED
    pictures = list(out.rglob(f"*{PHOTO}.jpg"))
    assert [p.read_bytes() for p in pictures] == [story.picture] * 2
    trail = json.loads(stage.tapak("admin", "audit", "--json"))
    assert [line["action"] for line in trail].count("sealed.take") == 3
    withdrawn(story, numbers)


def withdrawn(story: Story, numbers: list[str]) -> None:
    """One of them takes back what they said: it opens no more, and the laptop drops its key."""
    stage = story.region.stage
    with story.browser("rina") as rina:
        csrf = re.search(r'name="csrf" value="([^"]+)"', rina.get("/sealed").text)
        assert csrf is not None
        given = {"csrf": csrf[1], "reason": "asked for it"}
        page = rina.post(f"/sealed/{numbers[0]}/withdraw", data=given)
        assert page.status_code == 200 and "its key was destroyed" in page.text
    story.region.fieldkit("sync")
    listed = json.loads(story.region.fieldkit("interview", "list", "--json"))["protected"]
    states = {one["id"]: one["state"] for one in listed}
    assert states[numbers[0]].startswith("withdrawn")
    assert states[numbers[1]] == "held safely"
    stage.tapak("admin", "verify")
    zipped, out = stage.folder / "later.zip", stage.folder / "opened-later"
    taken(story, zipped)
    words = ("unseal", str(zipped), "--key", str(story.key), "--out", str(out), "--json")
    opened = json.loads(stage.tapak("safeguarding", *words))
    assert {one["id"] for one in opened} == set(numbers[1:])
