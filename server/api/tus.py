"""What tus 1.0 puts into headers, read strictly."""

from __future__ import annotations

import base64
import binascii
import re

from flask import request

from sync.problems import problem
from sync.wire import DIGEST

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
DIGEST_KEY = "sha256"
MOST_METADATA = 4096

_NUMBER = re.compile(r"[0-9]{1,19}\Z")


def number(name: str, limit: int) -> int:
    """A header that is a whole number. Raises `upload-malformed`."""
    given = request.headers.get(name)
    if given is None:
        raise problem("upload-malformed", why=f"the header {name} is missing")
    if not _NUMBER.match(given) or int(given) >= limit:
        raise problem("upload-malformed", why=f"{name} is not a number of bytes")
    return int(given)


def digest_in(metadata: str) -> str:
    """The file's digest from an Upload-Metadata header: 64 hexadecimal digits, lower-case.

    The value is the base64 of those digits, or of the 32 bytes. Raises `upload-malformed`.
    """
    if len(metadata) > MOST_METADATA:
        raise problem("upload-malformed", why=f"Upload-Metadata is over {MOST_METADATA} bytes long")
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in metadata.split(","))):
        key, _, value = pair.partition(" ")
        if key in found:
            raise problem("upload-malformed", why=f"Upload-Metadata names {key[:40]!r} twice")
        found[key] = value.strip()
    if DIGEST_KEY not in found:
        raise problem("upload-malformed", why=f"Upload-Metadata does not say the {DIGEST_KEY}")
    try:
        raw = base64.b64decode(found[DIGEST_KEY], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise problem("upload-malformed", why=f"{DIGEST_KEY} is not base64") from exc
    text = raw.hex() if len(raw) == 32 else raw.decode("ascii", "replace")
    if DIGEST.match(text) is None:
        raise problem("upload-malformed", why=f"{DIGEST_KEY} is not the digest of a file")
    return text
