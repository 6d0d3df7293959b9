"""A device goes on under a new key, and carries over what only it has of the old one's logs (S3).

Each step is kept before the next is taken and may be done again:

1. A new key is made, in a file beside the old one.
2. The old key signs for it, and the server gives the next generation its token and certificate.
3. The store is the next generation's; the one before is noted as ended, with lines to carry over.
4. The key files change places; the old key is kept for proof.
5. The server says how far it holds the old logs, and where that does not tell, which chain hashes
   it has; the lines beyond the beginning that both share are appended to the new generation's
   logs, all of them in one transaction.

A device that was enrolled anew because its key was lost begins at step 5; its lines are unsigned.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from marshmallow import Schema, ValidationError

from fieldkit.disk import named, settle_folder
from fieldkit.home import Home
from fieldkit.keys import load_key, load_or_make_key, public_bytes
from fieldkit.ledger import encode_key
from fieldkit.server_keys import trusted_keys
from fieldkit.store import FORMER, Identity, LogLines, Store, Writing
from sync import wire
from sync.adopted import Run, entries_for
from sync.generation import (
    GenerationAnswer,
    GenerationRequest,
    HashesAnswer,
    HashesRequest,
    HeldAnswer,
    HeldLog,
    ask_at,
    narrowed,
    prove,
    read_held,
    shared,
)
from sync.log import DEVICE_LOG, device_id, genesis, sign_head
from sync.problems import Problem, problem
from sync.receipt import SignedBytes, read_certificate

if TYPE_CHECKING:
    from fieldkit.transport import Transport


@dataclass(frozen=True, slots=True)
class Former:
    """A generation that ended; `adopted` once everything that only this device had is carried."""

    device: str
    public_key: bytes
    adopted: bool
    token: str | None


@dataclass(frozen=True, slots=True)
class OwnKey:
    """A generation of this device; `key` is None where it is lost, `certificate` is JSON."""

    device: str
    public_key: bytes
    key: Ed25519PrivateKey | None
    certificate: str | None


@dataclass(frozen=True, slots=True)
class CarriedOver:
    """How many entries of an ended generation were carried over, and whether its key signed."""

    device: str
    entries: int
    signed: bool


# -- the key and the identity ---------------------------------------------------------------------


def settle_keys(home: Home, identity: Identity) -> Ed25519PrivateKey:
    """This device's key, after the files took the places that the store says (step 4).

    Raises `key-unusable` and what moving files raises.
    """
    if (
        home.next_key.exists()
        and public_bytes(load_key(home.next_key, home.key_under)) == identity.public_key
    ):
        with named("the key", home.folder):
            if home.key.exists():
                former = device_id(public_bytes(load_key(home.key, home.key_under)))
                home.key.replace(home.former_key(former))
            home.next_key.replace(home.key)
            settle_folder(home.folder)
    return load_key(home.key, home.key_under)


def begin_generation(
    home: Home, store: Store, identity: Identity, transport: Transport
) -> Identity:
    """Steps 1 to 4; the identity that records from then on.

    Raises `key-unusable`, `answer-malformed`, `certificate-unfit` and what the transport raises.
    """
    key = load_key(home.key, home.key_under)
    public_key = public_bytes(load_or_make_key(home.next_key, home.key_under))
    given = _ask(store, transport, key, public_key)
    store.set_notes(
        **former_note(store, identity.device, identity.public_key),
        **given,
        device=device_id(public_key),
        public_key=encode_key(public_key),
    )
    now_is = store.identity()
    settle_keys(home, now_is)
    transport.go_on_as(now_is.token)
    return now_is


def rejoin(home: Home, store: Store, identity: Identity, transport: Transport) -> Identity | None:
    """Be enrolled again by a server that was put back from a backup of before this generation.

    An earlier generation that it still knows vouches for the present one. None where there is none.
    """
    for former in formers(store):
        key = _key_of(home, former)
        if key is None or former.token is None:
            continue
        transport.go_on_as(former.token)
        try:
            given = _ask(store, transport, key, identity.public_key)
        except Problem as exc:
            if exc.code not in ("token-unknown", "device-of-another"):
                raise
            continue
        store.set_notes(**given)
        transport.go_on_as(given["token"])
        return store.identity()
    transport.go_on_as(identity.token)
    return None


def _ask(
    store: Store, transport: Transport, key: Ed25519PrivateKey, public_key: bytes
) -> dict[str, str]:
    """The token and certificate of the generation with this key, as notes of the store."""
    request = {"public_key": public_key, "proof": prove(key, public_key)}
    data = transport.next_generation(GenerationRequest().dump(request))
    answer = _load(GenerationAnswer(), data)
    certificate = SignedBytes(**answer["certificate"])
    body = read_certificate(trusted_keys(store), certificate)
    told = (body.get("device"), body.get("public_key"), body.get("person"))
    if told != (device_id(public_key), encode_key(public_key), store.identity().person):
        raise problem("certificate-unfit", why="it names another device, key or person")
    return {
        "token": answer["token"],
        "certificate": json.dumps(wire.Signed().dump(certificate)),
    }


def own_keys(home: Home, store: Store) -> list[OwnKey]:
    """This device's generations, the one that records first; each with its key where it is here.

    Raises `key-unusable` where the present one's is not.
    """
    identity = store.identity()
    now = OwnKey(
        identity.device,
        identity.public_key,
        load_key(home.key, home.key_under),
        store.note("certificate"),
    )
    before = []
    for former in formers(store):
        said = json.loads(store.note(FORMER + former.device) or "{}").get("certificate")
        certificate = None if said is None else json.dumps(said)
        key = _key_of(home, former)
        before.append(OwnKey(former.device, former.public_key, key, certificate))
    return [now, *before]


def former_note(store: Store, device: str, public_key: bytes) -> dict[str, str]:
    """The note that a generation ended and that its lines are to be carried over."""
    certificate = store.note("certificate")
    said = {
        "public_key": encode_key(public_key),
        "certificate": None if certificate is None else json.loads(certificate),
        "token": store.note("token"),
        "adopted": False,
    }
    return {FORMER + device: json.dumps(said)}


def formers(store: Store) -> list[Former]:
    """The generations of this device that ended, by their ids."""
    rows = store.database.rows(
        "select name, value from meta where name >= ? and name < ? order by name",
        (FORMER, FORMER[:-1] + "0"),
    )
    found = []
    for name, value in rows:
        said = json.loads(value)
        key = base64.b64decode(said["public_key"])
        device, token = name.removeprefix(FORMER), said.get("token")
        found.append(Former(device, key, said["adopted"], token))
    return found


# -- carrying over --------------------------------------------------------------------------------


def carry_over(
    home: Home, store: Store, former: Former, transport: Transport, now: int
) -> CarriedOver:
    """Step 5: append what the server does not hold of an ended generation's logs.

    Raises `answer-malformed` and what the transport raises; then nothing was appended.
    """
    starts = _starts(store, transport, former)
    key = _key_of(home, former)
    identity = store.identity()
    count = 0
    with store.writing(identity, now, "what is carried over") as writing:
        for log in [*store.inspections(), DEVICE_LOG]:
            for lines in store.logs(log):
                if lines.device == former.device:
                    count += _carry(writing, former, lines, starts.get(log, 1), key)
        writing.tx.execute(
            "update acknowledged set state = 'adopted', problem = null where device = ?",
            (former.device,),
        )
        # Wherever the entries stand that name them, these files are still awaited.
        writing.tx.execute("update files set seq = 0 where held_at is null")
        _mark_adopted(writing, former)
    return CarriedOver(former.device, count, key is not None)


def _held(transport: Transport, former: Former) -> dict[str, HeldLog]:
    try:
        return read_held(_load(HeldAnswer(), transport.held_of(former.device)))
    except Problem as exc:
        if exc.code != "device-not-yours":
            raise
    return {}  # a server that was put back from a backup of before it was enrolled


def _starts(store: Store, transport: Transport, former: Former) -> dict[str, int]:
    """Log -> the first position that this device's copy of it does not share with the server's.

    Only hashes that the server has now say so. Receipts are of another moment than this one; where
    another copy's branch left the log says nothing of where this one did.
    """
    found = {}
    for log, held in _held(transport, former).items():
        for lines in store.logs(log):
            if lines.device == former.device:
                found[log] = 1 + _shared_with(transport, lines, held)
    return found


def _shared_with(transport: Transport, lines: LogLines, held: HeldLog) -> int:
    known = shared(lines.hashes, held)
    while not known.known:
        at = ask_at(known)
        request = HashesRequest().dump({"log": lines.log, "at": at})
        answer = _load(HashesAnswer(), transport.hashes_of(lines.device, request))
        if len(answer["h"]) != len(at):
            raise problem("answer-malformed", why="it has not one hash for each position")
        known = narrowed(known, lines.hashes, dict(zip(at, answer["h"], strict=True)))
    return known.same


def _key_of(home: Home, former: Former) -> Ed25519PrivateKey | None:
    """The ended generation's own key, if it is still here."""
    for path in (home.former_key(former.device), home.key):
        try:
            key = load_key(path, home.key_under)
        except Problem:
            continue
        if public_bytes(key) == former.public_key:
            return key
    return None


