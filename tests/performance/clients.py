"""Clients that post bundles over kept connections and note how long each answer took."""

import http.client
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

FHIR_JSON = {"Content-Type": "application/fhir+json", "Accept": "application/fhir+json"}
ASYNC = {**FHIR_JSON, "Prefer": "respond-async"}
TIMEOUT = 120.0


@dataclass(frozen=True, kw_only=True)
class Posted:
    """The answer times in seconds, sorted, and how long all of it took."""

    seconds: tuple[float, ...]
    total_seconds: float

    def percentile(self, share: float) -> float:
        """The answer time in milliseconds that so large a share stayed below."""
        return self.seconds[min(int(share * len(self.seconds)), len(self.seconds) - 1)] * 1000


def post_all(
    base_url: str, path: str, bodies: Iterable[bytes], *, clients: int, headers: Mapping[str, str], status: int
) -> Posted:
    """Post every body once, by so many clients at a time. Raises RuntimeError where an answer has another status."""
    waiting, lock, taken = iter(bodies), threading.Lock(), list[float]()
    errors: list[str] = []
    began = time.perf_counter()
    threads = [
        threading.Thread(target=_client, args=(base_url, path, _shared(waiting, lock), headers, status, taken, errors))
        for _ in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise RuntimeError(errors[0])
    return Posted(seconds=tuple(sorted(taken)), total_seconds=time.perf_counter() - began)


def _shared(bodies: Iterator[bytes], lock: threading.Lock) -> Callable[[], bytes | None]:
    def take() -> bytes | None:
        with lock:
            return next(bodies, None)

    return take


def _client(
    base_url: str,
    path: str,
    take: Callable[[], bytes | None],
    headers: Mapping[str, str],
    status: int,
    taken: list[float],
    errors: list[str],
) -> None:
    address = urlsplit(base_url)
    connection = http.client.HTTPConnection(address.netloc, timeout=TIMEOUT)
    while (body := take()) is not None and not errors:
        began = time.perf_counter()
        connection.request("POST", address.path + path, body, dict(headers))
        answer = connection.getresponse()
        said = answer.read()
        taken.append(time.perf_counter() - began)
        if answer.status != status:
            errors.append(f"{base_url}{path} answered {answer.status}: {said[:300].decode(errors='replace')}")
    connection.close()
