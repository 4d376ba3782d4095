"""Looks at a database without changing anything: neither its schema nor a file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import create_engine, make_url
from sqlalchemy.engine import URL, Engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from tertulia.adapters.sql.failures import reason
from tertulia.adapters.sql.schema import SchemaStatus, our_revision, schema_status
from tertulia.errors import ConfigurationError

_CONNECT_TIMEOUT_S: Final = 10


def inspect_schema(database_url: str) -> SchemaStatus:
    """Return which schema is there; a SQLite file that does not exist has none.

    Raises ConfigurationError when the database cannot be opened.
    """
    try:
        url = make_url(database_url)
    except ArgumentError as error:
        raise ConfigurationError("TERTULIA_DATABASE_URL: it is no URL such as sqlite:///<file>") from error
    is_sqlite = url.get_backend_name() == "sqlite"
    if is_sqlite and not Path(url.database or "").is_file():
        return SchemaStatus(None, our_revision())
    engine = _sqlite(url) if is_sqlite else _postgres(url)
    try:
        with engine.connect() as connection:
            return schema_status(connection)
    except (SQLAlchemyError, ValueError) as error:
        safe = url.render_as_string(hide_password=True)
        raise ConfigurationError(f"TERTULIA_DATABASE_URL: cannot open '{safe}': {reason(error)}") from error


def _sqlite(url: URL) -> Engine:
    path = Path(url.database or "").absolute()
    log = path.with_name(f"{path.name}-wal")
    # without a log beside it, even a reader would make one (and its index): a file that nobody has open is immutable
    has_log = log.is_file() and log.stat().st_size > 0
    address = f"file:{quote(str(path))}?{'mode=ro' if has_log else 'immutable=1'}"
    return create_engine("sqlite://", creator=lambda: sqlite3.connect(address, uri=True), poolclass=NullPool)


def _postgres(url: URL) -> Engine:
    query = {"connect_timeout": str(_CONNECT_TIMEOUT_S), **url.query}
    engine = create_engine(url.set(drivername="postgresql+psycopg", query=query), poolclass=NullPool)
    return engine.execution_options(postgresql_readonly=True)
