"""Forwarded packets per server CPU-second, our media server beside livekit-server: the table of docs/performance.md.

    python -m bench.forwarding [--rows 1x4 10x20 …] [--runs 3] [--seconds 10] [--server tertulia|livekit] [--feedback]
        [--real] [--delays] [--dry-run]

The same synthetic peers (`sfu/crates/sfu-load`: sound, and video like 720p) run against both servers, in turn; each
figure is the median of the runs. A packet counts when a subscriber has decrypted it; the CPU time is the server
process's own, system time included. Of ours, its own counters tell how many packets are handled at once and which part
of its work takes how long. With `--real` publishers send a face and a voice: packets of many sizes.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from typing import Final, TypeAlias

import aiohttp

from bench.document import write_figures
from bench.footage import FPS, person
from bench.load import Load, Peer, Publication, load_process
from bench.servers import (
    METRICS_TOKEN,
    ROOT,
    Server,
    cpu_seconds,
    livekit_binary,
    livekit_server,
    our_server,
    token,
)

OURS: Final = "tertulia"
LAYERS: Final = {
    "receive": "receiving (system calls)",
    "handle": "opening",
    "forward": "choosing, rewriting, sealing, timers",
    "send": "sending (system calls)",
}
PREFIX: Final = "tertulia_media_"
SIZE: Final = (1280, 720)
# the rate of packets has settled when it grows by less than this from one second to the next
SETTLED: Final = 0.02


@dataclass(frozen=True)
class Row:
    """A constellation of the table. `mutual`: there are no others than the publishers, who all receive each other."""

    publishers: int
    subscribers: int
    goal: float
    rooms: int = 1
    mutual: bool = False

    @property
    def name(self) -> str:
        """What the table calls it."""
        shape = f"{self.publishers} × {self.subscribers}"
        return shape if self.rooms == 1 else f"{self.rooms} rooms of {shape}"

    def peers(self, load: Load, *, is_real: bool, is_timed: bool) -> Iterator[Peer]:
        """Yield its participants, publishers of a room first. `is_timed`: one subscriber notes delays."""
        publication = Publication(clip=person(0, SIZE), fps=FPS) if is_real else Publication()
        for room in (f"bench-{n}" for n in range(self.rooms)):
            for n in range(self.publishers):
                name = f"{room}-publisher-{n}"
                yield Peer(name, token(name, room=room, publishes=True, subscribes=self.mutual), load, publication)
            for n in range(0 if self.mutual else self.subscribers):
                name = f"{room}-subscriber-{n}"
                yield Peer(name, token(name, room=room, publishes=False), load, is_timed=is_timed and n == 0)


ROWS: Final = {
    "1x4": Row(1, 4, 3),
    "1x20": Row(1, 20, 5),
    "1x150": Row(1, 150, 5),
    "10x20": Row(10, 20, 5),
    "10x40": Row(10, 40, 4),
    "10x4x4": Row(4, 4, 3, rooms=10, mutual=True),
}


@dataclass
class Sample:
    """What was measured over one server in one run."""

    sent: int
    received: int
    cpu_s: float
    counters: Counter[str]
    delays: str

    @property
    def packets_per_cpu_s(self) -> float:
        """The figure of the table."""
        return self.received / self.cpu_s


async def measure(server: Server, row: Row, options: argparse.Namespace) -> Sample:
    """Let all join, wait until the rate of packets is steady, and measure."""
    seconds: float = options.seconds
    async with load_process(tells_arrivals=options.feedback) as load, AsyncExitStack() as stack:
        http = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        peers = list(row.peers(load, is_real=options.real, is_timed=options.delays))
        async with asyncio.TaskGroup() as group:
            tasks = []
            for peer in peers:
                ready = asyncio.Event()
                tasks.append(group.create_task(peer.run(http, server.url, ready), name=peer.name))
                await ready.wait()
            await until_steady(load, len(peers))
            sample = await take_sample(server, load, http, seconds)
            for task in tasks:
                task.cancel()
    print(
        f"{server.name:16} {row.name}: {sample.packets_per_cpu_s:10,.0f} packets per server CPU-second; "
        f"{sample.sent} in, {sample.received} out, {sample.cpu_s:.2f} CPU-seconds in {seconds:.0f} s"
        f"{sample.delays}",
        flush=True,
    )
    return sample


async def until_steady(load: Load, peers: int) -> None:
    """Wait until all peers are connected, and each second brings as many packets as the one before."""
    async with asyncio.timeout(120):
        while (stats := await load.ask(do="stats"))["connected"] != peers:
            await asyncio.sleep(0.2)
        before, rate = number(stats, "received"), 0
        while True:
            await asyncio.sleep(1)
            received = number(await load.ask(do="stats"), "received")
            last, rate, before = rate, received - before, received
            if rate and rate <= last * (1 + SETTLED):
                return


def number(stats: dict[str, object], name: str) -> int:
    """Return a count of the synthetic peers."""
    return int(str(stats[name]))


async def take_sample(server: Server, load: Load, http: aiohttp.ClientSession, seconds: float) -> Sample:
    counters = await counters_of(server, http)
    before, cpu_before = await load.ask(do="stats"), cpu_seconds(server.pid)
    await asyncio.sleep(seconds)
    after, cpu_after = await load.ask(do="stats"), cpu_seconds(server.pid)
    sent, received = (number(after, name) - number(before, name) for name in ("sent", "received"))
    grown = await counters_of(server, http)
    grown.subtract(counters)
    return Sample(sent, received, cpu_after - cpu_before, grown, delays_in(after))


def delays_in(stats: dict[str, object]) -> str:
    """Return what is to be printed of the delays between the synthetic peers, their own part included."""
    found = stats["delays_us"]
    assert isinstance(found, dict)
    return f"; delays in µs: median {found['median']}, p99 {found['p99']}" if found["median"] is not None else ""


async def counters_of(server: Server, http: aiohttp.ClientSession) -> Counter[str]:
    """Return our core's counters; none of the other server."""
    counters: Counter[str] = Counter()
    if server.name != OURS:
        return counters
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    async with http.get(server.url.replace("ws", "http", 1) + "/metrics", headers=headers) as response:
        response.raise_for_status()
        for line in (await response.text()).splitlines():
            name, _, value = line.partition(" ")
            if name.startswith(PREFIX):
                counters[name.removeprefix(PREFIX).removesuffix("_total")] = int(float(value))
    return counters


