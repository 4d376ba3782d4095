"""What `tertulia doctor` says about media: whether its ports are free, and who can reach them."""

from __future__ import annotations

import asyncio
import ipaddress
import socket

from tertulia.app.media_addresses import offered_addresses, shares_https_port
from tertulia.errors import ConfigurationError
from tertulia.setting_values import AUTO_ADDRESSES
from tertulia.settings import Settings
from tertulia_sfu.addresses import bind_addresses, own_addresses


def media_ports(settings: Settings) -> str:
    """Say that the ports are free. Raise ConfigurationError for one that is not."""
    if settings.media_url:
        return f"not needed: media goes to {settings.media_url}"
    ports = [(socket.SOCK_DGRAM, "UDP", settings.media_udp_port)]
    if not shares_https_port(settings):
        ports.append((socket.SOCK_STREAM, "TCP", settings.media_tcp_port))
    for kind, name, port in ports:
        for address in bind_addresses(_configured(settings) or own_addresses()):
            try:
                _try_to_bind(kind, address, port)
            except OSError as error:
                raise ConfigurationError(f"{port} ({name}) cannot be used: {error.strerror}") from error
    if len(ports) == 1:
        return f"{settings.media_udp_port} (UDP) is free, TCP shares {settings.media_tcp_port} with HTTPS"
    return f"{settings.media_udp_port} (UDP) and {settings.media_tcp_port} (TCP) are free"


def media_reach(settings: Settings) -> str:
    """Say at which addresses clients find the media server, and what has to be open. `auto` asks the STUN server.

    Raise ConfigurationError when that does not answer.
    """
    if settings.media_url:
        return f"not needed: media goes to {settings.media_url}"
    addresses = asyncio.run(offered_addresses(settings))
    if not addresses and settings.media_addresses == AUTO_ADDRESSES:
        raise ConfigurationError("the STUN server does not answer: clients outside do not learn the public address")
    return describe_reach(addresses or own_addresses(), settings.media_udp_port, settings.media_tcp_port)


def describe_reach(addresses: tuple[str, ...] | list[str], udp_port: int, tcp_port: int) -> str:
    """Say who can reach these addresses, and which ports have to be open."""
    offered = [address for address in map(ipaddress.ip_address, addresses) if not address.is_loopback]
    ports = f"UDP {udp_port} and TCP {tcp_port}"
    if not offered:
        return "this machine only: clients elsewhere need an address of it in TERTULIA_MEDIA_ADDRESSES"
    public = [address for address in offered if address.is_global]
    listed = ", ".join(str(address) for address in offered)
    if not public:
        return (
            f"{listed}: a private network only, with {ports} open. Clients outside need the public address "
            f"(TERTULIA_MEDIA_ADDRESSES, or auto there) and {ports} forwarded to this machine, or a TURN server"
        )
    mine = own_addresses()
    families = " and ".join(sorted({f"IPv{address.version}" for address in public}))
    nat = "forwarded to this machine, which is behind NAT" if any(str(each) not in mine for each in public) else "open"
    return f"{listed}: everyone with {families}, with {ports} {nat}"


def _configured(settings: Settings) -> list[str]:
    return [] if settings.media_addresses == AUTO_ADDRESSES else list(settings.media_addresses)


def _try_to_bind(kind: socket.SocketKind, address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if family is socket.AF_INET6:
            probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
        if kind is socket.SOCK_STREAM:
            probe.listen()
