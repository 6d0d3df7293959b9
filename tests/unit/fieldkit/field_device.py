"""A device for the tests: its real folder, and an office to talk to. All data are fictional."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from memory_server import NOW, DirectTransport, Office, publish
from PIL import Image

from checklists import published
from fieldkit.capture import Recorder, Started, start
from fieldkit.enrolling import Invitation, check_may_enrol, read_invitation
from fieldkit.enrolling import enrol as ask_to_enrol
from fieldkit.evidence import Attached, Attachment, attach_files, attach_photos, item_paths
from fieldkit.generations import settle_keys
from fieldkit.home import Home
from fieldkit.keys import load_or_make_key
from fieldkit.ledger import Ledger
from fieldkit.library import Library
from fieldkit.store import Store
from fieldkit.syncer import Report, Syncer
from sync.receipt import server_id
from sync.session import Change

FACILITY: dict[str, Any] = {
    "id": "bukit-contoh",
    "name": "Bukit Contoh",
    "country": "MY",
    "jurisdiction": "example",
    "example": True,
    "checklist": "rare-earth-site",
    "limits": "example",
}
DECLARATION: dict[str, Any] = {
    "format": "tapak-declaration/1",
    "facility": "bukit-contoh",
    "speaks_of": "2025-01-01",
    "filed": "2025-01-15",
    "status": {"state": "care", "since": "2024-06-01"},
    "processes": ["in-situ-leach"],
    "boundary": {
        "crs": "EPSG:4326",
        "axes": "yx",
        "source": "example filing",
        "rings": [
            [["4.0", "101.0"], ["4.0", "101.02"], ["4.02", "101.02"], ["4.02", "101.0"],
             ["4.0", "101.0"]]
        ],
    },
    "example": True,
}  # fmt: skip


ASSIGNMENT: dict[str, Any] = {
    "id": "a1",
    "facility": FACILITY["id"],
    "purpose": "first visit",
    "colleagues": ["p-colleague"],
}


def busy_office() -> Office:
    """An office with one facility, its declaration, and the published standard."""
    office = Office()
    office.changes += [
        Change("facility", FACILITY["id"], FACILITY),
        Change("declaration", "d1", DECLARATION),
        publish("checklist", "rare-earth-site", text(published.checklist_bytes("rare-earth-site"))),
        publish("limits", "example", text(published.limits_bytes("example"))),
        publish("profile", "default", text(published.profile_bytes("default"))),
        Change("assignment", "a1", ASSIGNMENT),
    ]
    return office


def text(data: bytes) -> str:
    return data.decode("utf-8")


class FieldDevice:
    """One device in one folder. Its clock moves a second with every reading of it."""

    def __init__(self, folder: Path, office: Office) -> None:
        self.home = Home(folder)
        self.office = office
        self.clock = NOW

    def now(self) -> int:
        self.clock += 1000
        return self.clock

    @property
    def store(self) -> Store:
        """A newly opened store, as every command opens one."""
        return self.home.open_store()

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.store.database)

    @property
    def id(self) -> str:
        return self.store.identity().device

    def enrol(self, faults: Iterable[str] = ()) -> None:
        store = self.store
        invitation = read_invitation(self.office.link())
        check_may_enrol(store, invitation)
        key = self.home.load_or_make_key()
        transport = DirectTransport(self.office, faults=iter(faults))
        ask_to_enrol(store, key, invitation, "laptop", transport)

    def sync(self, faults: Iterable[str] = ()) -> Report:
        return self.syncer(faults).run()

    def syncer(self, faults: Iterable[str] = ()) -> Syncer:
        store = self.store
        identity = store.identity()
        transport = DirectTransport(self.office, identity.token, iter(faults))
        key = settle_keys(self.home, identity)
        ledger = Ledger(store.database)
        return Syncer(
            store, ledger, self.home.blobs(), key, identity, transport, self.now, home=self.home
        )

    def recorder(self) -> Recorder:
        store = self.store
        return Recorder(store, Library(store.database), store.identity(), self.now())

    def start(self, **given: Any) -> Started:
        return start(self.recorder(), FACILITY["id"], **given)

    def photo(
        self, inspection: str, *files: Path, items: Iterable[str] = (), source: str = "imported"
    ) -> list[Attached]:
        recorder = self.recorder()
        paths = item_paths(recorder, inspection, list(items))
        what = Attachment("photo", source, paths)
        return list(attach_photos(recorder, self.home.blobs(), inspection, files, what))

    def document(self, inspection: str, *files: Path) -> list[Attached]:
        what = Attachment("document", "scan")
        return list(attach_files(self.recorder(), self.home.blobs(), inspection, files, what))

    def holds_exactly(self) -> None:
        """The office holds this device's lines and files: each once, all of them, as they are."""
        store = self.store
        for log in [*store.inspections(), "device"]:
            for mine in store.logs(log):
                assert self.office.lines(self.id, log) == list(mine.lines)
        for file in self.ledger.files():
            held = self.office.files[file.sha256]
            assert hashlib.sha256(held).hexdigest() == file.sha256
            assert file.held_at is not None


def enrol_again(device: FieldDevice, code: str) -> None:
    """Enrol a device whose key is lost, under a new one."""
    server = server_id(device.office.public_key)[:16]
    invitation = Invitation("http://office.example", code, server)
    store = device.store
    check_may_enrol(store, invitation)
    key = load_or_make_key(device.home.key)
    ask_to_enrol(store, key, invitation, "laptop", DirectTransport(device.office))


def picture(path: Path, shade: int = 120) -> Path:
    """A small JPEG file, another one for each shade."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade % 256, 90, 60)).save(out, "JPEG")
    path.write_bytes(out.getvalue() + shade.to_bytes(4, "big"))
    return path
