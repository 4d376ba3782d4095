"""Whether a room lets in no one new."""

import sqlalchemy as sa
from alembic import op

revision = "0006_from_0004"
down_revision = "0005_from_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("locked", sa.Boolean, nullable=False, server_default=sa.false()))


def downgrade() -> None:
    op.drop_column("rooms", "locked")
