"""A small made-up region on a real server, and devices that write, sign and send real logs.

Nothing here is a real site, operator or person.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from PIL import Image, ImageDraw

from server.context import Context, open_context
from server.services.enrolment import enrol, invite
from server.services.intake import receive
from server.services.programme import assign
from server.services.publishing import publish_builtin
from server.services.registry import add_facility, add_jurisdiction, file_declaration
from server.services.uploads import begin
from server.settings import read_settings
from server.store import people
from server.store.jurisdictions import Jurisdiction
from server.store.people import Person
from sync.log import Segment, device_id, genesis, link, sign_head, write_line
from sync.receipt import read_receipt
from sync.session import Answer, Request, read_answer, write_request

CONSOLE = "console"
DAY_MS = 86_400_000
TODAY = 1_795_392_000_000  # 2026-11-23, 00:00 UTC
HILL, VALLEY = "example-hill", "example-valley"
AUDITOR, OTHER = "p-auditor2", "p-auditor3"
VISIT_1 = "0f8fad5b-d9cb-469f-a165-70867728950e"
VISIT_2 = "1f8fad5b-d9cb-469f-a165-70867728950e"
VISIT_3 = "2f8fad5b-d9cb-469f-a165-70867728950e"
CHECKLIST = "c" * 64


@dataclass(slots=True)
class Clock:
    """A clock that stands still until it is moved, so that nothing depends on the time of day."""

    at: int = TODAY

    def __call__(self) -> int:
        return self.at


def make_context(folder: Path, clock: Clock | None = None, database: str = "") -> Context:
    """An empty server with real tables, files and key, and a clock of its own.

    `database` is the URL of another database than the SQLite file in the folder.
    """
    environ = {"TAPAK_DATABASE": database} if database else {}
    settings = read_settings(folder / "server", environ=environ)
    return replace(open_context(settings), now=clock or Clock())


def make_region(folder: Path, clock: Clock | None = None, database: str = "") -> Context:
    """A server with the published standard, two facilities, their declarations and two auditors.

    `AUDITOR` is assigned to both facilities, `OTHER` to none. `HILL` is declared closed, `VALLEY`
    active; both boundaries are around 20.45 N, 99.88 E.
    """
    ctx = make_context(folder, clock, database)
    add_jurisdiction(ctx, CONSOLE, Jurisdiction("example", "Example region", None, "region"))
    publish_builtin(ctx, CONSOLE, ["rare-earth-site"])
    for person in (AUDITOR, OTHER):
        add_person(ctx, person)
    for facility, state in ((HILL, "closed"), (VALLEY, "active")):
        fields = {
            "id": facility,
            "name": facility.replace("-", " ").title(),
            "country": "TH",
            "jurisdiction": "example",
            "checklist": "rare-earth-site",
            "limits": "example",
            "example": True,
        }
        add_facility(ctx, CONSOLE, fields)
        file_declaration(ctx, CONSOLE, declaration(facility, state))
        assign_to(ctx, facility, AUDITOR)
    return ctx


def add_person(ctx: Context, person: str) -> None:
    """A person who audits in the example region; nobody can log in as them."""
    name = f"Made-up {person[2:].title()}"
    new = Person(person, person[2:], name, "no password", True, ctx.now())
    ctx.db.write(lambda tx: (people.add(tx, new), people.grant(tx, person, "auditor", "example")))


def assign_to(ctx: Context, facility: str, person: str) -> None:
    """Assign a person to a facility for the year."""
    assign(
        ctx,
        CONSOLE,
        facility=facility,
        person=person,
        purpose="made-up inspection",
        not_before="2026-01-01",
        not_after="2026-12-31",
    )


def declaration(facility: str, state: str = "active", **changes: Any) -> bytes:
    """A filing with a boundary of about 2 km by 2 km around 20.45 N, 99.88 E."""
    corners = [("99.87", "20.44"), ("99.89", "20.44"), ("99.89", "20.46"), ("99.87", "20.46")]
    given = {"crs": "EPSG:4326", "axes": "xy", "source": "made-up licence map"}
    document = {
        "format": "tapak-declaration/1",
        "example": True,
        "facility": facility,
        "speaks_of": "2026-01-01",
        "filed": "2026-01-10",
        "status": {"state": state, "since": "2026-01-01"},
        "processes": ["in-situ-leach"],
        "operator": "Made-up Minerals",
        "location": {**given, "point": ["99.88", "20.45"]},
        "boundary": {**given, "rings": [[list(c) for c in (*corners, corners[0])]]},
        **changes,
    }
    return json.dumps(document).encode()


@dataclass(slots=True)
class Device:
    """An enrolled device: a real key, one log per inspection, and what it has sent of each."""

    ctx: Context
    person: str
    key: Ed25519PrivateKey
    logs: dict[str, list[bytes]] = field(default_factory=dict)
    hashes: dict[str, list[bytes]] = field(default_factory=dict)
    sent: dict[str, int] = field(default_factory=dict)

    @property
    def public_key(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        return device_id(self.public_key)

    def record(
        self,
        inspection: str,
        path: str,
        value: Any,
        *,
        at: int | None = None,
        replaces: list[str] | None = None,
    ) -> str:
        """Append an entry to the inspection's log; return its chain hash."""
        lines = self.logs.setdefault(inspection, [])
        hashes = self.hashes.setdefault(inspection, [genesis(self.public_key, inspection)])
        when = self.ctx.now() if at is None else at
        lines.append(write_line(len(lines) + 1, when, self.person, path, value, replaces))
        hashes.append(link(hashes[-1], lines[-1]))
        return hashes[-1].hex()

    def start(self, inspection: str, facility: str, mode: str = "live", **more: Any) -> None:
        """The first entry of a visit."""
        value = {"facility": facility, "checklist": CHECKLIST, "purpose": "visit", "mode": mode}
        self.record(inspection, "about", {**value, **more})

    def photo(
        self, inspection: str, data: bytes, items: list[str], source: str = "taken-here"
    ) -> str:
        """Attach a picture to items; return its digest. Its bytes go by `send_file`."""
        sha256 = hashlib.sha256(data).hexdigest()
        value: dict[str, Any] = {"kind": "photo", "source": source, "media_type": "image/jpeg"}
        value |= {"size": len(data), "name": "IMG_0001.jpg", "items": items}
        self.record(inspection, f"evidence/{sha256}/{self.id}", value)
        return sha256

    def sign_off(
        self,
        inspection: str,
        others: Mapping[str, tuple[int, str]] | None = None,
        without: Mapping[str, list[list[int]]] | None = None,
    ) -> str:
        """Sign everything in this device's log, and other logs up to (seq, h).

        `without` are the positions of each device that are left out; where it is not given, the
        sign-off does not say, as one of an earlier version.
        """
        own = {self.id: (len(self.logs[inspection]), self.hashes[inspection][-1].hex())}
        signed = [
            {"device": device, "seq": seq, "h": h}
            | ({} if without is None else {"without": without.get(device, [])})
            for device, (seq, h) in {**own, **(others or {})}.items()
        ]
        value = {"statement": "This is what I saw.", "logs": signed}
        return self.record(inspection, f"sign-off/{self.id}", value)

    def send(self, behind: int = 0) -> Answer:
        """Send every line that was not sent yet, one segment a log, by a clock that is so many
        milliseconds behind.
        """
        segments = []
        for inspection, lines in self.logs.items():
            first = self.sent.get(inspection, 0) + 1
            if first <= len(lines):
                signature = sign_head(self.key, self.hashes[inspection][-1])
                new = tuple(lines[first - 1 :])
                segments.append(Segment(self.id, inspection, first, new, signature))
                self.sent[inspection] = len(lines)
        body = write_request(Request(self.id, None, (), tuple(segments), self.ctx.now() - behind))
        answer = read_answer(receive(self.ctx, self.id, self.person, body))
        assert all(state.state == "held" for state in answer.logs), answer.logs
        assert answer.receipt is not None
        read_receipt(self.ctx.public_key, answer.receipt)
        return answer

    def send_file(self, data: bytes) -> None:
        """Send the bytes of a file that a sent entry names."""
        begin(self.ctx, self.person, hashlib.sha256(data).hexdigest(), len(data), "", [data])


