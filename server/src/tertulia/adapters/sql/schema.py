"""Is the schema what this version needs? Only when it is not, the migrations are loaded and run."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text

_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_LOCK = 7_310_275_043_091
"""PostgreSQL's advisory lock for migrating: of several servers that start together, one migrates."""


def newest_revision() -> str:
    """Tell the newest revision: a migration's file begins with its number."""
    return max(path.name[:4] for path in _VERSIONS.glob("[0-9]*.py"))


def bring_up_to_date(connection: Connection) -> None:
    """Apply what is missing, inside the caller's transaction."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if _revision(connection) != newest_revision():
        from tertulia.adapters.sql.migrate import upgrade  # noqa: PLC0415 - slow to import, and rarely needed

        upgrade(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
