"""The tables. Invariants are constraints here, never locks in memory."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    false,
    text,
    true,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

RECORDING_OCCUPIES: Final = text("state IN ('STARTING', 'ACTIVE')")
RECORDING_RUNS: Final = text("state IN ('STARTING', 'ACTIVE', 'ENDING')")
"""An index with this condition serves only queries that hold it word for word, without parameters."""

rooms = Table(
    "rooms",
    metadata,
    Column("name", Text, primary_key=True),
    Column("prefix_json", Text),  # as it was sent; JSON, since PostgreSQL's text has no NUL
    Column("created_at_ms", BigInteger, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
    Column("max_participants", BigInteger),
    Column("chat_enabled", Boolean, nullable=False),
    Column("recording_enabled", Boolean, nullable=False),
    Column("virtual_background_enabled", Boolean, nullable=False),
    Column("moderator_secret", Text, nullable=False),
    Column("publisher_secret", Text, nullable=False),
    Column("viewer_secret", Text, nullable=False),
    Column("locked", Boolean, nullable=False, server_default=false()),
    Column("lobby_enabled", Boolean, nullable=False, server_default=false()),
    Column("chat_history_enabled", Boolean, nullable=False, server_default=true()),
    Column("chat_files_enabled", Boolean, nullable=False, server_default=true()),
    Column("codecs", Text, nullable=False, server_default=""),
    Index("ix_rooms_newest", "created_at_ms", "name"),
)

memberships = Table(
    "seats",
    metadata,
    Column("room", Text, ForeignKey("rooms.name", ondelete="CASCADE"), primary_key=True),
    Column("identity", Text, primary_key=True),
    Column("role", Text),
    Column("role_changed_at_ms", BigInteger, nullable=False),
    Column("reserved_until_ms", BigInteger, nullable=False, index=True),
    Column("dead_before_ms", BigInteger, nullable=False),
)

lobby = Table(
    "lobby",
    metadata,
    Column("room", Text, ForeignKey("rooms.name", ondelete="CASCADE"), primary_key=True),
    Column("identity", Text, primary_key=True),
    Column("ticket", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("entered_at_ms", BigInteger, nullable=False),
    Column("seen_at_ms", BigInteger, nullable=False, index=True),
)

chat_messages = Table(
    "chat_messages",
    metadata,
    Column("room", Text, ForeignKey("rooms.name", ondelete="CASCADE"), primary_key=True),
    Column("position", BigInteger, primary_key=True),
    Column("meeting", Text, nullable=False),
    Column("identity", Text, nullable=False),
    Column("message_id", Text, nullable=False),
    Column("text_json", Text, nullable=False),  # JSON, since PostgreSQL's text has no NUL
    Column("sent_at_ms", BigInteger, nullable=False),
    Column("bytes_so_far", BigInteger, nullable=False),  # of the room's messages up to this one, deleted ones too
    Index("ix_chat_messages_id", "room", "meeting", "identity", "message_id"),
)

recordings = Table(
    "recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("room", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),
    Column("started_at_ms", BigInteger),
    Column("ended_at_ms", BigInteger),
    Column("duration_s", Float(53)),
    Column("size_bytes", BigInteger),
    Column("error_code", Integer),
    Column("error", Text),
    Column("details", Text),
    Column("stop_requested_at_ms", BigInteger),
    Column("lease_owner", Text),
    Column("lease_until_ms", BigInteger, nullable=False),
    Column("deleted_at_ms", BigInteger),
    Column("preset", Text),
    Column("lease_epoch", BigInteger, nullable=False, server_default=text("0")),
    Index("ix_recordings_newest", "created_at_ms", "id"),
    Index("ix_recordings_room_newest", "room", "created_at_ms", "id"),
    Index(
        "ix_recordings_deleted",
        "deleted_at_ms",
        sqlite_where=text("deleted_at_ms IS NOT NULL"),
        postgresql_where=text("deleted_at_ms IS NOT NULL"),
    ),
    # one-active-recording: holds under any race and across several servers
    Index(
        "ux_recordings_one_active",
        "room",
        unique=True,
        sqlite_where=RECORDING_OCCUPIES,
        postgresql_where=RECORDING_OCCUPIES,
    ),
    Index("ix_recordings_running", "lease_owner", sqlite_where=RECORDING_RUNS, postgresql_where=RECORDING_RUNS),
)

# what stays of a deleted recording: a worker that was away deletes its copy when it comes back
deleted_recordings = Table(
    "deleted_recordings",
    metadata,
    Column("id", Text, primary_key=True),
    Column("deleted_at_ms", BigInteger, nullable=False, index=True),
)

credentials = Table(
    "credentials",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("username", Text, nullable=False),
    Column("refresh_id", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("result", Text, nullable=False),
    Column("expires_at_ms", BigInteger, nullable=False, index=True),
)

# an integer that the database counts up: SQLite does so for its own kind of key alone
_COUNTED: Final = BigInteger().with_variant(Integer, "sqlite")

events = Table(
    "events",
    metadata,
    Column("id", _COUNTED, primary_key=True, autoincrement=True),
    Column("at_ms", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("data", Text, nullable=False),
)

runtime_settings = Table(
    "runtime_settings",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at_ms", BigInteger, nullable=False),  # 0: not known
    Column("last_used_at_ms", BigInteger),
    Column("expires_at_ms", BigInteger),  # of the previous digest
    Column("previous_digest", Text),
)

insight = Table(
    "insight",
    metadata,
    Column("step_s", Integer, primary_key=True),
    Column("begin_ms", BigInteger, primary_key=True),
    Column("participants", Integer, nullable=False),
    Column("rooms", Integer, nullable=False),
    Column("recordings", Integer, nullable=False),
    Column("received_bps", BigInteger),
    Column("sent_bps", BigInteger),
    Column("covered_ms", BigInteger, nullable=False, server_default=text("0")),
)

insight_samples = Table(
    "insight_samples",
    metadata,
    Column("source", Text, primary_key=True),
    Column("begin_ms", BigInteger, primary_key=True, index=True),
    Column("participants", Integer, nullable=False),
    Column("rooms", Integer, nullable=False),
    Column("recordings", Integer, nullable=False),
    Column("covered_ms", BigInteger, nullable=False),
    Column("received_bytes", BigInteger),
    Column("sent_bytes", BigInteger),
)
