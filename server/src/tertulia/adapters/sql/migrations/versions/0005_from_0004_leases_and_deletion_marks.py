"""A lease has an epoch, and a deleted recording is remembered until every worker has deleted its copy."""

import sqlalchemy as sa
from alembic import op

revision = "0005_from_0004"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # the default is for servers of the version before, which insert without it
    op.add_column("recordings", sa.Column("lease_epoch", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "deleted_recordings",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("deleted_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deleted_recordings"),
    )
    op.create_index("ix_deleted_recordings_deleted_at_ms", "deleted_recordings", ["deleted_at_ms"])


def downgrade() -> None:
    op.drop_table("deleted_recordings")
    op.drop_column("recordings", "lease_epoch")
