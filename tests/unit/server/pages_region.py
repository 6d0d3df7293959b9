"""A small region on a real server, for the tests of the pages: everything in it is fictional.

Everything gets in by the same doors as always: accounts, registry, enrolment, intake, assessment.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from checklists.load import load_checklist
from checklists.model import Item
from checklists.published import checklist_bytes
from server.context import Context, open_context
from server.demo.pictures import picture
from server.services import accounts, assess, enrolment, photos, programme, publishing, registry
from server.services.intake import receive, receive_file
from server.settings import read_settings
from server.store import gradings
from server.store.jurisdictions import Jurisdiction
from sync.log import Segment, device_id, genesis, link, sign_head, write_line
from sync.place import convert
from sync.session import Request, write_request

NOW = int(datetime(2026, 11, 23, 6, 5, tzinfo=UTC).timestamp() * 1000)
VISIT = int(datetime(2026, 11, 20, 2, 10, tzinfo=UTC).timestamp() * 1000)
MINUTE = 60_000
PASSWORD = "a password for tests only"
CHECKLIST = load_checklist(checklist_bytes("rare-earth-site"), "rare-earth-site.yaml")

GRADED = "bukit-contoh"
WITHHELD = "doi-tua-yang"
NEVER = "ye-thamudaya"
ELSEWHERE = "gunung-misal"
TWO_HANDS = "0f8fad5b-d9cb-469f-a165-70867728950e"
OPERATING = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
UNSIGNED = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
FAR_AWAY = "6fa459ea-ee8a-4ca4-894e-db77e160355e"

SITES = {
    GRADED: ("Bukit Contoh in-situ leaching mine, northern slope and ponds", "MY", "perak", "active"),
    WITHHELD: ("ดอยตัวอย่าง เหมืองแร่หายาก (Doi Tua Yang)", "TH", "chiang-rai", "care"),
    NEVER: ("ရေသမုဒ္ဒရာ နမူနာ မြေရှားသတ္တုတွင်း", "MM", "shan", "exploring"),
    ELSEWHERE: ("Gunung Misal", "ID", "babel", "active"),
}
SYSTEMS = {
    GRADED: ("EPSG:3375", 368_000.0, 553_000.0),
    WITHHELD: ("EPSG:24047", 560_000.0, 2_180_000.0),
    NEVER: ("EPSG:32647", 300_000.0, 2_440_000.0),
    ELSEWHERE: ("EPSG:23878", 610_000.0, 9_760_000.0),
}
OUTLINE = ((-640, -420), (-180, -610), (390, -520), (660, -60), (420, 510), (-160, 640), (-600, 300))


@dataclass
class Device:
    """An auditor's device: writes entries into logs and sends them."""

    ctx: Context
    person: str
    key: Ed25519PrivateKey
    logs: dict[str, list[bytes]] = field(default_factory=dict)
    hashes: dict[str, list[bytes]] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        return device_id(self.public_key)

    def write(
        self, log: str, path: str, value: Any, minute: int, replaces: Sequence[str] | None = None
    ) -> str:
        """Append an entry so many minutes into the visit; return its chain hash."""
        lines = self.logs.setdefault(log, [])
        hashes = self.hashes.setdefault(log, [genesis(self.public_key, log)])
        at = VISIT + minute * MINUTE
        lines.append(write_line(len(lines) + 1, at, self.person, path, value, replaces))
        hashes.append(link(hashes[-1], lines[-1]))
        return hashes[-1].hex()

    def attach(
        self, log: str, data: bytes, minute: int, items: Sequence[str], **more: Any
    ) -> str:
        """Attach bytes as evidence for these items; return their digest."""
        sha256 = hashlib.sha256(data).hexdigest()
        value = {
            "kind": "photo",
            "source": "imported",
            "media_type": "image/jpeg",
            "size": len(data),
            "items": [f"{item}/-" if "/" not in item else item for item in items],
            **more,
        }
        self.write(log, f"evidence/{sha256}/{self.id}", value, minute)
        self.files[sha256] = data
        return sha256

    def sign_off(self, log: str, minute: int, *others: Device) -> None:
        """Sign everything that these devices have written into this inspection."""
        heads = [
            {"device": d.id, "seq": len(d.logs[log]), "h": d.hashes[log][-1].hex()}
            for d in (self, *others)
        ]
        statement = "What I saw and recorded is complete and true."
        self.write(log, f"sign-off/{self.id}", {"statement": statement, "logs": heads}, minute)

    def send(self, *, files: bool = True) -> None:
        """Send every log whole, then the files."""
        segments = tuple(
            Segment(self.id, log, 1, tuple(lines), sign_head(self.key, self.hashes[log][-1]))
            for log, lines in self.logs.items()
        )
        receive(self.ctx, self.id, self.person, write_request(Request(self.id, None, (), segments)))
        for sha256, data in self.files.items() if files else ():
            receive_file(self.ctx, self.person, sha256, [data])


