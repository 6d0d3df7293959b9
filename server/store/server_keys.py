"""The statements in which the server says its keys (S8), once one of them was changed."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select

from server.store.tables import server_keys
from server.store.transaction import Tx
from sync.receipt import SignedBytes


@dataclass(frozen=True, slots=True)
class KeyStatement:
    """One statement; `old_sealing` is the sealing key that it replaced, sealed to the new one."""

    number: int
    at: int
    signed: SignedBytes
    old_sealing: bytes | None


def add(tx: Tx, new: KeyStatement) -> None:
    """Store the next statement; its number is one that none has yet."""
    tx.execute(
        insert(server_keys).values(
            number=new.number,
            at=new.at,
            payload=new.signed.payload,
            signature=new.signed.signature,
            old_sealing=new.old_sealing,
        )
    )


def every(tx: Tx) -> list[KeyStatement]:
    """All statements, oldest first; none while the keys are those of the first start."""
    query = select(server_keys).order_by(server_keys.c.number)
    return [
        KeyStatement(row.number, row.at, SignedBytes(row.payload, row.signature), row.old_sealing)
        for row in tx.execute(query)
    ]
