"""The part of XPath that forms write conditions in, as a tree; nothing in it is ever executed.

Brackets stay in the tree (`paren`): by them a list of tests is told from a condition of conditions.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MAX_LENGTH = 20_000
MAX_DEPTH = 48

_TOKEN = re.compile(
    r"\s*(?:(?P<ref>\$\{\s*(?P<name>[^{}\s]+)\s*\})"
    r"|(?P<text>'[^']*'|\"[^\"]*\")"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<word>[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?)"
    r"|(?P<sign><=|>=|!=|[=<>(),+*.-]))"
)
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Expr:
    """A node: `or`, `and`, `paren`, a comparison, `call`, `ref`, `text`, `number` or `self`."""

    op: str
    text: str = ""
    args: tuple[Expr, ...] = ()


class NotUnderstood(Exception):  # noqa: N818 - what it is, not a fault of the program
    """Why an expression, or a part of it, has no counterpart; always caught within the import."""


def parse(text: str) -> Expr:
    """The expression as a tree; raises NotUnderstood."""
    if len(text) > MAX_LENGTH:
        raise NotUnderstood(f"it has {len(text)} characters")
    parser = _Parser(_tokens(text))
    found = parser.either(0)
    if parser.more():
        raise NotUnderstood(f"{parser.shown()} is not expected there")
    return found


def _tokens(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    at, flat = 0, text.rstrip()
    while at < len(flat):
        match = _TOKEN.match(flat, at)
        if match is None:
            raise NotUnderstood(f"{flat[at:].strip()[:20]!r} is not a test that a checklist has")
        kind = match.lastgroup if match.lastgroup != "name" else "ref"
        value = match["name"] if match["ref"] else match[str(kind)]
        found.append(("ref" if match["ref"] else str(kind), value))
        at = match.end()
    return found


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def more(self) -> bool:
        return self._at < len(self._tokens)

    def shown(self) -> str:
        return repr(self._tokens[self._at][1]) if self.more() else "its end"

    def either(self, depth: int) -> Expr:
        if depth > MAX_DEPTH:
            raise NotUnderstood(f"it is nested more than {MAX_DEPTH} levels deep")
        return self._chain("or", lambda: self._chain("and", lambda: self._compared(depth)))

    def _chain(self, word: str, part: Callable[[], Expr]) -> Expr:
        parts: list[Expr] = [part()]
        while self._take("word", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Expr(word, args=tuple(parts))

    def _compared(self, depth: int) -> Expr:
        left = self._one(depth)
        for sign in _COMPARISONS:
            if self._take("sign", sign):
                return Expr(sign, args=(left, self._one(depth)))
        return left

    def _one(self, depth: int) -> Expr:
        if not self.more():
            raise NotUnderstood("it ends too early")
        kind, value = self._tokens[self._at]
        self._at += 1
        if kind == "text":
            return Expr("text", value[1:-1])
        if kind in ("ref", "number"):
            return Expr(kind, value)
        if (kind, value) == ("sign", "."):
            return Expr("self")
        if (kind, value) == ("sign", "("):
            inner = self.either(depth + 1)
            self._expect(")")
            return Expr("paren", args=(inner,))
        if kind == "word" and self._take("sign", "("):
            return Expr("call", value, self._arguments(depth))
        raise NotUnderstood(f"{value!r} is not a test that a checklist has")

    def _arguments(self, depth: int) -> tuple[Expr, ...]:
        if self._take("sign", ")"):
            return ()
        found = [self.either(depth + 1)]
        while self._take("sign", ","):
            found.append(self.either(depth + 1))
        self._expect(")")
        return tuple(found)

    def _take(self, kind: str, value: str) -> bool:
        if self.more() and self._tokens[self._at] == (kind, value):
            self._at += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take("sign", sign):
            raise NotUnderstood(f"{sign!r} is missing before {self.shown()}")
