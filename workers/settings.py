"""This file declares what the background door needs to know: `FILLERTRACE_WORKERS_<FIELD>`."""

from __future__ import annotations

from dataclasses import dataclass

from store.environment import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """The settings of one worker process."""

    maintenance_interval_seconds: int = setting(
        30, "How often RQ's own registries are tidied, and how long an idle worker waits in one go.", example="30"
    )
    start_timeout_seconds: float = setting(
        60.0, "How long a starting worker waits for the database before it gives up.", example="60"
    )
    log_level: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR. Logs carry ids and codes only.", example="INFO")

    def __post_init__(self) -> None:
        if self.maintenance_interval_seconds < 1:
            raise ValueError("maintenance_interval_seconds must be at least 1")
        if self.log_level not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("log_level must be DEBUG, INFO, WARNING or ERROR")
