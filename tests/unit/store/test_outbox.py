"""Nothing that was received is lost, whatever happens to Redis."""

import threading
import time
from collections.abc import Iterator

import pytest
import redis as redis_client

from store import jobs, outbox
from store.database import Database
from store.errors import QueueUnfit
from store.incoming import Received
from store.queue import QUEUE_NAME, Queue, delivery_id
from tests.servers.redis import RedisServer
from tests.unit.store.builders import claim, draft, fail, finish, later, must_claim, person, receive


@pytest.fixture
def own_queue(own_redis: RedisServer) -> Iterator[Queue]:
    queue = Queue(own_redis.url)
    yield queue
    queue.close()


def _send(database: Database, *, raw: bytes = b"{}", mrn: str = "1") -> Received:
    return receive(database, person(mrn=mrn), raw=raw)


def _queued(url: str) -> list[str]:
    with redis_client.Redis.from_url(url) as client:
        return [name.decode() for name in client.lrange(f"rq:queue:{QUEUE_NAME}", 0, -1)]


def _relay(database: Database, queue: Queue, seconds: float) -> outbox.Relayed:
    return outbox.relay_once(database, queue, now=later(seconds))


def test_a_job_stands_in_the_queue_once_with_nothing_but_its_id(database: Database, queue: Queue) -> None:
    received = _send(database)
    job_id = received.jobs[0].job_id
    assert outbox.hand_over(database, queue, received.jobs)
    assert outbox.hand_over(database, queue, received.jobs)
    _relay(database, queue, 1)
    assert _queued(queue.redis_url) == [delivery_id(job_id, 1)]
    with redis_client.Redis.from_url(queue.redis_url) as client:
        kept = client.hgetall(f"rq:job:{delivery_id(job_id, 1)}")
    assert kept[b"description"] == b"correlate"
    assert received.jobs[0].patient_id.encode() not in b"".join(kept.values())


def test_redis_down_fails_no_intake_and_the_relay_makes_up_for_it(
    database: Database, own_redis: RedisServer, own_queue: Queue
) -> None:
    own_redis.stop()
    received = _send(database)
    started = time.monotonic()
    assert not outbox.hand_over(database, own_queue, received.jobs)
    assert not _relay(database, own_queue, 1).redis_answers
    own_queue.announce(received.jobs[0].job_id)
    assert own_queue.length() is None
    assert not own_queue.answers()
    assert time.monotonic() - started < 10
    own_redis.start()
    assert _relay(database, own_queue, 2).enqueued == 1
    assert len(_queued(own_redis.url)) == 1


def test_a_wiped_redis_is_filled_again_at_once(database: Database, own_redis: RedisServer, own_queue: Queue) -> None:
    received = [_send(database, raw=str(number).encode()) for number in range(3)]
    own_queue.mark()
    for one in received:
        outbox.hand_over(database, own_queue, one.jobs)
    own_redis.flush()
    assert _relay(database, own_queue, 1).enqueued == 3
    assert _relay(database, own_queue, 1.1).enqueued == 0
    assert len(_queued(own_redis.url)) == 3


def test_a_restarted_redis_has_kept_the_queue(database: Database, own_redis: RedisServer, own_queue: Queue) -> None:
    outbox.hand_over(database, own_queue, _send(database).jobs)
    own_queue.mark()
    own_redis.kill9()
    own_redis.start()
    assert _relay(database, own_queue, 60).enqueued == 0
    assert len(_queued(own_redis.url)) == 1


def test_a_door_that_died_before_it_could_hand_over_loses_nothing(database: Database, queue: Queue) -> None:
    _send(database)
    assert _relay(database, queue, 1).enqueued == 0
    assert _relay(database, queue, 6).enqueued == 1


def test_a_delivery_that_a_worker_took_and_dropped_comes_again(database: Database, queue: Queue) -> None:
    outbox.hand_over(database, queue, _send(database).jobs)
    with redis_client.Redis.from_url(queue.redis_url) as client:
        client.lmove(f"rq:queue:{QUEUE_NAME}", f"rq:queue:{QUEUE_NAME}:intermediate", "LEFT", "RIGHT")
        assert _relay(database, queue, 6).enqueued == 1
        assert client.llen(f"rq:queue:{QUEUE_NAME}:intermediate") == 0
    assert len(_queued(queue.redis_url)) == 1


