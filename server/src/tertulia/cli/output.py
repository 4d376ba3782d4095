"""What commands print: tables for readers, JSON for programs, progress bars where there is a terminal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text


@dataclass(frozen=True, slots=True)
class Listing:
    """Something that is listed: `rows` of text under `columns` (none: no header), and the same as `data` for JSON."""

    rows: Sequence[tuple[str, ...]]
    data: object
    columns: tuple[str, ...] = ()


class ProgressBar:
    """How far a piece of work is. Where there is no terminal nothing is drawn."""

    def __init__(self, bars: Progress, task: TaskID) -> None:
        self._bars = bars
        self._task = task

    def update(self, label: str, *, done: int, total: int | None = None) -> None:
        """Say what is done now, and how many steps (of how many, where that has changed) are done."""
        self._bars.update(self._task, description=label, completed=done, total=total)


def print_listing(listing: Listing, *, as_json: bool) -> None:
    """Print JSON, or a table: drawn on a terminal, plain aligned lines elsewhere."""
    if as_json:
        sys.stdout.write(f"{json.dumps(listing.data, indent=2, ensure_ascii=False)}\n")
    elif sys.stdout.isatty():
        _draw(listing)
    else:
        sys.stdout.write(plain_table(listing))


def plain_table(listing: Listing) -> str:
    """Return aligned lines, two spaces between the columns."""
    cells = [row for row in (listing.columns, *listing.rows) if row]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "".join(f"{line}\n" for line in lines)


@contextmanager
def progress(label: str, *, total: int | None = None) -> Iterator[ProgressBar]:
    """Draw a bar on standard error as long as the block lasts; `total` None: nobody knows how long that is."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )
    with bars:
        yield ProgressBar(bars, bars.add_task(label, total=total))


def _draw(listing: Listing) -> None:
    table = Table(box=box.SIMPLE_HEAD, show_header=bool(listing.columns), pad_edge=False)
    for column in listing.columns or ("",) * len(listing.rows[0]):
        table.add_column(column, overflow="fold")
    for row in listing.rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
