"""Searching and sorting: pages that start after a row, whatever the list is sorted by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, literal, or_, tuple_

from tertulia.services.ports import SortKey


def sorted_page(
    statement: Select[Any],
    by: ColumnElement[Any],
    row_id: ColumnElement[Any],
    *,
    descending: bool,
    limit: int,
    after: SortKey | None,
) -> Select[Any]:
    """Sort by a value and by the id of the row, and begin after a row."""
    if after is not None:
        here, there = tuple_(by, row_id), tuple_(literal(after.value, by.type), literal(after.id))
        statement = statement.where(here < there if descending else here > there)
    order = (by.desc(), row_id.desc()) if descending else (by, row_id)
    return statement.order_by(*order).limit(limit)


def contains(text: str, *columns: ColumnElement[Any]) -> ColumnElement[bool]:
    """Look for a text anywhere in some columns, whatever the case of its ASCII letters."""
    return or_(*(column.icontains(text, autoescape=True) for column in columns))
