"""branches of forked logs kept whole, and arrivals under a revoked device's key marked"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Text

revision = "0006"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("quarantine", sa.Column("root", Text(), nullable=True))
    op.add_column("quarantine", sa.Column("fork", sa.Integer(), nullable=True))
    op.add_column("quarantine", sa.Column("before", sa.LargeBinary(), nullable=True))
    op.create_index("ix_quarantine_device_inspection", "quarantine", ["device", "inspection"])
    op.add_column("segments", sa.Column("revoked", sa.Boolean(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.drop_column("revoked")
    op.drop_index("ix_quarantine_device_inspection", table_name="quarantine")
    with op.batch_alter_table("quarantine", schema=None) as batch_op:
        batch_op.drop_column("before")
        batch_op.drop_column("fork")
        batch_op.drop_column("root")
