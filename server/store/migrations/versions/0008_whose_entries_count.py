"""logs kept for accounts, grace days of assignments, and rulings on what was set aside (S9)"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from server.store.types import Counter, Text

revision = "0008"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "admissions",
        sa.Column("id", Counter, nullable=False),
        sa.Column("device", Text(), nullable=False),
        sa.Column("inspection", Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("ruling", Text(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("person", Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["people.id"], name=op.f("fk_admissions_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admissions")),
    )
    op.create_index(op.f("ix_admissions_inspection"), "admissions", ["inspection"])
    # SQLite adds a column with a constant in place; no table is copied for it.
    op.add_column("devices", sa.Column("kind", Text(), nullable=False, server_default="device"))
    op.add_column(
        "assignments",
        sa.Column("grace_days", sa.Integer(), nullable=False, server_default="14"),
    )
    op.add_column(
        "inspections",
        sa.Column("settled", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    # Until now the first to speak of an inspection settled what it is.
    inspections = sa.table("inspections", sa.column("facility"), sa.column("settled"))
    op.execute(
        inspections.update().where(inspections.c.facility.is_not(None)).values(settled=sa.true())
    )


def downgrade() -> None:
    for table, column in (("inspections", "settled"), ("assignments", "grace_days")):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column(column)
    with op.batch_alter_table("devices", schema=None) as batch_op:
        batch_op.drop_column("kind")
    op.drop_index(op.f("ix_admissions_inspection"), table_name="admissions")
    op.drop_table("admissions")
