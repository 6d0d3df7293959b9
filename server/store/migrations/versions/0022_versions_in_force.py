"""from when a published document applies where, and what waits for a second person's approval"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Counter, Text

revision = "0022"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    in_force = op.create_table(
        "in_force",
        sa.Column("id", Counter, nullable=False),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("name", Text(), nullable=False),
        sa.Column("jurisdiction", Text(), nullable=False),
        sa.Column("effective", Text(), nullable=False),
        sa.Column("digest", Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_in_force")),
        sa.ForeignKeyConstraint(["digest"], ["documents.digest"], name=op.f("fk_in_force_digest")),
        sa.UniqueConstraint(
            "digest",
            "jurisdiction",
            "effective",
            name=op.f("uq_in_force_digest_jurisdiction_effective"),
        ),
    )
    op.create_index(op.f("ix_in_force_kind_name"), "in_force", ["kind", "name"])
    op.create_table(
        "proposals",
        sa.Column("id", Text(), nullable=False),
        sa.Column("kind", Text(), nullable=False),
        sa.Column("name", Text(), nullable=False),
        sa.Column("version", Text(), nullable=False),
        sa.Column("digest", Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("effective", Text(), nullable=False),
        sa.Column("proposed_by", Text(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("ruling", Text(), nullable=True),
        sa.Column("reason", Text(), nullable=True),
        sa.Column("ruled_by", Text(), nullable=True),
        sa.Column("ruled_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposals")),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["people.id"], name=op.f("fk_proposals_proposed_by")
        ),
        sa.ForeignKeyConstraint(["ruled_by"], ["people.id"], name=op.f("fk_proposals_ruled_by")),
    )
    op.create_index(op.f("ix_proposals_digest"), "proposals", ["digest"])
    # Until now the newest of a name applied everywhere, whatever the day.
    documents = sa.table(
        "documents",
        sa.column("digest", Text()),
        sa.column("kind", Text()),
        sa.column("name", Text()),
        sa.column("published_at", sa.BigInteger()),
    )
    rows = op.get_bind().execute(
        sa.select(
            documents.c.digest, documents.c.kind, documents.c.name, documents.c.published_at
        ).order_by(documents.c.published_at, documents.c.digest.desc())
    )
    found = [
        {"digest": d, "kind": k, "name": n, "jurisdiction": "", "effective": "", "at": at}
        for d, k, n, at in rows
    ]
    if found:
        op.bulk_insert(in_force, found)


def downgrade() -> None:
    op.drop_table("proposals")
    op.drop_table("in_force")
