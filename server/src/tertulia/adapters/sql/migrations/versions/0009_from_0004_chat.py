"""Chat messages of running meetings, and what of the chat a room allows."""

import sqlalchemy as sa
from alembic import op

revision = "0009_from_0004"
down_revision = "0008_from_0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("chat_history_enabled", "chat_files_enabled"):
        op.add_column("rooms", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.true()))
    op.create_table(
        "chat_messages",
        sa.Column("room", sa.Text, sa.ForeignKey("rooms.name", ondelete="CASCADE", name="fk_chat_messages_room")),
        sa.Column("position", sa.BigInteger),
        sa.Column("meeting", sa.Text, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text, nullable=False),
        sa.Column("text_json", sa.Text, nullable=False),
        sa.Column("sent_at_ms", sa.BigInteger, nullable=False),
        sa.Column("bytes_so_far", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("room", "position", name="pk_chat_messages"),
    )
    columns = ["room", "meeting", "identity", "message_id"]
    op.create_index("ix_chat_messages_id", "chat_messages", columns)


def downgrade() -> None:
    op.drop_table("chat_messages")
    op.drop_column("rooms", "chat_files_enabled")
    op.drop_column("rooms", "chat_history_enabled")
