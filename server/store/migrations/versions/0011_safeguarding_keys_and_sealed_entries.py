"""safeguarding keys, where sealed entries lie, and which of their keys were destroyed (L8)"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Key, Text

revision = "0011"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "safeguarding_keys",
        sa.Column("recipient", Text(), nullable=False),
        sa.Column("name", Text(), nullable=False),
        sa.Column("added_by", Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("recipient", name=op.f("pk_safeguarding_keys")),
    )
    op.create_table(
        "sealed_entries",
        sa.Column("id", Key(), nullable=False),
        sa.Column("inspection", Text(), nullable=False),
        sa.Column("device", Text(), nullable=False),
        sa.Column("payload", Text(), nullable=False),
        sa.Column("key", Text(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "id", "inspection", "device", "key", name=op.f("pk_sealed_entries")
        ),
    )
    op.create_index(op.f("ix_sealed_entries_inspection"), "sealed_entries", ["inspection"])
    op.create_table(
        "withdrawals",
        sa.Column("key", Text(), nullable=False),
        sa.Column("entry", Key(), nullable=False),
        sa.Column("inspection", Text(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("by", Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("destroyed_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_withdrawals")),
    )
    op.create_index(op.f("ix_withdrawals_entry"), "withdrawals", ["entry"])


def downgrade() -> None:
    op.drop_index(op.f("ix_withdrawals_entry"), table_name="withdrawals")
    op.drop_table("withdrawals")
    op.drop_index(op.f("ix_sealed_entries_inspection"), table_name="sealed_entries")
    op.drop_table("sealed_entries")
    op.drop_table("safeguarding_keys")
