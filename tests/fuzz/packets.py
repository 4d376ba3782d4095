"""Packets of a publisher, made by hand: RTP with all extensions, RTCP of all kinds, SCTP chunks, data packets."""

from __future__ import annotations

import struct
from random import Random
from typing import Final

from livekit.protocol.models import ChatMessage, DataPacket, DataStream, RpcRequest, RpcResponse, UserPacket

from support.raw_peer import AUDIO, SSRCS, VIDEO, chunk, sctp_packet

VP8_KEY: Final = bytes.fromhex("90 e0 80 01 05 20 30 01 00 9d 01 2a 40 01 b4 00") + bytes(200)
"""A payload descriptor with picture id, TL0PICIDX, TID and KEYIDX, and the head of a key frame of 320 × 180."""
VP8_DELTA: Final = bytes.fromhex("90 e0 80 02 06 20 11 02 00") + bytes(100)
OPUS: Final = bytes.fromhex("f8 ff fe") + bytes(20)


def extension(elements: dict[int, bytes], *, two_bytes: bool = False) -> bytes:
    """Return a header extension (RFC 8285)."""
    data = b""
    for number, value in elements.items():
        head = bytes([number, len(value)]) if two_bytes else bytes([number << 4 | len(value) - 1 & 15])
        data += head + value
    data += bytes(-len(data) % 4)
    return struct.pack(">HH", 0x1000 if two_bytes else 0xBEDE, len(data) // 4) + data


def rtp(ssrc: int, kind: int, sequence: int, timestamp: int, extensions: bytes, payload: bytes) -> bytes:
    """Return an RTP packet (RFC 3550) with the marker set."""
    head = struct.pack(">BBHII", 0x90, 0x80 | kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return head + extensions + payload


class Media:
    """A publisher's next packets, right ones."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._sequence = random.randrange(65536)
        # below 32,768 a later number may count as one before zero: tests/abuse/test_transport_sequence.py
        self._transport_sequence = 40_000

    def next_rtp(self) -> bytes:
        """Return a packet of sound or of one layer of the picture."""
        random = self._random
        self._sequence += random.choice((1, 1, 1, 1, 2, 0, -3, 5000, 32768))
        self._transport_sequence += 1
        always = {4: random.randbytes(3), 5: struct.pack(">H", self._transport_sequence & 0xFFFF)}
        two_bytes = random.random() < 0.2
        time = self._sequence * 960
        if random.random() < 0.3:
            extensions = extension({1: b"0", 6: b"\x05", **always}, two_bytes=two_bytes)
            return rtp(SSRCS["audio"], AUDIO, self._sequence, time, extensions, OPUS)
        layer = random.choice("qhf")
        named = {1: b"1", 2: layer.encode(), 7: b"\x01"} if random.random() < 0.7 else {}
        payload = random.choice((VP8_KEY, VP8_DELTA))
        kind = VIDEO
        if random.random() < 0.15:  # sent again
            named, kind, payload = (
                {1: b"1", 3: layer.encode()},
                97,
                struct.pack(">H", self._sequence & 0xFFFF) + payload,
            )
        ssrc = SSRCS[layer] + (100 if kind == 97 else 0)
        if random.random() < 0.05:
            ssrc = random.getrandbits(32)
        return rtp(ssrc, kind, self._sequence, time, extension(named | always, two_bytes=two_bytes), payload)


def _rtcp(count: int, kind: int, body: bytes) -> bytes:
    return struct.pack(">BBH", 0x80 | count, kind, len(body) // 4) + body


_REPORT: Final = struct.pack(">IIIIII", 1, 0x01000005, 1000, 10, 0x12345678, 65536)
_SENDER: Final = struct.pack(">IQIII", 2000, 0xE000000000000000, 90000, 100, 10000)
RTCP: Final = (
    _rtcp(1, 200, _SENDER + _REPORT),
    _rtcp(1, 201, struct.pack(">I", 2000) + _REPORT),
    _rtcp(1, 202, struct.pack(">I", 2000) + b"\x01\x03raw\0\0\0"),
    _rtcp(1, 203, struct.pack(">I", 2000)),
    _rtcp(2, 204, struct.pack(">I4s", 2000, b"test")),
    _rtcp(1, 205, struct.pack(">IIHH", 2000, 1, 5, 0xFFFF)),
    _rtcp(15, 205, struct.pack(">IIHHI", 2000, 1, 1, 4, 0x00000100) + bytes.fromhex("2004 0404 04040000")),
    _rtcp(1, 206, struct.pack(">II", 2000, 1)),
    _rtcp(4, 206, struct.pack(">IIIBBBB", 2000, 0, 1, 9, 0, 0, 0)),
    _rtcp(15, 206, struct.pack(">II4sBBHI", 2000, 0, b"REMB", 1, 0x12, 0xFFFF, 1)),
    _rtcp(0, 207, struct.pack(">IBBHQ", 2000, 4, 0, 2, 0xE000000000000000)),
)
"""Sender and receiver report, description, goodbye, application's, NACK, transport feedback, PLI, FIR, REMB, XR."""


def sctp_chunks(tsn: int) -> tuple[bytes, ...]:
    """Return chunks of all kinds, which are right ones at this place in the association."""
    data = struct.pack(">IHHI", tsn, 0, 0, 53) + b"payload"
    return (
        chunk(0, 3, data), chunk(0, 2, data), chunk(0, 1, data), chunk(0, 0, data), chunk(0, 7, data),
        chunk(1, 0, struct.pack(">IIHHI", 5, 65536, 10, 10, 7)),
        chunk(2, 0, struct.pack(">IIHHI", 5, 65536, 10, 10, 7) + struct.pack(">HH", 7, 8) + b"cook"),
        chunk(3, 0, struct.pack(">IIHH", tsn, 65536, 1, 1) + struct.pack(">HHI", 1, 3, 9)),
        chunk(4, 0, struct.pack(">HH", 1, 8) + b"beat"), chunk(5, 0, struct.pack(">HH", 1, 8) + b"beat"),
        chunk(9, 0, struct.pack(">HH", 13, 4)), chunk(10, 0, b"cookie"), chunk(11, 0, b""),
        chunk(130, 0, struct.pack(">HHIIIHH", 13, 20, 1, 1, tsn, 0, 1)),
        chunk(130, 0, struct.pack(">HHII", 17, 12, 1, 64000)),
        chunk(192, 0, struct.pack(">IHH", tsn, 0, 0)), chunk(194, 0, struct.pack(">IHHI", tsn, 0, 0, 1)),
        chunk(64, 3, struct.pack(">IHHII", tsn, 0, 0, 0, 53) + b"payload"),
    )  # fmt: skip


def changed_sctp(random: Random, tag: int, chunks: bytes) -> bytes:
    """Return a packet, mostly with the right checksum and tag."""
    return sctp_packet(tag if random.random() < 0.95 else random.getrandbits(32), chunks)


DATA_PACKETS: Final = (
    DataPacket(user=UserPacket(payload=b"hello", topic="chat")),
    DataPacket(chat_message=ChatMessage(id="1", message="hello", timestamp=5)),
    DataPacket(rpc_request=RpcRequest(id="1", method="greet", payload="x", response_timeout_ms=1000, version=1)),
    DataPacket(rpc_response=RpcResponse(request_id="1", payload="x")),
    DataPacket(stream_header=DataStream.Header(stream_id="s", topic="chat", total_length=5, mime_type="text/plain")),
    DataPacket(stream_chunk=DataStream.Chunk(stream_id="s", chunk_index=0, content=b"hello")),
    DataPacket(stream_trailer=DataStream.Trailer(stream_id="s")),
)
