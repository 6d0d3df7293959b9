"""Published documents: checklists, limits tables, scoring profiles, rule settings, as bytes.

None is ever changed or removed. Which one applies where on a day stands in `in_force`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select

from server.store.tables import documents
from server.store.transaction import Tx

KINDS = ("checklist", "limits", "profile", "rules")


@dataclass(frozen=True, slots=True)
class Document:
    """A published document; `digest` is the SHA-256 of `body`."""

    digest: str
    kind: str
    name: str
    version: str
    body: bytes
    published_at: int


def add(tx: Tx, document: Document) -> None:
    """Store a newly published document."""
    row = {name: getattr(document, name) for name in Document.__slots__}
    tx.execute(insert(documents).values(**row))


def by_digest(tx: Tx, digest: str) -> Document | None:
    """The document with this digest, or None."""
    row = tx.execute(select(documents).where(documents.c.digest == digest)).first()
    return None if row is None else Document(*row)


def newest(tx: Tx, kind: str, name: str) -> Document | None:
    """The document of this kind and name that was published last, or None."""
    query = (
        select(documents)
        .where(documents.c.kind == kind, documents.c.name == name)
        .order_by(documents.c.published_at.desc(), documents.c.digest)
        .limit(1)
    )
    row = tx.execute(query).first()
    return None if row is None else Document(*row)


def version(tx: Tx, kind: str, name: str, number: str) -> str | None:
    """The digest of one published version, or None."""
    query = select(documents.c.digest).where(
        documents.c.kind == kind, documents.c.name == name, documents.c.version == number
    )
    found: str | None = tx.execute(query).scalar_one_or_none()
    return found


def names(tx: Tx, kind: str) -> list[str]:
    """The names published of a kind, sorted."""
    query = select(documents.c.name).where(documents.c.kind == kind).distinct()
    return sorted(tx.execute(query).scalars())


def every(tx: Tx) -> list[Document]:
    """All published documents, by kind, name and time."""
    order = (documents.c.kind, documents.c.name, documents.c.published_at, documents.c.digest)
    return [Document(*row) for row in tx.execute(select(documents).order_by(*order))]


def as_change(tx: Tx, digest: str) -> dict[str, Any] | None:
    """A document as it travels to a device: name, version, digest and the body as text."""
    found = by_digest(tx, digest)
    if found is None:
        return None
    return {
        "name": found.name,
        "version": found.version,
        "digest": found.digest,
        "body": found.body.decode("utf-8"),
    }
