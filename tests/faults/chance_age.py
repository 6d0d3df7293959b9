"""age with a story's own chance: keys and seals are drawn from its seed, so that it tells again.

Only what is random is replaced. What is written is age's format for X25519 keys (c2sp.org/age), and
the product opens it with pyrage as always.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pyrage
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from pyrage import x25519

import fieldkit.bundle_sealing
import fieldkit.forgotten
import fieldkit.sealing
from sync.age_passphrase import CHUNK, INTRO, _b64, _hkdf, _mac, _nonce

from . import seams

_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_INFO = b"age-encryption.org/v1/X25519"


class Identity:
    """Where the product makes an age key, it gets one of the story's."""

    from_str = staticmethod(x25519.Identity.from_str)

    @staticmethod
    def generate() -> Any:
        return key_of(seams.chance.randbytes(32))


def key_of(raw: bytes) -> Any:
    """The age identity with these 32 bytes."""
    return x25519.Identity.from_str(_bech32("age-secret-key-", raw).upper())


def encrypt(plain: bytes, recipients: Sequence[Any]) -> bytes:
    out: list[bytes] = []
    _seal([plain], out.append, recipients)
    return b"".join(out)


def encrypt_io(reader: Any, writer: Any, recipients: Sequence[Any]) -> None:
    _seal(iter(lambda: reader.read(CHUNK), b""), writer.write, recipients)


def _seal(pieces: Any, write: Any, recipients: Sequence[Any]) -> None:
    file_key, nonce = seams.chance.randbytes(16), seams.chance.randbytes(16)
    stanzas = b"".join(_stanza(file_key, _raw(str(one))) for one in recipients)
    header = INTRO + stanzas + b"---"
    write(header + b" " + _b64(_mac(file_key, header)) + b"\n" + nonce)
    cipher = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    counter, waiting = 0, bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > CHUNK:
            write(cipher.encrypt(_nonce(counter, last=False), bytes(waiting[:CHUNK]), None))
            del waiting[:CHUNK]
            counter += 1
    write(cipher.encrypt(_nonce(counter, last=True), bytes(waiting), None))


def _stanza(file_key: bytes, recipient: bytes) -> bytes:
    own = X25519PrivateKey.from_private_bytes(seams.chance.randbytes(32))
    public = own.public_key().public_bytes_raw()
    shared = own.exchange(X25519PublicKey.from_public_bytes(recipient))
    key = _hkdf(shared, public + recipient, _INFO)
    wrapped = ChaCha20Poly1305(key).encrypt(bytes(12), file_key, None)
    return b"-> X25519 " + _b64(public) + b"\n" + _b64(wrapped) + b"\n"


# -- bech32 (BIP 173), as age writes its keys -----------------------------------------------------


def _raw(recipient: str) -> bytes:
    letters = [_LETTERS.index(one) for one in recipient.lower().rpartition("1")[2]][:-6]
    return bytes(_regrouped(letters, 5, 8))[:32]


def _bech32(prefix: str, raw: bytes) -> str:
    data = _regrouped(raw, 8, 5)
    before = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = _polymod([*before, *data, *[0] * 6]) ^ 1
    data = [*data, *((check >> 5 * (5 - n)) & 31 for n in range(6))]
    return f"{prefix}1" + "".join(_LETTERS[one] for one in data)


def _regrouped(values: Sequence[int], have: int, want: int) -> list[int]:
    bits = "".join(f"{one:0{have}b}" for one in values)
    bits += "0" * (-len(bits) % want)
    return [int(bits[at : at + want], 2) for at in range(0, len(bits), want)]


def _polymod(values: Sequence[int]) -> int:
    check = 1
    for value in values:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for n, mask in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= mask if top >> n & 1 else 0
    return check


# Where the product draws what age needs.
SWAPS: tuple[tuple[Any, str, Any], ...] = (
    (pyrage, "encrypt", encrypt),
    (pyrage, "encrypt_io", encrypt_io),
    (fieldkit.sealing, "encrypt", encrypt),
    (fieldkit.sealing, "encrypt_io", encrypt_io),
    (
        fieldkit.sealing,
        "x25519",
        SimpleNamespace(Identity=Identity, Recipient=x25519.Recipient),
    ),
    (fieldkit.bundle_sealing, "AgeIdentity", Identity),
    (fieldkit.forgotten, "AgeIdentity", Identity),
)
