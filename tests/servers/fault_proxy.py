"""A real HTTP proxy on loopback between us and a FHIR server, that does what networks and servers do at the worst time.

What it does to each request is chosen by a script, by chance with a seed, or by what is asked for; it counts all of it.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from tests.servers.forwarding import forwarded_to
from tests.servers.loopback import HANG_UP, Loopback, Received, Reply, reply

CANARY = "quetzalcoatl"
"""A word in everything that the proxy invents, to be looked for where it must not be."""
ELSEWHERE = f"http://elsewhere.example/fhir/Observation?{CANARY}=2"
_GIGABYTES = 2 * 1024**3
_PIECE = CANARY.encode().ljust(65536)
_REPORT_ROW = re.compile(rb'"type"\s*:\s*"DiagnosticReport"')
_DELAY_SECONDS = 0.05


class Fault(StrEnum):
    """What can become of a request."""

    NONE = "none"
    DROP_BEFORE = "drop-before"  # the connection ends, and the server has heard nothing
    DROP_AFTER = "drop-after"  # the server has done its work, and its answer is lost
    DELAY = "delay"
    TWICE = "twice"  # the server gets the request twice; its second answer comes back
    CONFLICT = "409"
    TOO_MANY = "429"
    UNAVAILABLE = "503"
    TRUNCATE = "truncate"  # half an answer, and the connection ends
    HALF_JSON = "half-json"  # half an answer that says it is whole
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    UNPROCESSABLE = "422"
    HTML = "html"
    REDIRECT = "redirect"
    ENDLESS = "endless"  # each page leads to a further one
    CIRCLE = "circle"  # the page leads to itself
    LINK_ELSEWHERE = "link-elsewhere"  # the next page is on another host
    GIGABYTES = "gigabytes"
    WRONG_RESOURCE = "wrong-resource"
    DEEP = "deep"  # JSON nested beyond reason
    SERVER_IDS = "server-ids"  # a CapabilityStatement that says that the server gives the ids of reports itself


Choice = Callable[[Received], Fault]


def in_order(*faults: Fault) -> Choice:
    """These faults, one for each request, then none."""
    waiting: Iterator[Fault] = iter(faults)
    return lambda _request: next(waiting, Fault.NONE)


def by_chance(seed: int, *, share: float, among: tuple[Fault, ...]) -> Choice:
    """A fault among these for this share of the requests, the same for the same seed and requests."""
    chance = random.Random(seed)
    return lambda _request: chance.choice(among) if chance.random() < share else Fault.NONE


def for_path(faults: Mapping[str, Fault]) -> Choice:
    """A fault for every request with this text in its method and path, such as `/Condition?` or `POST `."""

    def choose(request: Received) -> Fault:
        asked = f"{request.method} {request.path}"
        return next((fault for text, fault in faults.items() if text in asked), Fault.NONE)

    return choose


class FaultProxy:
    """`with FaultProxy(upstream, choice) as proxy:`; ask `proxy.base_url`.

    `counts` says how often it did what, by the method of the request and the fault.
    """

    def __init__(self, upstream: str, choice: Choice) -> None:
        self._forward = forwarded_to(upstream)
        self._choice = choice
        self._lock = threading.Lock()
        self.counts: Counter[tuple[str, Fault]] = Counter()
        self._server = Loopback(self._answer)
        self.base_url = f"{self._server.base_url}{urlsplit(upstream).path}"

    def __enter__(self) -> Self:
        self._server.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.__exit__(kind, error, at)

    def _answer(self, request: Received) -> Reply:
        with self._lock:
            fault = self._choice(request)
            self.counts[request.method, fault] += 1
        match fault:
            case Fault.DROP_BEFORE:
                return HANG_UP
            case Fault.DROP_AFTER:
                self._forward(request)
                return HANG_UP
            case Fault.TWICE:
                self._forward(request)
                return self._forward(request)
            case Fault.TRUNCATE | Fault.HALF_JSON:
                return _half(self._forward(request), honest=fault is Fault.HALF_JSON)
            case Fault.SERVER_IDS:
                return _edited(self._forward(request), _REPORT_ROW, rb'\g<0>,"updateCreate":false')
            case Fault.DELAY:
                time.sleep(_DELAY_SECONDS)
        invented = self._invented(fault, request)
        return self._forward(request) if invented is None else invented

    def _invented(self, fault: Fault, request: Received) -> Reply | None:
        """The answer that the server never gave; None where it is asked."""
        match fault:
            case Fault.CONFLICT | Fault.UNAVAILABLE | Fault.FORBIDDEN | Fault.NOT_FOUND | Fault.UNPROCESSABLE:
                issue = {"severity": "error", "code": "processing", "diagnostics": CANARY}
                return reply({"resourceType": "OperationOutcome", "issue": [issue]}, status=int(fault.value))
            case Fault.TOO_MANY:
                return reply(b"", status=429, Retry_After="0")
            case Fault.HTML:
                return reply(f"<html><body>{CANARY}</body></html>".encode(), Content_Type="text/html")
            case Fault.REDIRECT:
                return reply(b"", status=302, Location=ELSEWHERE)
            case Fault.ENDLESS:
                first = request.path.partition("&page=")[0]
                return self._leading_to(f"{self._server.base_url}{first}&page={sum(self.counts.values())}")
            case Fault.CIRCLE:
                return self._leading_to(f"{self._server.base_url}{request.path}")
            case Fault.LINK_ELSEWHERE:
                return self._leading_to(ELSEWHERE)
            case Fault.GIGABYTES:
                pieces = (_PIECE for _ in range(_GIGABYTES // len(_PIECE)))
                return Reply(headers={"Content-Type": "application/fhir+json"}, pieces=pieces)
            case Fault.WRONG_RESOURCE:
                return reply({"resourceType": "Patient", "id": CANARY})
            case Fault.DEEP:
                nested = b"[" * 100_000 + b"]" * 100_000
                return reply(b'{"resourceType":"Bundle","' + CANARY.encode() + b'":' + nested + b"}")
        return None

    def _leading_to(self, url: str) -> Reply:
        links = [{"relation": "next", "url": url}]
        condition = {"resourceType": "Condition", "id": CANARY, "code": {"text": CANARY}}
        entries = [{"resource": condition}]
        return reply({"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries})


def _edited(answer: Reply, pattern: re.Pattern[bytes], by: bytes) -> Reply:
    """An answer with something in it replaced, which must be there."""
    content, times = pattern.subn(by, b"".join(answer.pieces))
    assert times, "nothing to replace"
    return replace(answer, pieces=(content,), length=len(content))


def _half(answer: Reply, *, honest: bool) -> Reply:
    """The first half of an answer; `honest` says its true length, so that it looks whole."""
    content = b"".join(answer.pieces)
    half = content[: len(content) // 2]
    length = len(half) if honest else len(content)
    return Reply(status=answer.status, headers=answer.headers, pieces=(half,), length=length, hang_up=True)
