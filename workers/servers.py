"""This file holds the EHRs of one worker process: their settings, one pool of connections, one token each."""

from __future__ import annotations

from collections.abc import Mapping

from ehr.backend_token import BackendToken
from ehr.client import FhirClient
from ehr.errors import Refused
from ehr.keys import OwnKeys
from ehr.settings import EhrServer, EhrSettings


class Servers:
    """The FHIR servers that are configured. Safe for many threads; a client is for one errand. Close it."""

    def __init__(self, settings: EhrSettings) -> None:
        self.settings = settings
        self.known: Mapping[str, EhrServer] = settings.known_servers()
        self._transport = settings.transport()
        keys = OwnKeys(settings.key_set) if settings.key_set else None
        self._tokens = {
            server.name: BackendToken(
                self._transport,
                base_url=server.base_url,
                client_id=server.client_id,
                keys=keys,
                scope=settings.scope_for(server.name),
                token_url=server.token_url,
            )
            for server in self.known.values()
            if server.client_id is not None and keys is not None
        }

    def client(self, name: str) -> FhirClient:
        """A client of one server. Raises Refused for a name that is not, or no longer, configured."""
        server = self.known.get(name)
        if server is None:
            raise Refused("this EHR is not configured here any longer")
        return FhirClient(
            self._transport,
            server.base_url,
            credentials=self._tokens.get(name),
            attempts=self.settings.attempts,
            max_bytes=self.settings.max_bytes,
            max_pages=self.settings.max_pages,
        )

    def granted_scope(self, name: str) -> str | None:
        """The scopes of our present token on a server, by blanks; None without a token, and where it did not say."""
        token = self._tokens.get(name)
        return None if token is None else token.scope

    def close(self) -> None:
        """Give the connections back."""
        self._transport.close()
