"""conflict events and areas of high risk, by the file that they were imported from"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Counter, Text

revision = "0041"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "conflict_snapshots",
        sa.Column("id", Counter, nullable=False),
        *(
            sa.Column(name, Text(), nullable=False)
            for name in ("source", "state", "name", "sha256")
        ),
        sa.Column("size", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, Text(), nullable=False)
            for name in ("version", "licence", "accessed", "countries", "begins", "ends")
        ),
        *(
            sa.Column(name, sa.BigInteger(), nullable=False)
            for name in ("events", "coarse", "rejected", "imported_at")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflict_snapshots")),
    )
    op.create_index(
        op.f("ix_conflict_snapshots_source_state"), "conflict_snapshots", ["source", "state"]
    )
    op.create_table(
        "conflict_events",
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("id", Text(), nullable=False),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("cell", "day", "first", "last")
        ),
        sa.Column("lat_e7", sa.Integer(), nullable=True),
        sa.Column("lon_e7", sa.Integer(), nullable=True),
        *(
            sa.Column(name, sa.Integer(), nullable=False)
            for name in ("radius_m", "weight", "deaths")
        ),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        *(sa.Column(name, Text(), nullable=False) for name in ("country", "title", "place")),
        sa.PrimaryKeyConstraint("snapshot", "id", name=op.f("pk_conflict_events")),
    )
    op.create_index(
        op.f("ix_conflict_events_snapshot_cell_day"),
        "conflict_events",
        ["snapshot", "cell", "day"],
    )
    op.create_table(
        "conflict_rejected",
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("file", Text(), nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("why", Text(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot", "file", "row", name=op.f("pk_conflict_rejected")),
    )
    op.create_table(
        "conflict_areas",
        sa.Column("snapshot", sa.BigInteger(), nullable=False),
        sa.Column("region", Text(), nullable=False),
        sa.Column("status", Text(), nullable=False),
        sa.Column("day", Text(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot", "region", name=op.f("pk_conflict_areas")),
    )


def downgrade() -> None:
    op.drop_table("conflict_areas")
    op.drop_table("conflict_rejected")
    op.drop_table("conflict_events")
    op.drop_table("conflict_snapshots")
