"""The public address, asked of a STUN server: its answers, and what else may come."""

from __future__ import annotations

import asyncio
import socket
import struct

import pytest

from tertulia_sfu.stun import mapped_address, public_address

TRANSACTION = bytes(range(12))


def response(*attributes: bytes, kind: int = 0x0101, cookie: int = 0x2112A442) -> bytes:
    body = b"".join(attributes)
    return struct.pack("!HHI", kind, len(body), cookie) + TRANSACTION + body


def attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


# RFC 5769, sections 2.2 and 2.3 have the same addresses: 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677
XOR_IPV4 = attribute(0x0020, bytes.fromhex("0001a147e112a643"))


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (response(XOR_IPV4), "192.0.2.1"),
        (response(attribute(0x8022, b"name!"), XOR_IPV4), "192.0.2.1"),
        (response(attribute(0x0001, bytes.fromhex("00011234c0000202"))), "192.0.2.2"),
        (response(attribute(0x0001, bytes.fromhex("00011234c0000202")), XOR_IPV4), "192.0.2.1"),
        (response(XOR_IPV4, kind=0x0111), None),
        (response(XOR_IPV4, cookie=1), None),
        (response(attribute(0x0020, b"\x00\x01")), None),
        (response(), None),
        (b"", None),
        (response(XOR_IPV4)[:-3], None),
    ],
)
def test_only_the_answer_to_the_question_tells_an_address(data: bytes, expected: str | None) -> None:
    assert mapped_address(data, TRANSACTION) == expected


def test_an_ipv6_address_is_told_too() -> None:
    address = bytes.fromhex("20010db8000000000000000000000001")
    masked = bytes(one ^ other for one, other in zip(address, bytes.fromhex("2112a442") + TRANSACTION, strict=True))
    assert mapped_address(response(attribute(0x0020, b"\x00\x02\xa1\x47" + masked)), TRANSACTION) == "2001:db8::1"


async def test_a_server_that_loses_the_first_question_is_asked_again() -> None:
    class Server(asyncio.DatagramProtocol):
        asked = 0
        transport: asyncio.DatagramTransport

        def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
            self.asked += 1
            if self.asked == 2:
                answer = response(XOR_IPV4)
                self.transport.sendto(b"noise", addr)
                self.transport.sendto(answer[:8] + data[8:20] + answer[20:], addr)

    loop = asyncio.get_running_loop()
    server = Server()
    server.transport, _ = await loop.create_datagram_endpoint(lambda: server, local_addr=("127.0.0.1", 0))
    try:
        port = server.transport.get_extra_info("sockname")[1]
        assert await public_address("127.0.0.1", port) == "192.0.2.1"
    finally:
        server.transport.close()


async def test_a_server_that_does_not_answer_is_an_error_soon() -> None:
    loop = asyncio.get_running_loop()
    silent, _ = await loop.create_datagram_endpoint(asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0))
    port = silent.get_extra_info("sockname")[1]
    with pytest.raises(TimeoutError):
        await public_address("127.0.0.1", port, timeout_s=0.1)
    silent.close()
    with pytest.raises(ConnectionError):
        await public_address("127.0.0.1", port)
    with pytest.raises(socket.gaierror):
        await public_address("no-such-host.invalid")
