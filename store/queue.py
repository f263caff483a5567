"""This file brings job ids to the workers: RQ 3 on Redis, one queue, nothing but the id in a message.

Redis may lose everything at any moment; `store.outbox` notices. Whatever Redis answers, no method a door uses raises.
RQ traps that are avoided here were measured (docs/decisions): one queue per worker keeps RQ's crash-safe move; the JSON
serializer cannot run code; results and failures are not kept, as tracebacks may hold values.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, cast

import redis
import rq
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer

from store.errors import QueueUnfit

QUEUE_NAME = "correlate"
FUNCTION = "workers.jobs.correlate_patient"  # by name: the doors do not import the workers
MINIMUM_VERSION = (6, 2)
KEPT_AFTER_FAILURE_SECONDS = 3600
ANNOUNCED_SECONDS = 60
EPOCH_KEY = "fillertrace:epoch"  # gone when Redis was wiped
_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 2.0
_AWAY_SECONDS = 1.0  # after a failure, doors do not even try for so long: each try costs seconds


class Queue:
    """The queue of one process. Safe for many threads; connects when first used."""

    def __init__(self, redis_url: str, *, job_timeout_seconds: int = 300) -> None:
        self.redis_url = redis_url
        self._job_timeout_seconds = job_timeout_seconds
        self._connection = connect(redis_url)
        # A waiter blocks up to its own time, so it must not be cut off by the short one above.
        self._patient_connection = connect(redis_url, answer_seconds=None)
        self._away_until = 0.0
        self._rq = rq.Queue(QUEUE_NAME, connection=self._connection, serializer=JSONSerializer)

    def enqueue(self, job_id: str, fence: int) -> bool:
        """Put a delivery of a job into the queue, once; whether Redis has it now."""
        if time.monotonic() < self._away_until:
            return False
        try:
            self._rq.enqueue_call(
                FUNCTION,
                args=(job_id,),
                job_id=delivery_id(job_id, fence),
                description=QUEUE_NAME,
                timeout=self._job_timeout_seconds,
                result_ttl=0,
                failure_ttl=KEPT_AFTER_FAILURE_SECONDS,
                unique=True,
            )
        except DuplicateJobError:
            return True
        except redis.RedisError:
            self._away_until = time.monotonic() + _AWAY_SECONDS
            return False
        return True

    def waiting(self, deliveries: Sequence[tuple[str, int]]) -> list[bool] | None:
        """For each delivery, whether it stands in the queue; `None` when Redis does not answer."""
        try:
            pipeline = self._connection.pipeline(transaction=False)
            for job_id, fence in deliveries:
                pipeline.lpos(self._rq.key, delivery_id(job_id, fence))
            return [place is not None for place in pipeline.execute()]
        except redis.RedisError:
            return None

    def forget(self, job_id: str, fence: int) -> bool:
        """Remove every trace of a delivery, so that it can be put there anew; whether Redis answered."""
        delivery = delivery_id(job_id, fence)
        try:
            pipeline = self._connection.pipeline()
            pipeline.lrem(self._rq.key, 0, delivery)
            pipeline.lrem(self._rq.intermediate_queue_key, 0, delivery)
            pipeline.delete(rq.job.Job.key_for(delivery))
            pipeline.execute()
        except redis.RedisError:
            return False
        return True

    def wiped(self) -> bool | None:
        """Whether Redis has lost its keys since `mark`; `None` when it does not answer."""
        try:
            wiped = not self._connection.exists(EPOCH_KEY)
        except redis.RedisError:
            return None
        self._away_until = 0.0
        return wiped

    def mark(self) -> None:
        """Leave the mark that `wiped` looks for."""
        try:
            self._connection.set(EPOCH_KEY, "1", nx=True)
        except redis.RedisError:
            return

    def announce(self, job_id: str) -> None:
        """Wake those who wait for this job. Costs nothing where Redis is away: they look into the record, too."""
        try:
            pipeline = self._connection.pipeline()
            pipeline.lpush(_done_key(job_id), "1")
            pipeline.ltrim(_done_key(job_id), 0, 0)
            pipeline.expire(_done_key(job_id), ANNOUNCED_SECONDS)
            pipeline.execute()
        except redis.RedisError:
            return

    def wait(self, job_id: str, seconds: float) -> bool:
        """Wait until the job is announced, at most so long; whether it was. Any number may wait for the same job."""
        key = _done_key(job_id)
        try:
            # From the list to itself: the word stays there for the next one who waits.
            # Redis takes fractions of a second; redis-py's types do not know.
            found = self._patient_connection.blmove(key, key, cast(int, max(seconds, 0.001)), "LEFT", "LEFT")
        except redis.RedisError:
            time.sleep(min(seconds, 0.2))
            return False
        return found is not None

    def length(self) -> int | None:
        """How many deliveries stand in the queue; `None` when Redis does not answer."""
        try:
            return self._connection.llen(self._rq.key)
        except redis.RedisError:
            return None

    def check(self) -> None:
        """Refuse a Redis that is too old or may throw keys away (QueueUnfit).

        One that does not answer is no fault yet.
        """
        try:
            server: dict[str, Any] = self._connection.info("server")
            memory: dict[str, Any] = self._connection.info("memory")
        except redis.RedisError:
            return
        version = tuple(int(part) for part in str(server.get("redis_version", "0.0")).split(".")[:2])
        if version < MINIMUM_VERSION:
            raise QueueUnfit("Redis 6.2 or newer is needed")
        policy = memory.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise QueueUnfit(f"Redis must not throw keys away: set maxmemory-policy to noeviction (it is {policy})")

    def answers(self) -> bool:
        """Whether Redis can be reached now (for /health/ready)."""
        try:
            return bool(self._connection.ping())
        except redis.RedisError:
            return False

    def close(self) -> None:
        """Close every connection."""
        self._connection.close()
        self._patient_connection.close()


def connect(redis_url: str, *, answer_seconds: float | None = _ANSWER_SECONDS) -> redis.Redis:
    """A connection that gives up soon, so that a door is never held by a Redis that is away."""
    return redis.Redis.from_url(
        redis_url,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=answer_seconds,
        retry=Retry(NoBackoff(), 1),
        health_check_interval=30,
    )


def delivery_id(job_id: str, fence: int) -> str:
    """The RQ id of one delivery of a job."""
    return f"{job_id}-{fence}"


def _done_key(job_id: str) -> str:
    return f"fillertrace:done:{job_id}"