def servers(only: str | None) -> Iterator[AbstractAsyncContextManager[Server]]:
    """Yield the servers to measure, each a fresh process."""
    binary = livekit_binary()
    if only != "livekit":
        yield our_server()
    if only != "tertulia" and binary:
        yield livekit_server(binary)


Measured: TypeAlias = dict[str, list[Sample]]
"""The samples of a row, by the server's name."""


async def measure_rows(options: argparse.Namespace) -> list[tuple[Row, Measured]]:
    """Measure each row over the servers in turn, as often as `runs` says."""
    found: list[tuple[Row, Measured]] = []
    for row in (ROWS[name] for name in options.rows):
        samples: Measured = {}
        for _ in range(options.runs):
            for each in servers(options.server):
                async with each as server:
                    samples.setdefault(server.name, []).append(await measure(server, row, options))
        found.append((row, samples))
    return found


def figure(samples: Sequence[Sample]) -> float | None:
    """Return the median packets per CPU-second."""
    return statistics.median(each.packets_per_cpu_s for each in samples) if samples else None


def comparison(found: Sequence[tuple[Row, Measured]]) -> str:
    """Return the table of both servers."""
    lines = [
        "| publishers × subscribers | Tertulia | livekit-server | ratio | goal |",
        "| --- | --- | --- | --- | --- |",
    ]
    for row, samples in found:
        ours, theirs = figure(samples.get(OURS, [])), figure(samples.get("livekit-server", []))
        cells = ["–" if each is None else f"{each:,.0f}" for each in (ours, theirs)]
        ratio = f"{ours / theirs:.1f}" if ours and theirs else "–"
        lines.append(f"| {row.name} | {cells[0]} | {cells[1]} | {ratio} | {row.goal:.0f} |")
    return "\n".join(lines)


def profile(found: Sequence[tuple[Row, Measured]]) -> str:
    """Return the table of what our core did at once, and where its time went."""
    lines = [
        "| | packets in, a wake-up | a call | packets out, a wake-up | a call | a message | "
        + " | ".join(LAYERS.values())
        + " |",
        "| --- |" + " --- |" * (5 + len(LAYERS)),
    ]
    for row, samples in found:
        counts: Counter[str] = Counter()
        for each in samples.get(OURS, []):
            counts.update(each.counters)
        if not counts["turns"]:
            continue
        incoming, outgoing = counts["datagrams_in"], counts["datagrams_out"]
        shares = [
            (incoming, counts["turns"]),
            (incoming, counts["receive_calls"]),
            (outgoing, counts["turns"]),
            (outgoing, counts["send_calls"]),
            (outgoing, counts["send_messages"]),
        ]
        times = [counts[f"time_{layer}_us"] for layer in LAYERS]
        cells = [f"{count / max(by, 1):.1f}" for count, by in shares]
        cells += [f"{time / max(sum(times), 1):.0%}" for time in times]
        lines.append(f"| {row.name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def section(found: Sequence[tuple[Row, Measured]]) -> str:
    """Return the section of the document."""
    load = f"Load of this machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores."
    return "\n\n".join(
        [comparison(found), "What our core did at once, and where its time went:", profile(found), load, ""]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--server", choices=["tertulia", "livekit"], help="only this one")
    parser.add_argument("--feedback", action="store_true", help="receivers tell each 50 ms what has arrived")
    parser.add_argument("--real", action="store_true", help="publishers send a face and a voice")
    parser.add_argument("--delays", action="store_true", help="one subscriber reads at once, and notes delays")
    parser.add_argument("--dry-run", action="store_true", help="do not write the document")
    options = parser.parse_args()
    (ROOT / "test-artefacts").mkdir(exist_ok=True)
    written = section(asyncio.run(measure_rows(options)))
    print(written)
    if not options.dry_run:
        write_figures("bench-forwarding", written)


if __name__ == "__main__":
    main()
