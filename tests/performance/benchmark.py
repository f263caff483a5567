"""`make benchmark`: speed and memory, beside a real HAPI server and beside bare parsing, on this machine, now.

A report and never a verdict: machines differ. Prints its figures and writes docs/performance.md. Bounded in counts;
`--long` sends 10,000 bundles and a patient with 10,000 resources. Goals: the table of the contract, section 8.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.performance.bundles import addition_to, patient_with, record_of, transaction_of
from tests.performance.clients import ASYNC, FHIR_JSON, Posted, post_all
from tests.performance.costs import Machine
from tests.performance.engine import engine_figures, engine_milliseconds
from tests.performance.page import Figure, Section, write_page
from tests.performance.parts import bare_milliseconds
from tests.performance.running import Serving, apart, serving
from tests.servers.hapi import HapiServer

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
CLIENTS = (1, 4, 16)
WARM_UP = 100  # also the first look at the memory
HAPI_WARM_UP = 200  # as many as HAPI needs to be at its best: a cold reference would flatter us


@dataclass(frozen=True, kw_only=True)
class Counts:
    """How much is sent."""

    throughput: int
    latency: int
    hapi: int
    soak: int
    drained: int
    sizes: tuple[int, ...]


SHORT = Counts(throughput=400, latency=120, hapi=160, soak=1000, drained=160, sizes=(10, 100, 1000))
LONG = Counts(throughput=1000, latency=300, hapi=400, soak=10_000, drained=400, sizes=(10, 100, 1000, 10_000))


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What Fillertrace took."""

    stored_per_second: float
    cpu_milliseconds: float
    later: dict[int, Posted]
    at_once: dict[int, Posted]
    memory: dict[str, tuple[int, int]]  # kB after the warm-up and after the soak
    soaked: int


@dataclass(frozen=True, kw_only=True)
class Theirs:
    """What HAPI took for the same bundles as transactions."""

    per_second: float
    answers: dict[int, Posted]


