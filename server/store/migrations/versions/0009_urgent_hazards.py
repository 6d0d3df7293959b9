"""urgent hazards, found without reading every log"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Key, Text

revision = "0009"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hazards",
        sa.Column("inspection", Key(), nullable=False),
        sa.Column("id", Key(), nullable=False),
        sa.Column("device", Text(), nullable=False),
        sa.Column("severity", Text(), nullable=False),
        sa.Column("text", Text(), nullable=False),
        sa.Column("lat", Text(), nullable=False),
        sa.Column("lon", Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("inspection", "id", name=op.f("pk_hazards")),
    )


def downgrade() -> None:
    op.drop_table("hazards")
