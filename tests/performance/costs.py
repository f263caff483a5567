"""What processes cost, read from /proc: CPU time and resident memory; and what one call in this process costs."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_ROUNDS = 7
_CALLS = 20
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True, kw_only=True)
class Use:
    """CPU seconds since the start, and resident memory in kB."""

    cpu_seconds: float
    rss_kb: int


def use_of(pid: int) -> Use:
    """What one process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return Use(cpu_seconds=(int(fields[11]) + int(fields[12])) / _TICKS, rss_kb=pages * _PAGE_KB)


def workers_of(pid: int) -> list[int]:
    """The worker processes that a `fillertrace serve` has started."""
    return [child for child in _children(pid) if "worker" in _command(child)]


def _children(pid: int) -> list[int]:
    lists = [task / "children" for task in Path(f"/proc/{pid}/task").iterdir()]
    return sorted(int(child) for listed in lists for child in listed.read_text().split())


def _command(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/cmdline").read_text().split("\0")


class Machine:
    """How busy the whole machine is between two looks, in cores."""

    def __init__(self) -> None:
        self._began, self._busy = time.monotonic(), _busy_seconds()

    def busy_cores(self) -> float:
        """The mean since this was made."""
        return (_busy_seconds() - self._busy) / (time.monotonic() - self._began)


def _busy_seconds() -> float:
    user, nice, system, _idle, _waiting, *rest = map(int, Path("/proc/stat").read_text().split("\n")[0].split()[1:])
    return (user + nice + system + sum(rest[:3])) / _TICKS


def cpu_seconds(call: Callable[[], object], *, rounds: int = _ROUNDS, calls: int = _CALLS) -> float:
    """CPU time of one call, the best of so many rounds of so many calls."""
    call()
    taken = []
    for _ in range(rounds):
        began = time.process_time()
        for _ in range(calls):
            call()
        taken.append((time.process_time() - began) / calls)
    return min(taken)
