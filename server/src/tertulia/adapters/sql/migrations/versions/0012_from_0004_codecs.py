"""The codecs that a room is restricted to."""

import sqlalchemy as sa
from alembic import op

revision = "0012_from_0004"
down_revision = "0011_from_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("codecs", sa.Text, nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("rooms", "codecs")