def main() -> int:
    """Measure everything in one run and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help="10,000 bundles, and a patient with 10,000 resources")
    counts = LONG if parser.parse_args().long else SHORT
    began = time.monotonic()
    sections = []
    with tempfile.TemporaryDirectory(prefix="fillertrace-benchmark-") as place:
        folder = Path(place)
        sections.append(_measured("The engine and the bare reference", lambda: (_engine(), bare_milliseconds(folder))))
        sections.append(_measured("Fillertrace, two workers", lambda: _fillertrace(folder / "two", counts)))
        sections.append(_measured("HAPI, database on disk", lambda: _hapi(folder / "hapi", counts)))
        sections.append(_measured("Two workers against one", lambda: _workers(folder, counts)))
        sections.append(_measured("A patient who grows", lambda: _growth(folder / "growth", counts)))
    engine, bare = sections[0].found
    figures = [
        *_against_hapi(sections[1].found, sections[2].found),
        *_of_parts(sections[1].found, engine, bare),
        *_growth_figures(sections[4].found),
        *_worker_figures(sections[3].found),
        *_memory_figures(sections[1].found),
    ]
    for figure in figures:
        print(figure.line())
    command = "make benchmark" + (" LONG=1" if counts is LONG else "")
    write_page(PAGE, figures, sections, command=command, seconds=time.monotonic() - began)
    print(f"written: {PAGE} after {time.monotonic() - began:.0f} s")
    return 0


def _measured(name: str, work: Callable[[], object]) -> Section:
    print(f"… {name}", file=sys.stderr, flush=True)
    machine, began = Machine(), time.monotonic()
    found = work()
    return Section(name=name, found=found, seconds=time.monotonic() - began, busy_cores=machine.busy_cores())


def _engine() -> dict[str, float]:
    return engine_milliseconds()


def _fillertrace(folder: Path, counts: Counts) -> Ours:
    numbers = iter(range(1_000_000))

    def records(count: int) -> list[bytes]:
        return [record_of(next(numbers)) for _ in range(count)]

    with serving(folder, workers=2) as service:
        _send(service, records(WARM_UP), clients=4)
        service.wait_until_done()
        first = service.cost()
        bodies = records(counts.throughput)
        began = time.perf_counter()
        _send(service, bodies, clients=4)
        service.wait_until_done()
        seconds = time.perf_counter() - began
        cpu = service.cost().since(first) / counts.throughput
        later, at_once = {}, {}
        for clients in CLIENTS:
            later[clients] = _send(service, records(counts.latency), clients=clients)
            service.wait_until_done()
            at_once[clients] = post_all(
                service.base_url,
                "/$correlate",
                records(counts.latency),
                clients=clients,
                headers=FHIR_JSON,
                status=200,
            )
        sent = WARM_UP + counts.throughput + 2 * len(CLIENTS) * counts.latency
        rest = max(counts.soak - sent, 0)
        _send(service, records(rest), clients=4)
        service.wait_until_done()
        last = service.cost()
    memory = {"API": (first.api_kb, last.api_kb)}
    for number, kilobytes in enumerate(zip(first.worker_kb, last.worker_kb, strict=True), start=1):
        memory[f"worker {number}"] = kilobytes
    return Ours(
        stored_per_second=counts.throughput / seconds,
        cpu_milliseconds=cpu * 1000,
        later=later,
        at_once=at_once,
        memory=memory,
        soaked=sent + rest,
    )


def _send(service: Serving, bodies: list[bytes], *, clients: int) -> Posted:
    return post_all(service.base_url, "/$correlate", bodies, clients=clients, headers=ASYNC, status=202)


def _hapi(folder: Path, counts: Counts) -> Theirs:
    folder.mkdir()
    numbers = iter(range(1_000_000))
    server = HapiServer()
    server.start(database=folder / "record")
    try:

        def send(count: int, clients: int) -> Posted:
            bodies = [transaction_of(next(numbers)) for _ in range(count)]
            return post_all(server.base_url, "", bodies, clients=clients, headers=FHIR_JSON, status=200)

        send(HAPI_WARM_UP, 4)
        through = send(counts.hapi, 4)
        answers = {clients: send(counts.hapi // 2, clients) for clients in CLIENTS}
    finally:
        server.stop()
    return Theirs(per_second=counts.hapi / through.total_seconds, answers=answers)


def _workers(folder: Path, counts: Counts) -> dict[int, float]:
    rates = {}
    for workers in (1, 2):
        with apart(folder / f"apart-{workers}") as parts:
            bodies = [record_of(number) for number in range(counts.drained)]
            post_all(parts.api.base_url, "/$correlate", bodies, clients=4, headers=ASYNC, status=202)
            rates[workers] = parts.drain(workers=workers)
    return rates


def _growth(folder: Path, counts: Counts) -> dict[int, tuple[float, float]]:
    """Milliseconds of CPU, and until the report, of a small new bundle, by how much is stored of its patient."""
    costs = {}
    rounds = 10
    with serving(folder, workers=1) as service:
        _send(service, [record_of(f"warm-{number}") for number in range(WARM_UP)], clients=4)
        service.wait_until_done()  # or the smallest patient, who comes first, would pay for the start
        for size in counts.sizes:
            for body in patient_with(size, number=f"of-{size}"):
                _send(service, [body], clients=1)
                service.wait_until_done()
            before, walls = service.cost(), []
            for index in range(rounds):
                began = time.perf_counter()
                _send(service, [addition_to(f"of-{size}", index)], clients=1)
                service.wait_until_done()
                walls.append(time.perf_counter() - began)
            costs[size] = (service.cost().since(before) / rounds * 1000, statistics.median(walls) * 1000)
    return costs


def _against_hapi(ours: Ours, theirs: Theirs) -> list[Figure]:
    ratio = ours.stored_per_second / theirs.per_second
    figures = [
        Figure(
            name="bundle in → report stored, 10 entries, 4 clients",
            ours=f"{ours.stored_per_second:.1f} bundles/s",
            reference=f"HAPI {theirs.per_second:.1f} bundles/s",
            goal="≥ 5 times, then 10",
            measured=f"{ratio:.1f} times",
            reached=ratio >= 5,
        )
    ]
    for clients in CLIENTS:
        for answer, posted in (("202", ours.later[clients]), ("200", ours.at_once[clients])):
            for name, share in (("p50", 0.5), ("p95", 0.95)):
                mine, other = posted.percentile(share), theirs.answers[clients].percentile(share)
                figures.append(
                    Figure(
                        name=f"time to {answer}, {clients} client{'s' if clients > 1 else ''}, {name}",
                        ours=f"{mine:.1f} ms",
                        reference=f"HAPI {other:.1f} ms",
                        goal="≤ 1/3",
                        measured=f"{mine / other:.2f}",
                        reached=mine <= other / 3,
                    )
                )
    return figures


def _of_parts(ours: Ours, engine: dict[str, float], bare: dict[str, float]) -> list[Figure]:
    reference = sum(bare.values())
    ratio = ours.cpu_milliseconds / reference
    return [
        Figure(
            name="CPU per bundle, API and worker",
            ours=f"{ours.cpu_milliseconds:.1f} ms",
            reference=(
                f"{reference:.1f} ms (parse {bare['parse']:.2f}, validate {bare['validate']:.1f}, "
                f"commit {bare['commit']:.2f})"
            ),
            goal="≤ 2.5 times",
            measured=f"{ratio:.1f} times",
            reached=ratio <= 2.5,
        ),
        *engine_figures(engine),
    ]


def _growth_figures(costs: dict[int, tuple[float, float]]) -> list[Figure]:
    smallest = min(costs)
    return [
        Figure(
            name=f"one new bundle, patient with {size:,} stored resources",
            ours=f"CPU {cpu:.0f} ms, report after {wall:.0f} ms",
            reference=f"with {smallest}: CPU {costs[smallest][0]:.0f} ms",
            goal="≤ 1.5 times" if size == 1000 else "–",
            measured=f"{cpu / costs[smallest][0]:.1f} times",
            reached=cpu <= 1.5 * costs[smallest][0] if size == 1000 else None,
        )
        for size, (cpu, wall) in costs.items()
    ]


def _worker_figures(rates: dict[int, float]) -> list[Figure]:
    return [
        Figure(
            name="two workers, on the workers' part",
            ours=f"{rates[2]:.1f} jobs/s",
            reference=f"one worker {rates[1]:.1f} jobs/s",
            goal="≥ 1.8 times",
            measured=f"{rates[2] / rates[1]:.2f} times",
            reached=rates[2] >= 1.8 * rates[1],
        )
    ]


def _memory_figures(ours: Ours) -> list[Figure]:
    return [
        Figure(
            name=f"resident memory of {name} after {ours.soaked:,} bundles",
            ours=f"{last / 1024:.0f} MB",
            reference=f"{first / 1024:.0f} MB after {WARM_UP}",
            goal="≤ +10 %" + ("" if ours.soaked >= 10_000 else " (after 10,000)"),
            measured=f"{100 * (last - first) / first:+.1f} %",
            reached=last <= 1.1 * first,
        )
        for name, (first, last) in ours.memory.items()
    ]


if __name__ == "__main__":
    raise SystemExit(main())
