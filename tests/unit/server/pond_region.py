"""A hill in the north and a delta in the south, judged by a checklist of two items; made up."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from pathlib import Path

from office import PASSWORD
from ponds import NAME, limits, ponds
from region import AUDITOR, CONSOLE, Clock, add_person, assign_to, make_context

from checklists.published import profile_bytes
from server.context import Context
from server.permissions import Principal
from server.services import accounts, publishing, registry
from server.store import people
from server.store.jurisdictions import Jurisdiction

_RULES = Path(publishing.__file__).parents[2] / "checklists/discrepancies/settings/default.yaml"
OFFICERS = {"ana": "example", "bo": "example", "chi": "south"}  # login -> where they decide


def make_ponds(folder: Path, clock: Clock) -> Context:
    """A server with both facilities on version 1, which the auditor is assigned to, and officers.

    It is built once for all tests; each gets a copy of the data folder, so a database of its own.
    """
    shutil.copytree(_built(), folder / "server")
    return make_context(folder, clock)


def officer(ctx: Context, login: str) -> Principal:
    """An officer as whoever asks."""
    with ctx.db.read() as tx:
        found = accounts.find_person(tx, login)
        return Principal("person", found.id, found.name, None, people.grants_of(tx, found.id))


@functools.cache
def _built() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="made-up-ponds-"))
    atexit.register(shutil.rmtree, folder)
    ctx = make_context(folder)
    _fill(ctx)
    ctx.db.close()
    return folder / "server"


def _fill(ctx: Context) -> None:
    for id_, parent in (("example", None), ("north", "example"), ("south", "example")):
        kind = "country" if parent else "region"
        new = Jurisdiction(id_, id_.title(), parent, kind)
        registry.add_jurisdiction(ctx, CONSOLE, new)
    for kind, body in (
        ("checklist", ponds()),
        ("limits", limits()),
        ("profile", profile_bytes("default")),
        ("rules", _RULES.read_bytes()),
    ):
        publishing.publish(ctx, CONSOLE, kind, body, "file.yaml")
    add_person(ctx, AUDITOR)
    for facility, place in (("hill", "north"), ("delta", "south")):
        fields = {"id": facility, "name": f"Made-up {facility}", "country": "TH"}
        fields |= {"jurisdiction": place, "checklist": NAME, "limits": "pond-limits"}
        registry.add_facility(ctx, CONSOLE, {**fields, "example": True})
        assign_to(ctx, facility, AUDITOR)
    for login, place in OFFICERS.items():
        accounts.add_person(
            ctx,
            CONSOLE,
            login=login,
            name=login.title(),
            password=PASSWORD,
            grants=[("officer", place)],
        )
