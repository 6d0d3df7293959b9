"""Alembic's entry: run the migrations in the transaction that the caller has begun."""

from __future__ import annotations

from alembic import context

from server.store.tables import metadata


def run() -> None:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
