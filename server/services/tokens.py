"""Tokens that come out the same for the same request, so that asking twice ends none (S2, S8).

A device that did not get the answer asks again, and its first request may arrive after the second.
What is given depends on the server's key and on what was asked alone, and lies nowhere.
"""

from __future__ import annotations

import base64

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server.context import Context


def token_for(ctx: Context, *asked: str) -> str:
    """The token that answers this request: 256 bits as URL-safe text (HKDF-SHA256, RFC 5869)."""
    info = "\n".join(("tapak token v1", *asked)).encode()
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=info)
    raw = kdf.derive(ctx.key.private_bytes_raw())
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
