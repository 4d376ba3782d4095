"""A media server whose clients learn of no way to it by UDP, as behind a firewall."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from functools import partial

from livekit.protocol.rtc import SignalResponse

from support.media_server_process import MediaServerProcess
from support.signalling_relay import relayed_signalling

UDP_CANDIDATE = re.compile(r"a=candidate:\S+ 1 udp [^\r]*\r\n", re.IGNORECASE)
TCP_CANDIDATE = re.compile(r"a=candidate:\S+ 1 tcp \d+ 127\.0\.0\.1 (\d+) typ host tcptype passive", re.IGNORECASE)


@contextlib.asynccontextmanager
async def blocked_udp(server: MediaServerProcess, *, tcp_port: int | None = None) -> AsyncIterator[MediaServerProcess]:
    """Yield the same server at another port. `tcp_port`: where its clients look for media over TCP instead."""
    tcp_ports: set[int] = set()
    change = partial(_without_udp, tcp_ports, tcp_port)
    async with relayed_signalling(server, down=change) as relayed:
        yield relayed
    assert tcp_ports == {server.tcp_port}


def _without_udp(tcp_ports: set[int], tcp_port: int | None, data: bytes) -> bytes:
    response = SignalResponse.FromString(data)
    if response.HasField("answer"):
        sdp = response.answer.sdp
        ports = {int(port) for port in TCP_CANDIDATE.findall(sdp)}
        tcp_ports |= ports
        sdp, hidden = UDP_CANDIDATE.subn("", sdp)
        assert hidden
        for port in ports if tcp_port else ():
            sdp = sdp.replace(f" {port} typ host", f" {tcp_port} typ host")
        response.answer.sdp = sdp
    return response.SerializeToString()
