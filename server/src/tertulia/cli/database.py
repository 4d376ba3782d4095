"""`tertulia db`: the schema of the database."""

from __future__ import annotations

import asyncio
import sys
from typing import Final

from tertulia.adapters.sql.inspection import inspect_schema
from tertulia.adapters.sql.schema import SchemaState, SchemaStatus
from tertulia.app.installation import database_url_of, installation, opened_store
from tertulia.cli.output import Listing, print_listing, watched
from tertulia.settings import Settings

_NEEDS_MIGRATION: Final = frozenset({SchemaState.EMPTY, SchemaState.BEHIND})


def schema_summary(status: SchemaStatus) -> str:
    """Say what a schema is to this version. Raise ConfigurationError for one that it cannot use."""
    match status.state:
        case SchemaState.EMPTY:
            return "opens, and is empty: the first start, or `tertulia db migrate`, makes its tables"
        case SchemaState.BEHIND:
            return f"schema {status.found}: the next start, or `tertulia db migrate`, brings it to {status.ours}"
        case SchemaState.CURRENT:
            return "opens, and is up to date"
        case SchemaState.NEWER:
            return f"schema {status.found} of a newer version, which this one ({status.ours}) can use"
        case SchemaState.TOO_NEW:
            raise status.refusal()


def show_status(settings: Settings, *, as_json: bool) -> None:
    """Print which schema there is. Raise ConfigurationError when the database cannot be opened or used."""
    status = inspect_schema(database_url_of(settings))
    found, ours = "-" if status.found is None else str(status.found), str(status.ours)
    data = {
        "state": status.state,
        "schema": None if status.found is None else found,
        "our_schema": ours,
        "needs_migration": status.state in _NEEDS_MIGRATION,
        "is_usable": status.state is not SchemaState.TOO_NEW,
    }
    rows = [("state", status.state.value), ("schema", found), ("schema of this version", ours)]
    print_listing(Listing(rows=rows, data=data), as_json=as_json)
    if status.state is SchemaState.TOO_NEW:
        raise status.refusal()


def migrate(settings: Settings) -> None:
    """Bring the database up to date. Raise ConfigurationError when it cannot be opened."""

    async def open_and_close() -> None:
        async with opened_store(installation(settings)):
            pass

    asyncio.run(watched("Migrating the database", open_and_close()))
    status = inspect_schema(database_url_of(settings))
    if status.state is SchemaState.NEWER:
        sys.stdout.write(f"The database has {schema_summary(status)}.\n")
    else:
        sys.stdout.write(f"The database is up to date: schema {status.found}.\n")
