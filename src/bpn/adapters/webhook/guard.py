"""Where a webhook may connect to: checked at the moment of connecting, on the address that is connected to."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

import httpcore

Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]

_NAT64 = ip_network("64:ff9b::/96")
_METADATA = frozenset(map(ip_address, ("168.63.129.16", "169.254.169.254", "100.100.100.200", "fd00:ec2::254")))
"""Where clouds answer their own machines; the first lies among public addresses."""
_SPECIAL = tuple(map(ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10")))
"""Set aside by IETF for protocols, local translation and sites; some libraries take them for public."""
_IPV4_BITS = 0xFFFFFFFF


class ForbiddenAddressError(httpcore.ConnectError):
    """The URL leads to an address inside: private, loopback, link-local, metadata, multicast or reserved."""


def is_public(address: Address) -> bool:
    """Whether an address is out in the public internet, whatever form it is wrapped in."""
    if isinstance(address, IPv6Address):
        embedded = _embedded(address)
        if embedded is not None:
            return is_public(embedded)
    if address in _METADATA or any(address in network for network in _SPECIAL):
        return False
    return address.is_global and not address.is_multicast


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address inside an IPv6 one: mapped, 6to4, Teredo, NAT64, or the old compatible form."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if address in _NAT64 or int(address) >> 32 == 0:
        return IPv4Address(int(address) & _IPV4_BITS)
    return None


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, by the system's resolver; odd spellings of IPv4 are resolved by it as well."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a host itself, refuses if any of its addresses is inside, and connects to the address it checked.

    TLS is still verified against the host's name, which the connection pool asks for after connecting.
    """

    def __init__(self, backend: httpcore.AsyncNetworkBackend, resolver: Resolver = resolve) -> None:
        self._backend = backend
        self._resolve = resolver

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a host that lies outside.

        Raises:
            ForbiddenAddressError: an address of the host lies inside.
            httpcore.ConnectError: it has no address, or does not answer.
        """
        try:
            addresses = await self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} has no address") from error
        for address in addresses:
            if not is_public(ip_address(address.partition("%")[0])):
                raise ForbiddenAddressError(f"{host} leads to an address that is not public")
        return await self._backend.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 - the library's own signature
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: a webhook is never posted to a local socket."""
        raise ForbiddenAddressError(path)

    async def sleep(self, seconds: float) -> None:
        """Wait, for the pool's own retries."""
        await self._backend.sleep(seconds)
