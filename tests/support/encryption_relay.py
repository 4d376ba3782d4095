"""A relay in front of a media server that announces every track as not encrypted, whatever its publisher says."""

import contextlib
from collections.abc import AsyncIterator

from livekit.protocol import models, rtc

from support.media_server_process import MediaServerProcess
from support.signalling_relay import relayed_signalling


@contextlib.asynccontextmanager
async def hidden_encryption(server: MediaServerProcess) -> AsyncIterator[MediaServerProcess]:
    """Yield the same server at another port; what its clients encrypt is garbage to all others."""
    async with relayed_signalling(server, up=_announce_plain, down=_announce_encrypted) as relayed:
        yield relayed


def _announce_plain(data: bytes) -> bytes:
    request = rtc.SignalRequest.FromString(data)
    if request.WhichOneof("message") == "add_track":
        request.add_track.encryption = models.Encryption.NONE
    return request.SerializeToString()


def _announce_encrypted(data: bytes) -> bytes:
    # The publisher's own SDK encrypts only what the server announces as encrypted.
    response = rtc.SignalResponse.FromString(data)
    if response.WhichOneof("message") == "track_published":
        response.track_published.track.encryption = models.Encryption.GCM
    elif response.WhichOneof("message") == "update":
        for track in (track for participant in response.update.participants for track in participant.tracks):
            track.encryption = models.Encryption.GCM
    return response.SerializeToString()
