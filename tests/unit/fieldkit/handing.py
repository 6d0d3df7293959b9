"""Colleagues of the tests: their devices, their certificates, and what one hands to another."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from field_device import FieldDevice
from memory_server import Office

from fieldkit.capture import answer
from fieldkit.keys import load_key
from fieldkit.shared import extracts_of, take_certificate, take_lines
from sync import wire
from sync.extract import Extract, extract_to_json, make_extract, vouch
from sync.receipt import server_id, sign_certificate
from sync.session import Change

TRACK = {"source": "recorded", "lat_e7": [40000000], "lon_e7": [1010000000]}


def joined(folder: Path, office: Office) -> FieldDevice:
    """Another device of the same office, enrolled and synced."""
    office.codes = {"WXYZ-EFGH-2345": None}
    made = FieldDevice(folder, office)
    made.enrol()
    made.sync()
    return made


def certificate(office: Office, of: FieldDevice, person: str = "p-colleague") -> dict[str, str]:
    """The certificate of a device as that of another person, as the server sends it."""
    body = {
        "device": of.id,
        "public_key": base64.b64encode(of.store.identity().public_key).decode(),
        "person": person,
        "person_name": "Example Colleague",
        "name": "laptop",
        "issued": office.now,
        "server": server_id(office.public_key),
    }
    dumped: dict[str, str] = wire.Signed().dump(sign_certificate(office.key, body))
    return dumped


def visit(of: FieldDevice, *, track: bool = True) -> str:
    """The beginning of a visit: answers, and a track among them."""
    inspection = of.start(new=True).inspection
    answer(of.recorder(), inspection, "GEN-G1", ["FM"])
    if track:
        record(of, inspection, f"track/{of.id}/1", TRACK)
        record(of, inspection, f"track/{of.id}/2", TRACK)
    answer(of.recorder(), inspection, "GEN-G2", ["FM"])
    return inspection


def record(of: FieldDevice, inspection: str, path: str, value: Any) -> None:
    store = of.store
    with store.writing(store.identity(), of.now(), "an entry") as log:
        log.append(inspection, path, value)


def runs(of: FieldDevice, inspection: str) -> list[Extract]:
    """What a device gives on of an inspection, as it would in a file."""
    store = of.store
    return list(extracts_of(store.database, store.identity(), load_key(of.home.key), inspection))


def give(office: Office, of: FieldDevice, to: FieldDevice, inspection: str) -> int:
    """What a device has of an inspection, taken by another one; no network is needed for it."""
    store = to.store
    identity, new = store.identity(), 0
    with store.database.write("a colleague's lines") as tx:
        take_certificate(tx, identity, of.id, certificate(office, of))
        for run in runs(of, inspection):
            new += take_lines(tx, identity, run)
    return new


def office_sends(
    office: Office, of: FieldDevice, to: FieldDevice, inspection: str, aside: set[int]
) -> None:
    """A colleague's log as the office sends it, with what is set aside there."""
    (log,) = [one for one in of.store.logs(inspection) if one.device == of.id]

    def vouched(seq: int, h: bytes) -> bytes:
        return vouch(office.key, of.id, inspection, seq, h)

    run = make_extract(of.id, inspection, 1, log.lines, log.hashes, {}, vouched, aside)
    person = load_person(to, of)
    office.changes += [
        Change("certificate", of.id, certificate(office, of, person)),
        Change("lines", f"{of.id}/{inspection}/1", extract_to_json(run)),
    ]
    to.sync()


def load_person(to: FieldDevice, of: FieldDevice) -> str:
    owner = to.store.owner_of(of.id)
    return "p-colleague" if owner is None else owner[1]
