"""Drives the conversation of sync.session over a transport until both sides have what they need.

Every step is kept before the next is taken, and may be done again: ended anywhere, it goes on from
what is in the store. Rules cited: S1, S2, S3, S4, S5, S7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fieldkit import decisions, show
from fieldkit.blobs import Blobs
from fieldkit.generations import (
    CarriedOver,
    begin_generation,
    carry_over,
    formers,
    rejoin,
    settle_keys,
)
from fieldkit.home import Home
from fieldkit.ledger import Ledger, Refusal
from fieldkit.office_copy import keep_office_copy
from fieldkit.outbox import Outbox
from fieldkit.sealed_bundles import ask_after_bundles, drop_left
from fieldkit.server_keys import known_number, trusted_keys
from fieldkit.shared import retry_not_taken
from fieldkit.store import Identity, Store
from fieldkit.transport import Transport
from fieldkit.withdrawn import drop_withdrawn
from sync.log import Segment, sign_head
from sync.nonce import read_nonce
from sync.problems import Problem, problem
from sync.receipt import read_receipt
from sync.sealed import WITHDRAWN
from sync.session import Answer, Pending, Request, plan_segments, read_answer, write_request

PIECE_BYTES = 64_000  # of a file, after each of which progress is told

# What a server says about one file does not keep the others from being sent.
_ONE_FILE = frozenset(
    (
        "file-not-named",
        "file-digest",
        "file-too-large",
        "file-missing",
        "file-unreadable",
        "sealed-key-destroyed",
        "upload-busy",
        "upload-offset",
        "upload-taken-over",
        "upload-too-long",
        "upload-unknown",
    )
)


@dataclass(slots=True)
class Report:
    """What one run did; it stands also when the run was cut short. Bytes are those of files."""

    requests: int = 0
    lines_sent: int = 0
    files_sent: int = 0
    bytes_sent: int = 0
    changes: int = 0
    lines_taken: int = 0  # of colleagues, on shared inspections
    restored: bool = False  # the server began a new epoch: everything was offered to it again (S5)
    not_sent: dict[str, Problem] = field(default_factory=dict)
    kept_back: set[str] = field(default_factory=set)  # photographs, where none were to be sent
    new_key: bool = False  # its log had forked: it goes on as a new generation (S3)
    carried: list[CarriedOver] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """Progress: what is under way, and the bytes of files sent and to be sent in this run."""

    doing: str
    done: int = 0
    total: int = 0


class Load(NamedTuple):
    """What one request carries, and whether lines remain after it."""

    segments: tuple[Segment, ...]
    more: bool

    def fits(self, device: str, goes_on_after: Mapping[str, int], but_not: frozenset[str]) -> bool:
        """Whether each log still is this device's and goes on where it does here (S2)."""
        first: dict[str, int] = {}
        for segment in self.segments:
            if segment.device != device or segment.inspection in but_not:
                return False
            first.setdefault(segment.inspection, segment.first)
        goes_on = (goes_on_after.get(log, 0) + 1 == begins for log, begins in first.items())
        return bool(first) and all(goes_on)


