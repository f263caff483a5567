"""This file speaks FHIR's REST to one server: read, search with all pages, `$everything`, transaction.

It follows https://hl7.org/fhir/R4/http.html, carries JSON and knows nothing clinical. It asks the one server it was
made for: no link leads it, or the token it carries, to another scheme, host or port.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode, urljoin

from ehr.addresses import origin, shown_host
from ehr.answers import issue_codes_in, objects_in, resource_in
from ehr.backend_token import BackendToken
from ehr.errors import EhrError, Refused, TooLarge
from ehr.fhir_json import write_json
from ehr.retries import try_again
from ehr.transport import DEFAULT_MAX_BYTES, Answer, Transport

FHIR_JSON: Final = "application/fhir+json"
DEFAULT_PAUSE_SECONDS: Final = 0.2
_HEADERS: Final[Mapping[str, str]] = {
    "Accept": FHIR_JSON,
    "Cache-Control": "no-cache",  # HAPI would answer a search from its cache
    # A server that ignored `patient=` would send the records of everybody.
    "Prefer": "handling=strict",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a search: the resources it found, and what the server says beside them (`search.mode` outcome)."""

    resources: tuple[dict[str, Any], ...]
    issue_codes: tuple[str, ...]


class FhirClient:
    """One FHIR server, for one errand: not to be shared between threads, unlike the transport and the credentials.

    `base_url` is the service base. `credentials` give the token, where the server wants one. A request that fails for a
    temporary reason is tried `attempts` times; the pause doubles from `pause_seconds`, or is what `Retry-After` asks.
    One search may have `max_pages` pages and `max_bytes` in all.
    """

    def __init__(
        self,
        transport: Transport,
        base_url: str,
        *,
        credentials: BackendToken | None = None,
        attempts: int = 4,
        pause_seconds: float = DEFAULT_PAUSE_SECONDS,
        max_bytes: int = DEFAULT_MAX_BYTES,
        max_pages: int = 1_000,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.host = shown_host(self.base_url)
        self.attempts = attempts
        self.pause_seconds = pause_seconds
        self.max_bytes = max_bytes
        self.bytes_read = 0
        """The size of all answers so far."""
        self._transport = transport
        self._credentials = credentials
        self._max_pages = max_pages
        self._statement: dict[str, Any] | None = None

    def read(self, resource_type: str, resource_id: str) -> dict[str, Any]:
        """One resource by its id. Raises NotThere, and Refused where another one comes."""
        found = self._get(f"{self.base_url}/{resource_type}/{quote(resource_id, safe='')}", type_=resource_type)
        if found.get("id") != resource_id:
            raise Refused(f"{self.host} answered with another {resource_type} than was asked for")
        return found

    def capability_statement(self) -> dict[str, Any]:
        """What the server says it can do, asked once; of HAPI's 1.5 MB only what is read here."""
        if self._statement is None:
            elements = "rest.resource.type,rest.resource.updateCreate,software.name"
            url = f"{self.base_url}/metadata?_elements={elements}"
            self._statement = self._get(url, type_="CapabilityStatement")
        return self._statement

    def offered_types(self) -> dict[str, dict[str, Any]]:
        """What the CapabilityStatement says of each resource type; empty where the server says nothing of itself."""
        try:
            statement = self.capability_statement()
        except EhrError:
            return {}
        rows = [row for rest in objects_in(statement.get("rest")) for row in objects_in(rest.get("resource"))]
        return {row["type"]: row for row in rows if isinstance(row.get("type"), str)}

    def search(self, resource_type: str, parameters: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Every resource a search finds, page after page; included ones too."""
        for page in self.pages(resource_type, parameters):
            yield from page.resources

    def pages(self, resource_type: str, parameters: Mapping[str, str]) -> Iterator[Page]:
        """The same by pages, with what the server says beside them."""
        yield from self._pages(f"{self.base_url}/{resource_type}?{urlencode(dict(parameters))}")

    def everything(self, patient_id: str) -> dict[str, Any]:
        """All that the server gives of one patient by `$everything`, as one `searchset` Bundle with absolute URLs."""
        pages = self._pages(f"{self.base_url}/Patient/{quote(patient_id, safe='')}/$everything?_count=200")
        return searchset(self.base_url, (resource for page in pages for resource in page.resources))

    def transaction(self, bundle: Mapping[str, Any], *, attempts: int | None = None) -> dict[str, Any]:
        """Post a transaction Bundle and return the response Bundle.

        `attempts` is 1 where a second one must not be made blindly. Raises Conflict where the server stays in another
        state than the Bundle assumes.
        """
        content = write_json(bundle)
        work = partial(self._post, content)
        return try_again(work, attempts=attempts or self.attempts, pause_seconds=self.pause_seconds)

    def _post(self, content: bytes) -> dict[str, Any]:
        answer = self._send("POST", self.base_url, content=content)
        response = resource_in(answer, host=self.host, type_="Bundle")
        if response.get("type") != "transaction-response":
            raise Refused(f"{self.host} answered a transaction with another Bundle")
        return response

    def _pages(self, first: str) -> Iterator[Page]:
        url, seen, begun = first, {first}, self.bytes_read
        while True:
            bundle = self._get(url, type_="Bundle")
            if bundle.get("type") != "searchset":
                raise Refused(f"{self.host} answered a search with another Bundle")
            if self.bytes_read - begun > self.max_bytes:
                raise TooLarge(f"a search of {self.host} found more than {self.max_bytes} bytes")
            yield _page(bundle)
            following = _next_link(bundle)
            if following is None:
                return
            url = _joined(url, following)
            if url in seen:
                raise Refused(f"the pages of a search of {self.host} go round in a circle")
            if len(seen) >= self._max_pages:
                raise Refused(f"a search of {self.host} has more than {self._max_pages} pages")
            seen.add(url)

    def _get(self, url: str, *, type_: str) -> dict[str, Any]:
        work = partial(self._get_once, url, type_=type_)
        return try_again(work, attempts=self.attempts, pause_seconds=self.pause_seconds)

    def _get_once(self, url: str, *, type_: str) -> dict[str, Any]:
        return resource_in(self._send("GET", url), host=self.host, type_=type_)

    def _send(self, method: str, url: str, *, content: bytes | None = None) -> Answer:
        """One request, and a second one with a new token where the first token was not taken."""
        if origin(url) != origin(self.base_url):
            raise Refused(f"{self.host} named a page on another server")
        token = self._credentials.token() if self._credentials else None
        answer = self._request(method, url, token=token, content=content)
        if answer.status == 401 and self._credentials and token:
            answer = self._request(method, url, token=self._credentials.renewed(token), content=content)
        self.bytes_read += len(answer.content)
        return answer

    def _request(self, method: str, url: str, *, token: str | None, content: bytes | None) -> Answer:
        headers = dict(_HEADERS)
        if token:
            headers["Authorization"] = f"Bearer {token}"
        if content is not None:
            headers["Content-Type"] = FHIR_JSON
        return self._transport.request(method, url, headers=headers, content=content)


def searchset(base_url: str, resources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Resources of a server as one `searchset` Bundle with absolute `fullUrl`s, each resource once."""
    entries: dict[str, dict[str, Any]] = {}
    for resource in resources:
        full_url = f"{base_url}/{resource['resourceType']}/{resource['id']}"
        entries.setdefault(full_url, {"fullUrl": full_url, "resource": resource})
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries.values())}


def _page(bundle: Mapping[str, Any]) -> Page:
    entries = objects_in(bundle.get("entry"))
    found = [entry["resource"] for entry in entries if isinstance(entry.get("resource"), dict)]
    return Page(resources=tuple(one for one in found if _is_named(one)), issue_codes=issue_codes_in(found))


def _is_named(resource: Mapping[str, Any]) -> bool:
    """Whether this is a resource with a type and an id: all that a server keeps is, an OperationOutcome is not."""
    type_ = resource.get("resourceType")
    return isinstance(type_, str) and type_ != "OperationOutcome" and isinstance(resource.get("id"), str)


def _next_link(bundle: Mapping[str, Any]) -> str | None:
    links = (link.get("url") for link in objects_in(bundle.get("link")) if link.get("relation") == "next")
    return next((url for url in links if isinstance(url, str)), None)


def _joined(url: str, link: str) -> str:
    """The address that a link on the page of an address leads to."""
    try:
        return urljoin(url, link)
    except ValueError:
        raise Refused("a server named an address that cannot be read") from None
