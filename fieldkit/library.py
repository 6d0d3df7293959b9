"""What came down from the office: facilities, declarations, assignments, and published texts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from checklists.load import load_checklist
from checklists.model import Checklist
from fieldkit.database import Database
from sync.nearest import nearest
from sync.problems import problem

EVERYWHERE_ALIKE = ("profile", "rules")  # no facility names its own: there is one, "default"


@dataclass(frozen=True, slots=True)
class PublishedText:
    """A published checklist, limits table, profile or rule settings, as its very text."""

    kind: str
    name: str
    version: str
    digest: str
    text: str

    @property
    def data(self) -> bytes:
        """The bytes that the digest is of."""
        return self.text.encode("utf-8")


class Library:
    """Reading what the last syncs brought; nothing here is written."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def documents(self, kind: str) -> list[dict[str, Any]]:
        """The bodies of all documents of a kind, in the order of their ids."""
        rows = self.database.rows("select body from documents where kind = ? order by ref", (kind,))
        return [json.loads(body) for (body,) in rows]

    def facility(self, facility: str) -> dict[str, Any]:
        """A facility by its id; raises `facility-unknown` with the nearest that are here."""
        found = {str(f["id"]): f for f in self.documents("facility")}
        if facility in found:
            return found[facility]
        raise problem("facility-unknown", facility=facility, nearest=nearest(facility, found))

    def facility_or_id(self, facility: str) -> dict[str, Any]:
        """A facility by its id; one that is not here (any more) by its id alone (S5)."""
        found = {str(f["id"]): f for f in self.documents("facility")}
        return found.get(facility, {"id": facility, "name": facility})

    def in_conflict(self) -> list[str]:
        """The facilities whose assignment asks for a passphrase on this device (S11)."""
        found = {str(a["facility"]) for a in self.documents("assignment") if a.get("conflict")}
        return sorted(found)

    def declarations(self, facility: str) -> list[dict[str, Any]]:
        """All filings for a facility that came down."""
        return [d for d in self.documents("declaration") if d.get("facility") == facility]

    def newest(self, kind: str, name: str) -> PublishedText | None:
        """The newest published text of a name, or None when none came down."""
        rows = self.database.rows(
            "select body from documents where kind = ? and ref = ?", (kind, name)
        )
        return self.text(json.loads(rows[0][0])["digest"]) if rows else None

    def applying(self, kind: str, facility: Mapping[str, Any], day: str) -> PublishedText | None:
        """The text of a kind that applies at a facility on a day (YYYY-MM-DD).

        The newest of its name, unless the facility's jurisdiction decided from which day which one
        is in force.
        """
        told = facility.get("applying", {}).get(kind, ())
        begun = [digest for first, digest in told if first <= day]
        found = self.text(begun[-1]) if begun else None
        name = "default" if kind in EVERYWHERE_ALIKE else str(facility.get(kind) or "")
        return found or self.newest(kind, name)

    def text(self, digest: str) -> PublishedText | None:
        """A published text by its digest; old ones stay for the inspections that use them."""
        rows = self.database.rows(
            "select kind, name, version, digest, body from texts where digest = ?", (digest,)
        )
        return PublishedText(*rows[0]) if rows else None

    def checklist(self, digest: str) -> Checklist:
        """A checklist by its digest; raises `checklist-unknown`."""
        found = self.text(digest)
        if found is None or found.kind != "checklist":
            raise problem("checklist-unknown", checklist=digest[:12])
        return load_checklist(found.data, found.name)
