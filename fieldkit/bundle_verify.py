"""What is in a bundle, and what of it verifies (S10); nothing is kept, no enrolment needed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sync.bundle import Opening
from sync.bundle_reader import (
    Certificate,
    Event,
    FileEnds,
    GivenAnswer,
    GivenReceipt,
    Lines,
    SaidKeys,
    SealingKey,
    Skipped,
)
from sync.extract import Hole, extract_from_json, verify_extract
from sync.log import Head, Segment, genesis, verify_chain
from sync.problems import Problem, problem
from sync.receipt import Keys, certified_key, read_receipt
from sync.sealing_key import read_sealing_key
from sync.server_keys import receipt_keys
from sync.session import read_answer


@dataclass(slots=True)
class LogFound:
    """One log as it is in the bundle: so many entries, so many of them withheld."""

    log: str
    device: str
    head: Head
    withheld: int = 0


@dataclass(slots=True)
class Found:
    """Everything that is inside; `faults` are what does not verify, in plain words."""

    opening: Opening | None = None
    people: dict[str, str] = field(default_factory=dict)  # device -> the person it is certified for
    logs: dict[tuple[str, str], LogFound] = field(default_factory=dict)
    files: int = 0
    file_bytes: int = 0
    receipts: int = 0
    changes: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    _keys: dict[str, bytes] = field(default_factory=dict)
    _server_keys: tuple[bytes, ...] = ()

    def look(self, event: Event) -> None:
        """Look at one part; what is wrong with it becomes a fault."""
        try:
            self._look(event)
        except Problem as exc:
            self.faults.append(exc.happened)

    def _look(self, event: Event) -> None:
        if isinstance(event, Opening):
            self.opening = event
        elif isinstance(event, SaidKeys):
            # S8: what follows from the key that the bundle opens with, whichever that is.
            self._server_keys = receipt_keys(self._first_key, event.statements)
        elif isinstance(event, Certificate):
            self._certificate(event)
        elif isinstance(event, SealingKey):
            read_sealing_key(self._key(event.device), event.signed)
        elif isinstance(event, Segment):
            self._segment(event)
        elif isinstance(event, Lines):
            self._lines(event)
        elif isinstance(event, GivenReceipt):
            read_receipt(self._server_key, event.signed)
            self.receipts += 1
        elif isinstance(event, GivenAnswer):
            self.changes += len(read_answer(event.body).changes)
        elif isinstance(event, FileEnds):
            self.files += 1
            self.file_bytes += event.size
            if not event.fits:
                self.faults.append(f"The file {event.sha256[:12]} has other bytes than its digest.")
        elif isinstance(event, Skipped):
            self.skipped[event.kind] = self.skipped.get(event.kind, 0) + 1

    @property
    def _first_key(self) -> bytes:
        assert self.opening is not None  # noqa: S101 - it comes first, or nothing does
        return self.opening.server_key

    @property
    def _server_key(self) -> Keys:
        return self._server_keys or self._first_key

    def _certificate(self, event: Certificate) -> None:
        public_key, body = certified_key(self._server_key, event.device, event.signed)
        self._keys[event.device] = public_key
        self.people[event.device] = str(body.get("person_name", ""))

    def _key(self, device: str) -> bytes:
        if device not in self._keys:
            raise problem("certificate-unfit", why=f"none came for the device {device[:12]}")
        return self._keys[device]

    def _log(self, log: str, device: str) -> LogFound:
        start = Head(0, genesis(self._key(device), log))
        return self.logs.setdefault((log, device), LogFound(log, device, start))

    def _segment(self, segment: Segment) -> None:
        found = self._log(segment.inspection, segment.device)
        hashes = verify_chain(self._key(segment.device), found.head, segment)
        found.head = Head(found.head.seq + len(hashes), hashes[-1])

    def _lines(self, event: Lines) -> None:
        found = self._log(event.log, event.device)
        try:
            extract = extract_from_json(json.loads(event.body))
        except (ValueError, RecursionError) as exc:
            raise problem("bundle-malformed", why=f"a run of lines: {exc}") from exc
        hashes = verify_extract(
            self._key(event.device),
            self._server_key,
            found.head,
            extract,
            holed=found.withheld > 0,
        )
        found.head = Head(found.head.seq + len(hashes), hashes[-1])
        found.withheld += sum(1 for row in extract.rows if isinstance(row, Hole))
