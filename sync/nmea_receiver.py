"""Which sentences of a receiver make one position: a report, as gpsd 3.22 decides.

A receiver tells one position in several sentences, in an order of its own. gpsd learns which kind
of sentence ends a cycle: the one that came last before the time moved on. Until it knows, every
sentence that changes position or mode makes a report. Rules from gpsd's documentation and its test
decodes (gpsd.gitlab.io).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from sync.nmea import Sentence, as_number, whole_number
from sync.nmea_clock import ReceiverClock

NO_FIX, FIX_2D, FIX_3D = 1, 2, 3
UNKNOWN, PLAIN, DIFFERENTIAL, RTK_FIXED, RTK_FLOAT, RECKONED, TYPED, SIMULATED, PRECISE = range(9)

# gpsd's bound at 95 % for one unit of HDOP, in metres, without and with corrections.
METRES_PER_HDOP = Decimal("19")
METRES_PER_HDOP_CORRECTED = Decimal("4.75")

_MOVED = timedelta(milliseconds=9.9)

_FAA = {
    "": UNKNOWN,
    "N": UNKNOWN,
    "D": DIFFERENTIAL,
    "P": DIFFERENTIAL,
    "E": RECKONED,
    "F": RTK_FLOAT,
    "R": RTK_FIXED,
    "S": SIMULATED,
}
_QUALITY = {
    0: UNKNOWN,
    1: PLAIN,
    2: DIFFERENTIAL,
    3: PRECISE,
    4: RTK_FIXED,
    5: RTK_FLOAT,
    6: RECKONED,
    7: TYPED,
    8: SIMULATED,
}


@dataclass(slots=True)
class Fix:
    """What is known of one moment. Errors in metres: `eph` as gpsd's eph, `sigma_*` at 68 %."""

    at: datetime | None = None
    lat: Decimal | None = None
    lon: Decimal | None = None
    mode: int = 0
    status: int = UNKNOWN
    altitude: bool = False
    eph: Decimal | None = None
    sigma_lat: Decimal | None = None
    sigma_lon: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a receiver said at the end of a cycle; `epoch` numbers the moments it spoke of."""

    fix: Fix
    epoch: int

    @property
    def is_fix(self) -> bool:
        return self.fix.mode >= FIX_2D and self.fix.lat is not None


@dataclass(slots=True)
class _Heard:
    """What one sentence said: the values, and which of them are to be taken over."""

    fix: Fix = field(default_factory=Fix)
    sets: set[str] = field(default_factory=set)
    has_time: bool = False


class Receiver:
    """The state that a receiver's sentences build up; feed them in order by `take`."""

    def __init__(self) -> None:
        self.clock = ReceiverClock()
        self.epoch = 0
        self._fix, self._last, self._old = Fix(), Fix(), Fix()
        self._hdop: Decimal | None = None
        self._satellites_used = 0
        self._moment = self._moment_before = Decimal(0)
        self._last_kind = ""
        self._enders: set[str] = set()
        self._enders_known = False
        self._gga_talker = self._gga_time = self._gsa_talker = ""
        self._gsa_others = self._stuck = False
        self._readers: dict[str, tuple[int, Callable[[Sentence, _Heard], None]]] = {
            "RMC": (8, self._rmc),
            "GLL": (7, self._gll),
            "GNS": (13, self._gns),
            "GGA": (13, self._gga),
            "GSA": (18, self._gsa),
            "GBS": (7, self._gbs),
            "ZDA": (4, self._zda),
            "PGRMF": (15, self._pgrmf),
            "PGRMZ": (4, self._pgrmz),
            "PMGNST": (8, self._pmgnst),
            "PSRFEPE": (7, self._psrfepe),
        }

    # -- one sentence after the other -------------------------------------------------------------

    def take(self, sentence: Sentence) -> Report | None:
        """Hear one sentence; the report that it completes, if it does."""
        heard, kind = _Heard(), ""
        name = sentence.address if sentence.address in self._readers else sentence.address[2:]
        if name in self._readers:
            least, read = self._readers[name]
            if sentence.count >= least:
                read(sentence, heard)
                kind = name
        if not sentence.address[2:].startswith("GSA"):
            self._gsa_talker = ""
        if "time" in heard.sets and heard.fix.at is None:
            heard.fix.at = self.clock.resolve()
        self._watch_cycle(kind, heard)
        self._keep_mode(heard)
        return self._merge(heard)

    def _watch_cycle(self, kind: str, heard: _Heard) -> None:
        """Learn which kind of sentence ends a cycle, and notice when a new one begins."""
        if not heard.has_time:
            return
        if abs(self._moment - self._moment_before) > Decimal("0.01"):
            heard.sets.add("clear")
            if self._last_kind and self._last_kind not in self._enders:
                self._enders.add(self._last_kind)
                self._enders_known = True
        if kind in self._enders:
            heard.sets.add("report")
        self._last_kind = kind

    def _keep_mode(self, heard: _Heard) -> None:
        """RMC does not tell 2D from 3D: a 3D fix that is held is not made less by it."""
        with_height = self._last.altitude or self._old.altitude
        if "mode" in heard.sets and self._fix.mode == FIX_3D and with_height:
            heard.fix.mode = heard.fix.mode if heard.fix.mode == NO_FIX else FIX_3D

    def _merge(self, heard: _Heard) -> Report | None:
        new, fix, sets = heard.fix, self._fix, heard.sets
        if "clear" in sets:
            fix = self._fix = Fix()
            self.epoch += 1
        if "time" in sets:
            fix.at = new.at
        if "position" in sets:
            fix.lat, fix.lon = new.lat, new.lon
        if "mode" in sets:
            fix.mode = new.mode
        if "status" in sets:
            fix.status = max(fix.status, new.status)
        fix.altitude = fix.altitude or new.altitude
        fix.eph = new.eph if new.eph is not None else fix.eph
        if new.sigma_lat is not None:
            fix.sigma_lat, fix.sigma_lon = new.sigma_lat, new.sigma_lon
        self._estimate()
        if "report" in sets or (not self._enders_known and sets & {"position", "mode"}):
            return Report(replace(fix), self.epoch)
        return None

    def _estimate(self) -> None:
        """Check what was merged, and reckon the error where the receiver did not give one."""
        fix, last = self._fix, self._last
        if fix.at is not None and (last.at is None or abs(fix.at - last.at) > _MOVED):
            self._old = last
        lat, lon = fix.lat or Decimal(0), fix.lon or Decimal(0)
        if abs(lat) > 90 or abs(lon) > 180:
            fix.lat = fix.lon = None
        if fix.mode >= FIX_2D and fix.eph is None and self._hdop is not None:
            corrected = fix.status == DIFFERENTIAL
            fix.eph = self._hdop * (METRES_PER_HDOP_CORRECTED if corrected else METRES_PER_HDOP)
        if fix.at is not None:
            self._last = replace(fix)

    def dated(self, sentence: Sentence) -> datetime | None:
        """The time of the moment at hand, where this sentence (just taken) gives its full date."""
        kind = sentence.address[2:]
        of_this = as_number(sentence[1]) == self._moment
        return self._fix.at if kind in ("RMC", "ZDA") and of_this else None

    # -- time -------------------------------------------------------------------------------------

    def _note_moment(self, text: str, heard: _Heard) -> None:
        """A time of day takes part in finding where cycles end."""
        if text:
            self._moment_before, self._moment = self._moment, as_number(text) or Decimal(0)
            heard.has_time = True

    def _time_of_day(self, text: str, heard: _Heard) -> None:
        if text and self.clock.hear_clock(text):
            self._note_moment(text, heard)
            if self.clock.date is not None:
                heard.sets.add("time")

    def _no_time(self, heard: _Heard) -> None:
        """A receiver without time cannot be followed by cycles: report at once."""
        self.clock.forget()
        self._enders_known = False
        heard.sets |= {"report", "time"}

    # -- sentences --------------------------------------------------------------------------------

    def _rmc(self, s: Sentence, heard: _Heard) -> None:
        new, sets = heard.fix, heard.sets
        if s[2] not in ("A", "D"):
            new.mode = NO_FIX
            if not s[1] or not s[9]:
                self._no_time(heard)
            sets |= {"status", "mode"}
            return
        if (
            s[1]
            and s[9]
            and s.count > 9
            and self.clock.hear_clock(s[1])
            and self.clock.hear_date(s[9])
        ):
            sets.add("time")
            self._note_moment(s[1], heard)
        new.status = UNKNOWN
        sets |= {"mode", "status"}
        new.mode = NO_FIX
        if _position(s, 3, heard):
            new.status = DIFFERENTIAL if s[2] == "D" else PLAIN
            new.mode = FIX_3D if self._last.mode == FIX_3D else FIX_2D
        if s.count >= 12:
            new.status = _FAA.get(s[12][:1], PLAIN)
        if self._satellites_used > 3 or self._fix.altitude:
            new.mode = FIX_3D

    def _gll(self, s: Sentence, heard: _Heard) -> None:
        self._time_of_day(s[5], heard)
        new = heard.fix
        heard.sets |= {"status", "mode"}
        new.mode = NO_FIX
        if s[6] != "A" or (s.count >= 8 and s[7][:1] == "N") or not _position(s, 1, heard):
            return
        new.status = _FAA.get(s[7][:1], PLAIN) if s.count >= 8 else PLAIN
        if self._fix.altitude or self._satellites_used > 3:
            new.mode = FIX_3D
        elif self._fix.mode < FIX_2D or not self._old.altitude:
            new.mode = FIX_2D
        else:
            new.mode = 0

    def _gns(self, s: Sentence, heard: _Heard) -> None:
        self._time_of_day(s[1], heard)
        new = heard.fix
        heard.sets.add("mode")
        new.mode = NO_FIX
        if s[6][:1] in ("", "N"):
            return
        if s[13][:1] in ("U", "V"):
            heard.sets.discard("mode")
            return
        if _position(s, 2, heard):
            new.mode = FIX_2D
            if s[9]:
                new.altitude = True
                new.mode = FIX_3D if whole_number(s[7]) > 3 else FIX_2D
        self._hdop = as_number(s[8]) if s[8] else self._hdop
        new.status = _FAA.get(s[6][:1], PLAIN)
        heard.sets.add("status")

    def _gga(self, s: Sentence, heard: _Heard) -> None:
        new, sets = heard.fix, heard.sets
        talker, self._gga_talker = self._gga_talker, s.address[1:2]
        quality = whole_number(s[6]) if s[6] else -1
        if quality == 0 and not s[1]:
            self._no_time(heard)
        if quality in _QUALITY:
            new.status = _QUALITY[quality]
            sets.clear()  # as gpsd: the forced report of a receiver without time ends here
            sets.add("status")
        self._stuck = (not talker or talker == self._gga_talker) and s[1] == self._gga_time
        if self._stuck:
            new.status = UNKNOWN
            sets.add("status")
        else:
            self._gga_time = s[1]
        self._time_of_day(s[1], heard)
        satellites = whole_number(s[7])
        new.mode = NO_FIX
        sets.add("mode")
        if _position(s, 2, heard):
            new.mode = FIX_2D
            if s[9]:
                new.altitude = True
                new.mode = FIX_3D if satellites >= 4 else FIX_2D
            if satellites < 3:
                new.mode = NO_FIX
        self._hdop = as_number(s[8]) if s[8] else self._hdop

    def _gsa(self, s: Sentence, heard: _Heard) -> None:
        talker, before = s.address[1:2], self._gsa_talker
        if not self._stuck:
            heard.fix.mode = whole_number(s[2])
            if not s[2].startswith("E"):
                heard.sets.add("mode")
            if s.count <= 19:
                self._hdop = as_number(s[16]) if s[16] else self._hdop
            if not before or (talker == before and talker != "N"):
                self._satellites_used = 0
            self._gsa_talker = talker
            self._gsa_others = self._gsa_others or talker in tuple("ABDILNQZ")
            self._satellites_used += sum(whole_number(s[i]) > 0 for i in range(3, s.count - 3))
        if self._gsa_others and talker == "P":
            heard.sets.clear()
        elif before != "N" and talker == "N":
            heard.sets.add("mode")

    def _gbs(self, s: Sentence, heard: _Heard) -> None:
        self._note_moment(s[1], heard)
        if self.clock.is_at(s[1]):
            heard.fix.sigma_lat, heard.fix.sigma_lon = as_number(s[2]), as_number(s[3])

    def _zda(self, s: Sentence, heard: _Heard) -> None:
        if not (s[1] and s[2] and s[3] and s[4]) or not self.clock.hear_clock(s[1]):
            return
        day, month, year = whole_number(s[2]), whole_number(s[3]), whole_number(s[4])
        if self.clock.hear_full_date(day, month, year):
            heard.sets.add("time")

    def _pgrmf(self, s: Sentence, heard: _Heard) -> None:
        """Garmin: a fix with the full date, and the leap seconds that the receiver knows of."""
        if s[5][:1].isdecimal():
            self.clock.leap_seconds = whole_number(s[5])
        if self.clock.hear_clock(s[4]) and self.clock.hear_date(s[3]):
            heard.sets.add("time")
        if s[10] == "A":
            _position(s, 6, heard)
            mode = {"0": NO_FIX, "1": FIX_2D, "2": FIX_3D}.get(s[11][:1])
            if mode is not None:
                heard.fix.mode = mode
                heard.sets.add("mode")

    def _pgrmz(self, s: Sentence, heard: _Heard) -> None:
        """Garmin: altitude and mode."""
        heard.fix.altitude = s[2][:1] == "f" and bool(s[1])
        if s[3][:1] in ("1", "2", "3"):
            heard.fix.mode = int(s[3][:1])
            heard.sets.add("mode")

    def _pmgnst(self, s: Sentence, heard: _Heard) -> None:
        """Magellan: mode."""
        mode = whole_number(s[3])
        heard.fix.mode = mode if s[4][:1] == "T" and mode in (FIX_2D, FIX_3D) else NO_FIX
        heard.sets.add("mode")

    def _psrfepe(self, s: Sentence, heard: _Heard) -> None:
        """SiRF: estimated errors, of an unstated kind."""
        heard.sets.add("status")
        self._time_of_day(s[1], heard)
        if s[2] == "A":
            self._hdop = as_number(s[3]) if s[3] else self._hdop
            heard.fix.eph = as_number(s[4])


def _position(s: Sentence, first: int, heard: _Heard) -> bool:
    """ddmm.mmmm,N,dddmm.mmmm,E from field `first` on; degrees to 1e-9, as gpsd writes them."""
    lat, lon = _degrees(s[first], s[first + 1], "S"), _degrees(s[first + 2], s[first + 3], "W")
    if lat is None or lon is None:
        return False
    heard.fix.lat, heard.fix.lon = lat, lon
    heard.sets.add("position")
    return True


def _degrees(text: str, side: str, negative: str) -> Decimal | None:
    number = as_number(text)
    if number is None or not side or "." not in text:
        return None
    degrees = number // 100
    value = (degrees + (number - degrees * 100) / 60).quantize(Decimal("1e-9"))
    return -value if side[0] == negative else value
