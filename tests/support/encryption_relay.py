"""A way to the media server on which every track is announced as not encrypted, whatever the client says of it."""

import contextlib
from collections.abc import AsyncIterator

from livekit.protocol import models, rtc

from support.media_server_process import MediaServerProcess
from support.signalling_relay import signalling_way


@contextlib.asynccontextmanager
async def lying_about_encryption(server: MediaServerProcess) -> AsyncIterator[MediaServerProcess]:
    """Give the same server at another port; what is encrypted by those who come this way is garbage to all others."""
    async with signalling_way(server, up=_lie, down=_hide) as way:
        yield way


def _lie(data: bytes) -> bytes:
    request = rtc.SignalRequest.FromString(data)
    if request.WhichOneof("message") == "add_track":
        request.add_track.encryption = models.Encryption.NONE
    return request.SerializeToString()


def _hide(data: bytes) -> bytes:
    # A client encrypts only what the server calls encrypted.
    response = rtc.SignalResponse.FromString(data)
    if response.WhichOneof("message") == "track_published":
        response.track_published.track.encryption = models.Encryption.GCM
    elif response.WhichOneof("message") == "update":
        for track in (track for participant in response.update.participants for track in participant.tracks):
            track.encryption = models.Encryption.GCM
    return response.SerializeToString()
