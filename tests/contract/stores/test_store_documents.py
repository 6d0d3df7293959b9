"""Published documents, on each database."""

from __future__ import annotations

from typing import Any

from store_rows import EVERY_BYTE, IN_BYTE_ORDER, NOW, digest

from server.store import documents
from server.store.db import Database
from server.store.documents import Document, Published


def a_document(name: str, version: str, **changes: Any) -> Document:
    given = {"kind": "checklist", "body": f"{name} {version}".encode(), "published_at": NOW}
    given |= changes
    return Document(
        digest((given["kind"], name, version)),
        given["kind"],
        name,
        version,
        given["body"],
        given["published_at"],
    )


def add(db: Database, *new: Document) -> None:
    db.write(lambda tx: [documents.add(tx, one) for one in new])


def test_a_document_is_found_by_its_digest_with_its_bytes(db: Database) -> None:
    new = a_document("rare-earth", "1", body=EVERY_BYTE)
    add(db, new)
    with db.read() as tx:
        assert documents.by_digest(tx, new.digest) == new
        assert type(documents.by_digest(tx, new.digest).body) is bytes
        assert documents.by_digest(tx, digest("no such")) is None


def test_the_newest_of_a_kind_and_name_applies(db: Database) -> None:
    old, new = a_document("r", "2"), a_document("r", "10", published_at=NOW + 1)
    add(db, new, old, a_document("r", "99", kind="limits", published_at=NOW + 9))
    with db.read() as tx:
        assert documents.newest(tx, "checklist", "r") == new
        assert documents.newest(tx, "checklist", "s") is None


def test_of_two_published_in_one_millisecond_the_same_one_applies_every_time(
    db: Database,
) -> None:
    both = sorted((a_document("r", "1"), a_document("r", "2")), key=lambda one: one.digest)
    add(db, *reversed(both))
    with db.read() as tx:
        assert documents.newest(tx, "checklist", "r") == both[0]


def test_a_version_is_found_by_its_number(db: Database) -> None:
    one = a_document("r", "1.0")
    add(db, one)
    with db.read() as tx:
        assert documents.version(tx, "checklist", "r", "1.0") == one.digest
        assert documents.version(tx, "checklist", "r", "1") is None
        assert documents.version(tx, "limits", "r", "1.0") is None


def test_names_come_once_each_in_byte_order(db: Database) -> None:
    add(db, *(a_document(name, v) for name in reversed(IN_BYTE_ORDER) for v in ("1", "2")))
    with db.read() as tx:
        assert documents.names(tx, "checklist") == list(IN_BYTE_ORDER)
        assert documents.names(tx, "limits") == []


def test_all_documents_come_by_kind_name_and_time(db: Database) -> None:
    wanted = [
        a_document("Zulu", "1"),
        a_document("alpha", "9"),
        a_document("alpha", "10", published_at=NOW + 1),
        a_document("alpha", "1", kind="limits"),
    ]
    add(db, *reversed(wanted))
    with db.read() as tx:
        assert documents.every(tx) == wanted
        assert documents.published(tx) == [
            Published(one.digest, one.kind, one.name, one.version, one.published_at)
            for one in wanted
        ]


def test_a_document_travels_with_its_body_as_text(db: Database) -> None:
    new = a_document("r", "1", body="สวัสดี\n".encode())
    add(db, new)
    with db.read() as tx:
        assert documents.as_change(tx, new.digest) == {
            "name": "r",
            "version": "1",
            "digest": new.digest,
            "body": "สวัสดี\n",
        }
        assert documents.as_change(tx, digest("no such")) is None
