"""`python -m support.meeting_at_address ADDRESS`: two clients meet over a media server with this address alone.

It prints how many datagrams the server has received.
"""

from __future__ import annotations

import asyncio
import sys

from livekit import rtc

from support.livekit_clients import RED, is_near, joined, mean_colour, token
from support.media_servers import embedded


async def main(address: str) -> None:
    async with embedded(addresses=(address,)) as server:
        async with (
            joined(server, token(server, "ann", "room")) as ann,
            joined(server, token(server, "bob", "room")) as bob,
        ):
            await ann.shows(RED)
            track = await bob.receives("ann", rtc.TrackSource.SOURCE_CAMERA)
            assert is_near(await mean_colour(track, RED), RED)
        print(server.media.stats()["datagrams_in"] if server.media else 0)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
