"""Schemas of the messages: shape only. What a message means is session.py's matter."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from sync.log import MAX_SEGMENT_LINES, is_log_name

PROTOCOL = 1
MOST_CERTIFICATES = 100  # of one request
DEVICE = re.compile(r"[a-z2-7]{32}\Z")
CHALLENGE = re.compile(r"[0-9a-f]{32,128}\Z")
DIGEST = re.compile(r"[0-9a-f]{64}\Z")


class Bytes64(fields.Field[bytes]):
    """Raw bytes as base64 text."""

    def __init__(self, size: int | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.size = size

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> Any:
        return None if value is None else base64.b64encode(value).decode("ascii")

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> bytes:
        try:
            raw = base64.b64decode(str(value), validate=True)
        except (binascii.Error, ValueError) as exc:
            raise ValidationError("is not base64") from exc
        if self.size is not None and len(raw) != self.size:
            raise ValidationError(f"is not {self.size} bytes long")
        return raw


def _whole(minimum: int, maximum: int = 2**53 - 1) -> fields.Integer:
    return fields.Integer(
        required=True, strict=True, validate=validate.Range(min=minimum, max=maximum)
    )


def _log_name(value: str) -> None:
    if not is_log_name(value):
        raise ValidationError("is not the name of a log")


class Message(Schema):
    """Members a reader does not know are left out, so that a newer client is understood."""

    class Meta:
        unknown = EXCLUDE


class Signed(Message):
    """Exact bytes and the server's Ed25519 signature over them."""

    payload = Bytes64(required=True)
    signature = Bytes64(64, required=True)


class RequestHeader(Message):
    """First line of a request: who speaks, how far it has read, which receipts it awaits."""

    tapak = fields.Integer(required=True, strict=True, validate=validate.Equal(PROTOCOL))
    device = fields.String(required=True, validate=validate.Regexp(DEVICE))
    cursor = fields.String(load_default=None, allow_none=True, validate=validate.Length(max=200))
    awaiting = fields.List(
        fields.String(validate=validate.Regexp(DIGEST)),
        load_default=list,
        validate=validate.Length(max=1000),
    )
    at = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=0, max=2**53 - 1),
    )
    nonce = fields.Boolean(load_default=False)
    keys = fields.Integer(
        load_default=1, strict=True, validate=validate.Range(min=1, max=2**53 - 1)
    )
    # Of the accounts whose logs are offered to a server that may have forgotten them (S5).
    certificates = fields.List(
        fields.Nested(Signed), load_default=list, validate=validate.Length(max=MOST_CERTIFICATES)
    )


class SegmentHeader(Message):
    """Before the lines of one segment."""

    log = fields.String(required=True, validate=_log_name)
    device = fields.String(required=True, validate=validate.Regexp(DEVICE))
    first = _whole(1)
    count = _whole(1, MAX_SEGMENT_LINES)
    signature = Bytes64(64, required=True)


class SignedText(Message):
    """Exact bytes, as text or (by an older server) as base64, and the server's signature."""

    text = fields.String(load_default=None, allow_none=True)
    payload = Bytes64(load_default=None, allow_none=True)
    signature = Bytes64(64, required=True)


class LogState(Message):
    """What became of one log's segment: held, a gap before it, a fork, or refused with a code."""

    device = fields.String(required=True)
    log = fields.String(required=True)
    state = fields.String(
        required=True, validate=validate.OneOf(["held", "gap", "forked", "refused"])
    )
    seq = _whole(0)
    problem = fields.Dict(load_default=None, allow_none=True)


class Change(Message):
    """One thing that came or changed for this device, with its whole body."""

    kind = fields.String(required=True)
    ref = fields.String(required=True)
    body = fields.Raw(required=True, allow_none=True)


class Answer(Message):
    """The server's answer to a request."""

    tapak = fields.Integer(required=True, strict=True, validate=validate.Equal(PROTOCOL))
    receipt = fields.Nested(SignedText, load_default=None, allow_none=True)
    logs = fields.List(fields.Nested(LogState), load_default=list)
    missing = fields.List(fields.String(validate=validate.Regexp(DIGEST)), load_default=list)
    changes = fields.List(fields.Nested(Change), load_default=list)
    cursor = fields.String(required=True)
    more = fields.Boolean(load_default=False)
    now = _whole(0)
    epoch = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=2**53 - 1),
    )
    nonce = fields.Nested(SignedText, load_default=None, allow_none=True)
    keys = fields.List(
        fields.Nested(SignedText), load_default=list, validate=validate.Length(max=64)
    )


class EnrolRequest(Message):
    """A device asks to be enrolled: the invitation's code, its public key, and what to call it."""

    code = fields.String(required=True, validate=validate.Length(min=8, max=64))
    public_key = Bytes64(32, required=True)
    name = fields.String(load_default="", validate=validate.Length(max=80))


class EnrolChallenge(Message):
    """What a device wants signed before it shows a code: 16 random bytes or more, as hex digits."""

    challenge = fields.String(
        load_default=None, allow_none=True, validate=validate.Regexp(CHALLENGE)
    )


class EnrolGreeting(Message):
    """Who the server is, before an invitation's code is shown to it.

    `proof` is its signature over the challenge, where there was one (sync.greeting).
    """

    server_key = Bytes64(32, required=True)
    server_keys = fields.List(fields.Nested(Signed), load_default=list)
    server_name = fields.String(required=True)
    proof = Bytes64(64, load_default=None, allow_none=True)


class EnrolAnswer(Message):
    """The token, the server-signed certificate, and who the server and the person are."""

    token = fields.String(required=True)
    certificate = fields.Nested(Signed, required=True)
    server_key = Bytes64(32, required=True)
    # Which keys follow from server_key, and the one to seal to: statements of sync.server_keys.
    server_keys = fields.List(fields.Nested(Signed), load_default=list)
    server_name = fields.String(required=True)
    person = fields.String(required=True)
    person_name = fields.String(required=True)
    now = _whole(0)


def faults(exc: ValidationError) -> str:
    """The faults of a message as one line: `field: what is wrong; ...`."""
    return "; ".join(_lines(exc.messages, ""))[:500]


def _lines(node: Any, prefix: str) -> list[str]:
    if isinstance(node, dict):
        out: list[str] = []
        for key, inner in node.items():
            name = "" if key == "_schema" else str(key)
            out.extend(_lines(inner, f"{prefix}.{name}".strip(".")))
        return out
    texts = node if isinstance(node, list) else [node]
    return [f"{prefix or 'message'}: {text}" for text in texts]
