"""The type of what a piece of work inside a transaction is handed, for those who write no SQL."""

from __future__ import annotations

from sqlalchemy import Connection

Tx = Connection
