"""Insight: fine steps of each server, and how much time the coarse ones cover."""

import sqlalchemy as sa
from alembic import op

revision = "0011_from_0004"
down_revision = "0010_from_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("insight", sa.Column("covered_ms", sa.BigInteger, nullable=False, server_default=sa.text("0")))
    op.create_table(
        "insight_samples",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("begin_ms", sa.BigInteger, nullable=False),
        sa.Column("participants", sa.Integer, nullable=False),
        sa.Column("rooms", sa.Integer, nullable=False),
        sa.Column("recordings", sa.Integer, nullable=False),
        sa.Column("covered_ms", sa.BigInteger, nullable=False),
        sa.Column("received_bytes", sa.BigInteger),
        sa.Column("sent_bytes", sa.BigInteger),
        sa.PrimaryKeyConstraint("source", "begin_ms", name="pk_insight_samples"),
    )
    op.create_index("ix_insight_samples_begin_ms", "insight_samples", ["begin_ms"])


def downgrade() -> None:
    op.drop_table("insight_samples")
    op.drop_column("insight", "covered_ms")
