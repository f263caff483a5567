"""Which version of a report stands on which EHR: wanted with the version, claimed by one, settled or put off."""

from datetime import datetime

from store import reports, write_backs
from store.database import Database
from store.patients import addresses_at, identifiers_of
from store.write_backs import WriteBack
from tests.unit.store.builders import MRN, NOW, draft, later, must_claim, person, receive, resource

SERVERS = {"main": "https://ehr.example/fhir", "other": "https://other.example/fhir"}


def report(database: Database, *, version: int = 1, raw: bytes = b"1", digest: str = "d") -> str:
    """The patient whose report has one more version; they are known on one of two servers."""
    url = "https://ehr.example/fhir/Patient/7"
    received = receive(database, person(resource("Observation", raw.decode()), mrn="1", url=url), raw=raw)
    claimed = must_claim(database, received.jobs[0].job_id)
    kept = draft("r", version, digest=f"{digest}{version}")
    reports.finish(database, claimed, draft=kept, outcome=None, now=NOW, write_back_to=SERVERS)
    return received.jobs[0].patient_id


def take(database: Database, *, worker: str = "w1", now: datetime = NOW) -> WriteBack | None:
    return write_backs.claim(database, worker=worker, now=now, lease_seconds=60)


def must_take(database: Database, *, worker: str = "w1", now: datetime = NOW) -> WriteBack:
    claimed = take(database, worker=worker, now=now)
    assert claimed is not None
    return claimed


def test_a_version_is_wanted_where_the_patient_is_known(database: Database) -> None:
    patient_id = report(database)
    claimed = must_take(database)
    assert (claimed.server, claimed.version, claimed.patient_id) == ("main", 1, patient_id)
    assert take(database, worker="w2") is None
    write_backs.settle(database, claimed, outcome="created", now=NOW)
    assert take(database, now=later(1000)) is None
    (standing,) = write_backs.standings_of(database, "r")
    assert (standing.server, standing.version, standing.outcome) == ("main", 1, "created")


def test_a_lost_worker_s_work_is_taken_up(database: Database) -> None:
    report(database)
    first = must_take(database)
    second = must_take(database, worker="w2", now=later(61))
    assert second.attempts == 2
    write_backs.settle(database, first, outcome="created", now=later(62))  # too late: it changes nothing
    assert write_backs.standings_of(database, "r")[0].outcome is None
    write_backs.settle(database, second, outcome="unchanged", now=later(63))
    assert write_backs.standings_of(database, "r")[0].outcome == "unchanged"


def test_what_fails_comes_again_for_ever(database: Database) -> None:
    report(database)
    at = 0.0
    for delay in (1, 5, 5, 5):
        claimed = must_take(database, now=later(at))
        write_backs.put_off(database, claimed, error_type="Unavailable", now=later(at), retry_delays_seconds=(1, 5))
        assert take(database, now=later(at + delay - 0.5)) is None
        at += delay
    assert write_backs.standings_of(database, "r")[0].error_type == "Unavailable"


def test_only_the_newest_version_is_written(database: Database) -> None:
    report(database)
    report(database, version=2, raw=b"2")
    claimed = must_take(database)
    assert claimed.version == 2
    report(database, version=3, raw=b"3")
    write_backs.settle(database, claimed, outcome="updated", now=NOW)
    (standing,) = write_backs.standings_of(database, "r")
    assert (standing.version, standing.outcome) == (3, None)
    assert must_take(database).version == 3


def correlated_again(database: Database) -> None:
    """The patient's report stays as it was."""
    url = "https://ehr.example/fhir/Patient/7"
    received = receive(database, person(resource("Observation", "same"), mrn="1", url=url), raw=b"3")
    claimed = must_claim(database, received.jobs[0].job_id)
    same = draft("r", 2, digest="d1")
    assert not reports.finish(database, claimed, draft=same, outcome=None, now=NOW, write_back_to=SERVERS).changed


def test_a_report_that_stays_as_it_was_is_not_written_again(database: Database) -> None:
    report(database)
    write_backs.settle(database, must_take(database), outcome="created", now=NOW)
    correlated_again(database)
    assert take(database) is None


def test_what_was_refused_is_tried_again_when_somebody_correlates_again(database: Database) -> None:
    report(database)
    refused = must_take(database)
    write_backs.settle(database, refused, outcome=write_backs.REFUSED, error_type="NotPermitted", now=NOW)
    assert take(database, now=later(1000)) is None
    (standing,) = write_backs.standings_of(database, "r")
    assert (standing.outcome, standing.error_type, standing.updated_at) == ("refused", "NotPermitted", NOW)
    correlated_again(database)
    assert (must_take(database).version, write_backs.standings_of(database, "r")[0].outcome) == (1, None)


def test_they_are_counted_by_server_and_by_how_they_stand(database: Database) -> None:
    assert write_backs.counts(database) == {}
    report(database)
    assert write_backs.counts(database) == {("main", "open"): 1}
    failed = must_take(database)
    write_backs.put_off(database, failed, error_type="Unavailable", now=NOW, retry_delays_seconds=(1,))
    assert write_backs.counts(database) == {("main", "open-after-failure"): 1}
    settled = must_take(database, now=later(1))
    write_backs.settle(database, settled, outcome="created", now=NOW)
    assert write_backs.counts(database) == {("main", "created"): 1}
    report(database, version=2, raw=b"2")
    assert write_backs.counts(database) == {("main", "open"): 1}


def test_a_report_reaches_an_ehr_that_comes_to_know_the_patient_later(database: Database) -> None:
    received = receive(database, person(resource("Observation", "x"), mrn="1"))
    claimed = must_claim(database, received.jobs[0].job_id)
    reports.finish(database, claimed, draft=draft("r", 1), outcome=None, now=NOW, write_back_to=SERVERS)
    assert take(database) is None
    url = "https://other.example/fhir/Patient/9"
    again = receive(database, person(resource("Observation", "y"), mrn="1", url=url), raw=b"2")
    claimed = must_claim(database, again.jobs[0].job_id)
    reports.finish(database, claimed, draft=draft("r", 2), outcome=None, now=NOW, write_back_to=SERVERS)
    assert must_take(database).server == "other"


def test_a_signed_and_a_withdrawn_version_are_wanted_too(database: Database) -> None:
    report(database)
    write_backs.settle(database, must_take(database), outcome="created", now=NOW)
    signed = draft("r", 2, status="final").resources
    reports.sign(database, "r", expected_version=1, resources=signed, caller_id="c", now=NOW, write_back_to=SERVERS)
    write_backs.settle(database, must_take(database), outcome="updated", now=NOW)
    reports.withdraw(database, "r", expected_version=2, resources=signed, caller_id="c", now=NOW, write_back_to=SERVERS)
    assert must_take(database).version == 3


def test_the_names_of_a_patient_are_read_back(database: Database) -> None:
    patient_id = report(database)
    with database.read() as connection:
        assert addresses_at(connection, patient_id, SERVERS["main"]) == ["https://ehr.example/fhir/Patient/7"]
        assert addresses_at(connection, patient_id, "https://ehr.example/fhi") == []
        assert identifiers_of(connection, patient_id) == [(MRN, "1")]
