"""Who wrote the lines that are here: the person of each device, as the server certified it (S8)."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fieldkit.store import Store
from sync.entry import Record, attributed
from sync.problems import Problem

_PARTS = ("payload", "signature")


@dataclass(frozen=True, slots=True)
class Author:
    """The person behind a log. `account` is a log that the server keeps for a person (S9)."""

    person: str
    name: str
    device_name: str
    account: bool = False


def authors(store: Store) -> dict[str, Author]:
    """Device -> whose it is, for this device and all whose certificates are here."""
    me = store.identity()
    found = {me.device: Author(me.person, me.person_name, "this device")}
    for body in _certificates(store):
        said = {key: str(body.get(key, "")) for key in ("person", "person_name", "name", "kind")}
        author = Author(
            said["person"], said["person_name"], said["name"], said["kind"] == "account"
        )
        found.setdefault(str(body.get("device", "")), author)
    return found


def attributed_records(store: Store, inspection: str) -> list[Record]:
    """All records of an inspection, each as that of its device's person (S9)."""
    records = store.records(inspection)
    if len({record.device for record in records}) < 2 or store.note("token") is None:
        return records
    known = authors(store)
    return [
        record
        if (author := known.get(record.device)) is None
        else attributed(record, author.person, signed=not author.account)
        for record in records
    ]


def _certificates(store: Store) -> Iterator[dict[str, Any]]:
    """What the certificates that came down say; one that does not verify says nothing."""
    # Slow to load, and seldom needed.
    from fieldkit.server_keys import trusted_keys
    from sync.receipt import SignedBytes, read_certificate

    trusted = trusted_keys(store)
    rows = store.database.rows("select body from documents where kind = 'certificate'")
    for (raw,) in rows:
        try:
            body = json.loads(raw)
            parts = (base64.b64decode(body[key], validate=True) for key in _PARTS)
            yield read_certificate(trusted, SignedBytes(*parts))
        except (Problem, KeyError, TypeError, ValueError):
            continue
