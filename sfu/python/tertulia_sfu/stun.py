"""The public address of this machine, as a STUN server sees it (RFC 8489)."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import struct
from typing import Final

DEFAULT_PORT: Final = 3478

_BINDING_REQUEST: Final = 0x0001
_BINDING_SUCCESS: Final = 0x0101
_MAGIC_COOKIE: Final = 0x2112A442
_MAPPED_ADDRESS: Final = 0x0001
_XOR_MAPPED_ADDRESS: Final = 0x0020
_HEADER: Final = struct.Struct("!HHI12s")
_ATTRIBUTE: Final = struct.Struct("!HH")
_IPV4: Final = 1
# RFC 8489 section 6.2.1: resent after 0.5 s, and after twice as long each time
_FIRST_WAIT_S: Final = 0.5


async def public_address(host: str, port: int = DEFAULT_PORT, *, timeout_s: float = 4.0) -> str:
    """Return the address from which a STUN server receives what this machine sends, by IPv4 where the server has it.

    Raise OSError, which TimeoutError is, when the server is unknown or does not answer.
    """
    async with asyncio.timeout(timeout_s):
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
        family, *_, target = min(found, key=lambda each: each[0] != socket.AF_INET)
        protocol = _Query()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: protocol, family=family, remote_addr=(str(target[0]), int(target[1]))
        )
        try:
            wait_s = _FIRST_WAIT_S
            while True:
                transport.sendto(protocol.request)
                done, _ = await asyncio.wait([protocol.address], timeout=wait_s)
                if done:
                    return protocol.address.result()
                wait_s *= 2
        finally:
            transport.close()


class _Query(asyncio.DatagramProtocol):
    """One binding request, and the address that its response tells."""

    def __init__(self) -> None:
        self._transaction = os.urandom(12)
        self.request = _HEADER.pack(_BINDING_REQUEST, 0, _MAGIC_COOKIE, self._transaction)
        self.address: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        _ = addr
        if not self.address.done():
            address = mapped_address(data, self._transaction)
            if address is not None:
                self.address.set_result(address)

    def error_received(self, exc: Exception) -> None:
        if not self.address.done():
            self.address.set_exception(exc)


def mapped_address(data: bytes, transaction: bytes) -> str | None:
    """Return the address in the response to this transaction, None for anything else."""
    if len(data) < _HEADER.size:
        return None
    kind, length, cookie, answered = _HEADER.unpack_from(data)
    if (kind, cookie, answered) != (_BINDING_SUCCESS, _MAGIC_COOKIE, transaction):
        return None
    attributes, plain = data[_HEADER.size :][:length], None
    while len(attributes) >= _ATTRIBUTE.size:
        attribute, size = _ATTRIBUTE.unpack_from(attributes)
        value = attributes[_ATTRIBUTE.size :][:size]
        if attribute == _XOR_MAPPED_ADDRESS:
            return _address(value, struct.pack("!I", _MAGIC_COOKIE) + transaction)
        if attribute == _MAPPED_ADDRESS:
            plain = _address(value, bytes(16))
        attributes = attributes[_ATTRIBUTE.size + (size + 3) // 4 * 4 :]
    return plain


def _address(value: bytes, mask: bytes) -> str | None:
    octets = value[4:8] if value[1:2] == bytes([_IPV4]) else value[4:20]
    if len(octets) not in (4, 16):
        return None
    return str(ipaddress.ip_address(bytes(octet ^ other for octet, other in zip(octets, mask, strict=False))))
