"""Reading bundles on a device (S10): what the office answered, and what colleagues handed over.

Each part is kept, checked, before the next is looked at, and reading the same bundle again changes
nothing: a bundle that is cut or damaged leaves what stood before the damage, and nothing wrong.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldkit.blobs import Blobs
from fieldkit.bundle_file import made_for_in_name
from fieldkit.bundle_sealing import PERSON_KEY, known_keys
from fieldkit.carried import answered_at, keep_document, take_answer, take_receipt
from fieldkit.confirmed import UNCONFIRMED
from fieldkit.ledger import Ledger
from fieldkit.received import BytesOnTheirWay, named_here
from fieldkit.server_keys import trusted_keys
from fieldkit.shared import take_lines
from fieldkit.store import Identity, Store
from sync import wire
from sync.bundle import Opening
from sync.bundle_reader import (
    BundleReader,
    Certificate,
    Event,
    FileBegins,
    FileBytes,
    FileEnds,
    GivenAnswer,
    GivenReceipt,
    Lines,
    SaidKeys,
    SealingKey,
    Skipped,
)
from sync.extract import extract_from_json
from sync.problems import Problem, problem
from sync.receipt import SignedBytes, certified_key, read_receipt
from sync.sealing_key import read_sealing_key
from sync.session import read_answer
from sync.unseal import unseal


@dataclass(slots=True)
class Taken:
    """What one bundle brought that was not here before. `said` are troubles that stop nothing.

    `unconfirmed` are those entries of its inspections that wait for the office's word (S9).
    """

    opening: Opening | None = None
    receipts: int = 0
    changes: int = 0
    keys: int = 0
    lines: int = 0
    unconfirmed: int = 0
    files: int = 0
    said: list[Problem] = field(default_factory=list)
    skipped: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Taking:
    """The reading of one bundle on this device."""

    store: Store
    ledger: Ledger
    blobs: Blobs
    identity: Identity
    taken: Taken = field(default_factory=Taken)
    trusted: tuple[bytes, ...] = ()  # the server's receipt keys, of now and of before
    answered: int = 0  # S5: changes from before what is here already are not taken
    _logs: set[str] = field(default_factory=set)
    _file: BytesOnTheirWay | None = None
    _keys: dict[str, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """Take one part in; raises what makes the whole bundle unusable."""
        if isinstance(event, Opening):
            self.taken.opening = event
            self.trusted = trusted_keys(self.store)
            self.answered = answered_at(self.store.database)
        elif isinstance(event, SaidKeys):
            self._server_keys(event)
        else:
            self._take(event)

    def _server_keys(self, event: SaidKeys) -> None:
        """S8: a key that was changed meanwhile signed what follows. What does not follow from the
        pinned key, or is older than what is known, says nothing.
        """
        with suppress(Problem):
            self.ledger.take_keys(self.identity, event.statements)
        self.trusted = trusted_keys(self.store)

    def _not_ours(self) -> Problem:
        return problem("bundle-other-server", server=self.identity.server_name)

    def _take(self, event: Event) -> None:
        if self.taken.opening is None or self.taken.opening.server_key not in self.trusted:
            raise self._not_ours()
        if isinstance(event, Certificate):
            self._certificate(event)
        elif isinstance(event, SealingKey):
            self._sealing_key(event)
        elif isinstance(event, GivenReceipt):
            self._receipt(event.signed)
        elif isinstance(event, GivenAnswer):
            self._answer(event.body)
        elif isinstance(event, Lines):
            self._lines(event)
        elif isinstance(event, FileBegins):
            self._file = BytesOnTheirWay(self.blobs, event, named_here(self.store, event.sha256))
        elif isinstance(event, FileBytes) and self._file is not None:
            self._file.write(event.data)
        elif isinstance(event, FileEnds) and self._file is not None:
            self.taken.files += self._file.end(event)
            self._file = None
        elif isinstance(event, Skipped):
            self.taken.skipped[event.kind] = self.taken.skipped.get(event.kind, 0) + 1

    def _certificate(self, event: Certificate) -> None:
        known = certified_key(self.trusted, event.device, event.signed)
        self._keys[event.device] = known
        if event.device != self.identity.device:
            keep_document(self.store.database, "certificate", event.device, _signed(event.signed))

    def _lines(self, event: Lines) -> None:
        """A colleague's lines, kept after proof; what does not verify is told and stops nothing."""
        try:
            run = extract_from_json(json.loads(event.body))
            self._logs.add(run.log)
            with self.store.database.write("what a colleague handed over") as tx:
                self.taken.lines += take_lines(tx, self.identity, run)
        except (ValueError, RecursionError) as exc:
            raise problem("bundle-malformed", why=f"a run of lines: {exc}") from exc
        except Problem as exc:
            if exc.code not in ("lines-unproved", "lines-unfit", "lines-unknown-device"):
                raise
            self.taken.said.append(exc)

    def end(self) -> None:
        """Forget the file that is on its way, if there is one, and count what waits."""
        if self._file is not None:
            self._file.drop()
        self.taken.unconfirmed = sum(
            1 for log in self._logs for *_, why in self.store.waiting(log) if why == UNCONFIRMED
        )

    def _sealing_key(self, event: SealingKey) -> None:
        known = self._keys.get(event.device)
        if known is None or event.device == self.identity.device:
            return
        recipient = read_sealing_key(known[0], event.signed)
        body = {
            "recipient": recipient,
            "person": known[1].get("person"),
            "person_name": known[1].get("person_name"),
        }
        if keep_document(self.store.database, PERSON_KEY, event.device, body):
            self.taken.keys += 1

    def _receipt(self, signed: SignedBytes) -> None:
        receipt = read_receipt(self.trusted, signed)
        try:
            self.taken.receipts += take_receipt(self.store.database, self.identity, signed, receipt)
        except Problem as exc:
            if exc.code != "receipt-unfit":
                raise
            self.taken.said.append(exc)

    def _answer(self, body: bytes) -> None:
        answer = read_answer(body)
        if answer.now > self.answered and take_answer(self.ledger, self.identity, answer):
            self.taken.changes += len(answer.changes)


def read_bundle(store: Store, blobs: Blobs, path: Path, passphrase: str | None) -> Taken:
    """Read one bundle. Raises what unsealing and reading raise; what came before stays taken."""
    identity = store.identity()
    taking = Taking(store, Ledger(store.database), blobs, identity)
    try:
        read_file(path, taking.take, identities=known_keys(store), passphrase=passphrase)
    finally:
        taking.end()
    return taking.taken


def read_file(path: Path, take: Any, *, identities: Any = (), passphrase: str | None) -> None:
    """Open a sealed file and hand over its parts; raises what is wrong with it."""
    reader = BundleReader()

    def feed(data: bytes) -> None:
        for event in reader.feed(data):
            take(event)

    try:
        with path.open("rb") as file:
            hint = made_for_in_name(path)
            unseal(
                file,
                feed,
                identities=identities,
                passphrase=passphrase,
                name=path.name,
                hint=hint,
            )
    except OSError as exc:
        why = exc.strerror or str(exc)
        raise problem("file-unreadable", name=path.name, why=why) from exc
    reader.close()


def _signed(signed: SignedBytes) -> dict[str, Any]:
    dumped: dict[str, Any] = wire.Signed().dump(signed)
    return dumped
