"""`python -m support.server_at_address ADDRESS`: a whole server that has this address alone; a meeting is recorded."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

from support.film import is_like
from support.media_server_process import MediaServerProcess
from support.ports import free_port
from support.product import Product
from support.publisher import COLOURS, Look, Publisher
from support.recording_server import SETTINGS, RecordingServer


async def main(address: str, folder: Path) -> None:
    port = free_port()
    at_address = {"TERTULIA_HOST": address, "TERTULIA_MEDIA_ADDRESSES": address}
    product = Product(folder, public_url=f"http://[{address}]:{port}", settings=SETTINGS | at_address, port=port)
    product.own_url = product.url
    server = RecordingServer(product, folder)
    await product.start()
    try:
        room = await server.create_room()
        media = MediaServerProcess(port=port, host=f"[{address}]")
        ann = await Publisher(media, room, "Ann", look=Look(COLOURS["red"])).join()
        server.participants.append(ann)
        recording = await server.start_recording(room)
        await server.recorded(recording, 4)
        await server.stop_recording(recording)
        await server.ended(recording)
        film = await server.film(recording)
        assert is_like(film.frame_at(film.duration_s - 0.5).reshape(-1, 3).mean(0), COLOURS["red"], 60)
    finally:
        await server.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        asyncio.run(main(sys.argv[1], Path(scratch)))
