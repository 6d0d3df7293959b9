"""A device in the laboratory: its real folder and commands; each may end anywhere."""

from __future__ import annotations

import hashlib
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import sqlcipher3
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fieldkit import capture, enrolling, evidence, signing, tracks
from fieldkit.capture import Extras, Recorder
from fieldkit.database import connect_sealed
from fieldkit.generations import settle_keys
from fieldkit.home import SEALED, Home
from fieldkit.interviews import Protection
from fieldkit.ledger import Ledger
from fieldkit.library import Library
from fieldkit.passphrase import unlock
from fieldkit.store import Store
from fieldkit.syncer import Syncer
from fieldkit.transport import HttpTransport
from fieldkit.vault import has_vault, open_vault
from sync.log import link
from sync.problems import Problem

from . import seams
from .book import Book, Place, Said, value_of
from .clock import Clock
from .power import Medium
from .process import Died, Process, Tally, nobody
from .wire import Network, Socket


class OneThread(HttpTransport):
    """The device's real client; what is in its way has only one thread, so that it answers at once
    what it would answer later.
    """

    def begin(self, request: bytes) -> Callable[[], bytes]:
        answer: Future[bytes] = Future()
        try:
            answer.set_result(self.exchange(request))
        except Problem as exc:
            answer.set_exception(exc)
        return answer.result


@dataclass(frozen=True)
class Outcome:
    """How a command ended: `returned`, `refused` with a problem, or `died`."""

    how: str
    value: Any = None
    problem: Problem | None = None


