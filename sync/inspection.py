"""What an inspection says: typed values read from a merged state. Dataclasses, all frozen.

Decimal numbers are kept as the strings that were recorded; positions are WGS 84, latitude first,
in degrees; accuracies are radii in metres at 95 %; times are UTC milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sync.log import Unread
from sync.ranges import Ranges, less

LEVELS = ("fully", "substantially", "partially", "does-not-meet")
SPECIALS = ("not-applicable", "not-observed", "refused")
OUTCOMES = ("visited", "partly", "refused-at-the-gate", "unsafe-and-left", "evacuated")
SOURCES = ("taken-here", "imported", "aerial", "scan")
KINDS = ("photo", "document", "sample", "interview", "track")
MODES = ("live", "training")
SIGNS = ("yes", "no", "unsure")
TRACK_SOURCES = ("recorded", "imported")
MOST_PREVIEW = 64_000  # bytes of the small picture that may go before a photograph (S7)
MOST_LEFT_OUT = 1000  # ranges of entries that a sign-off may leave out, of all its logs (L7)

_DECIMAL = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?\Z")


@dataclass(frozen=True, slots=True)
class Written:
    """Where a value comes from: the entry that wrote it, and by whom.

    `signed` is False where nobody signed it at the source; `adopted` says that another
    generation of the device carried it (S3); `named` is another person than the
    device's whom the entry names (S9).
    """

    device: str
    seq: int
    h: str
    at: int
    by: str
    signed: bool = True
    named: str = ""
    adopted: bool = False

    @property
    def office(self) -> bool:
        """Whether it stands in a log that the server keeps for an account (S9)."""
        return not self.signed and not self.adopted


@dataclass(frozen=True, slots=True)
class Fix:
    """A position as it was measured: degrees WGS 84 as decimal strings, accuracy in metres.

    `at` is when it was measured, by the device's clock; `mock` is set where the device's system
    said that a program made the position up.
    """

    lat: str
    lon: str
    accuracy_m: str | None = None
    at: int | None = None
    source: str = "typed"
    mock: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """One measured value of one analyte, with its expanded uncertainty in the same unit."""

    analyte: str
    value: str
    uncertainty: str | None
    unit: str
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class About:
    facility: str
    checklist: str
    purpose: str
    mode: str
    fix: Fix | None
    written: Written


@dataclass(frozen=True, slots=True)
class Outcome:
    outcome: str
    note: str
    fix: Fix | None
    written: Written


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to one item at one instance: a level, or readings, or a special answer."""

    item: str
    instance: str
    level: str | None
    special: str | None
    readings: tuple[Reading, ...]
    reason: str
    second: str | None
    note: str
    evidence: tuple[str, ...]
    fix: Fix | None
    checklist: str
    written: Written