@dataclass(slots=True)
class Syncer:
    """One run: everything it needs, given. `now` is the device's clock in UTC milliseconds."""

    store: Store
    ledger: Ledger
    blobs: Blobs
    key: Ed25519PrivateKey
    identity: Identity
    transport: Transport
    now: Callable[[], int]
    tell: Callable[[Step], None] = lambda step: None
    photos: bool = True  # without, photographs and their previews wait for a better link
    report: Report = field(default_factory=Report)
    home: Home | None = None  # where the keys are, for going on under a new one (S3)
    _tried: set[str] = field(default_factory=set)  # a file is sent once in a run
    _made: Load | None = None  # what may go next

    def run(self) -> Report:
        """Exchange until nothing waits that can go; then what waits is said by the ledger.

        Raises the transport's problems, `answer-malformed`, `receipt-signature`, `receipt-unfit`,
        `nonce-unfit`, and what going on as a new generation raises.
        """
        drop_withdrawn(self.store, self.blobs)  # an earlier run may have ended just before
        drop_left(self.store, self.blobs)
        self._keep_way_back()
        if retry_not_taken(self.store.database, self.now()):
            self.ledger.forget_cursor()
        told: frozenset[str] = frozenset()  # logs refused in this run: sent once, not for ever
        before, rejoined = None, False
        while True:
            try:
                self._settle()
                answer, more = self._exchange(told)
            except Problem as exc:
                if exc.code != "token-unknown" or rejoined or not self._rejoin():
                    raise
                rejoined = True
                continue
            refused = {r.log for r in self.ledger.refusals()}
            mine = [s for s in answer.logs if s.device == self.identity.device]
            told |= {s.log for s in mine if s.state in ("forked", "refused")} & refused
            # S7: entries first; what they name is asked for again once the last of them is there.
            pending = more or bool(self.ledger.unfinished(self.identity, told))
            waiting = pending or self._offers()
            if not waiting:
                self._send_files([d for d in answer.missing if d not in self._tried])
            left = self._left(answer, waiting)
            self._keep_way_back()
            if self._unsettled():
                told, before = frozenset(), None  # the logs of another key, from here on
            elif left is None or left == before:
                self._ask_after_bundles()
                return self.report
            else:
                before = left

    def refusals(self) -> list[Refusal]:
        """The logs that the server did not take, from this run or an earlier one."""
        return self.ledger.refusals()

    def _left(self, answer: Answer, waiting: bool) -> tuple[object, ...] | None:
        """What another exchange would be about, or None; the same twice is no progress."""
        waits = self.report.not_sent.keys() | self.report.kept_back
        awaited = [d for d in self.ledger.awaited(self.identity) if d not in waits]
        if not (waiting or answer.more or awaited):
            return None
        # A gap tells where to go on: then less is known to be there, though as much is covered.
        reached = self.ledger.reached(self.identity)
        offered = tuple(decisions.waiting(self.store.database))
        return (reached, tuple(awaited), answer.cursor, self.report.files_sent, offered)

    def _offers(self) -> bool:
        """S5: whether officers' decisions wait to be offered to a server that was restored."""
        return bool(decisions.offered(self.store.database, self.identity).segments)

    def _ask_after_bundles(self) -> None:
        """S11, S4: what was sealed into a bundle is held safely when a receipt says so."""
        place = self.store, self.identity, self.key, self.transport
        ask_after_bundles(*place, self.now())

    def _keep_way_back(self) -> None:
        """S11: the office's copy of the data key is for its key, and this device, of today."""
        if self.home is not None:
            keep_office_copy(self.home, self.store)

    # -- going on under a new key (S3) ------------------------------------------------------------

    def _unsettled(self) -> bool:
        """Whether a log forked, or lines of an ended generation are to be carried over."""
        if self.home is None:
            return False
        waits = any(not former.adopted for former in formers(self.store))
        return waits or self.ledger.forked(self.identity)

    def _rejoin(self) -> bool:
        """Whether a server that lost this generation knows it again through an earlier one."""
        if self.home is None:
            return False
        found = rejoin(self.home, self.store, self.identity, self.transport)
        self.identity = found or self.identity
        return found is not None

    def _settle(self) -> None:
        """Go on as a new generation where that is needed, and carry over what only this has."""
        if self.home is None or not self._unsettled():
            return
        if self.ledger.forked(self.identity):
            self.tell(Step("going on under a new key"))
            self.identity = begin_generation(self.home, self.store, self.identity, self.transport)
            self.key = settle_keys(self.home, self.identity)
            self.report.new_key = True
        for former in formers(self.store):
            if not former.adopted:
                self.tell(Step("carrying over what was recorded under the key before"))
                done = carry_over(self.home, self.store, former, self.transport, self.now())
                self.report.carried.append(done)

    # -- one exchange (S1) ------------------------------------------------------------------------

    def _exchange(self, told: frozenset[str]) -> tuple[Answer, bool]:
        # S7: a hazard goes before all else, in a small request that asks for no receipts of files.
        urgent = self._outbox.urgent(told)
        segments, more = self._planned(urgent) if urgent else self._load(told)
        lines = sum(len(s.lines) for s in segments)
        size = lines + sum(sum(map(len, s.lines)) for s in segments)
        what = "sending an urgent hazard" if urgent else f"sending {lines} entries"
        self.tell(Step(f"{what} ({show.size(size)})" if lines else "asking for changes"))
        offer = decisions.Offer()
        if not (urgent or more):
            offer = decisions.offered(self.store.database, self.identity)
        request = Request(
            self.identity.device,
            self.store.note("cursor"),
            () if urgent else tuple(self.ledger.awaited(self.identity)),
            segments + offer.segments,
            self.now(),
            self.ledger.wants_nonce(self.now()),
            known_number(self.store),
            offer.certificates,
        )
        answer = read_answer(self._answer_to(request, told, more))
        # S8: a server that changed its key says so before anything that the new one signed.
        if answer.keys:
            self.ledger.take_keys(self.identity, answer.keys)
        trusted = trusted_keys(self.store)
        receipt = None if answer.receipt is None else read_receipt(trusted, answer.receipt)
        nonce = None if answer.nonce is None else read_nonce(trusted, answer.nonce)
        before, _ = self.ledger.reached(self.identity)
        shared = any(change.kind == "lines" for change in answer.changes)
        others = self.ledger.colleague_lines(self.identity) if shared else 0
        self.report.restored |= self.ledger.take(
            self.identity, answer, receipt, self.now(), request.at, nonce
        )
        if shared:
            self.report.lines_taken += self.ledger.colleague_lines(self.identity) - others
        self.report.requests += 1
        if any(change.kind == WITHDRAWN for change in answer.changes):
            drop_withdrawn(self.store, self.blobs)
        self.report.changes += len(answer.changes)
        self.report.lines_sent += max(self.ledger.reached(self.identity)[0] - before, 0)
        return answer, more

    def _planned(self, pending: Iterable[Pending]) -> Load:
        return Load(*plan_segments(pending, lambda head: sign_head(self.key, head)))

    def _load(self, told: frozenset[str]) -> Load:
        """What the next request carries: made while the one before was on its way, where the answer
        was what that took for granted.
        """
        made, self._made = self._made, None
        if made is not None:
            there = self.ledger.goes_on_after(self.identity)
            if made.fits(self.identity.device, there, told):
                return made
        return self._planned(self.ledger.pending(self.identity, told))

    def _answer_to(self, request: Request, told: frozenset[str], more: bool) -> bytes:
        body = write_request(request)
        try:
            if not more:
                return self.transport.exchange(body)
            # While the server works: what goes next, if all of this is acknowledged.
            answer = self.transport.begin(body)
            behind = {s.inspection: s.first + len(s.lines) - 1 for s in request.segments}
            self._made = self._planned(self.ledger.pending(self.identity, told, behind))
            return answer()
        except Problem as exc:
            if exc.code != "cursor-malformed" or request.cursor is None:
                raise
        # A cursor only marks how far one has read: without it, everything comes anew.
        self.ledger.forget_cursor()
        without = replace(request, cursor=None)
        return self.transport.exchange(write_request(without))

    # -- files (S4, S7) ---------------------------------------------------------------------------

    @property
    def _outbox(self) -> Outbox:
        return Outbox(self.store, self.identity)

    def _send_files(self, missing: list[str]) -> None:
        """S7: previews, then the files themselves, the smallest first."""
        if not missing:
            return
        asked = frozenset(missing)
        here = [f for f in self.ledger.files() if f.sha256 in asked]
        if not self.photos:
            self.report.kept_back |= self._outbox.pictures(here) & asked
        sizes = {f.sha256: f.size for f in here if f.sha256 not in self.report.kept_back}
        previews = self._outbox.previews()
        wanted = sorted(sizes, key=lambda d: (d not in previews, sizes[d], d))
        total, done = sum(sizes.values()), 0
        for n, sha256 in enumerate(wanted, start=1):
            what = "preview" if sha256 in previews else "file"
            doing = f"sending {what} {n} of {len(wanted)}"
            self.tell(Step(doing, done, total))
            self._send_file(sha256, sizes[sha256], Step(doing, done, total))
            done += sizes[sha256]

    def _send_file(self, sha256: str, size: int, step: Step) -> None:
        self._tried.add(sha256)
        try:
            held = self.blobs.size(sha256)
            if held is None:
                raise problem("file-missing", name=str(self.blobs.path(sha256)))
            if held != size:
                why = f"it has {held} bytes, not {size}"
                raise problem("file-unreadable", name=str(self.blobs.path(sha256)), why=why)
            self.transport.send_file(sha256, size, partial(self._told, sha256, step))
        except Problem as exc:
            if exc.code not in _ONE_FILE:
                raise
            self.report.not_sent[sha256] = exc
            return
        self.ledger.mark_sent(sha256, self.now())
        self.report.files_sent += 1
        self.report.bytes_sent += size

    def _told(self, sha256: str, step: Step, start: int) -> Iterator[bytes]:
        done = step.done + start
        for chunk in self.blobs.chunks(sha256, start):
            for at in range(0, len(chunk), PIECE_BYTES):
                piece = chunk[at : at + PIECE_BYTES]
                yield piece
                done += len(piece)
                self.tell(Step(step.doing, done, step.total))
