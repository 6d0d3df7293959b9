"""What goes into a bundle of this device (S10): which logs, whole, and which files.

The office gets everything that it is not known to hold. Nothing of this marks anything as sent:
only receipts do.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fieldkit.blobs import Blobs
from fieldkit.capture import load_inspection
from fieldkit.ledger import Ledger
from fieldkit.server_keys import NOTE
from fieldkit.shared import certificates_of, extracts_of, stored_logs
from fieldkit.store import Identity, Store
from sync.bundle import BundleWriter, Opening
from sync.extract import NEVER_SHARED, extract_to_json
from sync.extract import parted as parted_runs
from sync.extract_carried import carried_segments
from sync.log import DEVICE_LOG, Segment, sign_head
from sync.receipt import SignedBytes
from sync.sealing_key import sign_sealing_key
from sync.server_keys import read_statements
from sync.session import Pending, plan_segments

PART_BYTES = 3_900_000_000  # a FAT32 disk takes files of up to 4 GB
_OVERHEAD = 512  # what stands around a file, generously


@dataclass(frozen=True, slots=True)
class BundledFile:
    """A file that goes along; `size` in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Content:
    """What one bundle holds: logs by name, files smallest first, and for whom it is made."""

    made_for: str
    logs: tuple[str, ...]
    files: tuple[BundledFile, ...]
    entries: int
    colleague: bool = False  # then lines that only the office receives are withheld (S5)

    @property
    def file_bytes(self) -> int:
        return sum(file.size for file in self.files)


@dataclass(frozen=True, slots=True)
class Maker:
    """Who writes the bundle, from what, and when (UTC milliseconds)."""

    store: Store
    ledger: Ledger
    blobs: Blobs
    identity: Identity
    key: Ed25519PrivateKey
    recipient: str
    now: int


def for_the_office(maker: Maker, only: str | None, *, files: bool) -> Content:
    """Everything that no receipt covers yet, or the whole of one inspection."""
    store, ledger, identity = maker.store, maker.ledger, maker.identity
    names = [only] if only else store.inspections()
    there = ledger.files() if files else []
    open_files = [f for f in there if f.held_at is None and f.log in names]
    lacking = {f.log for f in open_files}
    wanted = [
        log for log in names if log == only or log in lacking or ledger.waiting_lines(identity, log)
    ]
    if wanted or ledger.waiting_lines(identity, DEVICE_LOG):
        wanted.append(DEVICE_LOG)
    entries = sum(store.count_lines(log, identity.device) for log in wanted)
    digests = {f.sha256 for f in open_files}
    if files:  # S2: what a colleague handed over goes along
        digests |= {d for log in wanted for d in _named_by_others(maker, log)}
    return Content("office", tuple(sorted(wanted)), _kept(maker, digests), entries)


def for_a_colleague(maker: Maker, made_for: str, log: str, *, files: bool) -> Content:
    """All that is here of one inspection and that a colleague may see (S5): never a track."""
    digests = _shareable(maker, log) if files else set()
    entries = sum(len(one.lines) for one in maker.store.logs(log))
    return Content(made_for, (log,), _kept(maker, digests), entries, colleague=True)


def _shareable(maker: Maker, log: str) -> set[str]:
    """The files of an inspection that colleagues may have: what was attached as evidence, but no
    track (S5), and nothing that is sealed for safeguarding (L8).
    """
    evidence = load_inspection(maker.store, log).evidence
    heads = (head for slot in evidence.values() for head in slot.heads)
    return {head.sha256 for head in heads if head.kind != NEVER_SHARED}


def _named_by_others(maker: Maker, log: str) -> list[str]:
    """The digests of files that colleagues' entries of an inspection name."""
    rows = maker.store.database.rows(
        "select path from lines where log = ? and device <> ? and path like 'evidence/%'",
        (log, maker.identity.device),
    )
    return [path.split("/")[1] for (path,) in rows]


def _kept(maker: Maker, digests: Iterable[str]) -> tuple[BundledFile, ...]:
    """Those of the files that are here, smallest first."""
    sizes = {sha256: maker.blobs.size(sha256) for sha256 in digests}
    found = [BundledFile(d, size) for d, size in sizes.items() if size is not None]
    return tuple(sorted(found, key=lambda one: (one.size, one.sha256)))


def parted(content: Content) -> list[Content]:
    """The same in bundles that any disk can hold; each has all the logs and some of the files."""
    parts: list[list[BundledFile]] = [[]]
    room = PART_BYTES
    for file in content.files:
        size = file.size + _OVERHEAD
        if size > room and parts[-1]:
            parts.append([])
            room = PART_BYTES
        parts[-1].append(file)
        room -= size
    return [replace(content, files=tuple(files)) for files in parts]