@dataclass(frozen=True, slots=True)
class Observed:
    """Something seen, not scored: `value` is a sign (yes, no, unsure) or a decimal string.

    `uncertainty` is a number's expanded one, in the same unit, None where it was not stated.
    """

    what: str
    instance: str
    value: str
    unit: str
    note: str
    evidence: tuple[str, ...]
    fix: Fix | None
    written: Written
    uncertainty: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A file that a device attached; `items` are `item/instance` paths that it supports.

    `preview` is the digest of a small picture of it that may arrive sooner: for looking at, never
    evidence; empty where there is none.
    """

    sha256: str
    device: str
    kind: str
    source: str
    media_type: str
    size: int
    name: str
    taken_at: int | None
    fix: Fix | None
    items: tuple[str, ...]
    note: str
    written: Written
    preview: str = ""


@dataclass(frozen=True, slots=True)
class SignedLog:
    """A log as a sign-off names it: up to the entry `seq`, which has the chain hash `h` (L7).

    `without` are the positions before it that did not count for the signer; None where the sign-off
    does not say, as those of earlier versions do not.
    """

    device: str
    inspection: str
    seq: int
    h: str
    without: Ranges | None = None

    @property
    def covered(self) -> Ranges:
        """The positions of the entries that are signed."""
        return less(((1, self.seq),), self.without or ())


@dataclass(frozen=True, slots=True)
class SignOff:
    """A statement over exactly these entries of these logs (L7)."""

    device: str
    statement: str
    logs: tuple[SignedLog, ...]
    written: Written


@dataclass(frozen=True, slots=True)
class TrackPoint:
    """One position of a track: degrees WGS 84 as decimal strings, accuracy in metres.

    `at` is the receiver's time (UTC milliseconds), None where it gave none; `device_at` is the
    device's own clock at that moment, a claim (L9).
    """

    at: int | None
    lat: str
    lon: str
    accuracy_m: str | None = None
    device_at: int | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """A part of a way: points in their order, and where a line through them must be broken.

    `source` is recorded (by this device) or imported (from the file with the digest `file`).
    `segments` are the indices of points at which a new segment begins; where 0 is not among them,
    the first point goes on from the last one of the part before it (the same file and device,
    n - 1). `thinned_from` is how many points there were before some were left out, else None.
    """

    device: str
    n: int
    source: str
    file: str
    points: tuple[TrackPoint, ...]
    segments: tuple[int, ...]
    thinned_from: int | None
    written: Written


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A ciphertext that a sealed entry names: the SHA-256 and the number of its bytes."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed entry from outside (L8): its payload, the key to it, files, and for whom it is.

    `to` are fingerprints of the safeguarding keys that open it.
    """

    id: str
    payload: SealedFile
    key: SealedFile
    files: tuple[SealedFile, ...]
    to: tuple[str, ...]
    written: Written

    @property
    def size(self) -> int:
        """How many bytes of ciphertext hold what was said, in all; the key left out."""
        return self.payload.size + sum(one.size for one in self.files)


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Somebody has seen an urgent hazard as these entries of it (chain hashes) tell it (S7)."""

    hazard: str
    heads: frozenset[str]
    reason: str
    written: Written


@dataclass(frozen=True, slots=True)
class Ruling:
    """An adverse answer with too little evidence is ruled out as it was shown (scoring rule 3).

    `heads` are the chain hashes of the answers at that place; `files` and `evidence` are digests
    of the files that were ever named for it, and of what was known of them (ADR 24).
    """

    item: str
    instance: str
    heads: frozenset[str]
    files: str
    evidence: str
    reason: str
    written: Written


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slot(Generic[T]):
    """What stands at one path: readable heads (latest first), earlier values, unread lines.

    `overruled` are those of the earlier ones that are still a person's last word in a disagreement.
    """

    heads: tuple[T, ...]
    earlier: Sequence[T] = ()
    unread: tuple[Unread, ...] = ()
    overruled: tuple[T, ...] = ()

    @property
    def conflict(self) -> bool:
        return len(self.heads) + len(self.unread) > 1

    @property
    def value(self) -> T | None:
        """The one value, or None when there is a conflict or a newer version is needed."""
        return self.heads[0] if len(self.heads) == 1 and not self.unread else None


@dataclass(frozen=True, slots=True)
class Inspection:
    """A merged inspection, read. Answers and observations are keyed by (id, instance), tracks by
    `device/n`, acknowledgements by (hazard, id), rulings by (item, instance, id).
    """

    id: str
    about: Slot[About]
    outcome: Slot[Outcome]
    answers: Mapping[tuple[str, str], Slot[Answer]]
    observed: Mapping[tuple[str, str], Slot[Observed]]
    evidence: Mapping[tuple[str, str], Slot[Evidence]]
    sign_offs: Mapping[str, Slot[SignOff]]
    tracks: Mapping[str, Slot[Track]]
    unread: tuple[Unread, ...] = ()
    conflicts: tuple[str, ...] = field(default=())
    sealed: Mapping[str, Slot[Sealed]] = field(default_factory=dict)
    acknowledged: Mapping[tuple[str, str], Slot[Acknowledged]] = field(default_factory=dict)
    rulings: Mapping[tuple[str, str, str], Slot[Ruling]] = field(default_factory=dict)

    @property
    def begun(self) -> About | None:
        """What was said first of what it is about, by the clocks of those who said it; a later word
        may stand there since. None where nothing says it.
        """
        said = (*self.about.heads, *self.about.earlier)
        return min(said, key=lambda one: (one.written.at, one.written.h), default=None)

    def evidence_for(self, item: str, instance: str = "-") -> list[Evidence]:
        """Evidence that names the item, or that the answer at that place names; newest last."""
        named: set[str] = set()
        slot = self.answers.get((item, instance))
        if slot is not None:
            named = {d for answer in slot.heads for d in answer.evidence}
        wanted = {f"{item}/{instance}", f"{item}/-"}
        found = [
            head
            for one in self.evidence.values()
            for head in one.heads
            if head.sha256 in named or wanted & set(head.items)
        ]
        return sorted(found, key=lambda e: (e.written.at, e.sha256, e.device))


def is_decimal(text: object) -> bool:
    """Whether `text` is a decimal string as measured values are written (L3)."""
    return isinstance(text, str) and _DECIMAL.match(text) is not None
