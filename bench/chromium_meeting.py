"""A meeting of Chromium pages over our media server and livekit-server: frames a second, freezes, CPU of the server.

Each page has nothing but `livekit-client`, sends Chromium's own camera and microphone (640 × 360, simulcast) and shows
all others. The pages, their browser and the server share this machine.
"""

from __future__ import annotations

import asyncio
import json
import statistics
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from playwright.async_api import Page, async_playwright

from bench.many_joins import servers
from bench.minimal_page import served
from bench.servers import Server, cpu_seconds, token
from support.people import CHROMIUM

ROOM: Final = "pages"
ARGUMENTS: Final = (
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    # pages that are not in front would be slowed down
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
)
JOINED_WITHIN_S: Final = 60
SEEN_WITHIN_S: Final = 30
MEASURED_S: Final = 10.0

HTML: Final = "<!doctype html><meta charset=utf-8><title>meeting</title><script src=/livekit-client.js></script>"
MEET: Final = """
async ([url, token]) => {
  const { Room, RoomEvent, VideoPresets } = LivekitClient;
  const room = (globalThis.room = new Room({ adaptiveStream: true, dynacast: true }));
  room.on(RoomEvent.TrackSubscribed, (track) => {
    const element = document.createElement(track.kind);
    Object.assign(element.style, { width: '320px', height: '180px' });
    document.body.append(element);
    track.attach(element);
  });
  await room.connect(url, token);
  await room.localParticipant.setCameraEnabled(true, { resolution: VideoPresets.h360.resolution });
  await room.localParticipant.setMicrophoneEnabled(true);
}
"""
STATE: Final = """
async () => {
  const found = [];
  for (const participant of room.remoteParticipants.values()) {
    for (const { videoTrack } of participant.videoTrackPublications.values()) {
      const report = await videoTrack?.getRTCStatsReport();
      for (const stats of report?.values() ?? []) {
        if (stats.type !== 'inbound-rtp') continue;
        found.push({ frames: stats.framesDecoded, frozen_s: stats.totalFreezesDuration ?? 0 });
      }
    }
  }
  return found;
}
"""


@dataclass(frozen=True)
class Meeting:
    """What the pages have seen of each other's cameras, and what it cost.

    `fps`: of each camera on each page; those that were not seen count as 0.
    """

    fps: tuple[float, ...]
    frozen_s: float
    server_cpu: float


Meetings: TypeAlias = dict[tuple[int, str], list[Meeting]]
"""By the number of pages and the server."""


async def measure(sizes: Sequence[int], runs: int) -> Meetings:
    """Hold meetings of these sizes over each server, in turn."""
    found: Meetings = {}
    for size in sizes:
        for _ in range(runs):
            for each in servers(None):
                async with each as server:
                    meeting = await _meet(server, size)
                print(server.name, size, meeting, flush=True)
                found.setdefault((size, server.name), []).append(meeting)
    return found


async def _meet(server: Server, size: int) -> Meeting:
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(served(HTML))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        stack.push_async_callback(browser.close)
        pages = []
        for number in range(size):
            page = await (await browser.new_context()).new_page()
            await page.goto(address)
            pages.append(page)
            await _join(page, [server.url, token(f"page-{number}", publishes=True, room=ROOM)])
        await _until_all_are_seen(pages)
        before, cpu_before = await _states(pages), cpu_seconds(server.pid)
        await asyncio.sleep(MEASURED_S)
        after, cpu_after = await _states(pages), cpu_seconds(server.pid)
    seen = [
        ((last["frames"] - first["frames"]) / MEASURED_S, last["frozen_s"] - first["frozen_s"])
        for old, new in zip(before, after, strict=True)
        for first, last in zip(old, new, strict=False)
    ]
    unseen = [0.0] * (size * (size - 1) - len(seen))
    return Meeting(
        fps=tuple(sorted([fps for fps, _ in seen] + unseen)),
        frozen_s=sum(frozen_s for _, frozen_s in seen),
        server_cpu=(cpu_after - cpu_before) / MEASURED_S,
    )


async def _join(page: Page, access: Sequence[str]) -> None:
    """Let a page join. One that does not get in is there, but sees nobody."""
    try:
        async with asyncio.timeout(JOINED_WITHIN_S):
            await page.evaluate(MEET, access)
    except TimeoutError:
        print("a page did not get in", flush=True)


async def _states(pages: Sequence[Page]) -> list[list[dict[str, Any]]]:
    return list(await asyncio.gather(*(page.evaluate(STATE) for page in pages)))


async def _until_all_are_seen(pages: Sequence[Page]) -> None:
    """Wait until each page decodes the camera of each other, or for half a minute."""
    states: list[list[dict[str, Any]]] = []
    try:
        async with asyncio.timeout(SEEN_WITHIN_S):
            while True:
                states = await _states(pages)
                if all(len([each for each in state if each["frames"]]) == len(pages) - 1 for state in states):
                    return
                await asyncio.sleep(0.5)
    except TimeoutError:
        print("not all are seen:", json.dumps([len(state) for state in states]), flush=True)


def section(found: Meetings) -> str:
    """Return the table of the document."""
    names = list(dict.fromkeys(server for _, server in found))
    lines = [f"| Chromium pages in one meeting | {' | '.join(names)} |", "| --- |" + " --- |" * len(names)]
    rows = {
        "frames a second, median": lambda meeting: statistics.median(meeting.fps),
        "frames a second, least": lambda meeting: min(meeting.fps),
        f"frozen in {MEASURED_S:.0f} s, all pictures together (s)": lambda meeting: meeting.frozen_s,
        "cores of the server": lambda meeting: meeting.server_cpu,
    }
    for size in dict.fromkeys(size for size, _ in found):
        for row, value in rows.items():
            medians = [statistics.median(value(each) for each in found[size, server]) for server in names]
            lines.append(f"| {size} pages: {row} | {' | '.join(f'{each:.2f}' for each in medians)} |")
    return "\n".join(lines)
