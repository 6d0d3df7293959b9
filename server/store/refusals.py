"""What was refused of a device's sending, so that staff hear of it too (L4, S12): no lines."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update

from server.store.tables import logs, refusals, segments
from server.store.transaction import Tx

MOST = 50  # of one sender; the oldest go first


@dataclass(frozen=True, slots=True)
class Refused:
    """Segments of one log that a device sent and that were refused for the same reason.

    `sender` is the device that sent them, `device` and `log` are what they claimed to be of, empty
    where a request could not be read as a whole. `code` is the catalogue's, `said` what happened in
    its words; times are UTC milliseconds.
    """

    sender: str
    device: str
    log: str
    code: str
    said: str
    count: int
    first_at: int
    last_at: int


def note(tx: Tx, new: Refused) -> None:
    """Keep a refusal: counted where the same was refused before, else in place of the oldest."""
    same = (
        refusals.c.sender == new.sender,
        refusals.c.device == new.device,
        refusals.c.log == new.log,
        refusals.c.code == new.code,
    )
    counted = {
        "count": refusals.c.count + new.count,
        "said": new.said,
        "last_at": new.last_at,
    }
    if tx.execute(update(refusals).where(*same).values(**counted)).rowcount:
        return
    row = {name: getattr(new, name) for name in Refused.__slots__}
    tx.execute(insert(refusals).values(**row))
    oldest = (
        select(refusals.c.id)
        .where(refusals.c.sender == new.sender)
        .order_by(refusals.c.last_at.desc(), refusals.c.id.desc())
        .offset(MOST)
    )
    beyond = tx.execute(oldest).scalars().all()
    if beyond:
        tx.execute(delete(refusals).where(refusals.c.id.in_(beyond)))


def every(tx: Tx) -> list[Refused]:
    """All refusals that are kept, the latest first."""
    columns = [refusals.c[name] for name in Refused.__slots__]
    query = select(*columns).order_by(refusals.c.last_at.desc(), refusals.c.id.desc())
    return [Refused(*row) for row in tx.execute(query)]


def taken_since(tx: Tx, refused: Refused) -> bool:
    """Whether lines of the same log were taken in after the last refusal."""
    query = (
        select(segments.c.last)
        .join(logs, logs.c.id == segments.c.log)
        .where(
            logs.c.device == refused.device,
            logs.c.inspection == refused.log,
            segments.c.received_at > refused.last_at,
        )
        .limit(1)
    )
    return tx.execute(query).first() is not None
