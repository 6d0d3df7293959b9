"""What is sealed (L8), for the people with the safeguarding role: ciphertext, and a list of it.

Nothing here can be read by the server. Every download and every withdrawal is in the audit trail.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from server.context import Context
from server.permissions import Principal
from server.services import access
from server.services.audit import who_is
from server.services.carrying import innermost
from server.services.identifiers import day_of
from server.services.withdrawal import Withdrawn, withdraw
from server.store import audit, logs, sealed
from server.store.sealed import Place
from server.store.transaction import Tx
from sync.inspection import Sealed
from sync.log import Entry, may_stand_below, read_line
from sync.problems import problem
from sync.sealed import bucket, named_files, read_sealed

FORMAT = "tapak sealed bundle v1"
LISTED = 50  # entries a page
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Line:
    """A sealed entry on the list: `size` is rounded up, so that it tells no more than padding."""

    place: Place
    day: str
    size: int

    @property
    def state(self) -> str:
        if self.place.withdrawn_at is not None:
            return "withdrawn"
        return "held" if self.place.held else "awaited"


@dataclass(frozen=True, slots=True)
class SealedPage:
    lines: tuple[Line, ...]
    total: int
    page: int
    pages: int


def list_sealed(ctx: Context, who: Principal, page: int) -> SealedPage:
    """The sealed entries within the person's scope, the latest day first."""
    with ctx.db.read() as tx:
        found = sealed.places(tx, access.visible(tx, who, "sealed.read"))
    pages = max(1, -(-len(found) // LISTED))
    page = min(max(page, 1), pages)
    shown = found[(page - 1) * LISTED : page * LISTED]
    lines = tuple(Line(one, _day(one.row.day), bucket(one.row.size)) for one in shown)
    return SealedPage(lines, len(found), page, pages)


def take(ctx: Context, who: Principal, entries: Sequence[str]) -> Iterator[bytes]:
    """Ciphertexts and wrapped keys of these entries, or of all in scope, as a zip file in pieces.

    The trail says who took which before the first byte goes out. Raises `not-found` when one of
    them is not within the scope or is not here.
    """
    with ctx.db.read() as tx:
        places = sealed.places(tx, access.visible(tx, who, "sealed.take"))
        here = [one for one in places if one.held and one.withdrawn_at is None]
        wanted = [one for one in here if not entries or one.row.id in entries]
        if not wanted or set(entries) - {one.row.id for one in wanted}:
            raise problem("not-found")
        named = [found for one in wanted for found in _named(tx, one)]

    def work(tx: Tx) -> None:
        for one in wanted:
            detail = {"inspection": one.row.inspection, "key": one.row.key}
            subject = f"sealed:{one.row.id}"
            audit.record(tx, ctx.now(), who_is(who), "sealed.take", subject, detail)

    ctx.db.write(work)
    return _zipped(ctx, named)


def withdraw_for(ctx: Context, who: Principal, entry: str, reason: str) -> Withdrawn:
    """Withdraw an entry within the person's scope. Raises `not-found` and what `withdraw` does."""
    with ctx.db.read() as tx:
        visible = sealed.places(tx, access.visible(tx, who, "sealed.withdraw"))
    rows = [one.row for one in visible if one.row.id == entry]
    if not rows:
        raise problem("not-found")
    return withdraw(ctx, who_is(who), entry, reason, rows)


# -- inside ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Named:
    place: Place
    sealed: Sealed


def _named(tx: Tx, place: Place) -> Iterator[_Named]:
    """The entry as its device wrote it, which alone names its files."""
    for log in logs.logs_of(tx, place.row.inspection):
        if log.device != place.row.device:
            continue
        for seq, line in enumerate(logs.lines_of(tx, log.id), start=1):
            if not may_stand_below(line, (b"sealed", b"adopted")):
                continue
            entry = innermost(tx, read_line(line, log.device, log.inspection, seq, ""))
            found = read_sealed(entry) if isinstance(entry, Entry) else None
            if found and (found.id, found.key.sha256) == (place.row.id, place.row.key):
                yield _Named(place, found)
                return


def _zipped(ctx: Context, named: Sequence[_Named]) -> Iterator[bytes]:
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        body = {"format": FORMAT, "entries": [_described(one) for one in named]}
        archive.writestr(zipfile.ZipInfo("sealed.json", _EPOCH), json.dumps(body, indent=1))
        for sha256 in sorted({f.sha256 for one in named for _, f in named_files(one.sealed)}):
            if ctx.blobs.size(sha256) is None:
                continue  # not arrived yet: unsealing says which
            info = zipfile.ZipInfo(f"files/{sha256}", _EPOCH)
            with archive.open(info, "w", force_zip64=True) as out:
                for chunk in ctx.blobs.chunks(sha256):
                    out.write(chunk)
                    yield sink.taken()
    yield sink.taken()


def _described(one: _Named) -> dict[str, object]:
    found = one.sealed
    return {
        "id": found.id,
        "inspection": one.place.row.inspection,
        "facility": one.place.facility,
        "device": found.written.device,
        "day": _day(found.written.at),
        "to": list(found.to),
        "payload": found.payload.sha256,
        "key": found.key.sha256,
        "files": [file.sha256 for file in found.files],
    }


class _Sink(io.RawIOBase):
    """What a zip file is written to while it goes out: bytes that nobody has taken yet."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = bytes(data)  # type: ignore[call-overload]
        self._waiting += view
        return len(view)

    def taken(self) -> bytes:
        out = bytes(self._waiting)
        self._waiting.clear()
        return out


def _day(at: int) -> str:
    try:
        return day_of(at)
    except (ValueError, OverflowError, OSError):
        return "no-day"
