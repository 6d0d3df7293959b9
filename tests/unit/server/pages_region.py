"""A small region on a real server, for the tests of the pages: everything in it is fictional.

Everything gets in by the same doors as always: accounts, registry, enrolment, intake, assessment.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
import shutil
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from once import Once
from region import Device

from checklists.load import load_checklist
from checklists.model import Analyte, Item
from checklists.published import checklist_bytes
from server.context import Context, open_context
from server.demo.pictures import picture
from server.services import accounts, assess, enrolment, photos, programme, publishing, registry
from server.settings import read_settings
from server.store import gradings
from server.store.jurisdictions import Jurisdiction
from sync.place import convert

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
TRAINING = "2c5ea4c0-4067-11e9-8bad-9b1deb4d3b7d"

DISPUTED = "GEN-S12"
LOCKED_EXIT = "The third dormitory has one exit, and it was locked.\nThe guard had the key."
HOSTILE = "<b>The clerk</b> kept the \u202etime sheets."
HIDDEN = b"a document of another region"
NEVER_SENT = b"a picture that the device still has to send"

SITES = {
    GRADED: (
        "Bukit Contoh leaching mine, northern slope and ponds",
        "MY",
        "perak",
        "active",
    ),
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
OUTLINE = (
    (-640, -420),
    (-180, -610),
    (390, -520),
    (660, -60),
    (420, 510),
    (-160, 640),
    (-600, 300),
)


def region_in(folder: Path, once: Once) -> Context:
    """The whole region, assessed, in a folder of the test's own. It reads no clock."""
    shutil.copytree(once.made("region-of-pages", _fill), folder, dirs_exist_ok=True)
    return _opened(folder)


def _opened(folder: Path) -> Context:
    opened = open_context(read_settings(folder, environ={}))
    return dataclasses.replace(opened, now=lambda: NOW)


def _fill(folder: Path) -> None:
    ctx = _opened(folder)
    _set_up(ctx)
    aminah, somchai = _device(ctx, "aminah", 1), _device(ctx, "somchai", 2)
    files = {aminah.id: _inspect_with_two_hands(aminah, somchai)}
    files[somchai.id] = _inspect_operating(somchai)
    write(aminah, UNSIGNED, 3000, "about", _about(NEVER))
    write(aminah, UNSIGNED, 3005, "answers/GEN-G1/-", {"level": "partially"})
    write(aminah, TRAINING, 4000, "about", _about(GRADED) | {"mode": "training"})
    write(aminah, FAR_AWAY, 1, "about", _about(ELSEWHERE))
    paper = {"kind": "document", "media_type": "application/pdf", "name": "paper.pdf"}
    attach(aminah, FAR_AWAY, 10, HIDDEN, ["GEN-G1"], **paper)
    files[aminah.id].append(HIDDEN)
    for device in (aminah, somchai):
        device.send()
        for data in files[device.id]:
            device.send_file(data)
    assess_all(ctx)
    ctx.db.close()


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


def _set_up(ctx: Context) -> None:
    """Everything that staff enter: the standard, places, people, facilities, filings."""
    publishing.publish_builtin(ctx, "system:test", ["rare-earth-site"])
    places = [("asean", "Example region", None, "region")]
    places += [(p, p.replace("-", " ").title(), "asean", "state") for _, _, p, _ in SITES.values()]
    for id_, name, parent, kind in places:
        registry.add_jurisdiction(ctx, "system:test", Jurisdiction(id_, name, parent, kind))
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
        accounts.add_person(
            ctx, "system:test", login=login, name=name, password=PASSWORD, grants=grants
        )
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
    enrolment.enrol(ctx, code, key.public_key().public_bytes_raw(), f"laptop of {login}")
    with ctx.db.read() as tx:
        person = accounts.find_person(tx, login).id
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
    day, hour = (21, 10) if facility == WITHHELD else (20, 9)  # within the visit there
    taken = datetime(2026, 11, day, hour, 30 + seed % 25)  # noqa: DTZ001 - the camera has no zone
    return picture(
        scene, seed, lat=lat, lon=lon, accuracy_m=5, direction_deg=40.0 * seed % 360, taken=taken
    )


# -- writing --------------------------------------------------------------------------------------


def write(device: Device, log: str, minute: int, path: str, value: Any) -> None:
    """An entry so many minutes after the visits began."""
    device.record(log, path, value, at=VISIT + minute * MINUTE)


def attach(
    device: Device, log: str, minute: int, data: bytes, items: Sequence[str], **more: Any
) -> str:
    """Attach bytes as evidence for these items; return their digest."""
    sha256 = hashlib.sha256(data).hexdigest()
    value = {
        "kind": "photo",
        "source": "imported",
        "media_type": "image/jpeg",
        "size": len(data),
        "items": [f"{item}/-" for item in items],
        **more,
    }
    write(device, log, minute, f"evidence/{sha256}/{device.id}", value)
    return sha256


def sign(device: Device, log: str, minute: int, *others: Device) -> None:
    """Sign everything that these devices have written into this inspection."""
    heads = [
        {"device": d.id, "seq": len(d.logs[log]), "h": d.hashes[log][-1].hex()}
        for d in (device, *others)
    ]
    statement = "What I saw and recorded is complete and true."
    value = {"statement": statement, "logs": heads}
    write(device, log, minute, f"sign-off/{device.id}", value)


