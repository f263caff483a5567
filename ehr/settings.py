"""This file declares the FHIR servers we call, and how: `FILLERTRACE_EHR_<FIELD>`, each field with its meaning."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ehr.transport import DEFAULT_MAX_BYTES, DEFAULT_TIMEOUT_SECONDS, Transport, trusted_authorities

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_SECRET = re.compile(r"[A-Za-z0-9_-]{22,128}")  # 128 bits at least
_WRITTEN_TYPES = ("DiagnosticReport", "Observation", "Provenance", "Device", "Organization")


def _setting(default: object, meaning: str, *, example: str = "", secret: bool = False) -> Any:
    # The form that store.environment reads; this room imports no other.
    metadata = {"meaning": meaning, "example": example, "secret": secret, "variable": None}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrServer:
    """One FHIR server we call. `base_url` has no slash at its end; `client_id` is ours there, None without tokens.

    `token_url` is where its tokens are given, where that is another server.
    """

    name: str
    base_url: str
    client_id: str | None = None
    token_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EhrSettings:
    """The FHIR servers that are fetched from, written back to and listened to."""

    servers: tuple[str, ...] = _setting(
        (),
        "The FHIR R4 servers that are called: name=base, by commas. The names are what `source` of $correlate takes.",
        example="main=https://ehr.hospital.example/fhir",
    )
    allow: tuple[str, ...] = _setting(
        (),
        "Hosts that may be on private addresses, and be called without TLS. All others must be public and have a "
        "certificate that is trusted.",
        example="hapi.hospital.internal,localhost",
    )
    client_ids: tuple[str, ...] = _setting(
        (),
        "Our client ids for SMART Backend Services: name=id, by commas. A server without one is called without a "
        "token.",
        example="main=fillertrace",
    )
    token_urls: tuple[str, ...] = _setting(
        (),
        "The token endpoints of servers whose SMART configuration names one on another host or port: name=address, by "
        "commas, written as it is there. Any other that is not the server's own gets no assertion of ours.",
        example="main=https://login.hospital.example/oauth2/token",
    )
    key_set: Path | None = _setting(
        None,
        "The file with our private keys as a JWK set (RS384 or ES384). The first one signs, all are published at "
        "/.well-known/jwks.json. It is read again when it changes. `fillertrace keys` makes and renews it.",
        example="/run/secrets/fillertrace-keys.json",
    )
    scope: str | None = _setting(
        None,
        "The scopes that are asked for with each token, by blanks. Empty: what is needed: reading everything, and "
        "writing the types of a report or Subscriptions where that is done.",
        example="system/*.rs system/DiagnosticReport.cruds",
    )
    write_back: tuple[str, ...] = _setting(
        (), "The names of the servers that get our reports of their patients written back.", example="main"
    )
    subscribe: tuple[str, ...] = _setting(
        (),
        "The names of the servers that are listened to: what is new there of a patient has their record fetched and "
        "correlated again.",
        example="main",
    )
    poll_seconds: float = _setting(
        60.0,
        "How often a server that is listened to is asked what is new, whether or not it has sent a word.",
        example="60",
    )
    notify_url: str | None = _setting(
        None,
        "Our address as those servers reach it, without /notify. Empty: no Subscription is made there, and news comes "
        "by asking alone.",
        example="https://correlate.hospital.example",
    )
    notify_secret: str | None = _setting(
        None,
        "What stands in the address of notifications, so that nobody else can send one: 22 to 128 letters, digits, "
        "- and _.",
        example="a-long-random-word-of-your-own",
        secret=True,
    )
    timeout_seconds: float = _setting(
        DEFAULT_TIMEOUT_SECONDS,
        "How long a server may take for each step of a request; the whole of it may take ten times that.",
        example="30",
    )
    attempts: int = _setting(
        4, "How often a request is tried that fails for a temporary reason, before the errand waits.", example="4"
    )
    max_bytes: int = _setting(
        DEFAULT_MAX_BYTES,
        "The largest answer, and the largest record of one patient, that is read.",
        example="67108864",
    )
    max_pages: int = _setting(1000, "How many pages of one search are followed.", example="1000")
    ca_file: Path | None = _setting(
        None, "Further certificate authorities that are trusted, as PEM.", example="/etc/ssl/hospital-ca.pem"
    )
    threads: int = _setting(4, "How many errands to EHRs one worker process does at the same time.", example="4")

    def __post_init__(self) -> None:
        for name in ("poll_seconds", "timeout_seconds", "attempts", "max_bytes", "max_pages", "threads"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than zero")
        known = _pairs("servers", self.servers)
        for base_url in known.values():
            parts = urlsplit(base_url)
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
                raise ValueError("servers are name=base, each base an address such as https://ehr.example/fhir")
        token_urls = _pairs("token_urls", self.token_urls)
        if not all(urlsplit(url).scheme in {"http", "https"} and urlsplit(url).hostname for url in token_urls.values()):
            raise ValueError("token_urls are name=address, each an address such as https://login.example/token")
        client_ids = _pairs("client_ids", self.client_ids)
        for field, named in {
            "client_ids": client_ids,
            "token_urls": token_urls,
            "write_back": self.write_back,
            "subscribe": self.subscribe,
        }.items():
            if set(named) - known.keys():
                raise ValueError(f"{field} names a server that is not in servers")
        if self.client_ids and self.key_set is None:
            raise ValueError("client_ids need key_set, the file with our keys")
        if self.notify_url and not self.notify_secret:
            raise ValueError("notify_url needs notify_secret")
        if self.notify_secret and not _SECRET.fullmatch(self.notify_secret):
            raise ValueError("notify_secret is 22 to 128 letters, digits, - and _")
        if self.ca_file is not None:
            trusted_authorities(self.ca_file)

    def known_servers(self) -> Mapping[str, EhrServer]:
        """The servers by their names."""
        client_ids = _pairs("client_ids", self.client_ids)
        token_urls = _pairs("token_urls", self.token_urls)
        return {
            name: EhrServer(
                name=name,
                base_url=base_url.rstrip("/"),
                client_id=client_ids.get(name),
                token_url=token_urls.get(name),
            )
            for name, base_url in _pairs("servers", self.servers).items()
        }

    def scope_for(self, name: str) -> str:
        """The scopes that are asked for with the token of one server."""
        subscribes = self.notify_url is not None and name in self.subscribe
        return self.scope or needed_scope(writes=name in self.write_back, subscribes=subscribes)

    def write_back_bases(self) -> Mapping[str, str]:
        """Name and base address of the servers that get reports written back."""
        return {name: server.base_url for name, server in self.known_servers().items() if name in self.write_back}

    def transport(self) -> Transport:
        """Connections as these settings allow them."""
        return Transport(
            private_hosts=frozenset(self.allow),
            timeout_seconds=self.timeout_seconds,
            max_bytes=self.max_bytes,
            ca_file=self.ca_file,
        )


def needed_scope(*, writes: bool, subscribes: bool = False) -> str:
    """The scopes of SMART, by blanks, that reading takes, and writing reports back, and Subscriptions."""
    written = (*(_WRITTEN_TYPES if writes else ()), *(("Subscription",) if subscribes else ()))
    return " ".join(("system/*.rs", *(f"system/{type_}.cruds" for type_ in written)))


def _pairs(field: str, texts: tuple[str, ...]) -> dict[str, str]:
    """`name=value` texts as a mapping. Raises ValueError where one is none, or a name stands twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, mark, value = text.partition("=")
        if not (mark and value and _NAME.fullmatch(name)) or name in found:
            raise ValueError(
                f"{field} are name=value, by commas; a name is small letters, digits and -, and stands once"
            )
        found[name] = value
    return found