def enrolled_device(ctx: Context, person: str = AUDITOR, seed: int = 1) -> Device:
    """A device enrolled by a real invitation; the same seed gives the same key."""
    device = Device(ctx, person, Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32))
    code = invite(ctx, person, CONSOLE).partition("#")[2].rpartition(".")[0]
    enrol(ctx, code, device.public_key, f"laptop {seed}")
    return device


def fix(lat: str = "20.45", lon: str = "99.88") -> dict[str, str]:
    """A position, by default inside both boundaries."""
    return {"lat": lat, "lon": lon, "accuracy_m": "6", "source": "gnss"}


def jpeg(seed: int) -> bytes:
    """A small picture that differs from seed to seed, without EXIF."""
    image = Image.new("RGB", (64, 48), (seed * 37 % 256, seed * 91 % 256, 120))
    ImageDraw.Draw(image).rectangle((seed % 40, 8, seed % 40 + 20, 30), fill=(240, 230, 200))
    out = io.BytesIO()
    image.save(out, "JPEG")
    return out.getvalue()


def visit(
    device: Device,
    inspection: str,
    facility: str,
    *,
    picture: bytes | None = None,
    signs: tuple[str, ...] = (),
    signed: bool = True,
) -> None:
    """A short visit: start, two answers, a picture, operating signs, outcome, sign-off; sent."""
    device.start(inspection, facility, fix=fix())
    device.record(inspection, "answers/GEN-G1/-", {"level": "fully"})
    device.record(inspection, "answers/GEN-G5/-", {"level": "does-not-meet"})
    if picture is not None:
        device.photo(inspection, picture, ["GEN-G1/-"])
    for sign in signs:
        device.record(inspection, f"observed/operating/{sign}", {"value": "yes"})
    device.record(inspection, "outcome", {"outcome": "visited"})
    if signed:
        device.sign_off(inspection)
    device.send()
    if picture is not None:
        device.send_file(picture)
