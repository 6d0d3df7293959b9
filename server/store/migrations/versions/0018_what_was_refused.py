"""what was refused of the segments that devices sent, so that staff hear of it"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Counter, Text

revision = "0018"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refusals",
        sa.Column("id", Counter, nullable=False),
        sa.Column("sender", Text(), nullable=False),
        sa.Column("device", Text(), nullable=False),
        sa.Column("log", Text(), nullable=False),
        sa.Column("code", Text(), nullable=False),
        sa.Column("said", Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refusals")),
        sa.UniqueConstraint(
            "sender", "device", "log", "code", name=op.f("uq_refusals_sender_device_log_code")
        ),
    )


def downgrade() -> None:
    op.drop_table("refusals")