def bundle_bytes(maker: Maker, content: Content) -> Iterator[bytes]:
    """The bundle's bytes, not yet sealed; raises `file-digest` and `file-unreadable` where a file
    changed on this disk.
    """
    writer, identity = BundleWriter(), maker.identity
    cursor = maker.store.note("cursor")
    yield writer.opening(
        Opening(
            identity.device,
            identity.person_name,
            maker.now,
            content.made_for,
            identity.server_key,
            cursor,
        )
    )
    note = maker.store.note(NOTE)
    if note is not None:
        yield writer.server_keys(read_statements(json.loads(note)))
    yield from _certificates(maker, writer)
    yield writer.sealing_key(identity.device, sign_sealing_key(maker.key, maker.recipient))
    for log in content.logs:
        if content.colleague:
            runs = extracts_of(maker.store.database, identity, maker.key, log)
            for run in sorted(runs, key=lambda one: (one.device, one.first)):
                body = json.dumps(extract_to_json(run), ensure_ascii=False).encode("utf-8")
                yield writer.lines(log, run.device, run.first, body)
        else:
            for segment in sorted(_segments(maker, log), key=lambda one: (one.device, one.first)):
                yield writer.segment(segment)
    for file in content.files:
        yield from writer.file(file.sha256, file.size, maker.blobs.chunks(file.sha256))
    yield writer.end()


def _certificates(maker: Maker, writer: BundleWriter) -> Iterator[bytes]:
    """By which every log in the bundle can be checked: this device's and its colleagues'."""
    found = {
        device: SignedBytes(base64.b64decode(body["payload"]), base64.b64decode(body["signature"]))
        for device, body in certificates_of(maker.store.database).items()
    }
    found[maker.identity.device] = own_certificate(maker.store)
    for device in sorted(found):
        yield writer.certificate(device, found[device])


def _segments(maker: Maker, log: str) -> Iterator[Segment]:
    """This device's log whole, and of colleagues' what can be carried on (S2)."""
    device, database = maker.identity.device, maker.store.database
    for lines in maker.store.logs(log):
        if lines.device == device:
            pending = Pending(device, log, 1, lines.lines, lines.hashes)
            sign = partial(sign_head, maker.key)
            yield from plan_segments([pending], sign, max_bytes=2**62)[0]
    if log != DEVICE_LOG:
        for whole in stored_logs(database, maker.identity, log):
            yield from carried_segments(parted_runs(whole))


def own_certificate(store: Store) -> SignedBytes:
    """This device's certificate, as its enrolment brought it."""
    said = json.loads(store.note("certificate") or "{}")
    return SignedBytes(base64.b64decode(said["payload"]), base64.b64decode(said["signature"]))


def note_bundled(maker: Maker, contents: Iterable[Content]) -> None:
    """Keep that these lines and files are in a bundle of now; it says nothing of the server."""
    device = maker.identity.device
    with maker.store.database.write("what is in the bundle") as tx:
        for content in contents:
            for log in content.logs:
                tx.execute(
                    "insert into bundled (log, device, seq, at, made_for) "
                    "select ?1, ?2, max(seq), ?3, ?4 from lines where log = ?1 and device = ?2 "
                    "having max(seq) is not null on conflict (log, device, made_for) do update "
                    "set seq = excluded.seq, at = excluded.at",
                    (log, device, maker.now, content.made_for),
                )
            tx.executemany(
                "insert into bundled_files (sha256, at, made_for) values (?1, ?2, ?3) "
                "on conflict (sha256, made_for) do update set at = excluded.at",
                [(f.sha256, maker.now, content.made_for) for f in content.files],
            )


@dataclass(frozen=True, slots=True)
class InBundles:
    """Of what the server is not known to hold: how much is in a bundle, and of when (UTC ms)."""

    entries: int
    files: int
    at: int


def in_bundles(store: Store, log: str, waiting: Sequence[str], held: int) -> InBundles | None:
    """What of an inspection is in a bundle for the office, beyond the `held` first entries.

    `waiting` are digests of files that no receipt lists.
    """
    device = store.identity().device
    found = store.database.rows(
        "select seq, at from bundled where log = ? and device = ? and made_for = 'office'",
        (log, device),
    )
    rows = store.database.rows("select sha256, at from bundled_files where made_for = 'office'")
    at = {str(sha256): int(at) for sha256, at in rows}
    files = [at[sha256] for sha256 in waiting if sha256 in at]
    entries = max(found[0][0] - held, 0) if found else 0
    if not entries and not files:
        return None
    times = files + ([found[0][1]] if entries else [])
    return InBundles(entries, len(files), max(times))
