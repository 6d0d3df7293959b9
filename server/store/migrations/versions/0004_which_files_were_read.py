"""which held files were read, so that the unread ones are found without looking at the others"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UNREAD = sa.text("was_read IS NULL")


def upgrade() -> None:
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.add_column(sa.Column("was_read", sa.Boolean(), nullable=True))
    files = sa.table("files", sa.column("sha256"), sa.column("was_read", sa.Boolean()))
    facts = sa.table("file_facts", sa.column("sha256"))
    read = sa.exists().where(facts.c.sha256 == files.c.sha256)
    op.execute(files.update().where(read).values(was_read=sa.true()))
    op.create_index(
        "ix_files_unread", "files", ["sha256"], sqlite_where=_UNREAD, postgresql_where=_UNREAD
    )


def downgrade() -> None:
    op.drop_index("ix_files_unread", table_name="files")
    with op.batch_alter_table("files", schema=None) as batch_op:
        batch_op.drop_column("was_read")