# -- the inspections ------------------------------------------------------------------------------


def _asked() -> list[Item]:
    """What is asked at an in-situ leaching mine."""
    return [item for _, item in CHECKLIST.items() if not item.id.startswith("SX-")]


def _answer_all(
    device: Device, log: str, facility: str, minute: int, pictures: Mapping[str, str]
) -> list[bytes]:
    """Answer every item with all the evidence it asks for; return the files' bytes."""
    rnd = random.Random(log)
    made: list[bytes] = []
    for n, item in enumerate(_asked()):
        minute += 3
        fix = _fix(facility, rnd.uniform(-350, 350), rnd.uniform(-350, 350))
        for piece in item.pieces:
            for copy in range(piece.at_least):
                name = f"{piece.kind}-{n}-{copy}"
                if piece.kind == "photo" and item.id in pictures:
                    data = _picture(facility, pictures[item.id], n + copy, 90.0 * copy - 200, 150)
                    more: dict[str, Any] = {"name": f"IMG_{n:03d}{copy}.JPG"}
                else:
                    data = f"EXAMPLE, fictional: {name} of {log}".encode()
                    more = {"kind": piece.kind, "name": f"{name}.txt", "media_type": "text/plain"}
                    more |= {"source": "taken-here", "fix": fix}
                attach(device, log, minute, data, [item.id], **more)
                made.append(data)
        for instance in _instances(item):
            path = f"answers/{item.id}/{instance}"
            write(device, log, minute, path, {**_answer(item, n), "fix": fix})
    return made


def _instances(item: Item) -> list[str]:
    if item.instances is None:
        return ["-"]
    return [f"no-{n}" for n in range(1, item.instances.at_least + 1)]


def _answer(item: Item, n: int) -> dict[str, Any]:
    if item.analytes:
        readings = [
            {"analyte": a.id, "value": _within(a), "u": "0.001", "unit": a.unit}
            for a in item.analytes
        ]
        return {"readings": readings}
    if item.scale == "levels" and n % 5 == 3:
        return {"level": "substantially", "note": "Most of it is there; the rest is promised."}
    return {"level": "fully"}


def _within(analyte: Analyte) -> str:
    return "7.0" if analyte.id.lower() == "ph" else "0.002"


def _inspect_with_two_hands(first: Device, second: Device) -> list[bytes]:
    """A visit with everything answered and shown, and two hands on one minor item."""
    log = TWO_HANDS
    write(first, log, 0, "about", _about(GRADED))
    pictures = {"GEN-G1": "permit-board", "ISL-E1": "lined-pond"}
    made = _answer_all(first, log, GRADED, 5, pictures)
    said = {"level": "does-not-meet", "note": LOCKED_EXIT}
    write(second, log, 60, f"answers/{DISPUTED}/-", said)
    write(second, log, 62, "observed/operating/moving-plant", {"value": "yes"})
    write(second, log, 63, "answers/GEN-Z9/-", {"shade": "blue"})
    write(first, log, 150, "outcome", {"outcome": "visited"})
    sign(first, log, 151, second)
    again = {"level": "partially", "note": "Seen again in the office: the register ends in June."}
    write(first, log, 180, "answers/GEN-G4/-", again)
    return made


def _inspect_operating(device: Device) -> list[bytes]:
    """A visit to a site in care and maintenance that was at work, with a picture from outside."""
    log = OPERATING
    write(device, log, 1500, "about", _about(WITHHELD))
    made = _answer_all(device, log, WITHHELD, 1505, {"ISL-E10": "kiln"})
    away = _picture(WITHHELD, "hillside-ponds", 4, 1500, 300)
    attach(device, log, 1700, away, ["ISL-E1"], name="DSC_0002.JPG", note="บ่อที่สาม")
    taken = datetime(2026, 11, 21, 10, 0)  # noqa: DTZ001 - a camera's own clock has no zone
    nowhere = picture(
        "drain", 5, lat=None, lon=None, accuracy_m=None, direction_deg=None, taken=taken
    )
    attach(device, log, 1701, nowhere, ["ISL-E1"], name="x" * 90 + ".JPG")
    cut = b"\xff\xd8 a picture that was cut off"
    attach(device, log, 1702, cut, ["ISL-E3"], name="cut.jpg")
    attach(device, log, 1703, NEVER_SENT, ["ISL-E3"], name="later.jpg")
    refused = {"special": "refused", "reason": HOSTILE}
    write(device, log, 1704, "answers/GEN-S4/-", refused)
    fix = _fix(WITHHELD, 80, 20, None)
    for sign_seen in ("warm-kiln", "moving-plant", "discharge"):
        path = f"observed/operating/{sign_seen}"
        write(device, log, 1710, path, {"value": "yes", "fix": fix})
    write(device, log, 1711, "observed/operating/night-power", {"value": "unsure"})
    note = "The lower ponds could not be reached."
    write(device, log, 1720, "outcome", {"outcome": "partly", "note": note})
    sign(device, log, 1721)
    return [*made, away, nowhere, cut]
