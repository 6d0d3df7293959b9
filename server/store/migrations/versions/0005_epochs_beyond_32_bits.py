"""epochs that a restore draws from its time do not fit 32 bits"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("server", schema=None) as batch_op:
        batch_op.alter_column(
            "epoch", existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table("server", schema=None) as batch_op:
        batch_op.alter_column(
            "epoch", existing_type=sa.BigInteger(), type_=sa.Integer(), existing_nullable=False
        )
