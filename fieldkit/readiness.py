"""Whether the device is ready to leave: what must hold, and what to do where it does not."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from fieldkit.disk import write_file
from fieldkit.home import Home
from fieldkit.keys import is_private, public_bytes
from fieldkit.ledger import Ledger
from fieldkit.library import Library
from fieldkit.store import Identity, Store
from sync.log import device_id
from sync.problems import Problem

NEEDED_BYTES = 1_000_000_000  # some two hundred pictures of a camera card, and room to work
MAX_CLOCK_OFFSET_MS = 120_000


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at: whether it holds, what was found, and what to do where it does not."""

    name: str
    holds: bool
    found: str
    remedy: str = ""


def look(home: Home, store: Store, identity: Identity) -> list[Check]:
    """Everything that must hold before leaving, after a sync."""
    library = Library(store.database)
    return [
        _space(home),
        _folder(home),
        _clock(store),
        _key(home, identity),
        *_passphrase(home, library),
        *_papers(library),
        _sent(Ledger(store.database), identity),
    ]


def _space(home: Home) -> Check:
    free = shutil.disk_usage(home.folder).free
    found = f"{free / 1e9:.1f} GB free, {NEEDED_BYTES / 1e9:.1f} GB wanted"
    return Check("space", free >= NEEDED_BYTES, found, "Free some space on this disk.")


def _folder(home: Home) -> Check:
    probe = home.folder / "writable"
    try:
        write_file(probe, b"ready\n")
        probe.unlink()
    except OSError as exc:
        why = exc.strerror or "unknown"
        return Check("folder", False, f"cannot be written to: {why}", "Make it writable.")
    return Check("folder", True, str(home.folder))


def _clock(store: Store) -> Check:
    offset = int(store.note("clock_offset_ms") or 0)
    found = f"{_duration(abs(offset))} {'behind' if offset >= 0 else 'ahead of'} the server's"
    return Check(
        "clock",
        abs(offset) <= MAX_CLOCK_OFFSET_MS,
        found,
        "Set this computer's clock and time zone, then run prepare again.",
    )


def _duration(milliseconds: int) -> str:
    seconds = milliseconds // 1000
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _key(home: Home, identity: Identity) -> Check:
    try:
        key = home.load_key()
    except Problem as exc:
        return Check("key", False, exc.happened, exc.remedy)
    if device_id(public_bytes(key)) != identity.device:
        return Check("key", False, "it is another device's", "Put this device's key file back.")
    if not is_private(home.key):
        remedy = f"Run: chmod 600 {home.key}"
        return Check("key", False, "others on this computer can read it", remedy)
    return Check("key", True, f"device {identity.device[:8]}")


def _passphrase(home: Home, library: Library) -> list[Check]:
    """S11: asked of a device that goes where it may be taken away."""
    asked = library.in_conflict()
    if home.data_key is not None:
        return [Check("passphrase", True, "set; everything on this device is sealed")]
    if not asked:
        return []
    found = f"none is set, and the assignment to {', '.join(asked)} asks for one"
    return [Check("passphrase", False, found, "Run: fieldkit passphrase set")]


def _papers(library: Library) -> list[Check]:
    facilities = library.documents("facility")
    if not facilities:
        remedy = "Ask your office for an assignment, then run prepare again."
        return [Check("facilities", False, "none are here", remedy)]
    names = ", ".join(str(f["id"]) for f in facilities)
    undeclared = [str(f["id"]) for f in facilities if not library.declarations(str(f["id"]))]
    lacking = sorted(
        {
            f"{kind} {f[kind]}"
            for f in facilities
            for kind in ("checklist", "limits")
            if f.get(kind) and library.applying(kind, f, "") is None
        }
    )
    declared = "one or more for each facility"
    if undeclared:
        # A facility may have declared nothing: one can go there, and the rules that need it say so.
        declared = (
            f"nothing is declared for {', '.join(undeclared)}; rules that need it will say so"
        )
    papers = Check(
        "checklists",
        not lacking,
        f"missing: {', '.join(lacking)}" if lacking else "here for each facility",
        "Ask your office to publish them, then run prepare again.",
    )
    return [Check("facilities", True, names), Check("declarations", True, declared), papers]


def _sent(ledger: Ledger, identity: Identity) -> Check:
    lines = ledger.waiting_lines(identity)
    refused = ledger.refusals()
    if refused:
        found = f"the server set {len(refused)} log(s) aside"
        return Check("earlier work", False, found, "Keep this device and tell your office.")
    found = "all of it is with the server" if not lines else f"{lines} entries not acknowledged yet"
    return Check("earlier work", True, found)
