"""This file speaks FHIR's REST to one server: read, search with all pages, `$everything`, transaction.

It follows https://hl7.org/fhir/R4/http.html and uses httpx, which is imported in this room only. It carries JSON and
knows nothing clinical. It never follows a link to another host.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from ehr.errors import Refused, Unavailable

FHIR_JSON = "application/fhir+json"
TEMPORARY = frozenset({409, 429, 500, 502, 503, 504})
MAXIMUM_PAGES = 1_000  # an endless chain of `next` links ends here


class FhirClient:
    """One FHIR server, spoken to over one connection pool. Close it, or use it in a `with`.

    `base_url` is the service base without a closing slash. `attempts` counts tries of a request that failed for a
    temporary reason; the pause between them doubles from `pause_seconds`, or is what `Retry-After` asks.
    """

    def __init__(
        self, base_url: str, *, timeout_seconds: float = 30.0, attempts: int = 5, pause_seconds: float = 0.2
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._attempts = attempts
        self._pause_seconds = pause_seconds
        self._http = httpx.Client(
            timeout=timeout_seconds,
            follow_redirects=False,
            headers={"Accept": FHIR_JSON, "Cache-Control": "no-cache"},  # HAPI would answer a search from its cache
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def read(self, resource_type: str, resource_id: str) -> dict[str, Any]:
        """One resource by its id. Raises `Refused` where there is none."""
        return self._request("GET", f"{self.base_url}/{resource_type}/{resource_id}")

    def search(self, resource_type: str, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Every resource a search finds, page after page; included ones too."""
        query = str(httpx.QueryParams(dict(parameters)))
        yield from self._pages(f"{self.base_url}/{resource_type}?{query}")

    def everything(self, patient_id: str) -> dict[str, Any]:
        """All that the server holds of one patient, as one `searchset` Bundle with absolute `fullUrl`s."""
        resources = self._pages(f"{self.base_url}/Patient/{patient_id}/$everything?_count=200")
        return {
            "resourceType": "Bundle",
            "type": "searchset",
            "entry": [
                {"fullUrl": f"{self.base_url}/{found['resourceType']}/{found['id']}", "resource": found}
                for found in resources
            ],
        }

    def transaction(self, bundle: Mapping[str, Any]) -> dict[str, Any]:
        """Post a transaction Bundle and return the response Bundle."""
        return self._request("POST", self.base_url, body=dict(bundle))

    def _pages(self, url: str | None) -> Iterator[dict[str, Any]]:
        for _ in range(MAXIMUM_PAGES):
            if url is None:
                return
            page = self._request("GET", url)
            for entry in page.get("entry", []):
                if isinstance(entry.get("resource"), dict):
                    yield entry["resource"]
            url = next((link["url"] for link in page.get("link", []) if link.get("relation") == "next"), None)
        raise Refused(f"more than {MAXIMUM_PAGES} pages")

    def _request(self, method: str, url: str, *, body: dict[str, Any] | None = None) -> dict[str, Any]:
        if urlsplit(url).netloc != urlsplit(self.base_url).netloc:
            raise Refused("the server named a page on another host")
        failure, pause = "no attempt was made", 0.0
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(pause)
            pause = self._pause_seconds * 2**attempt
            try:
                response = self._http.request(
                    method, url, json=body, headers={"Content-Type": FHIR_JSON} if body else None
                )
            except httpx.TransportError as error:
                failure = type(error).__name__
                continue
            if response.status_code in TEMPORARY:
                failure = f"status {response.status_code}"
                pause = max(pause, _seconds(response.headers.get("Retry-After")))
                continue
            return _resource(response)
        raise Unavailable(f"{method} failed {self._attempts} times, last: {failure}")


def _seconds(retry_after: str | None) -> float:
    """`Retry-After` in seconds; 0 for none, and for the date form, which no FHIR server met so far uses."""
    return min(float(retry_after), 60.0) if retry_after and retry_after.isdigit() else 0.0


def _resource(response: httpx.Response) -> dict[str, Any]:
    if not response.is_success:
        raise Refused(f"status {response.status_code}")
    try:
        content = response.json()
    except ValueError:
        raise Refused("the answer is not JSON") from None
    if not isinstance(content, dict) or "resourceType" not in content:
        raise Refused("the answer is not a FHIR resource")
    return content
