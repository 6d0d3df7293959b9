"""A change and its line in the audit trail, in one transaction, so that neither goes alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from server.context import Context
from server.permissions import Principal
from server.store import audit
from server.store.transaction import Tx

T = TypeVar("T")

CONSOLE = "console"  # whoever may run commands on the server's machine


def acted(
    ctx: Context,
    who: str,
    action: str,
    subject: str,
    work: Callable[[Tx], T],
    detail: Mapping[str, Any] | None = None,
) -> T:
    """Run `work` and record it in one write transaction; if either fails, neither is stored.

    `who` and `subject` are written as kind:id, such as person:p-k2j4n6q7; `detail` holds JSON
    values and never a secret. What `work` returns comes back after the commit.
    """

    def both(tx: Tx) -> T:
        result = work(tx)
        audit.record(tx, ctx.now(), who, action, subject, detail)
        return result

    return ctx.db.write(both)


def who_is(principal: Principal) -> str:
    """How the trail names an asker."""
    if principal.device is not None:
        return f"device:{principal.device}"
    return "anonymous" if principal.person is None else f"person:{principal.person}"
