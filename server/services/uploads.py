"""Files on their way in: begun, continued after a cut, verified, and only then held (S4, S6).

Only files that an acknowledged entry of the person names are taken. What a person asks of a file
that others hold, and they do not, is answered as if it were nowhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from server.blobs import digest_of_file
from server.checksums import Checksum, verified
from server.context import Context
from server.services.identifiers import day_of
from server.staging import Upload, Writer
from server.store import files, gradings, sealed
from server.store.files import ArrivedFile
from server.store.transaction import Tx
from sync.log import MAX_FILE_BYTES
from sync.problems import Problem, problem

SMALL_BYTES = 1024**2  # a file up to here that comes in one request is verified in memory
KEPT_MS = 21 * 86_400_000  # an upload that nobody moves on for so long is forgotten


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an upload stands: bytes here of bytes in all; `expires` in UTC ms, None once held."""

    sha256: str
    offset: int
    length: int
    metadata: str = ""
    expires: int | None = None


def begin(
    ctx: Context,
    person: str,
    sha256: str,
    length: int,
    metadata: str,
    chunks: Iterable[bytes] = (),
    checksum: Checksum | None = None,
) -> Standing:
    """Begin an upload, with the file's first bytes if there are some; return where it stands.

    Beginning again goes on with the same upload: bytes that are here already are passed over. A
    file that this person delivered before is complete at once. `checksum` is that of the bytes
    that come, whether they are passed over or not. Raises `file-not-named`,
    `file-too-large` and what `append` raises.
    """
    with ctx.db.read() as tx:
        if not files.is_named_by(tx, sha256, person):
            raise problem("file-not-named", sha256=sha256)
        _refuse_withdrawn(tx, sha256)
        held = files.size_held_for(tx, person, sha256)
    if held is not None:
        return Standing(sha256, held, held, metadata)
    if length > MAX_FILE_BYTES:
        raise problem("file-too-large", size=length, limit=MAX_FILE_BYTES)
    upload = Upload(person, sha256, length, metadata)
    with verified(chunks, checksum, length, ctx.uploads.folder) as fitting:
        small = _read(fitting, length) if length <= SMALL_BYTES else None
        if small is not None and len(small) == length:
            return _take_small(ctx, upload, small)
        ctx.uploads.begin(upload)
        # Cut on the way, what came of a small one is kept as of any other.
        return _take(ctx, upload, None, fitting if small is None else [small])


def append(
    ctx: Context,
    person: str,
    sha256: str,
    offset: int,
    chunks: Iterable[bytes],
    checksum: Checksum | None = None,
) -> Standing:
    """Go on with an upload at `offset`; whatever arrives of `chunks` is kept and counted, or with
    a checksum all of them or none.

    With the last byte the digest is verified and the file is held. Raises `upload-unknown`,
    `upload-offset`, `upload-busy`, `upload-taken-over`, `upload-too-long`, `upload-checksum`,
    `file-digest` (then the upload is forgotten) and the problems of disk and store.
    """
    upload = _find(ctx, person, sha256)
    if isinstance(upload, Standing):
        if offset != upload.length:
            raise problem("upload-offset", offset=upload.length, given=offset)
        return upload
    return _take(ctx, upload, offset, chunks, checksum)


def standing(ctx: Context, person: str, sha256: str) -> Standing:
    """Where an upload stands; bytes that are counted are durable. A request that still writes to
    it is stopped. Raises `upload-unknown`, `upload-busy`.
    """
    upload = _find(ctx, person, sha256)
    if isinstance(upload, Standing):
        return upload
    offset = ctx.uploads.offset(upload)
    if offset == upload.length:  # all is here, but putting it away failed: that comes first
        _finish(ctx, upload, None)
    return _standing(ctx, upload, offset)


def discard(ctx: Context, person: str, sha256: str) -> None:
    """Forget an upload. Raises `upload-unknown`, `upload-busy`, and `upload-held` for a file that
    is complete.
    """
    upload = _find(ctx, person, sha256)
    if isinstance(upload, Standing):
        raise problem("upload-held")
    ctx.uploads.end(upload)


def sweep(ctx: Context) -> int:
    """Forget uploads that nobody moved on for weeks; the number of files removed."""
    return ctx.uploads.sweep(ctx.now() - KEPT_MS)


