"""what of each inspection is held aside or unread, so that a page need not read logs"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Text

revision = "0017"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_aside",
        sa.Column("inspection", Text(), nullable=False),
        sa.Column("facility", Text(), nullable=False),
        sa.Column("set_aside", sa.Integer(), nullable=False),
        sa.Column("revoked", sa.Integer(), nullable=False),
        sa.Column("unread", sa.Integer(), nullable=False),
        sa.Column("carried", sa.Integer(), nullable=False),
        sa.Column("unsigned", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("inspection", name=op.f("pk_held_aside")),
    )
    op.create_index(op.f("ix_held_aside_facility"), "held_aside", ["facility"])
    # Derived: its rows come with each facility's next grading, or with `tapak admin rebuild`.


def downgrade() -> None:
    op.drop_table("held_aside")