class Device:
    """One device of a story; whoever uses it is one person."""

    def __init__(
        self,
        name: str,
        person: str,
        folder: Path,
        clock: Clock,
        network: Network,
        book: Book,
        tally: Tally,
        dice: random.Random,
    ) -> None:
        self.name, self.person, self.clock, self.book = name, person, clock, book
        self.network, self.tally, self.dice = network, tally, dice
        self.home = Home(folder / name)
        self.shadow = folder / f"{name}-shadow"
        self.copies = folder / f"{name}-copies"
        self.shadow.mkdir()
        self.process = Process(f"device {name}", self.home.folder, tally)
        seams.media[self.home.folder] = Medium(self.home.folder, self.shadow)
        self.refused: list[str] = []
        self._ids: set[str] = set()
        self.copied: list[Path] = []
        # S11: passphrases that its person tries, all that there ever were, and the key that is held
        # in memory while it is unlocked.
        self.words: list[str] = []
        self.ever: list[str] = []
        self.held: bytes | None = None
        self._seen: dict[bytes, bytes] = {}
        self._make_key()

    def _make_key(self) -> None:
        """Its key, drawn from the story's seed; enrolling finds it there."""
        key = Ed25519PrivateKey.from_private_bytes(self.dice.randbytes(32))
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        self.home.folder.mkdir(mode=0o700)
        self.home.key.write_bytes(pem)
        self.home.key.chmod(0o600)

    # -- commands ---------------------------------------------------------------------------------

    def command(self, work: Callable[[Store], Any]) -> Outcome:
        """One command: opens the store as every command does, works, and ends or dies."""
        began = self.clock.world.now
        outcome = self._run(work)
        self.note(began)
        return outcome

    def on_folder(self, work: Callable[[Home], Any], *, opened: bool = True) -> Outcome:
        """A command on the folder as a whole (S11): opened with what the person knows, or not."""
        began = self.clock.world.now
        outcome = self._run(lambda _: work(self.home), store=False, opened=opened)
        self.note(began)
        return outcome

    def _open_home(self) -> Home:
        """As every command opens a home: with the key in memory, else with a passphrase."""
        folder = self.home.folder
        if not has_vault(folder):
            return Home(folder)
        if self.held is not None:
            return Home(folder, self.held)
        for words in self.words[:-1]:
            try:
                return unlock(folder, words)
            except Problem as wrong:
                if wrong.code != "passphrase-wrong":
                    raise
        return unlock(folder, self.words[-1] if self.words else "nothing that it ever was")

    def seen_home(self) -> Home:
        """The home, as the laboratory looks into it whatever its person remembers."""
        folder = self.home.folder
        with nobody():
            if not has_vault(folder):
                return Home(folder)
            sealed = folder / SEALED[0]
            salt = sealed.read_bytes()[:16] if sealed.exists() else b""
            for words in dict.fromkeys([*self.words, *self.ever]):
                if salt not in self._seen:
                    with suppress(Problem):
                        self._seen[salt] = open_vault(folder, words)
            return Home(folder, self._seen[salt])

    def _run(
        self, work: Callable[[Any], Any], *, store: bool = True, opened: bool = True
    ) -> Outcome:
        used: Store | None = None
        try:
            with self.process.running():
                self.process.touch("before the command")
                if opened:
                    self.home = self._open_home()
                used = self.home.open_store() if store else None
                value = work(used)
                self.process.touch("before the command's last word")
        except Died:
            self.bury()
            return Outcome("died")
        except Problem as refused:
            self.refused.append(refused.code)
            if used is not None:
                used.database.close()
            self.process.connections.clear()
            return Outcome("refused", problem=refused)
        if used is not None:
            used.database.close()
        self.process.connections.clear()
        return Outcome("returned", value)

    def bury(self) -> None:
        with nobody():
            seams.end(self.process, self.dice)
        self.process = Process(
            self.process.name, self.home.folder, self.tally, self.process.number + 1
        )

    def enrol(self, link: str) -> Outcome:
        invitation = enrolling.read_invitation(link)

        def work(store: Store) -> Any:
            enrolling.check_may_enrol(store, invitation)
            key = self.home.load_or_make_key()
            with self._transport(invitation.server, None) as transport:
                return enrolling.enrol(store, key, invitation, self.name, transport)

        return self.command(work)

    def sync(self) -> Outcome:
        def work(store: Store) -> Any:
            identity = store.identity()
            blobs = self.home.blobs()
            blobs.sweep()
            key = settle_keys(self.home, identity)
            with self._transport(identity.server, identity.token) as transport:
                ledger = Ledger(store.database)
                syncer = Syncer(
                    store, ledger, blobs, key, identity, transport, self.clock, home=self.home
                )
                return syncer.run()

        return self.command(work)

    @contextmanager
    def _transport(self, server: str, token: str | None) -> Iterator[HttpTransport]:
        """The device's real client, whose network is the laboratory's."""
        socket = Socket(self.network, self.process, self._known)
        before = httpx.Client._init_transport
        httpx.Client._init_transport = lambda *_, **__: socket  # type: ignore[method-assign]
        try:
            with OneThread(server, token) as transport:
                yield transport
        finally:
            httpx.Client._init_transport = before  # type: ignore[method-assign]

    def _known(self) -> tuple[str, str, str]:
        """A log and a file of this device that somebody on the way may have seen."""
        logs = self.rows("select log from lines order by rowid desc limit 1")
        files = self.rows("select sha256 from files order by rowid desc limit 1")
        log, digest = logs[0][0] if logs else "device", files[0][0] if files else "0" * 64
        return self.id, log, digest

    # -- recording --------------------------------------------------------------------------------

    def recorder(self, store: Store) -> Recorder:
        return Recorder(store, Library(store.database), store.identity(), self.clock())

    def start(self, facility: str, *, new: bool = False) -> Outcome:
        return self.command(lambda store: capture.start(self.recorder(store), facility, new=new))

    def answer(self, inspection: str, item: str, level: str, mark: str) -> Outcome:
        path = f"answers/{item}/-"
        return self._recording(
            Said(inspection, path, mark),
            lambda store: capture.answer(
                self.recorder(store), inspection, item, [level], extras=Extras(note=mark)
            ),
        )

    def observe(self, inspection: str, what: str, value: str, mark: str) -> Outcome:
        path = what if "/" in what else f"{what}/-"
        return self._recording(
            Said(inspection, f"observed/{path}", mark),
            lambda store: capture.observe(
                self.recorder(store), inspection, what, value, Extras(note=mark)
            ),
        )

    def outcome(self, inspection: str, outcome: str, mark: str) -> Outcome:
        return self._recording(
            Said(inspection, "outcome", mark),
            lambda store: capture.set_outcome(self.recorder(store), inspection, outcome, mark),
        )

    def write(self, said: Said) -> Outcome:
        """An entry in an inspection that another device began: its own log of the same one."""

        def work(store: Store) -> None:
            with store.writing(store.identity(), self.clock(), "the entry") as log:
                log.append(said.inspection, said.path, {"level": "fully", "note": said.mark})

        return self._recording(said, work)

    def write_newer(self, inspection: str, path: str, mark: str) -> Outcome:
        """An entry with a member that this version does not know, as a newer one would write it."""

        def work(store: Store) -> None:
            identity = store.identity()
            with store.writing(identity, self.clock(), "the entry") as log:
                log.append(inspection, path, {"level": "fully", "note": mark})
                seq, line = log.tx.execute(
                    "select seq, line from lines where log = ? and device = ? "
                    "order by seq desc limit 1",
                    (inspection, identity.device),
                ).fetchone()
                newer = line[:-1] + b',"mood":"calm"}'
                before = log.tx.execute(
                    "select h from lines where log = ? and device = ? and seq = ?",
                    (inspection, identity.device, seq - 1),
                ).fetchone()
                log.tx.execute(
                    "update lines set line = ?, h = ? where log = ? and device = ? and seq = ?",
                    (newer, link(before[0], newer), inspection, identity.device, seq),
                )

        done = self.command(work)
        for (device, log, seq), line in self.own_lines().items():
            if line.endswith(b',"mood":"calm"}'):
                self.book.newer.add(((device, log, seq), line))
        return done

    def attach(self, inspection: str, file: Path, item: str) -> Outcome:
        """Attach a picture or a document; its bytes count from the moment the command returns."""
        data = file.read_bytes()
        what = evidence.Attachment("photo" if file.suffix == ".jpg" else "document", "imported")

        def work(store: Store) -> Any:
            recorder = self.recorder(store)
            paths = evidence.item_paths(recorder, inspection, [item])
            said = evidence.Attachment(what.kind, what.source, paths)
            do = evidence.attach_photos if what.kind == "photo" else evidence.attach_files
            return list(do(recorder, self.home.blobs(), inspection, [file], said))

        done = self.command(work)
        if done.how == "returned" and done.value[0].state in ("attached", "changed"):
            self.book.files[hashlib.sha256(data).hexdigest()] = data
        return done

    def track(self, inspection: str, file: Path) -> Outcome:
        data = file.read_bytes()

        def work(store: Store) -> Any:
            recorder = self.recorder(store)
            what = evidence.Attachment("track", "imported")
            blobs = self.home.blobs()
            return list(tracks.take_tracks(recorder, blobs, inspection, [file], what))

        done = self.command(work)
        if done.how == "returned" and done.value[0].state in ("attached", "changed"):
            self.book.files[hashlib.sha256(data).hexdigest()] = data
        return done

    def sign_off(self, inspection: str) -> Outcome:
        def work(store: Store) -> Any:
            protection = Protection(self.home.blobs(), self.dice.shuffle)
            return signing.sign_off(self.recorder(store), inspection, protection=protection)

        return self.command(work)

    def _recording(self, said: Said, work: Callable[[Store], Any]) -> Outcome:
        done = self.command(work)
        if done.how == "returned" and (done.value is None or done.value.new):
            self.book.said.append(said)
            if not self.has(said):
                self.book.faults.append(f"lost: {said} was recorded and is not in the store")
        return done

    def has(self, said: Said) -> bool:
        return any(
            said.mark.encode() in line
            for (line,) in self.rows(
                "select line from lines where log = ? and path = ?", said.inspection, said.path
            )
        )

    # -- looking at it from outside ---------------------------------------------------------------

    @property
    def id(self) -> str:
        found = self.rows("select value from meta where name = 'device'")
        return str(found[0][0]) if found else ""

    @property
    def ids(self) -> set[str]:
        """The ids of this device's generations, as far as any store of it knew them (S3)."""
        found = self.rows(
            "select value from meta where name = 'device' "
            "union select substr(name, 8) from meta where name like 'former/%'"
        )
        self._ids |= {str(one) for (one,) in found}
        return self._ids

    @property
    def enrolled(self) -> bool:
        return bool(self.rows("select 1 from meta where name = 'token'"))

    def rows(self, sql: str, *given: Any) -> list[tuple[Any, ...]]:
        """Rows of the store, read as a stranger would; none where there is no store yet."""
        home = self.seen_home()
        path, key = home.folder / home.names[0], home.derived("store")
        with nobody():
            if not path.exists():
                return []
            try:
                opened = sqlite3.connect(path) if key is None else connect_sealed(str(path), key)
                with closing(opened) as db:
                    return db.execute(sql, given).fetchall()
            except (sqlite3.OperationalError, sqlcipher3.OperationalError):
                return []

    @property
    def ended(self) -> set[str]:
        """The ids of its generations that ended (S3)."""
        found = self.rows("select name from meta where name like 'former/%'")
        return {str(name).removeprefix("former/") for (name,) in found}

    def own_lines(self) -> dict[Place, bytes]:
        mine = self.ids
        found = self.rows("select device, log, seq, line from lines order by log, seq")
        return {(d, log, seq): bytes(line) for d, log, seq, line in found if d in mine}

    def note(self, began: int = 0) -> None:
        """Note what stands in the store now that a command has ended; and what is gone from it."""
        mine = self.own_lines()
        for place, line in mine.items():
            if line not in self.book.lines.get(place, ()):
                self._note_seen(place, line)
                self.book.when[place, line] = (began, self.clock.world.now)
            self.book.note_line(place, line)
        ids = self.ids
        for place, lines in self.book.lines.items():
            if place[0] in ids and place not in mine:
                gone = [line for line in lines if (place, line) not in self.book.forsaken]
                if gone and (place[0], place[1]) not in self.book.forks:
                    self.book.faults.append(f"lost: {place} was recorded and is not in the store")

    def _note_seen(self, place: Place, line: bytes) -> None:
        """Which entries of the same path its author can have seen: those that count in the store.

        What came in a bundle before its device was known lies aside, and stands nowhere yet (S10).
        """
        path = value_of(line).get("path")
        seen = self.rows(
            "select h from counting where log = ? and path = ? and not (device = ? and seq >= ?)",
            place[1],
            path,
            place[0],
            place[2],
        )
        self.book.saw[place, line] = frozenset(bytes(h).hex() for (h,) in seen)

    # -- its backups (S3) -------------------------------------------------------------------------

    def copy_folder(self) -> None:
        """A backup of the whole device, as people make one."""
        copy = self.copies / str(len(self.copied))
        shutil.copytree(self.home.folder, copy)
        self.copied.append(copy)

    def put_back(self, on_server: set[tuple[Place, bytes]], held: set[str]) -> None:
        """Put the oldest backup back; what only this device had since then is forsaken: lines that
        are not on the server, and files whose bytes it does not hold.
        """
        now = self.own_lines()
        mine = {sha256 for (sha256,) in self.rows("select sha256 from files")}
        shutil.rmtree(self.home.folder)
        shutil.copytree(self.copied[0], self.home.folder)
        self.words, self.held = list(self.ever), None  # it may want one of long ago
        then = self.own_lines()
        for place, line in now.items():
            if place not in then:
                self.book.forks.add((place[0], place[1]))
                if (place, line) not in on_server:
                    self.book.forsaken.add((place, line))
        left = {sha256 for (sha256,) in self.rows("select sha256 from files")}
        for sha256 in mine - left - held:
            self.book.files.pop(sha256, None)
        seams.media[self.home.folder] = Medium(self.home.folder, self.shadow)