@dataclass(frozen=True)
class Region:
    ctx: Context
    people: dict[str, str]
    conflict_item: str
    outside_photo: str
    hidden_document: str


def make_region(folder: Path) -> Region:
    """The whole region, assessed. Draws no picture twice and reads no clock."""
    opened = open_context(read_settings(folder, environ={}))
    ctx = dataclasses.replace(opened, now=lambda: NOW, token=_tokens())
    people = _set_up(ctx)
    aminah, somchai = _device(ctx, "aminah", 1), _device(ctx, "somchai", 2)
    conflict = _inspect_with_two_hands(aminah, somchai)
    outside = _inspect_operating(somchai)
    aminah.write(UNSIGNED, "about", _about(NEVER), 3000)
    aminah.write(UNSIGNED, "answers/GEN-G1/-", {"level": "partially"}, 3005)
    hidden = aminah.attach(FAR_AWAY, b"a document of another region", 10, ["GEN-G1"], **DOCUMENT)
    aminah.write(FAR_AWAY, "about", _about(ELSEWHERE), 1)
    for device in (aminah, somchai):
        device.send()
    assess_all(ctx)
    return Region(ctx, people, conflict, outside, hidden)


def assess_all(ctx: Context) -> None:
    """Read the pictures, then grade what is to be graded until nothing is left."""
    photos.read_new(ctx)
    while True:
        with ctx.db.read() as tx:
            waiting = [grading.facility for grading in gradings.stale(tx)]
        if not waiting:
            return
        for facility in waiting:
            assess.assess_facility(ctx, facility)


DOCUMENT = {"kind": "document", "media_type": "application/pdf", "name": "paper.pdf"}


def _tokens() -> Any:
    return lambda n: secrets.token_urlsafe(n)


def _set_up(ctx: Context) -> dict[str, str]:
    publishing.publish_builtin(ctx, "system:test")
    places = [("asean", "Example region", None, "region")]
    places += [(p, p.replace("-", " ").title(), "asean", "state") for _, _, p, _ in SITES.values()]
    for id_, name, parent, kind in places:
        registry.add_jurisdiction(ctx, "system:test", Jurisdiction(id_, name, parent, kind))
    people: dict[str, str] = {}
    for login, name, grants in (
        ("rosa", "Rosa Contoh", [("officer", p) for p in ("perak", "chiang-rai", "shan")]),
        ("rita", "Rita Pembaca", [("reader", "perak")]),
        ("nobody", "Nur Baharu", [("officer", "nowhere-yet")]),
        ("aminah", "Aminah binti Contoh", [("auditor", "asean")]),
        ("somchai", "สมชาย ตัวอย่าง", [("auditor", "asean")]),
    ):
        if login == "nobody":
            new = Jurisdiction("nowhere-yet", "Nowhere yet", "asean", "state")
            registry.add_jurisdiction(ctx, "system:test", new)
        added = accounts.add_person(
            ctx, "system:test", login=login, name=name, password=PASSWORD, grants=grants
        )
        people[login] = added.id
    for id_, (name, country, jurisdiction, state) in SITES.items():
        fields = {"id": id_, "name": name, "country": country, "jurisdiction": jurisdiction}
        more = {"checklist": "rare-earth-site", "limits": "example", "example": True}
        registry.add_facility(ctx, "system:test", fields | more)
        registry.file_declaration(ctx, "system:test", json.dumps(_filing(id_, state)).encode())
        for login in ("aminah", "somchai"):
            programme.assign(
                ctx,
                "system:test",
                facility=id_,
                person=login,
                purpose="yearly inspection",
                not_before="2026-11-01",
                not_after="2026-12-01",
            )
    return people


