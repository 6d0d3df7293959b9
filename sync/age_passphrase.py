"""age files that a passphrase opens, written and read in pieces: age-encryption.org/v1, scrypt.

pyrage seals with a passphrase in memory only, and a bundle may be larger than that. What is random
is an argument. The format is that of https://c2sp.org/age; the age command reads what is written.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from sync.problems import problem

INTRO = b"age-encryption.org/v1\n"
SCRYPT = INTRO + b"-> scrypt "
WORK = 17  # scrypt's N is 2^17: 128 MB and about half a second
MOST_WORK = 18  # as the age command writes; more would be a bomb
CHUNK = 64 * 1024
TAG = 16
HEADER_BYTES = 160  # more than the header of one scrypt stanza takes

_HEADER = re.compile(
    re.escape(SCRYPT) + rb"([A-Za-z0-9+/]{22}) ([1-9][0-9]?)\n([A-Za-z0-9+/]{43})\n"
    rb"--- ([A-Za-z0-9+/]{43})\n"
)


def seal(
    passphrase: str, plain: Iterable[bytes], file_key: bytes, salt: bytes, nonce: bytes
) -> Iterator[bytes]:
    """These bytes as an age file. `file_key`, `salt` and `nonce` are 16 random bytes each."""
    wrapped = ChaCha20Poly1305(_wrap_key(passphrase, salt, WORK)).encrypt(bytes(12), file_key, None)
    header = SCRYPT + _b64(salt) + f" {WORK}\n".encode() + _b64(wrapped) + b"\n---"
    yield header + b" " + _b64(_mac(file_key, header)) + b"\n" + nonce
    cipher = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    counter, waiting = 0, bytearray()
    for piece in plain:
        waiting += piece
        while len(waiting) > CHUNK:  # the last chunk is marked, so one is always held back
            yield cipher.encrypt(_nonce(counter, last=False), bytes(waiting[:CHUNK]), None)
            del waiting[:CHUNK]
            counter += 1
    yield cipher.encrypt(_nonce(counter, last=True), bytes(waiting), None)


def unseal(passphrase: str, read: Callable[[int], bytes]) -> Iterator[bytes]:
    """The bytes of such a file; `read(n)` gives up to n bytes of it, none at its end.

    Raises `bundle-passphrase-wrong` and `bundle-altered`.
    """
    start = _read_all(read, HEADER_BYTES)
    found = _HEADER.match(start)
    if found is None:
        raise problem("bundle-altered")
    salt, work, wrapped, mac = _unb64(found[1]), int(found[2]), _unb64(found[3]), _unb64(found[4])
    if work > MOST_WORK:
        raise problem("bundle-altered")
    try:
        cipher = ChaCha20Poly1305(_wrap_key(passphrase, salt, work))
        file_key = cipher.decrypt(bytes(12), wrapped, None)
    except InvalidTag as exc:
        raise problem("bundle-passphrase-wrong") from exc
    header = start[: found.start(4) - 1]
    if not hmac.compare_digest(_mac(file_key, header), mac):
        raise problem("bundle-altered")
    rest = start[found.end() :]
    nonce = rest[:16] + _read_all(read, 16 - len(rest[:16]))
    yield from _chunks(file_key, nonce, rest[16:], read)


def _chunks(
    file_key: bytes, nonce: bytes, start: bytes, read: Callable[[int], bytes]
) -> Iterator[bytes]:
    if len(nonce) != 16:
        raise problem("bundle-altered")
    cipher = ChaCha20Poly1305(_hkdf(file_key, nonce, b"payload"))
    size = CHUNK + TAG
    counter, here = 0, start + _read_all(read, size - len(start))
    while True:
        following = _read_all(read, size) if len(here) == size else b""
        try:
            plain = cipher.decrypt(_nonce(counter, last=not following), here, None)
        except InvalidTag as exc:
            raise problem("bundle-altered") from exc
        if not plain and counter:
            raise problem("bundle-altered")  # only an empty file has an empty chunk
        yield plain
        if not following:
            return
        counter, here = counter + 1, following


def _read_all(read: Callable[[int], bytes], size: int) -> bytes:
    data = bytearray()
    while len(data) < size and (piece := read(size - len(data))):
        data += piece
    return bytes(data)


def _wrap_key(passphrase: str, salt: bytes, work: int) -> bytes:
    # OpenSSL's own limit of memory is below what this takes.
    kdf = Scrypt(b"age-encryption.org/v1/scrypt" + salt, length=32, n=1 << work, r=8, p=1)
    return kdf.derive(passphrase.encode("utf-8"))


def _mac(file_key: bytes, header: bytes) -> bytes:
    return hmac.new(_hkdf(file_key, b"", b"header"), header, hashlib.sha256).digest()


def _hkdf(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), length=32, salt=salt, info=info).derive(key)


def _nonce(counter: int, *, last: bool) -> bytes:
    return counter.to_bytes(11, "big") + bytes([last])


def _b64(raw: bytes) -> bytes:
    return base64.b64encode(raw).rstrip(b"=")


def _unb64(text: bytes) -> bytes:
    try:
        raw = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
    except binascii.Error as exc:
        raise problem("bundle-altered") from exc
    if _b64(raw) != text:  # one way of writing it only
        raise problem("bundle-altered")
    return raw
