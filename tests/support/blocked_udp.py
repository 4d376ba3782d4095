"""A media server whose clients learn of no way to it by UDP, as behind a firewall."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator

from livekit.protocol.rtc import SignalResponse

from support.media_server_process import MediaServerProcess
from support.signalling_relay import relayed_signalling

UDP_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp [^\r]*\r\n", re.IGNORECASE)
TCP_CANDIDATE = re.compile(r"a=candidate:\S+ 1 tcp \d+ 127\.0\.0\.1 (\d+) typ host tcptype passive", re.IGNORECASE)


@contextlib.asynccontextmanager
async def blocked_udp(server: MediaServerProcess) -> AsyncIterator[MediaServerProcess]:
    """Yield the same server at another port."""
    tcp_ports = set()

    def hide(data: bytes) -> bytes:
        response = SignalResponse.FromString(data)
        if response.HasField("answer"):
            sdp = response.answer.sdp
            tcp_ports.update(int(port) for port in TCP_CANDIDATE.findall(sdp))
            response.answer.sdp, hidden = UDP_CANDIDATE.subn("", sdp)
            assert hidden
        return response.SerializeToString()

    async with relayed_signalling(server, down=hide) as relayed:
        yield relayed
    assert tcp_ports == {server.tcp_port}