def _filing(facility: str, state: str) -> dict[str, Any]:
    crs, x, y = SYSTEMS[facility]
    shape = {"crs": crs, "axes": "xy", "source": "Fictional concession map, sheet 1"}
    return {
        "format": "tapak-declaration/1",
        "example": True,
        "facility": facility,
        "operator": "An example operator",
        "speaks_of": "2026-01-01",
        "filed": "2026-01-31",
        "status": {"state": state, "since": "2025-11-01"},
        "processes": ["in-situ-leach"],
        "location": shape | {"point": [str(x), str(y)]},
        "boundary": shape | {"rings": [[[str(x + e), str(y + n)] for e, n in OUTLINE]]},
    }


def _device(ctx: Context, login: str, seed: int) -> Device:
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    code = enrolment.invite(ctx, login, "system:test").split("#")[1].split(".")[0]
    enrolled = enrolment.enrol(ctx, code, key.public_key().public_bytes_raw(), f"laptop of {login}")
    with ctx.db.read() as tx:
        person = accounts.find_person(tx, login).id
    assert enrolled is not None
    return Device(ctx, person, key)


def _about(facility: str) -> dict[str, Any]:
    fix = _fix(facility, 10, -40)
    return {
        "facility": facility,
        "checklist": CHECKLIST.digest,
        "purpose": "yearly inspection",
        "mode": "live",
        "fix": fix,
    }


def _degrees(facility: str, east: float, north: float) -> tuple[float, float]:
    crs, x, y = SYSTEMS[facility]
    there = convert(str(x + east), str(y + north), crs, "xy")
    return there.lat, there.lon


def _fix(facility: str, east: float, north: float, accuracy: str | None = "6") -> dict[str, str]:
    lat, lon = _degrees(facility, east, north)
    fix = {"lat": f"{lat:.7f}", "lon": f"{lon:.7f}", "source": "device"}
    return fix if accuracy is None else fix | {"accuracy_m": accuracy}


def _picture(facility: str, scene: str, seed: int, east: float, north: float) -> bytes:
    lat, lon = _degrees(facility, east, north)
    taken = datetime(2026, 11, 20, 9, 30 + seed % 25)
    return picture(
        scene, seed, lat=lat, lon=lon, accuracy_m=5, direction_deg=40.0 * seed % 360, taken=taken
    )


# -- the inspections ------------------------------------------------------------------------------


def _applicable() -> Iterator[Item]:
    """What is asked at an in-situ leaching mine."""
    for section, item in CHECKLIST.items():
        if not item.id.startswith("SX-"):
            assert section.items
            yield item


def _inspect_with_two_hands(first: Device, second: Device) -> str:
    """A visit with nearly everything answered and shown, and two hands on one minor item."""
    log, rnd = TWO_HANDS, random.Random(7)
    first.write(log, "about", _about(GRADED), 0)
    minute = 5
    scenes = ("hillside-ponds", "lined-pond", "injection-slope", "chemical-store", "outfall")
    for n, item in enumerate(_applicable()):
        minute += 3
        fix = _fix(GRADED, rnd.uniform(-400, 400), rnd.uniform(-400, 400))
        for piece in item.pieces:
            for copy in range(piece.at_least):
                _attach_piece(first, log, item, piece.kind, f"{n}-{copy}", minute, fix, scenes)
        for instance in _instances(item):
            value = _answer(item, n)
            first.write(log, f"answers/{item.id}/{instance}", value | {"fix": fix}, minute)
    minor = next(i for i in _applicable() if i.severity == "minor" and i.scale == "levels")
    second.write(log, f"answers/{minor.id}/-", {"level": "does-not-meet", "note": "The third dormitory has one exit, and it was locked.\nThe guard had the key."}, 60)
    second.write(log, "observed/operating/moving-plant", {"value": "yes"}, 62)
    second.write(log, "answers/GEN-Z9/-", {"shade": "blue"}, 63)
    first.write(log, "outcome", {"outcome": "visited"}, minute + 5)
    first.sign_off(log, minute + 6, second)
    first.write(log, "answers/GEN-G4/-", {"level": "partially", "note": "Seen again in the office: the register ends in June."}, minute + 30)
    return minor.id


