"""The inspections that were taken off this device, as `status` shows them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fieldkit import show
from fieldkit.sealed_visits import SealedVisit


def sealed_facts(sealed: list[SealedVisit]) -> list[show.Fact]:
    """The inspections that were taken off this device, and what holds them now."""
    if not sealed:
        return []
    return [("sealed", "\n".join(_told_sealed(one) for one in sealed))]


def _told_sealed(one: SealedVisit) -> str:
    entries = f"{show.number(one.seq, 'entry', 'entries')}, {show.number(one.files, 'file')}"
    told = f"{one.log}  {one.facility}: {entries}"
    if one.bundle is None:
        return f"{told}, all held safely; sealed {show.time(one.sealed_at)}"
    told += f"; sealed into a bundle of {show.time(one.bundle.at)}"
    if one.bundle.confirmed_at is not None:
        return f"{told}; all held safely, as of {show.time(one.bundle.confirmed_at)}"
    places = "\n".join(f"  {place}" for place in one.bundle.places)
    return f"{told}; the server has not signed for it yet. Keep the bundle:\n{places}"


def sealed_data(sealed: list[SealedVisit]) -> list[dict[str, Any]]:
    """The same as JSON values."""
    return [
        {
            "inspection": s.log,
            "facility": s.facility,
            "entries": s.seq,
            "files": s.files,
            "bundle": None if s.bundle is None else asdict(s.bundle),
        }
        for s in sealed
    ]
