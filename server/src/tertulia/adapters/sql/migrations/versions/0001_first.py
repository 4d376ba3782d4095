"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ACTIVE = sa.text("state IN ('STARTING', 'ACTIVE', 'ENDING')")


def upgrade() -> None:
    op.create_table(
        "rooms",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("prefix_json", sa.Text),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
        sa.Column("max_participants", sa.BigInteger),
        sa.Column("chat_enabled", sa.Boolean, nullable=False),
        sa.Column("recording_enabled", sa.Boolean, nullable=False),
        sa.Column("virtual_background_enabled", sa.Boolean, nullable=False),
        sa.Column("moderator_secret", sa.Text, nullable=False),
        sa.Column("publisher_secret", sa.Text, nullable=False),
        sa.Column("viewer_secret", sa.Text, nullable=False),
    )
    op.create_index("ix_rooms_newest", "rooms", ["created_at_ms", "name"])
    op.create_index("ix_rooms_expires_at_ms", "rooms", ["expires_at_ms"])
    op.create_table(
        "seats",
        sa.Column("room", sa.Text, sa.ForeignKey("rooms.name", ondelete="CASCADE"), primary_key=True),
        sa.Column("identity", sa.Text, primary_key=True),
        sa.Column("role", sa.Text),
        sa.Column("role_changed_at_ms", sa.BigInteger, nullable=False),
        sa.Column("reserved_until_ms", sa.BigInteger, nullable=False),
        sa.Column("dead_before_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_seats_reserved_until_ms", "seats", ["reserved_until_ms"])
    op.create_table(
        "recordings",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("room", sa.Text, nullable=False),
        sa.Column("filename", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("started_at_ms", sa.BigInteger),
        sa.Column("ended_at_ms", sa.BigInteger),
        sa.Column("duration_s", sa.Float(53)),
        sa.Column("size_bytes", sa.BigInteger),
        sa.Column("error_code", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("details", sa.Text),
        sa.Column("stop_requested_at_ms", sa.BigInteger),
        sa.Column("lease_owner", sa.Text),
        sa.Column("lease_until_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_recordings_newest", "recordings", ["created_at_ms", "id"])
    op.create_index("ix_recordings_room_newest", "recordings", ["room", "created_at_ms", "id"])
    op.create_index(
        "ux_recordings_one_active", "recordings", ["room"], unique=True, sqlite_where=_ACTIVE, postgresql_where=_ACTIVE
    )
    op.create_table(
        "credentials",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("refresh_id", sa.Text, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_sessions_expires_at_ms", "sessions", ["expires_at_ms"])
    op.create_table(
        "idempotency_keys",
        sa.Column("scope", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("expires_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_idempotency_keys_expires_at_ms", "idempotency_keys", ["expires_at_ms"])


def downgrade() -> None:
    for table in ("idempotency_keys", "sessions", "credentials", "recordings", "seats", "rooms"):
        op.drop_table(table)
