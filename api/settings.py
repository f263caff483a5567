"""This file declares what the HTTP door needs to know: `FILLERTRACE_API_<FIELD>`, each field with its meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fhir_mappings.limits import DEFAULT_LIMITS
from fhir_mappings.security_labels import CONFIDENTIALITIES
from store.environment import setting

# RFC 6454, as a browser writes it in the header Origin: small letters, no slash at the end.
_ORIGIN = re.compile(r"https?://(?:[a-z0-9.\-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?")

_ADDRESS = re.compile(r"https?://[^/?#@\s]+(?:/[^?#\s]*)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """The settings of the HTTP door."""

    host: str = setting(
        "127.0.0.1",
        "The address to listen on. Open access allows a loopback address only, `smart` any.",
        example="127.0.0.1",
    )
    port: int = setting(8080, "The TCP port to listen on; 0 takes any free one.", example="8080")
    base_url: str | None = setting(
        None,
        "Our FHIR base as clients reach it, for the links in answers. Empty: as the request names it on loopback, else "
        "the audience, where that is an address.",
        example="https://correlate.hospital.example/fhir",
    )
    access: str = setting(
        "open",
        "Who may call. `open`: everybody who reaches the address, which must be a loopback one. `smart`: who shows an "
        "access token of the issuer for this service, for what its SMART scopes name.",
        example="smart",
    )
    issuer: str | None = setting(
        None,
        "`smart` access needs it: who issues the tokens, exactly as it calls itself in `iss`.",
        example="https://ehr.example/auth",
    )
    audience: str | None = setting(
        None,
        "`smart` access needs it: what the tokens must name in `aud`, usually our FHIR base.",
        example="https://correlate.hospital.example/fhir",
    )
    jwks_url: str | None = setting(
        None,
        "`smart` access: where the issuer's keys are, if its discovery does not say.",
        example="https://ehr.example/auth/jwks",
    )
    patient_base: str | None = setting(
        None,
        "For `smart` access: the FHIR base whose Patient ids stand in the tokens (claim `patient`), where that is the "
        "EHR and not this service. Empty: they are our own ids.",
        example="https://ehr.hospital.example/fhir",
    )
    most_confidential: str = setting(
        "R",
        "For `smart` access: the highest confidentiality (U, L, M, N, R, V) that callers see. What is labelled as more "
        "confidential is hidden from them, and reports are shown to them without it and say so.",
        example="R",
    )
    keys_seconds: int = setting(
        300,
        "`smart` access: how long the issuer's keys and what it says of itself are used before they are asked for "
        "again. While it does not answer they are used for an hour more.",
        example="300",
    )
    authorize_url: str | None = setting(
        None,
        "`smart` access: where applications send people to log in, if the issuer's discovery does not say.",
        example="https://ehr.example/auth/authorize",
    )
    token_url: str | None = setting(
        None,
        "`smart` access: where applications get their tokens, if the issuer's discovery does not say.",
        example="https://ehr.example/auth/token",
    )
    introspection_url: str | None = setting(
        None,
        "`smart` access: where the issuer is asked about tokens that are not signed (RFC 7662). Empty: only signed "
        "tokens (JWT) are taken.",
        example="https://ehr.example/auth/introspect",
    )
    introspection_client_id: str | None = setting(None, "Our client id for introspection.", example="fillertrace")
    introspection_client_secret: str | None = setting(
        None, "Our client secret for introspection.", example="a-secret-of-your-own", secret=True
    )
    requests_per_minute: int = setting(
        6000,
        "`smart` access: how many requests a minute one caller may send to one API process; who shows no good token, a "
        "tenth of it. More are answered 429. 0: any number.",
        example="6000",
    )
    cors_origins: tuple[str, ...] = setting(
        (),
        "Whose pages may call this service from a browser: origins as browsers write them (scheme, host, port). Empty: "
        "those of no other site; metadata and .well-known are open to all.",
        example="https://viewer.hospital.example,http://localhost:3000",
    )
    max_bytes: int = setting(
        DEFAULT_LIMITS.bytes,
        "The largest body that is taken, in bytes; a larger one is 413. It is named in the CapabilityStatement.",
        example="33554432",
    )
    max_depth: int = setting(
        DEFAULT_LIMITS.depth,
        "How deep JSON may be nested in a body; a deeper one is 400. Real records stay under 30.",
        example="60",
    )
    wait_seconds: int = setting(
        20,
        "How long $correlate waits for its report before it answers 202, where the client names no time.",
        example="20",
    )
    wait_max_seconds: int = setting(
        60, "The longest time a client may ask $correlate to wait, by `Prefer: wait=n`.", example="60"
    )
    max_waiting: int = setting(
        24,
        "How many requests may wait for their report at the same time; a further one is answered with 202 at once.",
        example="24",
    )
    retry_after_seconds: int = setting(
        1, "What a client that polls is told to wait between two looks (Retry-After).", example="1"
    )
    polls_per_second: int = setting(
        20,
        "How often per second a client may ask how one running job stands; beyond ten seconds' worth of that at once, "
        "it is answered 429.",
        example="20",
    )
    result_seconds: int = setting(
        604800,
        "How long the result of an asynchronous request stays at its status address after it has ended; then 410. The "
        "report itself stays.",
        example="604800",
    )

    @property
    def said_base(self) -> str | None:
        """Our FHIR base, without a slash at the end, as far as the settings say it: what a request calls us decides
        nothing but on loopback."""
        audience = self.audience if self.access == "smart" and _ADDRESS.fullmatch(self.audience or "") else None
        said = self.base_url or audience
        return said and said.rstrip("/")

    def __post_init__(self) -> None:
        for name in (
            "keys_seconds",
            "max_bytes",
            "max_depth",
            "wait_max_seconds",
            "max_waiting",
            "retry_after_seconds",
            "polls_per_second",
            "result_seconds",
        ):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than zero")
        if self.most_confidential not in CONFIDENTIALITIES:
            raise ValueError("most_confidential is one of U, L, M, N, R, V")
        if self.requests_per_minute < 0:
            raise ValueError("requests_per_minute must not be less than zero")
        introspection = (self.introspection_url, self.introspection_client_id, self.introspection_client_secret)
        if any(introspection) and not all(introspection):
            raise ValueError("introspection_url needs introspection_client_id and introspection_client_secret")
        for origin in self.cors_origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    "cors_origins are origins such as https://viewer.example:8443, without a path, and not *"
                )
        if not 0 <= self.port <= 65535:
            raise ValueError("port must be from 0 to 65535")
        if not 0 <= self.wait_seconds <= self.wait_max_seconds:
            raise ValueError("wait_seconds must be from 0 to wait_max_seconds")
