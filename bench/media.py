"""The media server beside livekit-server: the figures of docs/performance.md that are written by this command.

    python -m bench.media [--parts one-join restart pages many-joins memory] [--joins 1000] [--runs 3] [--dry-run]

Both servers, one after the other, on this machine; each part is a module of its own. Parts that are not asked for keep
their figures. Medians of as many runs as are asked for; a thousand joins are measured once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from typing import Final

from bench import chromium_meeting, joins_of_one, restart
from bench.document import write_figures
from bench.many_joins import Figures, measure, servers
from bench.servers import ROOT

SMALL_ROOMS: Final = 200
PAGES: Final = (4, 8)
PARTS: Final = ("one-join", "restart", "pages", "many-joins", "memory")
IDLE: Final = 60
TRACKS: Final = (1, 9)


async def many_joins(joins: int) -> list[tuple[str, Figures]]:
    """Measure joins to one room over both servers, and to many small rooms over ours."""
    found: list[tuple[str, Figures]] = []

    def add(name: str, figures: Figures) -> None:
        print(name, figures, flush=True)
        found.append((name, figures))

    for each in servers(None):
        async with each as server:
            add(f"{server.name}, one room", await measure(server, joins))
    for each in servers("tertulia"):
        async with each as server:
            add(f"{server.name}, {SMALL_ROOMS} rooms", await measure(server, joins, rooms=SMALL_ROOMS))
    return found


async def memory(runs: int) -> str:
    """Measure what a participant takes, and each subscription beside its first. Return their table."""
    found: dict[str, list[tuple[float, float]]] = {}
    for _ in range(runs):
        for each in range(len(servers(None))):
            taken = []
            for tracks in TRACKS:
                async with servers(None)[each] as server:
                    taken.append((await measure(server, IDLE, publishers=tracks)).rss_bytes / IDLE)
            few, many = taken
            found.setdefault(server.name, []).append((few, (many - few) / (TRACKS[1] - TRACKS[0])))
            print(server.name, found[server.name][-1], flush=True)
    lines = [f"| memory | {' | '.join(found)} |", "| --- |" + " --- |" * len(found)]
    for row, label in enumerate((f"a participant with one subscription, of {IDLE}", "each further subscription")):
        cells = (f"{statistics.median(run[row] for run in all_runs) / 1000:.0f} kB" for all_runs in found.values())
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


async def part(name: str, joins: int, runs: int) -> str:
    """Measure a part. Return its table."""
    if name == "one-join":
        return joins_of_one.section(await joins_of_one.measure(3 * runs))
    if name == "restart":
        return restart.section(await restart.measure(runs))
    if name == "pages":
        return chromium_meeting.section(await chromium_meeting.measure(PAGES, runs))
    if name == "memory":
        return await memory(runs)
    return section(await many_joins(joins))


def section(columns: list[tuple[str, Figures]]) -> str:
    """Return the section of the document."""
    joins = columns[0][1].joins
    rows = {
        f"{joins:,} have the join message after | 10 s": [f"{f.joined_s:.1f} s" for _, f in columns],
        "their media is connected after | 10 s": [
            "not in 60 s" if f.connected_s is None else f"{f.connected_s:.1f} s" for _, f in columns
        ],
        "update messages, to all together | < 20,000": [f"{f.updates:,}" for _, f in columns],
        "all messages": [f"{f.messages.total():,}" for _, f in columns],
        "their bytes": [f"{f.sizes.total() / 1e6:.0f} MB" for _, f in columns],
        "dropped | 0": [str(f.dropped) for _, f in columns],
        "CPU of the server, its media included": [f"{f.cpu_s:.1f} s" for _, f in columns],
        "CPU of its Python | < 5 s": [f"{f.python_s:.1f} s" if "tertulia" in name else "" for name, f in columns],
        "CPU of the synthetic peers": [f"{f.load_s:.1f} s" for _, f in columns],
        "memory of a participant and its subscription": [f"{f.rss_bytes / joins / 1000:.0f} kB" for _, f in columns],
    }
    names = " | ".join(name for name, _ in columns)
    lines = [f"| | goal | {names} |", "| --- | --- |" + " --- |" * len(columns)]
    for name, cells in rows.items():
        label = name if " | " in name else f"{name} | "
        lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--joins", type=int, default=1000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--dry-run", action="store_true", help="do not write the document")
    options = parser.parse_args()
    (ROOT / "test-artefacts").mkdir(exist_ok=True)
    for name in options.parts:
        written = asyncio.run(part(name, options.joins, options.runs))
        load = f"Load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
        print(written, load, sep="\n", flush=True)
        if not options.dry_run:
            write_figures(f"bench-media ({name})", f"{written}\n\n{load}\n")


if __name__ == "__main__":
    main()
