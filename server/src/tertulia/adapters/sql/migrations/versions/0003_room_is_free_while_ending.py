"""A recording whose file is on its way to where it is kept leaves its room to the next one."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_OCCUPYING = sa.text("state IN ('STARTING', 'ACTIVE')")
_RUNNING = sa.text("state IN ('STARTING', 'ACTIVE', 'ENDING')")


def upgrade() -> None:
    _one_active(_OCCUPYING)
    op.create_index(
        "ix_recordings_running", "recordings", ["lease_owner"], sqlite_where=_RUNNING, postgresql_where=_RUNNING
    )


def downgrade() -> None:
    op.drop_index("ix_recordings_running", "recordings")
    _one_active(_RUNNING)


def _one_active(where: sa.TextClause) -> None:
    op.drop_index("ux_recordings_one_active", "recordings")
    op.create_index(
        "ux_recordings_one_active", "recordings", ["room"], unique=True, sqlite_where=where, postgresql_where=where
    )
