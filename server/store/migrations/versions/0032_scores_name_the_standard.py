"""stored scores name checklist, profile and limits by digest; their texts are in documents"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from alembic import op

from server.store.types import Text

revision = "0032"
down_revision = "0022"
branch_labels = None
depends_on = None

assessments = sa.table(
    "assessments",
    sa.column("scope", Text()),
    sa.column("subject", Text()),
    sa.column("inputs", sa.LargeBinary()),
)
documents = sa.table("documents", sa.column("digest", Text()), sa.column("body", sa.LargeBinary()))


def upgrade() -> None:
    kept = set(op.get_bind().execute(sa.select(documents.c.digest)).scalars())

    def named(file: dict[str, Any]) -> dict[str, Any]:
        return {"sha256": file["sha256"]} if file.get("sha256") in kept else file

    _each_file(named)


def downgrade() -> None:
    rows = op.get_bind().execute(sa.select(documents.c.digest, documents.c.body))
    bodies = {row.digest: row.body for row in rows}

    def whole(file: dict[str, Any]) -> dict[str, Any]:
        digest = file["sha256"]
        return {"sha256": digest, "text": bodies[digest].decode()} if digest in bodies else file

    _each_file(whole)


def _each_file(change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """Change what each score says of the standard's files, one row in memory at a time."""
    rows = op.get_bind().execute(sa.select(assessments.c.scope, assessments.c.subject)).all()
    for scope, subject in rows:
        here = (assessments.c.scope == scope) & (assessments.c.subject == subject)
        found = op.get_bind().execute(sa.select(assessments.c.inputs).where(here)).scalar_one()
        try:
            inputs = json.loads(found)
        except ValueError:
            continue  # damaged: the next grading writes it anew
        for key in ("checklist", "profile", "limits"):
            inputs[key] = inputs[key] and change(inputs[key])
        text = json.dumps(inputs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        op.execute(sa.update(assessments).where(here).values(inputs=text.encode()))