def test_what_waits_in_a_long_queue_is_left_there(database: Database, queue: Queue) -> None:
    for number in range(5):
        outbox.hand_over(database, queue, _send(database, raw=str(number).encode()).jobs)
    assert [_relay(database, queue, at).enqueued for at in (6, 12, 18)] == [0, 0, 0]
    assert len(_queued(queue.redis_url)) == 5


def test_the_job_of_a_dead_worker_comes_again(database: Database, queue: Queue) -> None:
    received = _send(database)
    job_id = received.jobs[0].job_id
    must_claim(database, job_id)
    assert _relay(database, queue, 59).released == 0
    relayed = _relay(database, queue, 61)
    assert (relayed.released, relayed.enqueued) == (1, 1)
    assert must_claim(database, job_id, worker="w2", now=later(62)).attempt == 2


def test_a_retry_comes_when_it_is_due(database: Database, queue: Queue) -> None:
    job_id = _send(database).jobs[0].job_id
    fail(database, must_claim(database, job_id), now=later(0))
    assert _relay(database, queue, 0.5).enqueued == 0
    assert _relay(database, queue, 1.5).enqueued == 1


def test_a_job_that_waits_for_its_patient_comes_when_the_other_has_ended(database: Database, queue: Queue) -> None:
    first, second = _send(database, raw=b"1").jobs[0].job_id, _send(database, raw=b"2").jobs[0].job_id
    claimed = must_claim(database, first)
    assert claim(database, second) is None
    assert _relay(database, queue, 1).enqueued == 0
    finish(database, claimed, draft("r", 1), now=later(2))
    assert _relay(database, queue, 3).enqueued == 1
    assert _queued(queue.redis_url)[-1].startswith(second)


def test_everyone_who_waits_is_woken_by_one_word(database: Database, queue: Queue) -> None:
    job_id = _send(database).jobs[0].job_id
    seen: list[tuple[str, float]] = []

    def wait() -> None:
        started = time.monotonic()
        job = outbox.wait_until_finished(database, queue, job_id, seconds=20)
        seen.append((job.status, time.monotonic() - started))

    threads = [threading.Thread(target=wait) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.3)
    finish(database, must_claim(database, job_id), draft("r", 1))
    queue.announce(job_id)
    for thread in threads:
        thread.join(20)
    assert [status for status, _ in seen] == ["completed"] * 3
    assert max(took for _, took in seen) < 3


def test_a_waiter_gives_up_in_time_also_without_redis(
    database: Database, own_redis: RedisServer, own_queue: Queue
) -> None:
    job_id = _send(database).jobs[0].job_id
    assert outbox.wait_until_finished(database, own_queue, job_id, seconds=0.3).status == "received"
    own_redis.stop()
    assert outbox.wait_until_finished(database, own_queue, job_id, seconds=0.5).status == "received"


def test_the_relay_thread_outlives_faults_and_stops(
    database: Database, own_redis: RedisServer, own_queue: Queue
) -> None:
    own_redis.stop()
    outbox.hand_over(database, own_queue, _send(database).jobs)
    relay = outbox.Relay(database, own_queue, clock=lambda: later(1), interval_seconds=0.05)
    relay.start()
    time.sleep(0.3)
    own_redis.start()
    deadline = time.monotonic() + 10
    while not own_queue.length() and time.monotonic() < deadline:
        time.sleep(0.05)
    relay.stop()
    assert not relay.is_alive()
    assert own_queue.length() == 1


def test_a_redis_that_may_throw_keys_away_is_refused(own_redis: RedisServer, own_queue: Queue) -> None:
    own_queue.check()
    with redis_client.Redis.from_url(own_redis.url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
    with pytest.raises(QueueUnfit):
        own_queue.check()


def test_a_failed_job_is_no_longer_delivered(database: Database, queue: Queue) -> None:
    job_id = _send(database).jobs[0].job_id
    for number in range(5):
        must_claim(database, job_id, now=later(number * 100))
        jobs.release_expired(database, now=later(number * 100 + 61), limit=10)
    assert _relay(database, queue, 1000).enqueued == 0
