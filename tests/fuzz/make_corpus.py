"""Records the corpus: `cd tests && python -m fuzz.make_corpus`.

Two clients of LiveKit's SDK publish, mute, subscribe, send data and leave, over a relay that keeps what the first of
them sends. The films are the muxer's, left in the middle.
"""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from livekit import rtc
from livekit.protocol.rtc import SignalRequest

from fuzz import corpus
from support.livekit_clients import LiveKitClient, joined
from support.lossy_link import Address, lossy_link
from support.media_server_process import MediaServerProcess
from support.recorded_file import SMALL, unfinished_file
from support.signalling_relay import relayed_signalling
from tertulia_recorder.job import RecordingPreset
from tertulia_recorder.pipeline.formats import FORMATS
from tertulia_sfu.signalling.codec import unwrap_join_request

DATAGRAMS_OF_A_KIND: Final = 12


class Recorded:
    """What one client sent."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.datagrams: dict[str, list[bytes]] = {}

    def connect(self, path: str) -> None:
        wrapped = parse_qs(urlsplit(path).query).get("join_request", [""])[0]
        self.messages.append(unwrap_join_request(wrapped).SerializeToString())

    def message(self, data: bytes) -> bytes:
        self.messages.append(data)
        return data

    def datagram(self, data: bytes) -> None:
        first = data[0]
        kind = "stun" if first < 4 else "dtls" if first < 64 else "rtcp" if 192 <= data[1] < 224 else "rtp"
        kept = self.datagrams.setdefault(kind, [])
        if len(kept) < DATAGRAMS_OF_A_KIND:
            kept.append(data)

    def offers(self) -> list[str]:
        found = [unwrapped.publisher_offer.sdp for unwrapped in (_join(self.messages[0]),)]
        found += [SignalRequest.FromString(each).offer.sdp for each in self.messages[1:]]
        return [sdp for sdp in found if sdp]


def _join(data: bytes) -> Any:
    from livekit.protocol.rtc import JoinRequest  # noqa: PLC0415

    return JoinRequest.FromString(data)


async def talk(client: LiveKitClient, other: str, *, simulcast: bool) -> None:
    """Do in a meeting what clients do."""
    microphone = await client.sounds()
    camera = await client.shows(size=(640, 360), simulcast=simulcast)
    await client.receives(other, rtc.TrackSource.SOURCE_MICROPHONE)
    assert microphone.track
    microphone.track.mute()
    await client.me.publish_data(b"hello", topic="chat")
    await client.me.set_attributes({"hand": "raised"})
    await client.me.set_metadata("metadata")
    for participant in client.room.remote_participants.values():
        for publication in participant.track_publications.values():
            publication.set_subscribed(False)
            publication.set_subscribed(True)
    microphone.track.unmute()
    await asyncio.sleep(1)
    await client.me.unpublish_track(camera.sid)
    await asyncio.sleep(0.5)


async def record(server: MediaServerProcess, *, simulcast: bool) -> Recorded:
    recorded = Recorded()
    async with lossy_link(server, 0) as (link_server, link):
        forward = link.forward

        def keep(socket: Any, data: bytes, address: Address) -> None:
            if socket is link._near:
                recorded.datagram(data)
            forward(socket, data, address)

        link.forward = keep  # type: ignore[method-assign]
        async with relayed_signalling(link_server, up=recorded.message, on_connect=recorded.connect) as relayed:
            grants = {"can_update_own_metadata": True}
            room = f"corpus-{simulcast}"
            one = _Url(relayed.url), server.token(room, "ann", **grants)
            other = _Url(server.url), server.token(room, "bob")
            async with joined(*other) as bob, joined(*one) as ann:  # type: ignore[arg-type]
                await bob.sounds(660)
                await bob.shows()
                await talk(ann, "bob", simulcast=simulcast)
    return recorded


class _Url:
    def __init__(self, url: str) -> None:
        self.ws_url = url


async def main() -> None:
    server = MediaServerProcess("tertulia")
    await server.start()
    try:
        recorded = [await record(server, simulcast=simulcast) for simulcast in (False, True)]
    finally:
        await server.kill()
    corpus.FOLDER.mkdir(exist_ok=True)
    lines = [json.dumps([_text(message) for message in each.messages]) for each in recorded]
    corpus.SESSIONS.write_text("\n".join(lines) + "\n")
    offers = sorted({sdp for each in recorded for sdp in each.offers()}, key=len)
    corpus.OFFERS.write_text(json.dumps(offers, indent=0) + "\n")
    datagrams = [_text(data) for kept in recorded[0].datagrams.values() for data in kept]
    corpus.DATAGRAMS.write_text(json.dumps(datagrams, indent=0) + "\n")
    with tempfile.TemporaryDirectory() as folder:
        for name, form in (("video", SMALL), ("audio", FORMATS[RecordingPreset.AUDIO])):
            (corpus.FOLDER / f"{name}.mp4").write_bytes(unfinished_file(Path(folder, name), 4, form))


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


if __name__ == "__main__":
    asyncio.run(main())
