"""A stored version is computed again, byte for byte, from what the record says it was computed from."""

import json
import zlib
from dataclasses import replace

import pytest
import sqlalchemy as sa

from api.recomputed import NotRecomputable, recompute_version
from correlation.knowledge_base import knowledge_files, load_knowledge, pack, read_knowledge, read_packed
from fhir_mappings.basis import UnreadableBasis, read_basis, write_basis
from fhir_mappings.recomputed import assessed, recompute, write_version
from fhir_mappings.resource_json import dumps
from store import knowledge_editions, reports
from store.database import Database
from store.reports import ReportResource, StoredReport
from store.tables import report_versions
from tests.builders import unseen
from tests.replay.conftest import NOW, Clinic
from tests.replay.records import as_bytes, changed_files, record

KNOWLEDGE = load_knowledge()


def _again(database: Database, report_id: str, version: int) -> tuple[list[bytes], StoredReport]:
    found = recompute_version(database, report_id, version=version, current=KNOWLEDGE)
    assert found.recomputed.written is not None
    return [dumps(resource) for resource in found.recomputed.written.resources], found.computed


def test_a_version_is_computed_again_byte_for_byte(clinic: Clinic) -> None:
    report_id, version = clinic.report(as_bytes(record("V01")))
    computed, stored = _again(clinic.database, report_id, version)
    assert computed == [resource.content for resource in stored.resources]


def test_the_basis_names_every_resource_that_was_loaded_and_no_value(clinic: Clinic) -> None:
    sent = record("V01")
    report_id, version = clinic.report(as_bytes(sent))
    written = reports.basis_of(clinic.database, report_id, version=version) or b""
    basis = read_basis(written)
    assert len(basis.resources) == len(sent["entry"])
    assert (basis.as_of, basis.knowledge_digest, basis.knowledge_edition, basis.software_version) == (
        NOW.date(),
        KNOWLEDGE.digest,
        KNOWLEDGE.edition,
        "0.1.0",
    )
    assert read_basis(write_basis(basis)) == basis


def test_a_version_of_which_data_were_withheld_is_computed_again_byte_for_byte(clinic: Clinic) -> None:
    """As a worker writes it that knows of withheld data: the basis alone says so, for what is missing has no trace."""
    report_id, version = clinic.report(as_bytes(record("V01", without=frozenset({"Condition"}))))
    found = recompute_version(clinic.database, report_id, version=version, current=KNOWLEDGE)
    withheld = (unseen("conditions", "confidential"), unseen("medicines", "not-fetched"))
    basis = replace(found.basis, withheld=withheld)
    kept = found.recomputed.assessed.kept
    written = write_version(assessed(kept, as_of=basis.as_of, knowledge=KNOWLEDGE, withheld=withheld), basis)
    again = recompute(kept, read_basis(write_basis(basis)), knowledge=KNOWLEDGE)
    assert again.written == written
    assert found.recomputed.written is not None
    assert written.content_digest != found.recomputed.written.content_digest


def test_a_basis_of_form_1_is_read_and_one_of_another_release_is_not(clinic: Clinic) -> None:
    report_id, version = clinic.report(as_bytes(record("V01")))
    written = reports.basis_of(clinic.database, report_id, version=version) or b""
    content = json.loads(zlib.decompress(written))
    assert content.pop("withheld") == []
    earlier, later = (zlib.compress(json.dumps(content | {"form": form}).encode()) for form in (1, 3))
    assert read_basis(earlier) == read_basis(written)
    with pytest.raises(UnreadableBasis):
        read_basis(later)


def test_what_came_later_does_not_disturb_an_earlier_version(clinic: Clinic) -> None:
    sent = record("V01")
    report_id, first = clinic.report(as_bytes(sent))
    for entry in sent["entry"]:
        if entry["resource"]["resourceType"] == "Procedure":
            entry["resource"]["status"] = "entered-in-error"
    _, second = clinic.report(as_bytes(sent))
    assert (first, second) == (1, 2)
    for version in (first, second):
        computed, stored = _again(clinic.database, report_id, version)
        assert computed == [resource.content for resource in stored.resources]


def test_a_signed_version_rests_on_the_computed_one_and_an_amended_one_says_so_again(clinic: Clinic) -> None:
    report_id, _ = clinic.report(as_bytes(record("V01", without=frozenset({"Procedure"}))))
    signed = (ReportResource(type="DiagnosticReport", id=report_id, content=b"{}"),)
    reports.sign(clinic.database, report_id, expected_version=1, resources=signed, caller_id="dr", now=NOW)
    found = recompute_version(clinic.database, report_id, version=2, current=KNOWLEDGE)
    assert (found.stored.version, found.computed.version) == (2, 1)
    _, amended = clinic.report(as_bytes(record("V01")))
    computed, stored = _again(clinic.database, report_id, amended)
    assert b"after signature" in computed[0]
    assert computed == [resource.content for resource in stored.resources]


def test_an_edition_of_the_past_is_read_from_the_record(clinic: Clinic) -> None:
    files = changed_files("edition.toml", "status =", "status =", edition="2001.1")
    old = read_knowledge(files)
    report_id, version = clinic.report(as_bytes(record("V01")), knowledge=old)
    with pytest.raises(NotRecomputable, match=old.digest):
        recompute_version(clinic.database, report_id, version=version, current=KNOWLEDGE)
    for _ in range(2):
        knowledge_editions.keep(clinic.database, old.digest, edition=old.edition, files=pack(files), now=NOW)
    computed, stored = _again(clinic.database, report_id, version)
    assert computed == [resource.content for resource in stored.resources]
    assert b"2001.1" in computed[0]


def test_an_archive_gives_the_same_knowledge_and_the_same_bytes() -> None:
    packed = pack(knowledge_files())
    assert read_packed(packed) == KNOWLEDGE
    assert pack(knowledge_files()) == packed


def test_a_version_without_a_readable_basis_cannot_be_computed_again(clinic: Clinic) -> None:
    report_id, version = clinic.report(as_bytes(record("V01")))
    for basis in (None, b"other"):
        with clinic.database.write() as connection:
            connection.execute(sa.update(report_versions).values(basis=basis))
        with pytest.raises(NotRecomputable):
            recompute_version(clinic.database, report_id, version=version, current=KNOWLEDGE)
    with pytest.raises(UnreadableBasis):
        read_basis(b"other")
