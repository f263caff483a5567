"""This file makes every HTTP request that leaves the service.

One request, one answer: who asks decides what to try again. What is guarded here holds for all of them:

- TLS is verified. Without TLS only servers are spoken to that may be on private addresses.
- A host is looked up once per request, and the connection goes to an address that was checked: private, loopback and
  link-local addresses are refused unless the host is allowed them. So no name can lead us inside (SSRF, DNS rebinding).
- Connections are kept for each host by itself: one that was verified for a name never serves another name.
- Redirects are not followed, answers beyond a size are not read, and a slow one is given up (ehr/deadlines.py). None is
  unpacked: what is packed may be a thousand times as large, so an answer that is, unasked, is refused.

No proxy and no `.netrc` of the environment is used. Messages of errors name status and host, never a path or content.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from ehr.addresses import DEFAULT_PORTS, is_public, shown_host
from ehr.deadlines import BoundedConnections, Deadline
from ehr.errors import Refused, TooLarge, Unavailable

DEFAULT_TIMEOUT_SECONDS = 30.0
DEFAULT_MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a server answered: `headers` by their names in small letters, `content` as bytes."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Transport:
    """Connections to any number of servers. Safe for many threads; close it, or use it in a `with`.

    `private_hosts` are the names, as they stand in addresses, that may be on private addresses and without TLS.
    `timeout_seconds` bounds each step and, ten times, the whole request; `max_bytes` the size of an answer. `ca_file`
    holds further certificate authorities, as PEM.
    """

    def __init__(
        self,
        *,
        private_hosts: frozenset[str] = frozenset(),
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        ca_file: Path | None = None,
    ) -> None:
        self._private_hosts = private_hosts
        self._seconds_in_all = 10 * timeout_seconds
        self._deadline = Deadline()
        self._max_bytes = max_bytes
        self._timeout = httpx.Timeout(timeout_seconds)
        self._trusted = trusted_authorities(ca_file)
        self._lock = threading.Lock()
        self._clients: dict[str, httpx.Client] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        for client in self._clients.values():
            client.close()

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        """One request. Raises Refused for an address that may not be called, a redirect or an answer that is too
        large, and Unavailable where no whole answer came."""
        host, addresses = self._addresses(url)
        failure = Unavailable(f"{host} could not be reached")
        with self._deadline.within(self._seconds_in_all):
            for address in addresses:
                try:
                    return self._send(method, url, host=host, address=address, headers=headers or {}, content=content)
                except httpx.ConnectError as error:
                    if _is_about_certificate(error):
                        raise Refused(f"{host} shows no certificate of that name that is trusted here") from None
                    failure = Unavailable(f"{host} could not be reached ({type(error).__name__})")
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    if self._deadline.has_passed:
                        raise Unavailable(f"{host} answers too slowly") from None
                    raise Unavailable(f"{host} gave no whole answer ({type(error).__name__})") from None
        raise failure from None

    def _send(
        self, method: str, url: str, *, host: str, address: str, headers: Mapping[str, str], content: bytes | None
    ) -> Answer:
        client = self._client(host)
        request = client.build_request(
            method,
            httpx.URL(url).copy_with(host=address),
            headers={"Accept-Encoding": "identity", **headers, "Host": shown_host(url)},
            content=content,
            extensions={"timeout": self._timeout.as_dict(), "sni_hostname": host},  # whose the certificate must be
        )
        response = client.send(request, stream=True)
        try:
            if response.is_redirect:
                raise Refused(f"{host} answered with a redirect (status {response.status_code}), which is not followed")
            if response.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
                raise Refused(f"{host} answered with packed content, which was not asked for")
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > self._max_bytes:
                    raise TooLarge(f"an answer of {host} is larger than {self._max_bytes} bytes")
        finally:
            response.close()
        return Answer(status=response.status_code, headers=dict(response.headers), content=bytes(body))

    def _client(self, host: str) -> httpx.Client:
        with self._lock:
            if host not in self._clients:
                self._clients[host] = httpx.Client(
                    transport=BoundedConnections(self._trusted, self._deadline),
                    timeout=self._timeout,
                    follow_redirects=False,
                    trust_env=False,
                )
            return self._clients[host]

    def _addresses(self, url: str) -> tuple[str, list[str]]:
        """The host of an address and the network addresses it may be called at. Raises Refused, Unavailable."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)
        except ValueError:
            raise Refused("the address of a server cannot be read") from None
        if parts.scheme not in DEFAULT_PORTS or not host or parts.username is not None:
            raise Refused("the address of a server begins with https:// and holds no user name")
        private = host in self._private_hosts
        if parts.scheme == "http" and not private:
            raise Refused(f"{host} is called without TLS: use https, or name the host in FILLERTRACE_EHR_ALLOW")
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unavailable(f"the name {host} could not be looked up") from None
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        if not private and not all(map(is_public, addresses)):
            raise Refused(f"{host} is on a private address: name it in FILLERTRACE_EHR_ALLOW if that is meant")
        return host, addresses


def trusted_authorities(ca_file: Path | None) -> ssl.SSLContext:
    """The certificate authorities of this machine and those of a file. Raises ValueError where it holds none."""
    trusted = ssl.create_default_context()
    try:
        if ca_file is not None:
            trusted.load_verify_locations(cafile=ca_file)
    except OSError as error:  # SSLError is one, too
        raise ValueError(f"ca_file cannot be read as certificates ({error.strerror or type(error).__name__})") from None
    return trusted


def _is_about_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
