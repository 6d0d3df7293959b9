"""who began an inspection, assignments that staff ended, and people's devices found at once"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Text

revision = "0007"
down_revision = "0011"
branch_labels = None
depends_on = None

# Until now it was not kept who said what an inspection is about: nearly always that is the one
# whose log of it came first.
_CREATORS = """
UPDATE inspections SET creator = (
    SELECT devices.person FROM logs JOIN devices ON devices.id = logs.device
    WHERE logs.inspection = inspections.id ORDER BY logs.id LIMIT 1
) WHERE facility IS NOT NULL
"""


def upgrade() -> None:
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.add_column(sa.Column("creator", Text(), nullable=True))
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ended_at", sa.BigInteger(), nullable=True))
    op.create_index("ix_devices_person", "devices", ["person"])
    op.execute(_CREATORS)


def downgrade() -> None:
    op.drop_index("ix_devices_person", table_name="devices")
    with op.batch_alter_table("assignments", schema=None) as batch_op:
        batch_op.drop_column("ended_at")
    with op.batch_alter_table("inspections", schema=None) as batch_op:
        batch_op.drop_column("creator")
