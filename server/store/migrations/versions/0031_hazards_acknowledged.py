"""who at the office has seen an urgent hazard as it stands"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Key, Text

revision = "0031"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("hazards", sa.Column("seen_by", Key(), nullable=True))
    op.add_column("hazards", sa.Column("seen_at", sa.BigInteger(), nullable=True))
    op.add_column("hazards", sa.Column("seen_why", Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("hazards", schema=None) as batch_op:
        for name in ("seen_why", "seen_at", "seen_by"):
            batch_op.drop_column(name)
