"""This file declares what the record and the queue need to know.

`FILLERTRACE_STORE_<FIELD>`, and two names of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

from store.environment import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The settings of the record (database) and of the queue (Redis)."""

    database_url: str | None = setting(
        None,
        "Where the record is kept: a SQLite file, or PostgreSQL 14 or newer. Empty: `serve` keeps a SQLite file in its "
        "data folder; `api` and `worker` need it.",
        example="postgresql+psycopg://fillertrace:PASSWORD@database/fillertrace",
        secret=True,
        variable="FILLERTRACE_DATABASE_URL",
    )
    redis_url: str | None = setting(
        None,
        "The Redis (6.2 or newer, maxmemory-policy noeviction) that carries the queue. Empty: `serve` starts its own; "
        "`api` and `worker` need it.",
        example="redis://redis:6379/0",
        secret=True,
        variable="FILLERTRACE_REDIS_URL",
    )
    pool_size: int = setting(
        5, "How many database connections one process keeps open; twice as many may be open for a moment.", example="5"
    )
    busy_timeout_seconds: float = setting(
        30.0, "How long a transaction waits for a lock or a free connection before it gives up.", example="30"
    )
    lease_seconds: float = setting(
        60.0,
        "How long a worker owns a job it has claimed; it renews the lease while it works. A job whose worker died is "
        "taken up again after this time.",
        example="60",
    )
    max_attempts: int = setting(
        5, "After so many failed attempts a job is `failed` until someone retries it.", example="5"
    )
    retry_delays_seconds: tuple[float, ...] = setting(
        (1.0, 5.0, 30.0, 120.0),
        "How long a job waits after its first, second, … failed attempt; the last one repeats.",
        example="1,5,30,120",
    )
    relay_interval_seconds: float = setting(
        1.0, "How often each process looks for jobs that are not in Redis though they should be.", example="1"
    )
    recheck_seconds: float = setting(
        5.0,
        "A job that waits longer than this is looked up in Redis, and put there again where it is lost.",
        example="5",
    )
    repeat_window_seconds: float = setting(
        86400.0,
        "A byte-identical `$correlate` body of the same caller within this time is taken for a repeat.",
        example="86400",
    )
    job_timeout_seconds: int = setting(
        300, "A correlation that takes longer than this is stopped and counts as a failed attempt.", example="300"
    )

    def __post_init__(self) -> None:
        for name in ("pool_size", "lease_seconds", "max_attempts", "job_timeout_seconds", "relay_interval_seconds"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be more than zero")
        if not self.retry_delays_seconds:
            raise ValueError("retry_delays_seconds needs at least one number")
