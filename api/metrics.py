"""This file answers `GET /metrics` in Prometheus' text form, computed from the record when asked.

Counters in a process would die with it and miss the workers; the record misses nothing. Labels never hold ids.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric

from api.parts import GivenParts
from store import listening, write_backs
from store.statistics import Statistics, count

router = APIRouter(tags=["operations"])

_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)


@router.get("/metrics", summary="Figures for Prometheus")
def metrics(parts: GivenParts) -> Response:
    """Jobs by state, the age of the oldest that waits, times from receipt to completion, reports, the queue, EHRs."""
    now = parts.clock()
    answered = listening.last_answers(parts.database)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(
        _Collected(
            statistics=count(parts.database, now=now),
            queue_length=parts.queue.length(),
            edition=parts.knowledge.edition,
            write_backs=write_backs.counts(parts.database),
            silent_seconds={name: _seconds_since(answered.get(name), now) for name in parts.ehr.subscribe},
        )
    )
    return Response(generate_latest(registry), media_type=_CONTENT_TYPE)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)  # the registry keeps it in a set
class _Collected:
    """The figures of one moment as prometheus_client reads them."""

    statistics: Statistics
    queue_length: int | None
    edition: str
    write_backs: Mapping[tuple[str, str], int]
    silent_seconds: Mapping[str, float]

    def describe(self) -> Iterator[Metric]:
        """Nothing is known before it is asked for."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """One family after the other."""
        figures = self.statistics
        jobs = GaugeMetricFamily("fillertrace_jobs", "Jobs by the status of their Task.", labels=["status"])
        for status, number in sorted(figures.jobs.items()):
            jobs.add_metric([status], number)
        yield jobs
        yield _gauge("oldest_waiting_seconds", "Age of the oldest job not finished.", figures.oldest_waiting_seconds)
        yield _gauge("jobs_on_another_attempt", "Open jobs that have failed at least once.", figures.attempts_again)
        yield _gauge("patients", "Patients on record.", figures.patients)
        yield _gauge("living_reports", "Reports that new facts still change.", figures.living_reports)
        yield _gauge("redis_up", "Whether Redis answers.", 0 if self.queue_length is None else 1)
        if self.queue_length is not None:
            yield _gauge("queue_length", "Deliveries waiting in Redis.", self.queue_length)
        yield _histogram(figures.recent_seconds)
        written = GaugeMetricFamily(
            "fillertrace_write_backs", "Reports by how they stand on an EHR.", labels=["server", "state"]
        )
        for (server, state), number in sorted(self.write_backs.items()):
            written.add_metric([server, state], number)
        yield written
        silent = GaugeMetricFamily(
            "fillertrace_listening_seconds_since_asked",
            "Seconds since an EHR that is listened to last answered what is new; +Inf where it never did.",
            labels=["server"],
        )
        for server, seconds in sorted(self.silent_seconds.items()):
            silent.add_metric([server], seconds)
        yield silent
        info = GaugeMetricFamily("fillertrace_knowledge_info", "The knowledge base in use.", labels=["edition"])
        info.add_metric([self.edition], 1)
        yield info


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"fillertrace_{name}", says, value=value)


def _seconds_since(moment: datetime | None, now: datetime) -> float:
    return math.inf if moment is None else max(0.0, (now - moment).total_seconds())


def _histogram(seconds: tuple[float, ...]) -> HistogramMetricFamily:
    buckets = [(str(bound), float(sum(one <= bound for one in seconds))) for bound in _SECONDS]
    return HistogramMetricFamily(
        "fillertrace_recent_job_seconds",
        "Seconds from receipt to completion, of the jobs completed in the last five minutes.",
        buckets=[*buckets, ("+Inf", float(len(seconds)))],
        sum_value=sum(seconds),
    )
