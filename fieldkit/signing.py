"""Signing off: a statement over exactly the entries that the signer had seen (L7).

What was sealed and kept aside joins the log here, in shuffled order (L8).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fieldkit.capture import Recorder
from fieldkit.glance import glance
from fieldkit.interviews import Protection, append_waiting, make_ready
from sync.hazard import acknowledgements
from sync.inspection import Inspection
from sync.log import DEVICE_LOG
from sync.problems import problem

STATEMENT = "What I recorded is what I found, to the best of my knowledge."


@dataclass(frozen=True, slots=True)
class Signed:
    """A sign-off: how many entries of how many logs it covers, and whether it is a new one.

    `protected` of them were kept aside until now.
    """

    entries: int
    logs: int
    new: bool
    protected: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the signing is: by whom, and the entries that came after the last sign-off."""

    devices: tuple[str, ...]
    after: int


def sign_off(
    recorder: Recorder, inspection: str, statement: str = "", protection: Protection | None = None
) -> Signed:
    """Sign everything of the inspection that is on this device; again only when more came since.

    With `protection`, the protected entries that waited are appended in the same transaction:
    after a crash they all wait still, or all are signed. Raises `sign-off-incomplete` when no
    outcome is recorded.
    """
    read = glance(recorder.store, inspection).inspection
    if not read.outcome.heads:
        raise problem(
            "sign-off-incomplete",
            why="it has no outcome",
            hint="Record how the visit ended, such as: fieldkit outcome visited",
        )
    device = recorder.identity.device
    ready = [] if protection is None else make_ready(protection, recorder.store, inspection)
    with recorder.store.writing(recorder.identity, recorder.now, "the sign-off") as log:
        protected = append_waiting(log, inspection, ready)
        heads = log.heads(inspection)
        if not protected and _covers(read, device, {d: (seq, h.hex()) for d, seq, h in heads}):
            return Signed(sum(seq for _, seq, _ in heads), len(heads), new=False)
        log.quote_nonce(inspection)  # before what is signed is listed, not after it
        heads = log.heads(inspection)
        logs = [{"device": d, "seq": seq, "h": h.hex()} for d, seq, h in heads]
        value = {"statement": statement or STATEMENT, "logs": logs}
        log.append(inspection, f"sign-off/{device}", value)
        # L2: the device's own log notes the heads, so that a log that vanishes is noticed.
        log.append(DEVICE_LOG, f"device/signed/{inspection}", {"logs": logs})
    return Signed(sum(seq for _, seq, _ in heads), len(heads), new=True, protected=protected)


def standing(
    entries: Mapping[str, Sequence[int]],
    read: Inspection,
    carriers: frozenset[tuple[str, int]] = frozenset(),
) -> Standing:
    """Which devices signed, and how many entries no sign-off covers; a sign-off itself aside, and
    what the office only acknowledged.

    `entries` are the positions of the entries that are here, in order, by device. `carriers` are
    entries (device, seq) that only carry others over: they say nothing new (S3).
    """
    covered: dict[str, int] = {}
    own_entries: set[tuple[str, int]] = set(carriers)
    for slot in read.sign_offs.values():
        for one in (*slot.heads, *slot.earlier):
            own_entries.add((one.written.device, one.written.seq))
            for log in one.logs:
                covered[log.device] = max(covered.get(log.device, 0), log.seq)
    own_entries |= _acknowledged(read)
    after = sum(
        len(here) - bisect_right(here, covered.get(device, 0)) for device, here in entries.items()
    )
    after -= sum(
        1
        for device, seq in own_entries
        if seq > covered.get(device, 0) and seq in entries.get(device, ())
    )
    return Standing(tuple(sorted(d for d, slot in read.sign_offs.items() if slot.heads)), after)


def _covers(read: Inspection, device: str, heads: dict[str, tuple[int, str]]) -> bool:
    """Whether this device's sign-off is its last entry and covers all that came before it."""
    slot = read.sign_offs.get(device)
    if slot is None or slot.value is None:
        return False
    signed = {log.device: log.seq for log in slot.value.logs}
    written = slot.value.written
    sign_offs = {
        (one.written.device, one.written.seq)
        for other in read.sign_offs.values()
        for one in (*other.heads, *other.earlier)
    } | _acknowledged(read)
    return (
        written.seq == heads[device][0]
        # What a colleague only signed, and the office only has seen, is nothing new to sign for.
        and all(
            (other, n) in sign_offs
            for other, (last, _) in heads.items()
            if other != device
            for n in range(signed.get(other, 0) + 1, last + 1)
        )
        and signed.get(device) == written.seq - 1
    )


def _acknowledged(read: Inspection) -> set[tuple[str, int]]:
    """Where the office says that it has seen a hazard: device and position (S7)."""
    return {(one.written.device, one.written.seq) for one in acknowledgements(read)}
