"""What SQLAlchemy leaves to dialects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
_MANY: Final = 500
_Insert = postgresql.Insert | sqlite.Insert
_INSERT: dict[str, Callable[[Table], _Insert]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@cache
def _upsert(dialect: str, table: Table) -> _Insert:
    statement = _INSERT[dialect](table)
    keys = [column.name for column in table.primary_key]
    changed = {c.name: statement.excluded[c.name] for c in table.columns if c.name not in keys}
    return statement.on_conflict_do_update(index_elements=keys, set_=changed)


def upsert(connection: Connection, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row, or replace the one with the same primary key."""
    connection.execute(_upsert(connection.dialect.name, table), row)


def insert_unless_conflict(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row; False when a unique index forbids it."""
    statement = _INSERT[connection.dialect.name](table).on_conflict_do_nothing()
    statement = statement.execution_options(preserve_rowcount=True)
    return connection.execute(statement, row).rowcount > 0


def pieces(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Split a list: both databases limit how many values a statement may have."""
    return (values[start : start + _MANY] for start in range(0, len(values), _MANY))
