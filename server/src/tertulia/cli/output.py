"""What commands print: tables for readers, JSON for programs, progress bars where there is a terminal."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import click

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Reports how many steps are done, and of how many (0: unknown)."""
_REDRAW_EVERY_S: Final = 0.2
_GAP: Final = "  "
_NARROWEST_COLUMN: Final = 20
_COLOURS: Final = {"ok": "green", "FAIL": "red", "FAILED": "red", "ABORTED": "red"}


@dataclass(frozen=True, slots=True)
class Listing:
    """Something that is listed: `rows` of text under `columns` (none: no header), and the same as `data` for JSON."""

    rows: Sequence[tuple[str, ...]]
    data: object
    columns: tuple[str, ...] = ()


def print_listing(listing: Listing, *, as_json: bool) -> None:
    """Print JSON, or a table: in colour and wrapped on a terminal, plain aligned lines elsewhere."""
    if as_json:
        sys.stdout.write(f"{json.dumps(listing.data, indent=2, ensure_ascii=False)}\n")
    elif sys.stdout.isatty():
        sys.stdout.write(terminal_table(listing, width=shutil.get_terminal_size().columns))
    else:
        sys.stdout.write(plain_table(listing))


def plain_table(listing: Listing) -> str:
    """Return aligned lines, two spaces between the columns."""
    widths = _widths(listing)
    rows = [row for row in (listing.columns, *listing.rows) if row]
    return "".join(f"{_aligned(row, widths).rstrip()}\n" for row in rows)


def terminal_table(listing: Listing, *, width: int) -> str:
    """Return the same with colours, the last column wrapped so that a line fits into `width`."""
    widths = [*_widths(listing)[:-1], 0]
    indent = sum(widths) + len(_GAP) * (len(widths) - 1)
    room = max(width - indent, _NARROWEST_COLUMN)
    lines = [click.style(_aligned(listing.columns, widths), bold=True)] if listing.columns else []
    for *cells, last in listing.rows:
        first, *others = textwrap.wrap(last, room) or [""]
        coloured = [_coloured(cell.ljust(size)) for cell, size in zip(cells, widths, strict=False)]
        lines += [_GAP.join((*coloured, first)), *(f"{' ' * indent}{line}" for line in others)]
    return "".join(f"{line.rstrip()}\n" for line in lines)


@contextmanager
def progress(label: str, *, total: int | None = None) -> Iterator[Progress]:
    """Draw a bar on standard error as long as the block lasts; nothing where that is not a terminal.

    The block reports how many steps are done, and of how many; without a number the bar only shows that work goes on.
    """
    with click.progressbar(
        itertools.count() if total is None else None,
        length=total,
        label=label,
        file=sys.stderr,
        hidden=not sys.stderr.isatty(),
        show_eta=False,
        show_percent=False,
        show_pos=total is not None,
    ) as bar:

        def report(done: int, total: int) -> None:
            if total:
                bar.length, bar.show_pos, bar.finished = total, True, False
            bar.update(done - bar.pos if total else 1)

        yield report


async def watched(label: str, work: Coroutine[Any, Any, T], steps: Callable[[], tuple[int, int]] = lambda: (0, 0)) -> T:
    """Await the work, and draw meanwhile how far it is: `steps` says how many of how many are done."""
    task = asyncio.ensure_future(work)
    try:
        with progress(label) as report:
            while not task.done():
                await asyncio.wait({task}, timeout=_REDRAW_EVERY_S)
                report(*steps())
        return task.result()
    finally:
        task.cancel()


def _widths(listing: Listing) -> list[int]:
    rows = [row for row in (listing.columns, *listing.rows) if row]
    return [max(map(len, column)) for column in zip(*rows, strict=True)]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    return _GAP.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _coloured(cell: str) -> str:
    colour = _COLOURS.get(cell.strip())
    return click.style(cell, fg=colour) if colour and not os.environ.get("NO_COLOR") else cell
