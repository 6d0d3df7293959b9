"""A device's own lines, given back by the server (S11): of an inspection that was sealed there.

They are held against the chain hash that the device kept, so nothing else has to prove them.
"""

from __future__ import annotations

from marshmallow import fields, validate

from sync.log import MAX_LOG_LINES, MAX_SEGMENT_LINES
from sync.wire import Bytes64, Message

PAGE_LINES = MAX_SEGMENT_LINES
PAGE_BYTES = 1024**2  # of lines in one answer: at least one is given, however large


class OwnLines(Message):
    """Lines of one log from a position on, and how far the server holds it."""

    seq = fields.Integer(
        required=True, strict=True, validate=validate.Range(min=0, max=MAX_LOG_LINES)
    )
    lines = fields.List(Bytes64(), required=True, validate=validate.Length(max=PAGE_LINES))
