"""A NUL character, which JSON can write and PostgreSQL cannot keep, is no way to a 500."""

from datetime import UTC, datetime

import pytest

from store import intake, resources
from store.database import Database
from store.errors import NotFound
from store.incoming import PatientIdentity, PatientIntake

NUL = "a\x00b"


def test_it_is_kept_in_another_form_and_known_again(database: Database) -> None:
    group = PatientIntake(identity=PatientIdentity(identifiers=((NUL, NUL),), sex=NUL))
    first, again = (
        intake.receive(
            database,
            kind="transaction",
            raw=b"{}",
            caller_id="c",
            groups=[group],
            rewrite=lambda content, local: content,
            now=datetime(2026, 11, 23, tzinfo=UTC),
        )
        for _ in range(2)
    )
    assert first.jobs[0].patient_id == again.jobs[0].patient_id


def test_nothing_is_found_under_it(database: Database) -> None:
    with pytest.raises(NotFound):
        resources.read(database, "Observation", NUL)
