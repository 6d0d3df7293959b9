"""What waits to be sent and in which order: urgent hazards, entries, previews, then files (S7)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from fieldkit.ledger import COVERED, OFFERED, FileState
from fieldkit.store import LOGS, Identity, Store
from sync.hazard import PREFIX
from sync.session import Pending


@dataclass(frozen=True, slots=True)
class Outbox:
    """Looks at a device's store; nothing is kept here."""

    store: Store
    identity: Identity

    def urgent(self, but_not: frozenset[str] = frozenset()) -> list[Pending]:
        """The logs in which a hazard waits, each up to its last hazard: what stands before it in
        the chain must go along, what comes after it can wait. The least to be sent comes first.
        """
        found: list[Pending] = []
        for log, after, last in self.store.database.rows(
            f"{LOGS} select logs.log, {OFFERED} as offered, "  # noqa: S608 - fixed
            "(select max(+seq) from lines l where l.log = logs.log and l.device = ?1 "
            "and l.path >= ?2 and l.path < ?3) as last from logs "
            "left join acknowledged a on a.log = logs.log and a.device = ?1 "
            "where logs.log is not null and coalesce(a.state, 'held') <> 'forked' "
            "and last > offered order by last - offered, logs.log",
            (self.identity.device, PREFIX, PREFIX + "\U0010ffff"),
        ):
            if log in but_not:
                continue
            rows = self.store.database.rows(
                "select line, h from lines where log = ? and device = ? and seq > ? and seq <= ? "
                "order by seq",
                (log, self.identity.device, after, last),
            )
            lines, hashes = (tuple(column) for column in zip(*rows, strict=True))
            found.append(Pending(self.identity.device, log, after + 1, lines, hashes))
        return found

    def waiting(self, log: str | None = None) -> tuple[int, int]:
        """How many lines no receipt covers, and their bytes, of one log or of all."""
        if log is not None:
            return self._waiting_of(log)
        # From log to log, in this order: of each, only the lines that are counted are read.
        count, size = self.store.database.rows(
            f"{LOGS} select count(*), coalesce(sum(length(l.line) + 1), 0) "  # noqa: S608 - fixed
            "from logs left join acknowledged a on a.log = logs.log and a.device = ?1 "
            f"cross join lines l on l.log = logs.log and l.device = ?1 and l.seq > {COVERED}",
            (self.identity.device,),
        )[0]
        return count, size

    def _waiting_of(self, log: str) -> tuple[int, int]:
        place = log, self.identity.device
        last, covered = self.store.database.rows(
            "select coalesce((select max(seq) from lines where log = ?1 "  # noqa: S608 - fixed text
            f"and device = ?2), 0), coalesce((select {COVERED} from acknowledged a "
            "where a.log = ?1 and a.device = ?2), 0)",
            place,
        )[0]
        if covered >= last:
            return 0, 0
        return last - covered, self._bytes_up_to(place, last) - self._bytes_up_to(place, covered)

    def _bytes_up_to(self, place: tuple[str, str], seq: int) -> int:
        """The bytes of a log's lines up to a position, on from the last sum that is kept."""
        kept = self.store.database.rows(
            "select seq, bytes from sizes where log = ? and device = ? and seq <= ? "
            "order by seq desc limit 1",
            (*place, seq),
        )
        mark, size = kept[0] if kept else (0, 0)
        rest = self.store.database.rows(
            "select coalesce(sum(length(line) + 1), 0) from lines "
            "where log = ? and device = ? and seq > ? and seq <= ?",
            (*place, mark, seq),
        )
        return int(size + rest[0][0])

    def previews(self) -> frozenset[str]:
        """The digests of the small pictures that stand in for photographs on their way."""
        return frozenset(d for (d,) in self.store.database.rows("select sha256 from previews"))

    def pictures(self, files: Iterable[FileState]) -> frozenset[str]:
        """Those of the files that are photographs or their previews."""
        found = set(self.previews())
        for file in files:
            rows = self.store.database.rows(
                "select line from lines where log = ? and device = ? and path = ? "
                "order by seq desc limit 1",
                (
                    file.log,
                    self.identity.device,
                    f"evidence/{file.sha256}/{self.identity.device}",
                ),
            )
            if rows and json.loads(rows[0][0])["value"].get("kind") == "photo":
                found.add(file.sha256)
        return frozenset(found)
