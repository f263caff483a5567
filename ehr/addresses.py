"""This file reads the addresses of servers: whose they are, and whether a network address is a public one."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from ehr.errors import Refused

DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
_TUNNELS: Final = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))  # Teredo, 6to4


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port of an address. Raises Refused for one that cannot be read."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname, parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        raise Refused("a server named an address that cannot be read") from None


def shown_host(url: str) -> str:
    """The host of an address as it may stand in a message: with its port, without a user's name."""
    return urlsplit(url).netloc.rpartition("@")[2]


def is_public(address: str) -> bool:
    """Whether a network address is one of the public internet.

    An IPv6 address that leads to an IPv4 one is judged by that (RFC 4291 mapped, RFC 6052 NAT64). What tunnels to one,
    or is no global unicast address, is not public.

    >>> is_public("192.0.43.8"), is_public("10.0.0.1"), is_public("::ffff:127.0.0.1")
    (True, False, False)
    """
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv4Address):
        return found.is_global and not found.is_multicast
    if found.ipv4_mapped is not None:
        return is_public(str(found.ipv4_mapped))
    if found in _NAT64:
        return is_public(str(ipaddress.IPv4Address(found.packed[-4:])))
    return found in _GLOBAL_UNICAST and found.is_global and not any(found in tunnel for tunnel in _TUNNELS)
