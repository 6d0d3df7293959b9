"""checkpoints: one signed hash over everything that is held on a day"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Counter, Text

revision = "0013"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("n", Counter, autoincrement=False, nullable=False),
        sa.Column("id", Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("moved", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("n", name=op.f("pk_checkpoints")),
        sa.UniqueConstraint("id", name=op.f("uq_checkpoints_id")),
    )


def downgrade() -> None:
    op.drop_table("checkpoints")
