"""IP addresses under which this machine can be reached, where none are configured."""

import contextlib
import ipaddress
import socket
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

LOOPBACK: Final = "127.0.0.1"

# documentation addresses (RFC 5737, RFC 3849): connecting a UDP socket sends nothing, the kernel only picks a source
_DOCUMENTATION: Final = {socket.AF_INET: ("192.0.2.1", 9), socket.AF_INET6: ("2001:db8::1", 9)}
# Linux: <linux/in6.h>, RFC 5014: not a temporary address (RFC 8981), which would expire while it is offered
_IPV6_ADDR_PREFERENCES: Final = 72
_IPV6_PREFER_SRC_PUBLIC: Final = 2
# Linux: <linux/sockios.h>, netdevice(7)
_SIOCGIFADDR: Final = 0x8915
# Linux: <linux/if_addr.h>: temporary, duplicate, deprecated, tentative
_UNUSABLE: Final = 0x01 | 0x08 | 0x20 | 0x40
_GLOBAL_SCOPE: Final = 0
_IPV6_ADDRESSES: Final = Path("/proc/net/if_inet6")
_INTERFACES: Final = Path("/sys/class/net")
# each client tries each of them
_MOST_OFFERED: Final = 8


def own_addresses() -> list[str]:
    """Return the source addresses of the default routes, those of other interfaces, and loopback for local browsers."""
    found = [*_default_sources(), *_interface_addresses()]
    usable = [address for address in dict.fromkeys(found) if not _is_local_only(address)]
    return [*usable[:_MOST_OFFERED], LOOPBACK]


def bind_addresses(addresses: Sequence[str]) -> list[str]:
    """Return where to listen for media to `addresses`, one address of each family that they have.

    Raise ValueError if one is not an IP address.
    """
    parsed = [ipaddress.ip_address(address) for address in addresses]
    found = []
    for version, everywhere in ((4, "0.0.0.0"), (6, "::")):  # noqa: S104 – media has to be reachable from outside
        of_family = {str(address) for address in parsed if address.version == version}
        if of_family:
            is_local = len(of_family) == 1 and ipaddress.ip_address(next(iter(of_family))).is_loopback
            found.append(of_family.pop() if is_local else everywhere)
    return found


def _is_local_only(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified


def _default_sources() -> Iterator[str]:
    for family, destination in _DOCUMENTATION.items():
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            if family is socket.AF_INET6:
                with contextlib.suppress(OSError):
                    probe.setsockopt(socket.IPPROTO_IPV6, _IPV6_ADDR_PREFERENCES, _IPV6_PREFER_SRC_PUBLIC)
            probe.connect(destination)
            yield str(probe.getsockname()[0])


def _interface_addresses() -> Iterator[str]:
    """Yield the addresses of this machine's interfaces (Linux), without its bridges to containers and guests."""
    with contextlib.suppress(OSError):
        names = [name for _, name in socket.if_nameindex() if not (_INTERFACES / name / "bridge").exists()]
        for name in names:
            yield from _ipv4_address(name)
        with contextlib.suppress(FileNotFoundError):
            yield from _ipv6_addresses(_IPV6_ADDRESSES.read_text(), names)


def _ipv4_address(interface: str) -> Iterator[str]:
    try:
        from fcntl import ioctl  # noqa: PLC0415 – not on every system
    except ImportError:
        return
    request = struct.pack("256s", interface.encode()[:15])
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        yield socket.inet_ntoa(ioctl(probe.fileno(), _SIOCGIFADDR, request)[20:24])


def _ipv6_addresses(table: str, interfaces: Sequence[str]) -> Iterator[str]:
    for line in table.splitlines():
        address, _, _, scope, flags, name = line.split()
        if name in interfaces and int(scope, 16) == _GLOBAL_SCOPE and not int(flags, 16) & _UNUSABLE:
            yield str(ipaddress.IPv6Address(int(address, 16)))