def _attach_piece(
    device: Device,
    log: str,
    item: Item,
    kind: str,
    name: str,
    minute: int,
    fix: dict[str, str],
    scenes: Sequence[str],
) -> None:
    number = int(name.split("-")[0])
    if kind == "photo" and number % 4 == 0:
        scene = scenes[number % len(scenes)]
        data = _picture(GRADED, scene, number * 3 + int(name[-1]), 20.0 * number - 300, 150)
        device.attach(log, data, minute, [item.id], name=f"IMG_{number:04d}.JPG")
        return
    data = f"EXAMPLE, fictional: {kind} {name} for {item.id}".encode()
    media = {"photo": "image/jpeg"}.get(kind, "text/plain")
    source = "taken-here" if kind == "photo" else "imported"
    more = {"kind": kind, "media_type": media, "source": source, "name": f"{kind}-{name}.txt"}
    device.attach(log, data, minute, [item.id], **more, fix=fix)


def _instances(item: Item) -> list[str]:
    if item.instances is None:
        return ["-"]
    return [f"no-{n}" for n in range(1, item.instances.at_least + 1)]


def _answer(item: Item, n: int) -> dict[str, Any]:
    if item.analytes:
        return {
            "readings": [
                {"analyte": a.id, "value": _within(a), "u": "0.001", "unit": a.unit}
                for a in item.analytes
            ]
        }
    if item.scale == "levels" and n % 5 == 3:
        return {"level": "substantially", "note": "Most of it is there; the rest is promised."}
    return {"level": "fully"}


def _within(analyte: Any) -> str:
    return "7.0" if analyte.id.lower() == "ph" else "0.002"


def _inspect_operating(device: Device) -> str:
    """A visit to a site in care and maintenance that was at work, with a picture from outside."""
    log = OPERATING
    device.write(log, "about", _about(WITHHELD), 1500)
    inside = _picture(WITHHELD, "kiln", 3, 120, 60)
    device.attach(log, inside, 1510, ["GEN-E5"], name="DSC_0001.JPG")
    away = _picture(WITHHELD, "hillside-ponds", 4, 1500, 300)
    outside = device.attach(log, away, 1515, ["ISL-E1"], name="DSC_0002.JPG", note="บ่อที่สาม")
    nowhere = picture("drain", 5, lat=None, lon=None, accuracy_m=None, direction_deg=None, taken=datetime(2026, 11, 21, 10, 0))
    device.attach(log, nowhere, 1516, ["ISL-E1"], name="x" * 90 + ".JPG")
    device.attach(log, b"\xff\xd8 a picture that was cut off", 1517, ["ISL-E3"], name="cut.jpg")
    for n, item in enumerate(_applicable()):
        if n % 3 == 0 and not item.analytes:
            device.write(log, f"answers/{item.id}/-", {"level": "partially"}, 1520 + n)
    device.write(log, "answers/GEN-S4/-", {"special": "refused", "reason": "<b>The clerk</b> kept the time sheets."}, 1560)
    for sign in ("warm-kiln", "moving-plant", "discharge"):
        device.write(log, f"observed/operating/{sign}", {"value": "yes", "fix": _fix(WITHHELD, 80, 20, None)}, 1570)
    device.write(log, "observed/operating/night-power", {"value": "unsure"}, 1571)
    device.write(log, "outcome", {"outcome": "partly", "note": "The lower ponds could not be reached."}, 1580)
    device.sign_off(log, 1581)
    return outside