def _carry(
    writing: Writing,
    former: Former,
    lines: LogLines,
    start: int,
    key: Ed25519PrivateKey | None,
) -> int:
    carried = 0
    for run in _runs(writing, former, lines, start, key):
        for _, path, value in entries_for(run):
            writing.append_as_is(lines.log, path, value)
        carried += len(run.lines)
    return carried


def _runs(
    writing: Writing,
    former: Former,
    lines: LogLines,
    start: int,
    key: Ed25519PrivateKey | None,
) -> Iterator[Run]:
    """The lines from `start` on in runs, without those that were carried over before."""
    there = _carried_before(writing, former, lines.log)
    at = start - 1
    while at < len(lines.lines):
        end = at
        while end < len(lines.lines) and end + 1 not in there:
            end += 1
        if end > at:
            after = lines.hashes[at - 1] if at else genesis(former.public_key, lines.log)
            signature = None if key is None else sign_head(key, lines.hashes[end - 1])
            yield Run(
                former.device,
                at + 1,
                after,
                lines.lines[at:end],
                lines.hashes[at:end],
                signature,
            )
        at = end + 1


def _carried_before(writing: Writing, former: Former, log: str) -> set[int]:
    beginning = f"adopted/{former.device}/"
    rows = writing.tx.execute(
        "select path from lines where log = ? and path >= ? and path < ?",
        (log, beginning, beginning[:-1] + "0"),
    )
    return {int(path.removeprefix(beginning)) for (path,) in rows}


def _mark_adopted(writing: Writing, former: Former) -> None:
    name = FORMER + former.device
    (value,) = writing.tx.execute("select value from meta where name = ?", (name,)).fetchone()
    said = json.dumps(json.loads(value) | {"adopted": True})
    writing.tx.execute("update meta set value = ? where name = ?", (said, name))


def _load(schema: Schema, data: bytes) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = schema.load(json.loads(data))
    except ValidationError as exc:
        raise problem("answer-malformed", why=wire.faults(exc)) from exc
    except (ValueError, RecursionError) as exc:
        why = "it is not JSON; is this a sign-in page?"
        raise problem("answer-malformed", why=why) from exc
    return loaded
