"""the lookup of conflict events around a place reads its index alone"""

from __future__ import annotations

from alembic import op

revision = "0044"
down_revision = "0041"
branch_labels = None
depends_on = None

COLUMNS = ["snapshot", "cell", "day", "lat_e7", "lon_e7", "radius_m", "weight", "deaths"]


def upgrade() -> None:
    op.drop_index("ix_conflict_events_snapshot_cell_day", "conflict_events")
    columns = [*COLUMNS, "first", "last", "id"]
    op.create_index("ix_conflict_events_near", "conflict_events", columns)


def downgrade() -> None:
    op.drop_index("ix_conflict_events_near", "conflict_events")
    columns = ["snapshot", "cell", "day"]
    op.create_index("ix_conflict_events_snapshot_cell_day", "conflict_events", columns)
