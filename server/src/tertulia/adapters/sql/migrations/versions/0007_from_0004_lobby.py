"""Guests who wait in a lobby, and whether a room has one."""

import sqlalchemy as sa
from alembic import op

revision = "0007_from_0004"
down_revision = "0006_from_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("rooms", sa.Column("lobby_enabled", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "lobby",
        sa.Column("room", sa.Text, sa.ForeignKey("rooms.name", ondelete="CASCADE", name="fk_lobby_room")),
        sa.Column("identity", sa.Text),
        sa.Column("ticket", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("entered_at_ms", sa.BigInteger, nullable=False),
        sa.Column("seen_at_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("room", "identity", name="pk_lobby"),
    )
    op.create_index("ix_lobby_seen_at_ms", "lobby", ["seen_at_ms"])


def downgrade() -> None:
    op.drop_table("lobby")
    op.drop_column("rooms", "lobby_enabled")
