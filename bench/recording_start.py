"""How long `POST /recordings` takes until it answers, with a real publisher in the meeting. Prints a table.

    python -m bench.recording_start [--rounds 10]

The whole product in one process, SQLite, its own media server, one participant with camera and microphone. Each round
starts a recording, stops it, and waits for its end. On a busy machine the minimum is the figure to compare.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from support.media_server_process import KEY, SECRET, MediaServerProcess
from support.product import API_KEY, Product, running_product
from support.publisher import COLOURS, Look, Publisher, tone


async def measure(rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round: start → answer, and stop → playable."""
    took: dict[str, list[float]] = {"start → answer": [], "stop → playable": []}
    settings = {"TERTULIA_MEDIA_API_KEY": KEY, "TERTULIA_MEDIA_API_SECRET": SECRET}
    with tempfile.TemporaryDirectory() as folder:
        async with running_product(Path(folder), settings=settings) as product:
            room = (await product.create_room("rec")).name
            media = MediaServerProcess(port=product.port)
            person = Publisher(media, room, "Ann", look=Look(COLOURS["red"], (1280, 720)), sound=tone(440))
            await person.join()
            async with aiohttp.ClientSession(headers={"X-API-KEY": API_KEY}) as http:
                for _ in range(rounds):
                    started_s, stopped_s = await one_round(product, http, room)
                    took["start → answer"].append(started_s)
                    took["stop → playable"].append(stopped_s)
            await person.leave()
    return took


async def one_round(product: Product, http: aiohttp.ClientSession, room: str) -> tuple[float, float]:
    """Record for two seconds."""
    url = f"{product.own_url}/meet/api/v1/recordings"
    began_s = time.monotonic()
    async with http.post(url, json={"roomName": room}) as answer:
        recording: dict[str, Any] = await answer.json()
        assert answer.status == 200, recording
    started_s = time.monotonic() - began_s
    await asyncio.sleep(2)
    began_s = time.monotonic()
    async with http.put(f"{url}/{recording['id']}") as answer:
        assert answer.status == 204, await answer.text()
    while recording["status"] not in {"STOPPED", "FAILED"}:
        await asyncio.sleep(0.005)
        async with http.get(f"{url}/{recording['id']}") as answer:
            recording = await answer.json()
    assert recording["status"] == "STOPPED", recording
    return started_s, time.monotonic() - began_s


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    for what, times in asyncio.run(measure(options.rounds)).items():
        print(f"{what:<16}  min {min(times):.2f} s  median {statistics.median(times):.2f} s  max {max(times):.2f} s")


if __name__ == "__main__":
    main()
