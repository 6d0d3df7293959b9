"""Opening sealed files (S10): for a key, with a passphrase, and whatever else comes."""

from __future__ import annotations

import io

import pyrage
import pytest
from pyrage.x25519 import Identity

from sync import age_passphrase
from sync.problems import Problem
from sync.unseal import unseal

MINE, OTHER = Identity.generate(), Identity.generate()
PASSPHRASE = "five made-up words ยา"
RANDOM = (b"f" * 16, b"s" * 16, b"n" * 16)
SIZES = (0, 1, 65_535, 65_536, 65_537, 131_072, 200_000)


@pytest.fixture(autouse=True)
def quick_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """The work factor does not matter here, and half a second would."""
    monkeypatch.setattr(age_passphrase, "WORK", 10)


def opened(data: bytes, **given: object) -> bytes:
    out: list[bytes] = []
    unseal(io.BytesIO(data), out.append, **given)  # type: ignore[arg-type]
    return b"".join(out)


def sealed(plain: bytes) -> bytes:
    pieces = [plain[at : at + 1000] for at in range(0, len(plain), 1000)]
    return b"".join(age_passphrase.seal(PASSPHRASE, pieces, *RANDOM))


@pytest.mark.parametrize("size", SIZES)
def test_what_a_passphrase_seals_it_opens_and_so_does_any_age_program(size: int) -> None:
    """S10"""
    plain = bytes(n % 251 for n in range(size))
    data = sealed(plain)
    assert opened(data, passphrase=PASSPHRASE) == plain
    assert pyrage.passphrase.decrypt(data, PASSPHRASE) == plain


@pytest.mark.parametrize("size", SIZES)
def test_what_is_sealed_to_a_key_is_opened_with_it(size: int) -> None:
    plain = bytes(n % 251 for n in range(size))
    data = pyrage.encrypt(plain, [MINE.to_public()])
    assert opened(data, identities=[OTHER, MINE]) == plain


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


PLAIN = b"made up " * 20_000
TO_KEY = pyrage.encrypt(PLAIN, [MINE.to_public()])


def test_one_byte_changed_anywhere_is_named() -> None:
    """S10: and nothing of the piece that it is in is handed on."""
    with_words = sealed(PLAIN)
    for data, key in ((TO_KEY, {"identities": [MINE]}), (with_words, {"passphrase": PASSPHRASE})):
        for at in (*range(0, 190, 7), 1000, 70_000, len(data) - 1):
            out: list[bytes] = []
            with pytest.raises(Problem) as raised:
                unseal(io.BytesIO(flipped(data, at)), out.append, **key)  # type: ignore[arg-type]
            assert raised.value.code.startswith("bundle-")
            assert PLAIN.startswith(b"".join(out))


def test_a_file_that_is_cut_short_is_named() -> None:
    for data, key in (
        (TO_KEY, {"identities": [MINE]}),
        (sealed(PLAIN), {"passphrase": PASSPHRASE}),
    ):
        for at in (30, 150, 170, 200, 70_000, len(data) - 1):
            with pytest.raises(Problem, match="bundle-"):
                opened(data[:at], **key)


def test_a_file_for_another_key_says_so_and_for_whom_it_was_made() -> None:
    """S10"""
    with pytest.raises(Problem) as raised:
        opened(TO_KEY, identities=[OTHER], hint=" Its name says it is for the office.")
    assert raised.value.code == "bundle-for-another"
    assert "for the office" in raised.value.happened


def test_what_a_passphrase_opens_asks_for_it_and_takes_no_other() -> None:
    with pytest.raises(Problem, match="bundle-passphrase-needed"):
        opened(sealed(b"x"), identities=[MINE])
    with pytest.raises(Problem, match="bundle-passphrase-wrong"):
        opened(sealed(b"x"), passphrase="four made-up words")


@pytest.mark.parametrize("data", [b"", b"PK\3\4", b"age-encryption.org/v2\n", b"x" * 100_000])
def test_what_is_not_sealed_is_named(data: bytes) -> None:
    with pytest.raises(Problem, match="bundle-not-sealed"):
        opened(data, identities=[MINE])


def test_a_passphrase_that_would_take_all_memory_is_not_tried() -> None:
    """S12: scrypt's work factor is the writer's to choose."""
    bomb = sealed(b"x").replace(b" 10\n", b" 30\n", 1)
    with pytest.raises(Problem, match="bundle-altered"):
        opened(bomb, passphrase=PASSPHRASE)


@pytest.mark.parametrize("size", [100, 200_000])
def test_what_the_reader_says_passes_through_unchanged_and_ends_the_reading(size: int) -> None:
    class UnforeseenError(Exception):
        pass

    given: list[bytes] = []

    def take(data: bytes) -> None:
        given.append(data)
        raise UnforeseenError

    with pytest.raises(UnforeseenError):
        unseal(io.BytesIO(pyrage.encrypt(bytes(size), [MINE.to_public()])), take, identities=[MINE])
    assert len(given) == 1
