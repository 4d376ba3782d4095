"""Can this version use the schema that is there? Migrations are loaded and run only where one is missing.

A migration's file begins with its revision: `0007_from_0005` makes schema 7, which versions that know schema 5, 6 or
7 can use. One that only adds (expand) keeps the number after `from`; one that takes away (contract) raises it. So a
version can tell of a schema that is newer than itself whether it may run beside it, by the revision alone
(docs/decisions/0010).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Self

from sqlalchemy import Connection, inspect, text

from tertulia.errors import ConfigurationError

_VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"
_REVISION: Final = re.compile(r"(\d{4})(?:_from_(\d{4}))?(?!_from_|[^_])")
_LOCK: Final = 7_310_275_043_091
"""PostgreSQL's advisory lock for migrating: of several servers that start together, one migrates."""


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """A schema's number, and the oldest one that a version must know in order to use it."""

    number: int
    usable_from: int

    @classmethod
    def parse(cls, text_: str) -> Self:
        """Read what begins a migration's name. Raise ValueError for another text."""
        match = _REVISION.match(text_)
        if match is None:
            raise ValueError(f"'{text_}' does not begin with a revision")
        number, oldest = match.groups()
        return cls(int(number), int(oldest or number))

    def __str__(self) -> str:
        return (
            f"{self.number:04}" if self.number == self.usable_from else f"{self.number:04}_from_{self.usable_from:04}"
        )


class SchemaState(StrEnum):
    """What a schema is to this version."""

    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "current"
    NEWER = "newer"
    TOO_NEW = "too_new"


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """The schema that was found, if any, and the one that this version makes."""

    found: Revision | None
    ours: Revision

    @property
    def state(self) -> SchemaState:
        """Return what the schema is to this version."""
        if self.found is None:
            return SchemaState.EMPTY
        if self.found.number <= self.ours.number:
            return SchemaState.CURRENT if self.found.number == self.ours.number else SchemaState.BEHIND
        return SchemaState.NEWER if self.found.usable_from <= self.ours.number else SchemaState.TOO_NEW

    def refusal(self) -> ConfigurationError:
        """Return the error of a schema that is too new."""
        found = self.found or self.ours
        return ConfigurationError(
            f"TERTULIA_DATABASE_URL: the database has schema {found.number:04}, for versions that know "
            f"{found.usable_from:04} at least; this one knows {self.ours.number:04}. Use a newer version of Tertulia"
        )


def our_revision() -> Revision:
    """Return the newest revision of this version."""
    return max(Revision.parse(path.name) for path in _VERSIONS.glob("[0-9]*.py"))


def schema_status(connection: Connection) -> SchemaStatus:
    """Read which schema is there."""
    found = None
    if inspect(connection).has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return SchemaStatus(None if found is None else Revision.parse(found), our_revision())


def bring_up_to_date(connection: Connection) -> None:
    """Apply what is missing, inside the caller's transaction. Raises ConfigurationError when the schema is too new."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    status = schema_status(connection)
    if status.state is SchemaState.TOO_NEW:
        raise status.refusal()
    if status.state in {SchemaState.EMPTY, SchemaState.BEHIND}:
        from tertulia.adapters.sql.migrate import upgrade  # noqa: PLC0415 - slow to import, and rarely needed

        upgrade(connection)
