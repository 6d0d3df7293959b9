"""Which files entries name, which bytes are held, and for whom they answer as held (S4, S6)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, delete, insert, select

from server.store.tables import file_names, file_scopes, files, inspections
from server.store.transaction import Tx


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that an entry of an inspection names."""

    sha256: str
    inspection: str
    device: str
    person: str
    media_type: str
    kind: str


@dataclass(frozen=True, slots=True)
class ArrivedFile:
    """Verified bytes that are stored: their digest and number, who sent them, and when (UTC ms)."""

    sha256: str
    size: int
    person: str
    at: int


# Statements of the way in are put together once: that costs more than running them.
_NAMED = select(file_names.c.sha256, file_names.c.inspection, file_names.c.device).where(
    file_names.c.sha256.in_(bindparam("digests", expanding=True))
)
_NAME = insert(file_names)
_IS_NAMED_BY = (
    select(file_names.c.sha256)
    .where(file_names.c.sha256 == bindparam("sha256"), file_names.c.person == bindparam("person"))
    .limit(1)
)
_NAMED_PAIRS = select(file_names.c.person, file_names.c.sha256).where(
    file_names.c.person.in_(bindparam("people", expanding=True)),
    file_names.c.sha256.in_(bindparam("digests", expanding=True)),
)
_HELD_PAIRS = select(file_scopes.c.person, file_scopes.c.sha256).where(
    file_scopes.c.person.in_(bindparam("people", expanding=True)),
    file_scopes.c.sha256.in_(bindparam("digests", expanding=True)),
)
_SIZE_HELD_FOR = (
    select(files.c.size)
    .join(file_scopes, file_scopes.c.sha256 == files.c.sha256)
    .where(files.c.sha256 == bindparam("sha256"), file_scopes.c.person == bindparam("person"))
)
_HELD = select(files.c.sha256).where(files.c.sha256.in_(bindparam("digests", expanding=True)))
_HOLD = insert(files)
_HOLD_FOR = insert(file_scopes)
_TOUCHES = (
    select(inspections.c.facility)
    .join(file_names, file_names.c.inspection == inspections.c.id)
    .where(
        file_names.c.sha256.in_(bindparam("digests", expanding=True)),
        inspections.c.facility.is_not(None),
    )
    .distinct()
    .order_by(inspections.c.facility)
)

PersonFile = tuple[str, str]  # person, SHA-256
_AT_ONCE = 500  # digests in one question


def name_files(tx: Tx, named: Iterable[NamedFile]) -> None:
    """Remember the files that new entries name; naming one again changes nothing."""
    wanted: dict[tuple[str, str, str], NamedFile] = {}
    for one in named:
        wanted.setdefault((one.sha256, one.inspection, one.device), one)
    for some in _portions(key[0] for key in wanted):
        for row in tx.execute(_NAMED, {"digests": some}):
            wanted.pop(tuple(row), None)
    if wanted:
        rows = [{f: getattr(one, f) for f in NamedFile.__slots__} for one in wanted.values()]
        tx.execute(_NAME, rows)


def is_named_by(tx: Tx, sha256: str, person: str) -> bool:
    """Whether an acknowledged entry of this person names the file."""
    return tx.execute(_IS_NAMED_BY, {"sha256": sha256, "person": person}).first() is not None


def held_pairs(tx: Tx, asked: Collection[PersonFile]) -> set[PersonFile]:
    """Those of the pairs whose file answers as held within that person's own scope (S6)."""
    return _pairs(tx, _HELD_PAIRS, asked)


def named_pairs(tx: Tx, asked: Collection[PersonFile]) -> set[PersonFile]:
    """Those of the pairs whose file an acknowledged entry of that person names."""
    return _pairs(tx, _NAMED_PAIRS, asked)


def size_held_for(tx: Tx, person: str, sha256: str) -> int | None:
    """The bytes of a file that answers as held within this person's own scope (S6), else None."""
    asked = {"sha256": sha256, "person": person}
    return tx.execute(_SIZE_HELD_FOR, asked).scalar_one_or_none()


def is_held_for(tx: Tx, sha256: str, person: str) -> bool:
    """Whether the file answers as held within this person's own scope (S6)."""
    return size_held_for(tx, person, sha256) is not None


def _pairs(tx: Tx, query: Select[Any], asked: Collection[PersonFile]) -> set[PersonFile]:
    people = sorted({person for person, _ in asked})
    found: set[PersonFile] = set()
    for some in _portions(sha256 for _, sha256 in asked):
        found.update(
            (row[0], row[1]) for row in tx.execute(query, {"people": people, "digests": some})
        )
    return found.intersection(asked)


def _portions(digests: Iterable[str]) -> Iterator[list[str]]:
    wanted = sorted(set(digests))
    for at in range(0, len(wanted), _AT_ONCE):
        yield wanted[at : at + _AT_ONCE]


def hold(tx: Tx, sha256: str, size: int, person: str, now: int) -> list[str]:
    """Note that verified bytes are held for this person; return the facilities this touches."""
    return hold_all(tx, [ArrivedFile(sha256, size, person, now)])


def hold_all(tx: Tx, arrived: Sequence[ArrivedFile]) -> list[str]:
    """`hold` for files that arrived together; return the facilities they touch, sorted."""
    new = {one.sha256: one for one in reversed(arrived)}
    scopes = {(one.person, one.sha256): one for one in reversed(arrived)}
    touched: set[str] = set()
    for some in _portions(new):
        for sha256 in tx.execute(_HELD, {"digests": some}).scalars():
            del new[sha256]
        touched.update(tx.execute(_TOUCHES, {"digests": some}).scalars())
    for pair in held_pairs(tx, scopes):
        del scopes[pair]
    if new:
        tx.execute(
            _HOLD,
            [{"sha256": o.sha256, "size": o.size, "held_at": o.at} for o in new.values()],
        )
    if scopes:
        tx.execute(
            _HOLD_FOR,
            [{"sha256": o.sha256, "person": o.person, "at": o.at} for o in scopes.values()],
        )
    return sorted(touched)


def let_go(tx: Tx, digests: Iterable[str]) -> None:
    """Count these files as held no more; what entries name of them is missing from then on."""
    for sha256 in digests:
        tx.execute(delete(file_scopes).where(file_scopes.c.sha256 == sha256))
        tx.execute(delete(files).where(files.c.sha256 == sha256))


def naming(tx: Tx, sha256: str) -> list[NamedFile]:
    """Who names a file, and as what."""
    query = (
        select(file_names)
        .where(file_names.c.sha256 == sha256)
        .order_by(file_names.c.inspection, file_names.c.device)
    )
    return [NamedFile(*row) for row in tx.execute(query)]


def held_of(tx: Tx, device: str) -> list[str]:
    """The digests that a device's entries name and that are held for its person, in their order."""
    query = (
        select(file_names.c.sha256)
        .join(
            file_scopes,
            (file_scopes.c.sha256 == file_names.c.sha256)
            & (file_scopes.c.person == file_names.c.person),
        )
        .where(file_names.c.device == device)
        .distinct()
        .order_by(file_names.c.sha256)
    )
    return list(tx.execute(query).scalars())


def names_in(tx: Tx, inspection: str) -> list[NamedFile]:
    """The files that an inspection's entries name, in digest order."""
    query = (
        select(file_names)
        .where(file_names.c.inspection == inspection)
        .order_by(file_names.c.sha256, file_names.c.device)
    )
    return [NamedFile(*row) for row in tx.execute(query)]
