"""Short identifiers drawn from the context's randomness."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

from server.context import Context


def letters(ctx: Context, length: int) -> str:
    """So many random base32 characters in lower case (5 bits each; at most 50)."""
    digest = hashlib.sha256(ctx.token(32).encode()).digest()
    return base64.b32encode(digest).decode("ascii").lower()[:length]


def digest_of(secret: str) -> str:
    """The SHA-256 of a secret that was drawn at random, as it is stored in its stead."""
    return hashlib.sha256(secret.encode()).hexdigest()


def day_of(at: int) -> str:
    """The UTC day of a time in UTC milliseconds, as YYYY-MM-DD."""
    return datetime.fromtimestamp(at / 1000, UTC).date().isoformat()
