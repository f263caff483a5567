"""Many doors at once."""

import threading
from collections.abc import Callable

from store import report_search, resources
from store.database import Database
from store.incoming import Received
from tests.unit.store.builders import person, receive, resource

DOORS = 6


def _at_once(send: Callable[[int], Received]) -> list[Received]:
    start = threading.Barrier(DOORS)
    received: list[Received] = []
    faults: list[Exception] = []

    def work(number: int) -> None:
        start.wait()
        try:
            received.append(send(number))
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(DOORS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert faults == []
    return received


def test_a_new_patient_from_many_doors_is_one_patient(database: Database) -> None:
    def send(number: int) -> Received:
        return receive(database, person(resource("Observation", str(number)), mrn="1"), raw=str(number).encode())

    patients = {received.jobs[0].patient_id for received in _at_once(send)}
    assert len(patients) == 1
    assert len(resources.of_patient(database, patients.pop())) == DOORS


def test_a_new_resource_from_many_doors_is_one_with_a_version_each(database: Database) -> None:
    def send(number: int) -> Received:
        named = resource("Observation", str(number), identifier=("https://x", "1"))
        return receive(database, person(named, mrn="1"), raw=str(number).encode())

    entries = [received.entries[0] for received in _at_once(send)]
    assert len({entry.id for entry in entries}) == 1
    assert sorted(entry.version for entry in entries) == list(range(1, DOORS + 1))


def test_the_same_correlate_body_from_many_doors_is_one_job(database: Database) -> None:
    received = _at_once(lambda number: receive(database, person(mrn="1"), raw=b"same", kind="correlate"))
    assert len({one.jobs[0].job_id for one in received}) == 1
    assert sum(not one.repeated for one in received) == 1


def test_the_same_key_from_many_doors_is_one_job(database: Database) -> None:
    received = _at_once(lambda number: receive(database, person(mrn="1"), raw=b"same", key="k"))
    assert len({one.jobs[0].job_id for one in received}) == 1


def test_bundles_about_the_same_two_people_in_either_order_all_arrive(database: Database) -> None:
    def send(number: int) -> Received:
        two = [person(mrn="1", key="Patient/a"), person(mrn="2", key="Patient/b")]
        return receive(database, *(two if number % 2 else reversed(two)), raw=str(number).encode())

    receive(database, person(mrn="1"), person(mrn="2"))
    assert {len(received.jobs) for received in _at_once(send)} == {2}
    assert report_search.search(database) == []
