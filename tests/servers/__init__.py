"""Real servers for the tests, started as private child processes: HAPI FHIR, Redis and PostgreSQL."""


class ServerUnavailable(RuntimeError):
    """A server cannot be used on this machine; the message says why in one plain sentence."""

    def __init__(self, reason: str) -> None:
        """Remember the reason, which is also the text of the exception."""
        super().__init__(reason)
        self.reason = reason
