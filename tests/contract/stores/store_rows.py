"""Rows for the stores' contract: a small fictional region, written by the stores themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.store import (
    assignments,
    declarations,
    devices,
    facilities,
    files,
    jurisdictions,
    logs,
    people,
)
from server.store.assignments import Assignment
from server.store.declarations import Filing
from server.store.devices import ACTIVE, Device
from server.store.facilities import Facility
from server.store.files import NamedFile
from server.store.jurisdictions import Jurisdiction
from server.store.logs import LogRow, NewLines, Touch
from server.store.people import Person
from server.store.transaction import Tx
from sync.log import Head, Segment, device_id, genesis, link, sign_head
from sync.receipt import SignedBytes
from sync.session import Append

NOW = 1_795_392_000_000  # 2026-11-23 in UTC milliseconds: more than 32 bits hold
VISIT = "0f8fad5b-d9cb-469f-a165-70867728950e"
VISIT_2 = "1f8fad5b-d9cb-469f-a165-70867728950e"
VISIT_3 = "2f8fad5b-d9cb-469f-a165-70867728950e"
EVERY_BYTE = bytes(range(256))

# In the order of their bytes, which is no dictionary's order.
IN_BYTE_ORDER = ("Zulu", "alpha", "alpha-2", "alpha2", "beta", "Ägäis", "ปากน้ำ", "🏭")


def digest(of: object) -> str:
    return hashlib.sha256(str(of).encode()).hexdigest()


def a_person(name: str, /, **changes: Any) -> Person:
    return replace(Person(f"p-{name}", name, name.title(), "argon2", True, NOW), **changes)


def a_facility(name: str, jurisdiction: str = "th-north", /, **changes: Any) -> Facility:
    made = Facility(name, name.title(), "TH", jurisdiction, "rare-earth", "example", True, NOW)
    return replace(made, **changes)


def an_assignment(name: str, facility: str, person: str, /, **changes: Any) -> Assignment:
    made = Assignment(name, facility, person, "yearly", "2026-11-01", "2026-11-30", NOW)
    return replace(made, **changes)


def a_filing(name: str, facility: str, /, **changes: Any) -> Filing:
    made = Filing(name, facility, "2026-01-10", "2026-01-01", digest(name), NOW)
    return replace(made, **changes)


def key_of(seed: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def a_device(seed: int, person: str, /, **changes: Any) -> Device:
    public_key = key_of(seed).public_key().public_bytes_raw()
    made = Device(
        device_id(public_key),
        public_key,
        person,
        f"laptop {seed}",
        digest(f"token {seed}"),
        SignedBytes(EVERY_BYTE, bytes(64)),
        NOW + seed,
        ACTIVE,
        None,
    )
    return replace(made, **changes)


def put_region(tx: Tx) -> None:
    """Thailand and Viet Nam, two facilities in the north of Thailand and one in Viet Nam."""
    for new in (
        Jurisdiction("asean", "ASEAN", None, "region"),
        Jurisdiction("th", "Thailand", "asean", "country"),
        Jurisdiction("th-north", "North", "th", "state"),
        Jurisdiction("vn", "Viet Nam", "asean", "country"),
    ):
        jurisdictions.add(tx, new)
    for facility, place in (("hill", "th-north"), ("valley", "th-north"), ("delta", "vn")):
        facilities.add(tx, a_facility(facility, place))


def put_people(tx: Tx, *names: str) -> None:
    for name in names or ("aminah", "budi"):
        people.add(tx, a_person(name))


def put_devices(tx: Tx) -> tuple[Device, Device]:
    """Aminah's device and Budi's."""
    both = a_device(1, "p-aminah"), a_device(2, "p-budi")
    for one in both:
        devices.put(tx, one)
    return both


def put_everybody(tx: Tx) -> tuple[Device, Device]:
    """Region, people and devices; Aminah is assigned to the hill and the valley."""
    put_region(tx)
    put_people(tx)
    for facility in ("hill", "valley"):
        assignments.add(tx, an_assignment(f"a-{facility}", facility, "p-aminah"))
    return put_devices(tx)


def put_filing(tx: Tx, name: str, facility: str, body: bytes = EVERY_BYTE, **changes: Any) -> None:
    declarations.add(tx, a_filing(name, facility, **changes), body)


# -- logs -----------------------------------------------------------------------------------------


def hashes_of(device: Device, inspection: str, lines: Iterable[bytes]) -> list[bytes]:
    """The chain hashes of these lines from the log's beginning; the genesis is not among them."""
    running, found = genesis(device.public_key, inspection), []
    for line in lines:
        running = link(running, line)
        found.append(running)
    return found


def append(
    tx: Tx,
    device: Device,
    inspection: str,
    lines: Sequence[bytes],
    *,
    before: Sequence[bytes] = (),
    now: int = NOW,
    revoked: bool = False,
) -> LogRow:
    """Append lines to the device's log on this inspection, which holds `before`."""
    seed = device.enrolled_at - NOW
    hashes = tuple(hashes_of(device, inspection, (*before, *lines))[len(before) :])
    first = len(before) + 1
    signature = sign_head(key_of(seed), hashes[-1])
    segment = Segment(device.id, inspection, first, tuple(lines), signature)
    key = device.id, inspection
    held = logs.find_logs(tx, [key]).get(key)
    new = Append(first, tuple(lines), hashes, Head(len(before) + len(lines), hashes[-1]))
    logs.append(tx, [NewLines(segment, held, new, now, -NOW, revoked)])
    return logs.find_logs(tx, [key])[key]


def touch(tx: Tx, inspection: str, now: int, facility: str | None, mode: str | None) -> set[str]:
    """Note an inspection's new entries; the facility it names, if any."""
    return set(logs.touch_inspections(tx, [Touch(inspection, now, facility, mode)]).facilities)


def named(sha256: str, inspection: str, device: Device, **changes: Any) -> NamedFile:
    made = NamedFile(sha256, inspection, device.id, device.person, "image/jpeg", "photo")
    return replace(made, **changes)


def put_visit(tx: Tx, device: Device, inspection: str, facility: str, *sha256: str) -> None:
    """A live visit with a log of one line that names these files."""
    append(tx, device, inspection, [f"visit to {facility}".encode()])
    touch(tx, inspection, NOW, facility, "live")
    files.name_files(tx, [named(one, inspection, device) for one in sha256])
