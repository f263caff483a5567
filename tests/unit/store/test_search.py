"""The index and what it answers, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from store import intake, jobs, reports, resources, search, search_filling
from store.database import Database
from store.errors import LeaseLost, NoMatch, SeveralMatches
from store.incoming import ConditionalReference, Deletion, IncomingResource, PatientLink, Placed
from store.reports import ReportDraft, ReportResource
from store.search import Cursor, Query
from store.search_criteria import (
    BeginsWith,
    Changed,
    Criterion,
    HasDate,
    HasId,
    HasToken,
    OfPatient,
    Prefix,
    SearchSpan,
    SearchValues,
)
from store.tables import resource_versions, search_entries, search_tokens
from tests.unit.store.builders import NOW, content, later, must_claim, one_job, person, receive, rewrite

CODE = "Observation.code"


def _span(day: int) -> SearchSpan:
    text = f"2020-01-{day:02d}"
    return SearchSpan(first_day=text, last_day=text, begins=f"{text}T00:00:00", ends=f"{text}T23:59:59")


def _lab(says: str, *codes: str, day: int = 1, url: str | None = None) -> IncomingResource:
    values = SearchValues(tokens=tuple((CODE, "loinc", code) for code in codes), span=_span(day))
    return IncomingResource(
        type="Observation", content=content(says), urls=(url,) if url else (), search=values, entry_index=int(says, 36)
    )


def _ids(database: Database, *criteria: Criterion, type_: str = "Observation") -> set[str]:
    page = search.search(database, Query(type=type_, criteria=criteria, limit=100))
    assert page.total == len(page.found)
    return {one.id for one in page.found}


def test_what_fits_is_found_and_nothing_else(database: Database) -> None:
    first = receive(database, person(_lab("a", "1"), _lab("b", "1", "2", day=2), mrn="1"))
    second = receive(database, person(_lab("c", "2", day=3), mrn="2"), now=later(60))
    a, b, c = (entry.id for entry in (*first.entries, *second.entries))
    patient = first.jobs[0].patient_id
    assert _ids(database) == {a, b, c}
    assert _ids(database, HasToken(parameter=CODE, choices=(("loinc", "1"),))) == {a, b}
    assert _ids(database, HasToken(parameter=CODE, choices=((None, "1"), (None, "2")))) == {a, b, c}
    assert _ids(database, HasToken(parameter=CODE, choices=(("loinc", None),))) == {a, b, c}
    assert _ids(database, HasToken(parameter=CODE, choices=(("other", "1"),))) == set()
    both = tuple(HasToken(parameter=CODE, choices=((None, code),)) for code in ("1", "2"))
    assert _ids(database, *both) == {b}
    assert _ids(database, OfPatient(choices=(f"Patient/{patient}",)), both[1]) == {b}
    assert _ids(database, OfPatient(choices=("nobody",))) == set()
    assert _ids(database, HasId(choices=(a, c))) == {a, c}
    assert _ids(database, BeginsWith(parameter=CODE, choices=("1%", "2"))) == {b, c}
    assert _ids(database, HasDate(choices=((Prefix.GREATER, _span(1), True),))) == {b, c}
    assert _ids(database, HasDate(choices=((Prefix.EQUAL, _span(3), False),))) == {c}
    since = Changed(choices=((Prefix.GREATER, NOW, NOW),))
    assert _ids(database, since) == {c}


@pytest.mark.requirement("HTTP-16")
@pytest.mark.parametrize("order", ["created", "updated", "date"])
@pytest.mark.parametrize("descending", [True, False])
def test_pages_go_through_all_once_also_where_keys_are_equal(database: Database, order: str, descending: bool) -> None:
    labs = [_lab(str(number), "1", day=1 + number % 3) for number in range(9)]
    known = {entry.id for entry in receive(database, person(*labs, mrn="1")).entries}
    seen: list[str] = []
    after: Cursor | None = None
    for number in range(20):
        query = Query(type="Observation", order=order, descending=descending, limit=2, after=after)
        page = search.search(database, query)
        seen += [one.id for one in page.found]
        after = page.next
        if after is None:
            break
        receive(database, person(_lab(f"z{number}", "1", day=2), mrn=f"new-{number}"), now=later(-number))
    assert len(seen) == len(set(seen))
    assert known <= set(seen)


def test_the_index_follows_versions_and_deletions(database: Database) -> None:
    def send(code: str) -> str:
        return receive(database, person(_lab("a", code, url="https://x.example/Observation/1"), mrn="1")).entries[0].id

    identity = send("1")
    with database.write() as connection:
        connection.execute(sa.update(resource_versions).values(sha256="changed"))
    assert send("2") == identity
    assert _ids(database, HasToken(parameter=CODE, choices=((None, "1"),))) == set()
    assert _ids(database, HasToken(parameter=CODE, choices=((None, "2"),))) == {identity}
    gone = Deletion(type="Observation", id=identity)
    intake.receive(
        database, kind="batch", raw=b"", caller_id="c", groups=(), deletions=(gone,), rewrite=rewrite, now=later(9)
    )
    assert _ids(database) == set()
    with database.read() as connection:
        assert connection.execute(sa.select(search_tokens)).all() == []
    send("1")
    assert _ids(database, HasToken(parameter=CODE, choices=((None, "1"),))) == {identity}


def test_a_report_s_present_version_is_found_and_our_device_once(database: Database) -> None:
    def finish(number: int, *codes: str) -> None:
        job = one_job(database, mrn=str(number), raw=str(codes).encode())
        claimed = must_claim(database, job)
        made = tuple(
            ReportResource(
                type="Observation",
                id=f"{number}-{code}",
                content=b"{}",
                search=SearchValues(tokens=((CODE, "ours", code),)),
            )
            for code in codes
        )
        standing = reports.standing(database, claimed.patient_id)
        draft = ReportDraft(
            report_id=f"r{number}",
            version=1 if standing.living is None else standing.living.version + 1,
            status="preliminary",
            content_digest=str(codes),
            resources=(
                ReportResource(type="DiagnosticReport", id=f"r{number}", content=b"{}"),
                *made,
                ReportResource(type="Device", id="d", content=b"{}"),
            ),
        )
        reports.finish(database, claimed, draft=draft, outcome=None, now=NOW)

    finish(1, "a", "b")
    finish(2, "a")
    assert _ids(database) == {"1-a", "1-b", "2-a"}
    finish(1, "b", "c")
    assert _ids(database) == {"1-b", "1-c", "2-a"}
    assert _ids(database, type_="Device") == {"d"}
    page = search.search(database, Query(type="Observation", criteria=(HasId(choices=("1-c",)),)))
    assert (page.found[0].version, page.found[0].made) == (2, True)


def test_what_an_older_release_kept_can_be_put_into_the_index(database: Database) -> None:
    kept = {entry.id for entry in receive(database, person(_lab("a", "1"), _lab("b", "1"), mrn="1")).entries}
    claimed = must_claim(database, one_job(database, mrn="1"))
    made = ReportResource(type="DiagnosticReport", id="r", content=b"{}")
    draft = ReportDraft(report_id="r", version=1, status="preliminary", content_digest="d", resources=(made,))
    reports.finish(database, claimed, draft=draft, outcome=None, now=NOW)
    assert search_filling.not_indexed(database) == []
    with database.write() as connection:
        connection.execute(sa.delete(search_entries))
        connection.execute(sa.delete(search_tokens))
    assert _ids(database) == set()
    for expected in (kept, {"r"}):
        missing = search_filling.not_indexed(database)
        assert {one.id for one in missing} == expected
        search_filling.fill(database, [(one, SearchValues()) for one in missing])
        search_filling.fill(database, [(one, SearchValues()) for one in missing])
    assert search_filling.not_indexed(database) == []
    assert _ids(database) == kept
    assert _ids(database, OfPatient(choices=(claimed.patient_id,)), type_="DiagnosticReport") == {"r"}


def test_a_condition_finds_one_or_creates_one(database: Database) -> None:
    asked = (HasToken(parameter=CODE, choices=(("loinc", "1"),)),)

    def lab(says: str) -> IncomingResource:
        values = SearchValues(tokens=((CODE, "loinc", "1"),))
        return IncomingResource(
            type="Observation", content=content(says), condition=asked, search=values, entry_index=int(says)
        )

    first = receive(database, person(lab("1"), lab("2"), mrn="1"))
    assert [entry.placed for entry in first.entries] == [Placed.CREATED, Placed.UNCHANGED]
    assert len({entry.id for entry in first.entries}) == 1
    again = receive(database, person(lab("3"), mrn="1"))
    assert (again.entries[0].id, again.entries[0].version) == (first.entries[0].id, 1)
    receive(database, person(_lab("a", "1"), mrn="1"))
    with pytest.raises(SeveralMatches) as several:
        receive(database, person(lab("4"), mrn="1"))
    assert (several.value.entry_index, several.value.element) == (4, "request.ifNoneExist")


def test_references_that_find_nothing_are_all_named(database: Database) -> None:
    wanted = [
        ConditionalReference(
            text=f"Practitioner?x={number}",
            type="Practitioner",
            criteria=(HasToken(parameter="Practitioner.identifier", choices=((None, str(number)),)),),
            entry_index=number,
            element="resource.performer.reference",
        )
        for number in range(2)
    ]
    with pytest.raises(NoMatch) as missing:
        intake.receive(
            database,
            kind="transaction",
            raw=b"",
            caller_id="c",
            groups=(person(_lab("a", "1"), mrn="1"),),
            references=wanted,
            rewrite=rewrite,
            now=NOW,
        )
    assert [missing.value.entry_index, *(one.entry_index for one in missing.value.others)] == [0, 1]
    assert _ids(database) == set()


def test_a_merged_record_follows_with_its_names_and_its_open_jobs(database: Database) -> None:
    url = "https://x.example/Observation/1"
    old = receive(database, person(_lab("a", "1", url=url), _lab("b", "1"), mrn="1"))
    new = receive(database, person(_lab("c", "1", url=url), mrn="2"))
    replaced, surviving = old.jobs[0].patient_id, new.jobs[0].patient_id
    claimed = must_claim(database, old.jobs[0].job_id)
    link = PatientLink(replaced=replaced, surviving=f"Patient/{surviving}", entry_index=None)
    merged = intake.receive(
        database, kind="batch", raw=b"", caller_id="c", groups=(), links=(link,), rewrite=rewrite, now=later(1)
    )
    assert [job.patient_id for job in merged.jobs] == [surviving]
    assert len(resources.of_patient(database, surviving)) == 3
    assert resources.of_patient(database, replaced) == []
    assert len(_ids(database, OfPatient(choices=(replaced,)))) == 3
    assert jobs.get(database, claimed.job_id).patient_id == surviving
    with pytest.raises(LeaseLost):
        reports.finish(database, claimed, draft=None, outcome=None, now=later(2))
    late = receive(database, person(_lab("d", "1"), mrn="1"), now=later(3))
    assert [job.patient_id for job in late.jobs] == [surviving]
    both = receive(database, person(_lab("e", "1"), mrn="1"), person(_lab("f", "1"), mrn="2"), now=later(4))
    assert [job.patient_id for job in both.jobs] == [surviving]
    asked = intake.request(database, patient_id=replaced, caller_id="c", now=later(5))
    assert [job.patient_id for job in asked.jobs] == [surviving]


def test_cursors_of_times_are_read_back(database: Database) -> None:
    labs = [_lab(str(number), "1") for number in range(3)]
    receive(database, person(*labs, mrn="1"), now=datetime(2020, 1, 1, tzinfo=UTC) + timedelta(microseconds=1))
    page = search.search(database, Query(type="Observation", limit=2))
    assert page.next is not None
    rest = search.search(database, Query(type="Observation", limit=2, after=page.next))
    assert len({one.id for one in (*page.found, *rest.found)}) == 3