def _find(ctx: Context, person: str, sha256: str) -> Upload | Standing:
    with ctx.db.read() as tx:
        _refuse_withdrawn(tx, sha256)
        held = files.size_held_for(tx, person, sha256)
    if held is not None:
        return Standing(sha256, held, held)
    upload = ctx.uploads.find(person, sha256)
    if upload is None:
        raise problem("upload-unknown", sha256=sha256[:64])
    return upload


def _refuse_withdrawn(tx: Tx, sha256: str) -> None:
    """L8: the key to what somebody said does not come back after they withdrew it."""
    if sealed.is_withdrawn(tx, [sha256]):
        raise problem("sealed-key-destroyed", sha256=sha256)


def _read(chunks: Iterable[bytes], length: int) -> bytes:
    """All bytes that come, if they are not more than were announced."""
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > length:
            raise problem("upload-too-long", length=length)
    return bytes(data)


def _take_small(ctx: Context, upload: Upload, data: bytes) -> Standing:
    """A small file that came whole needs no staging: verified, put away, held."""
    ctx.blobs.put(upload.sha256, [data])
    _hold(ctx, upload)
    if ctx.uploads.find(upload.person, upload.sha256) is not None:
        with suppress(Problem):  # from an earlier request; what is verified just now ends itself
            ctx.uploads.end(upload)
    return _standing(ctx, upload, upload.length)


def _take(
    ctx: Context,
    upload: Upload,
    offset: int | None,
    chunks: Iterable[bytes],
    checksum: Checksum | None = None,
) -> Standing:
    """Write what comes, and finish when it was the last. `offset` None: the bytes begin at 0."""
    with ctx.uploads.writer(upload, offset, ctx.token(18)) as writer:
        here = writer.offset
        with verified(chunks, checksum, upload.length - here, ctx.uploads.folder) as fitting:
            for chunk in _but_the_first(fitting, here) if offset is None else fitting:
                writer.write(chunk)
        digest = writer.digest() if writer.offset == upload.length else None
        _settle(ctx, upload, writer)
    if writer.offset == upload.length:
        _finish(ctx, upload, digest)
    return _standing(ctx, upload, writer.offset)


def _settle(ctx: Context, upload: Upload, writer: Writer) -> None:
    """What is acknowledged outlasts a power cut; what is complete is put away at once instead."""
    if writer.offset == upload.length:
        writer.settle()
        return
    if writer.offset:
        ctx.uploads.settle(upload)
    ctx.uploads.touch(upload, ctx.now())


def _finish(ctx: Context, upload: Upload, digest: str | None) -> None:
    """Verify all bytes, put them away, and note that they are held, in this order (S6)."""
    with ctx.uploads.whole(upload) as path:
        if path is None:
            raise problem("upload-taken-over")
        got = digest or digest_of_file(path)
        if got == upload.sha256:
            ctx.blobs.adopt(upload.sha256, path)
            _hold(ctx, upload)
    ctx.uploads.end(upload)
    if got != upload.sha256:
        raise problem("file-digest", got=got, wanted=upload.sha256)


def _hold(ctx: Context, upload: Upload) -> None:
    arrived = ArrivedFile(upload.sha256, upload.length, upload.person, ctx.now())
    if not ctx.db.write_many(_hold_all, arrived):
        ctx.blobs.destroy(upload.sha256)
        raise problem("sealed-key-destroyed", sha256=upload.sha256)


def _hold_all(tx: Tx, arrived: Sequence[ArrivedFile]) -> Sequence[bool]:
    """Note that files are held which arrived at the same time; the commit is one for all.

    False for one that was withdrawn while it was on its way (L8).
    """
    now = max(one.at for one in arrived)
    withdrawn = sealed.is_withdrawn(tx, [one.sha256 for one in arrived])
    touched = files.hold_all(tx, [one for one in arrived if one.sha256 not in withdrawn])
    gradings.mark_all_stale(tx, {facility: (day_of(now), now) for facility in touched})
    return [one.sha256 not in withdrawn for one in arrived]


def _standing(ctx: Context, upload: Upload, offset: int) -> Standing:
    expires = None if offset == upload.length else ctx.now() + KEPT_MS
    return Standing(upload.sha256, offset, upload.length, upload.metadata, expires)


def _but_the_first(chunks: Iterable[bytes], skip: int) -> Iterator[bytes]:
    for chunk in chunks:
        rest = chunk[skip:]
        skip = max(skip - len(chunk), 0)
        if rest:
            yield rest
