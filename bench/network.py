"""What bad networks do to a meeting of two, over our media server and livekit-server: a table of docs/performance.md.

    python -m bench.network [--rows loss-10 …] [--runs 3] [--server tertulia|livekit] [--dry-run]

Two Chromium pages with nothing but `livekit-client`: one sends Chromium's own camera (720p, simulcast, 20 frames a
second) and a tone, the other one receives. The media of one of them goes through a relay that loses, delays and queues;
both servers in turn, each figure is the median of the runs. A frame counts when it was decoded, a tenth of a second of
sound when nothing of it had to be concealed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from playwright.async_api import Browser, Error, Page, async_playwright

from bench.chromium_meeting import ARGUMENTS, HTML
from bench.document import write_figures
from bench.minimal_page import served
from bench.servers import livekit_binary
from support.bad_link import BadLink, Conditions, bad_link
from support.media_server_process import MediaServerProcess
from support.people import CHROMIUM

MEGABIT: Final = 1_000_000
SETTLE_S: Final = 5.0
MEASURED_S: Final = 10.0
SEEN_WITHIN_S: Final = 60
GONE_S: Final = 10.0
SLOW_S: Final = 20.0
SIDES: Final = ("sender", "receiver")

JOIN: Final = """
async ([url, token, sends]) => {
  const { Room, RoomEvent, Track, VideoPresets } = LivekitClient;
  const room = (globalThis.room = new Room({ adaptiveStream: false, dynacast: true }));
  globalThis.received = {};
  room.on(RoomEvent.TrackSubscribed, (track) => {
    received[track.kind] = track;
    document.body.append(track.attach());
  });
  await room.connect(url, token);
  if (!sends) return;
  const { resolution } = VideoPresets.h720;
  await room.localParticipant.setCameraEnabled(true, { resolution }, { videoCodec: 'vp8' });
  const context = new AudioContext();
  const [tone, target] = [context.createOscillator(), context.createMediaStreamDestination()];
  tone.connect(target);
  tone.start();
  await room.localParticipant.publishTrack(target.stream.getAudioTracks()[0], { source: Track.Source.Microphone });
}
"""

# ten samples a second of what has been received so far
RECORD: Final = """
() => {
  globalThis.samples = [];
  const inbound = async (kind) => {
    const report = await received[kind]?.getRTCStatsReport();
    return [...(report?.values() ?? [])].find(({ type }) => type === 'inbound-rtp') ?? {};
  };
  setInterval(async () => {
    const [video, audio] = await Promise.all([inbound('video'), inbound('audio')]);
    samples.push({
      at_s: performance.now() / 1000,
      frames: video.framesDecoded ?? 0,
      height: video.frameHeight ?? 0,
      frozen_s: video.totalFreezesDuration ?? 0,
      heard: audio.totalSamplesReceived ?? 0,
      concealed: audio.concealedSamples ?? 0,
    });
  }, 100);
}
"""


@dataclass(frozen=True)
class Sample:
    """What a page has received so far."""

    at_s: float
    frames: int
    height: int
    frozen_s: float
    heard: int
    concealed: int


class Pair:
    """The two pages, and the link of one of them."""

    def __init__(self, receiver: Page, link: BadLink) -> None:
        self._receiver = receiver
        self.link = link

    async def watch(self, seconds: float) -> list[Sample]:
        """Return what the receiver has got by each tenth of the coming seconds."""
        await self._receiver.evaluate("() => void (samples.length = 0)")
        await asyncio.sleep(seconds)
        return [Sample(**each) for each in await self._receiver.evaluate("() => samples")]

    async def sees(self, condition: str) -> None:
        """Wait until a condition on the last sample, `it`, is true."""
        await self._receiver.wait_for_function(
            f"() => {{ const it = samples.at(-1); return it && ({condition}); }}", timeout=SEEN_WITHIN_S * 1000
        )


Figures = dict[str, float]


def _fps(samples: Sequence[Sample]) -> float:
    return (samples[-1].frames - samples[0].frames) / (samples[-1].at_s - samples[0].at_s)


def _frozen_s(samples: Sequence[Sample]) -> float:
    """Chromium counts a freeze when it has ended: one that goes on is added."""
    last = samples[-1]
    since = next(each.at_s for each in samples if each.frames == last.frames)
    going_on_s = last.at_s - since
    return last.frozen_s - samples[0].frozen_s + (going_on_s if going_on_s > 0.5 else 0.0)


def _whole(samples: Sequence[Sample]) -> float:
    """Return which share of the tenths of seconds had sound of which nothing was concealed, in per cent."""
    tenths = list(pairwise(samples))
    whole = [new.heard > old.heard and new.concealed == old.concealed for old, new in tenths]
    return 100 * sum(whole) / len(whole)


async def _steady(pair: Pair) -> Figures:
    samples = await pair.watch(MEASURED_S)
    return {"frames a second": _fps(samples), "frozen, s": _frozen_s(samples), "sound whole, %": _whole(samples)}


async def _nothing(pair: Pair) -> Figures:
    """Cut the link for a while; tell how long after it sound and picture are back."""
    pair.link.change(Conditions(is_cut=True))
    await asyncio.sleep(GONE_S)
    pair.link.change(Conditions())
    samples = await pair.watch(MEASURED_S)
    first = samples[0]

    def after_s(is_back: Callable[[Sample, Sample], bool]) -> float:
        found = (new.at_s for old, new in pairwise(samples) if is_back(old, new))
        return next(found, first.at_s + MEASURED_S) - first.at_s

    return {
        "sound back after, s": after_s(lambda old, new: new.heard > old.heard and new.concealed == old.concealed),
        "picture back after, s": after_s(lambda old, new: new.frames > old.frames),
    }


async def _narrow(pair: Pair) -> Figures:
    """Make the link narrow for a while, and wide again."""
    wide = Conditions(bits_per_s=4 * MEGABIT)
    pair.link.change(wide)
    await asyncio.sleep(SETTLE_S)
    pair.link.change(Conditions(bits_per_s=MEGABIT / 2))
    narrow = await pair.watch(SLOW_S)
    pair.link.change(wide)
    after = await pair.watch(SLOW_S)
    smaller = (each.at_s for each in narrow if each.height < narrow[0].height)
    full = (each.at_s for each in after if each.height >= 720)
    steady = [each.height for each in narrow if each.at_s > narrow[-1].at_s - MEASURED_S]
    return {
        "frames a second while narrow": _fps(narrow),
        "smaller after, s": next(smaller, narrow[0].at_s + SLOW_S) - narrow[0].at_s,
        "changes in the last 10 s": sum(old != new for old, new in pairwise(steady)),
        "frozen while narrow, s": _frozen_s(narrow),
        "sound whole, %": _whole([*narrow, *after]),
        "full again after, s": next(full, after[0].at_s + SLOW_S) - after[0].at_s,
    }


@dataclass(frozen=True)
class Row:
    """A network of the table: what it is at first, and what is measured on it. `goals`: as issue 14 has them."""

    label: str
    conditions: Conditions
    measure: Callable[[Pair], Awaitable[Figures]]
    goals: dict[str, str]


ROWS: Final = {
    "loss-10": Row(
        "10 % loss", Conditions(loss=0.1), _steady, {"frames a second": "20", "frozen, s": "< 0.3"}
    ),
    "loss-30": Row(
        "30 % loss", Conditions(loss=0.3), _steady, {"frames a second": "≥ 15", "frozen, s": "< 2"}
    ),
    "loss-30-far": Row(
        "30 % loss, 300 ms round trip",
        Conditions(loss=0.3, delay_s=0.15),
        _steady,
        {"frames a second": "≥ 8", "sound whole, %": "≥ 98"},
    ),
    "nothing": Row(
        "10 s of nothing", Conditions(), _nothing, {"sound back after, s": "< 0.5", "picture back after, s": "< 2"}
    ),
    "narrow": Row(
        "4 Mb/s → 500 kb/s → 4 Mb/s, queue of 200 ms",
        Conditions(),
        _narrow,
        {
            "smaller after, s": "≈ 0.2",
            "sound whole, %": "100",
            "changes in the last 10 s": "≤ 1",
            "full again after, s": "< 5",
        },
    ),
}  # fmt: skip


@asynccontextmanager
async def two_pages(
    browser: Browser, address: str, server: MediaServerProcess, row: Row, side: str
) -> AsyncIterator[Pair]:
    """Yield two pages that meet at a server, one of them behind the network of a row once both see and hear."""
    async with bad_link(server, Conditions()) as (relayed, link):
        pages: dict[str, Page] = {}
        for name in ("sender", "receiver"):
            pages[name] = await (await browser.new_context()).new_page()
            await pages[name].goto(address)
            way = relayed if name == side else server
            await pages[name].evaluate(JOIN, [way.url, server.token("network", name), name == "sender"])
        await pages["receiver"].evaluate(RECORD)
        pair = Pair(pages["receiver"], link)
        await pair.sees("it.frames > 0 && it.heard > 0")
        link.change(row.conditions)
        await asyncio.sleep(SETTLE_S)
        try:
            yield pair
        finally:
            for page in pages.values():
                await page.context.close()


async def measure(rows: Sequence[str], kinds: Sequence[str], runs: int) -> dict[tuple[str, str, str], list[Figures]]:
    """Measure each row on each side over each server, in turn."""
    found: dict[tuple[str, str, str], list[Figures]] = {}
    async with served(HTML) as address, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        for _ in range(runs):
            for name in rows:
                for side in SIDES:
                    for kind in kinds:
                        try:
                            figures = await figures_on(browser, address, kind, ROWS[name], side)
                        except Error:  # a page did not get in
                            figures = await figures_on(browser, address, kind, ROWS[name], side)
                        print(name, side, kind, {key: round(value, 2) for key, value in figures.items()}, flush=True)
                        found.setdefault((name, side, kind), []).append(figures)
        await browser.close()
    return found


async def figures_on(browser: Browser, address: str, kind: str, row: Row, side: str) -> Figures:
    """Measure a row over a fresh server, `side` being behind that network."""
    server = MediaServerProcess(kind)
    await server.start()
    try:
        async with two_pages(browser, address, server, row, side) as pair:
            return await row.measure(pair)
    finally:
        await server.kill()


def section(found: dict[tuple[str, str, str], list[Figures]]) -> str:
    """Return the table of the document."""
    kinds = list(dict.fromkeys(kind for _, _, kind in found))
    lines = [f"| network | {' | '.join(kinds)} | goal |", "| --- |" + " --- |" * (len(kinds) + 1)]
    for name, side in dict.fromkeys((name, side) for name, side, _ in found):
        row = ROWS[name]
        for figure in found[name, side, kinds[0]][0]:
            medians = [statistics.median(run[figure] for run in found[name, side, kind]) for kind in kinds]
            cells = " | ".join(f"{each:.1f}" for each in medians)
            lines.append(f"| {row.label}, at the {side}: {figure} | {cells} | {row.goals.get(figure, '')} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print the table and write it into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--server", choices=("tertulia", "livekit"))
    parser.add_argument("--dry-run", action="store_true", help="print, write nothing")
    arguments = parser.parse_args()
    kinds = [arguments.server] if arguments.server else ["tertulia", "livekit"]
    if livekit_binary() is None:
        kinds = ["tertulia"]
    table = section(asyncio.run(measure(arguments.rows, kinds, arguments.runs)))
    load, cores = os.getloadavg()[0], os.cpu_count()
    text = f"{table}\n\nLoad of this machine {load:.1f} on {cores} cores.\n\n"
    print(text)
    if not arguments.dry_run:
        write_figures("bench-network", text)


if __name__ == "__main__":
    main()
