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
        # From log to log, in this order: of each, only the lines that are counted are read.
        logs = LOGS if log is None else "with logs (log) as (select ?2) "
        count, size = self.store.database.rows(
            f"{logs} select count(*), coalesce(sum(length(l.line) + 1), 0) "  # noqa: S608 - fixed
            "from logs left join acknowledged a on a.log = logs.log and a.device = ?1 "
            f"cross join lines l on l.log = logs.log and l.device = ?1 and l.seq > {COVERED}",
            (self.identity.device,) if log is None else (self.identity.device, log),
        )[0]
        return count, size

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
