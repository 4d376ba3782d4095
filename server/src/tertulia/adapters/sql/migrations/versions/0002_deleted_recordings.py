"""Recordings that are deleted while their files cannot be removed yet."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DELETED = sa.text("deleted_at_ms IS NOT NULL")


def upgrade() -> None:
    op.add_column("recordings", sa.Column("deleted_at_ms", sa.BigInteger))
    op.create_index(
        "ix_recordings_deleted", "recordings", ["deleted_at_ms"], sqlite_where=_DELETED, postgresql_where=_DELETED
    )


def downgrade() -> None:
    op.drop_index("ix_recordings_deleted", "recordings")
    op.drop_column("recordings", "deleted_at_ms")
