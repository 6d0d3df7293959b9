"""Signing off: a statement over exactly the entries that the signer had seen (L7).

What was sealed and kept aside joins the log here, in shuffled order (L8).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fieldkit.capture import Recorder
from fieldkit.confirmed import not_counted
from fieldkit.glance import glance
from fieldkit.interviews import Protection, append_waiting, make_ready
from sync.inspection import MOST_LEFT_OUT, Inspection, SignedLog
from sync.log import DEVICE_LOG, MAX_INTEGER
from sync.problems import problem
from sync.ranges import Ranges, count_in, holds, less, together
from sync.ruling import office_words

STATEMENT = "What I recorded is what I found, to the best of my knowledge."


@dataclass(frozen=True, slots=True)
class Signed:
    """A sign-off: how many entries of how many logs it covers, and whether it is a new one.

    `protected` of them were kept aside until now. `without` is how many entries stand among those
    covered that do not count here (S9): they are not signed.
    """

    entries: int
    logs: int
    new: bool
    protected: int = 0
    without: int = 0


@dataclass(frozen=True, slots=True)
class Standing:
    """How far the signing is: by whom, and the entries that count and no sign-off covers.

    `lacking` says, by the device that signed, how many entries its sign-off covers that do not
    count any more: while that is so, nothing counts as signed by it (L7).
    """

    devices: tuple[str, ...]
    after: int
    lacking: Mapping[str, int] = field(default_factory=dict)


def sign_off(
    recorder: Recorder, inspection: str, statement: str = "", protection: Protection | None = None
) -> Signed:
    """Sign everything of the inspection that counts on this device; again only when something else
    counts since.

    With `protection`, the protected entries that waited are appended in the same transaction:
    after a crash they all wait still, or all are signed. Raises `sign-off-incomplete` when no
    outcome is recorded, or where too much in between does not count.
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
        aside = not_counted(log.rows, inspection)
        signing = _logs(log.heads(inspection), inspection, aside)
        if not protected and _covers(read, device, signing, aside):
            return _signed(signing, new=False)
        log.quote_nonce(inspection)  # before what is signed is listed, not after it
        signing = _logs(log.heads(inspection), inspection, aside)
        heads = [{"device": one.device, "seq": one.seq, "h": one.h} for one in signing]
        logs = [
            {**head, "without": [list(pair) for pair in one.without or ()]}
            for head, one in zip(heads, signing, strict=True)
        ]
        value = {"statement": statement or STATEMENT, "logs": logs}
        log.append(inspection, f"sign-off/{device}", value)
        # L2: the device's own log notes the heads, so that a log that vanishes is noticed.
        log.append(DEVICE_LOG, f"device/signed/{inspection}", {"logs": heads})
    return _signed(signing, new=True, protected=protected)


def _logs(
    heads: Sequence[tuple[str, int, bytes]], inspection: str, aside: Mapping[str, Ranges]
) -> list[SignedLog]:
    """What a sign-off over these logs covers; raises `sign-off-incomplete` where it is too torn."""
    found = [
        SignedLog(
            device, inspection, seq, h.hex(), less(aside.get(device, ()), ((seq, MAX_INTEGER),))
        )
        for device, seq, h in heads
    ]
    torn = sum(len(one.without or ()) for one in found)
    if torn > MOST_LEFT_OUT:
        raise problem(
            "sign-off-incomplete",
            why=f"in {torn} places entries in between do not count; {MOST_LEFT_OUT} can be named",
            hint="Ask your office to rule on what is set aside, then sync and sign.",
        )
    return found


def _signed(logs: Sequence[SignedLog], *, new: bool, protected: int = 0) -> Signed:
    entries = sum(count_in(one.covered) for one in logs)
    without = sum(count_in(one.without or ()) for one in logs)
    return Signed(entries, len(logs), new, protected, without)


def standing(
    entries: Mapping[str, Sequence[int]],
    read: Inspection,
    carriers: frozenset[tuple[str, int]] = frozenset(),
    aside: Mapping[str, Ranges] = {},
) -> Standing:
    """Which devices signed, and how many entries no sign-off covers; a sign-off itself aside, and
    what the office only acknowledged or ruled out.

    `entries` are the positions of the entries that are here and count, in order, by device.
    `carriers` are entries (device, seq) that only carry others over: they say nothing new (S3).
    `aside` are the positions that do not count, or not yet.
    """
    covered: dict[str, Ranges] = {}
    lacking: Counter[str] = Counter()
    for signer, slot in read.sign_offs.items():
        for log in (log for one in slot.heads for log in one.logs):
            covered[log.device] = together(covered.get(log.device, ()), log.covered)
            lacking[signer] += _lacks(log, aside.get(log.device, ()))
    after = sum(
        len(here) - sum(_within(here, *one) for one in covered.get(device, ()))
        for device, here in entries.items()
    )
    after -= sum(
        1
        for device, seq in _nothing_new(read) | carriers
        if not holds(covered.get(device, ()), seq) and seq in entries.get(device, ())
    )
    signed = tuple(sorted(d for d, slot in read.sign_offs.items() if slot.heads))
    return Standing(signed, after, {signer: n for signer, n in lacking.items() if n})


def _within(here: Sequence[int], first: int, last: int) -> int:
    return bisect_right(here, last) - bisect_left(here, first)


def _lacks(log: SignedLog, aside: Ranges) -> int:
    """How many entries are signed in a log that do not count any more, as far as it says."""
    if log.without is None:
        return 0
    return count_in(log.covered) - count_in(less(log.covered, aside))


def _nothing_new(read: Inspection) -> frozenset[tuple[str, int]]:
    """(device, seq) of every sign-off, those that were replaced too, and of the office's word that
    it has seen a hazard (S7) or ruled an answer out: none is anything to sign for.
    """
    offs = (one for slot in read.sign_offs.values() for one in (*slot.heads, *slot.earlier))
    said = [*(one.written for one in offs), *office_words(read)]
    return frozenset((written.device, written.seq) for written in said)


def _covers(
    read: Inspection, device: str, logs: Sequence[SignedLog], aside: Mapping[str, Ranges]
) -> bool:
    """Whether this device's sign-off is its last entry and covers what there is, no more and no
    less.
    """
    slot = read.sign_offs.get(device)
    value = None if slot is None else slot.value
    if value is None or (device, value.written.seq) not in {(log.device, log.seq) for log in logs}:
        return False
    if any(_lacks(log, aside.get(log.device, ())) for log in value.logs):
        return False
    signed = {log.device: log.covered for log in value.logs}
    news = {log.device: less(log.covered, signed.get(log.device, ())) for log in logs}
    # What a colleague only signed is nothing new to sign for, and this sign-off itself neither.
    nothing_new = _nothing_new(read)
    return sum(map(count_in, news.values())) <= len(nothing_new) and all(
        (other, n) in nothing_new
        for other, ranges in news.items()
        for first, last in ranges
        for n in range(first, last + 1)
    )
