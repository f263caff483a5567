"""This file describes the tables (SQLAlchemy Core, no ORM). Changing it needs a revision in store/migrations."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table
from sqlalchemy.engine import Dialect

OPEN_JOB = sa.text("status IN ('received', 'in-progress')")
_TO_BE_FETCHED = sa.text("source IS NOT NULL AND fetched_at IS NULL")


class Moment(sa.TypeDecorator[datetime]):
    """A point in time in UTC. PostgreSQL keeps the zone; SQLite does not, so it is put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a time without zone; give the database UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give back an aware time in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def without_nul(text: str) -> str:
    """The text with U+FFFD for each NUL character: FHIR forbids it, JSON can write it, PostgreSQL refuses it."""
    return text.replace("\x00", "\ufffd") if "\x00" in text else text


class Text(sa.TypeDecorator[str]):
    """Text as every database takes it: `without_nul`. The bytes that were received keep theirs."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """The text without NUL."""
        return None if value is None else without_nul(value)


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

patients = Table(
    "patients",
    metadata,
    Column("id", Text, primary_key=True),
    Column("birth_date", Text),  # as FHIR writes it, perhaps only a year
    Column("sex", Text),
    Column("created_at", Moment, nullable=False),
    Column("merged_into", Text, index=True),  # the patient whose record this one's has become a part of
    comment="One row per person. The row is the lock under which the person's jobs run one at a time.",
)

patient_keys = Table(
    "patient_keys",
    metadata,
    Column("key", Text, primary_key=True),  # "identifier|system|value" or "url|address"
    Column("patient_id", Text, ForeignKey("patients.id"), nullable=False, index=True),
    comment="By what a patient is known again: identifiers with system, absolute addresses.",
)

submissions = Table(
    "submissions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("idempotency_key", Text),
    Column("options", LargeBinary, nullable=False),  # opaque to the store, such as the polling dialect
    Column("answer", LargeBinary, nullable=False),  # ids only: what the first answer said
    Column("received_at", Moment, nullable=False),
    Index(
        "uq_submissions_idempotency_key",
        "caller_id",
        "idempotency_key",
        unique=True,
        sqlite_where=sa.text("idempotency_key IS NOT NULL"),
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    ),
    Index("ix_submissions_repeat", "sha256", "caller_id", "received_at"),
    comment="Every accepted body, byte for byte.",
)

resources = Table(
    "resources",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("patient_id", Text, ForeignKey("patients.id")),  # NULL: belongs to no patient or to several
    Column("version", Integer, nullable=False),
    Column("deleted", Boolean, nullable=False),
    Column("source_url", Text),
    Column("position", Integer, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index("ix_resources_patient", "patient_id", "type"),
    comment="The received resources; what they say is in resource_versions.",
)

resource_versions = Table(
    "resource_versions",
    metadata,
    Column("resource_id", Text, ForeignKey("resources.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("deleted", Boolean, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("submission_id", Text, ForeignKey("submissions.id")),
    Column("recorded_at", Moment, nullable=False),
    Index("ix_resource_versions_sha256", "sha256"),
    comment="Every version of every received resource.",
)

resource_keys = Table(
    "resource_keys",
    metadata,
    Column("key", Text, primary_key=True),  # "identifier|system|value" or "url|address"
    Column("type", Text, primary_key=True),
    Column("scope", Text, primary_key=True),  # the patient, or "" for what belongs to none
    Column("resource_id", Text, ForeignKey("resources.id"), nullable=False, index=True),
    comment="By what a resource is known again, within one patient.",
)

shared_resources = Table(
    "shared_resources",
    metadata,
    Column("patient_id", Text, ForeignKey("patients.id"), primary_key=True),
    Column("resource_id", Text, ForeignKey("resources.id"), primary_key=True),
    comment="Which patients refer to a resource that is not one patient's own (Practitioner, Organization, Device).",
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("submission_id", Text, ForeignKey("submissions.id"), nullable=False, index=True),
    Column("patient_id", Text, ForeignKey("patients.id"), nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),  # since it was received or last retried
    Column("fence", Integer, nullable=False),  # rises at each delivery and each claim, never falls
    Column("available_at", Moment, nullable=False),
    Column("queued_at", Moment),  # last known to be in Redis; NULL: has to be put there
    Column("worker", Text),
    Column("lease_until", Moment),
    Column("created_at", Moment, nullable=False),
    Column("started_at", Moment),
    Column("finished_at", Moment),
    Column("error_type", Text),
    Column("outcome", LargeBinary),  # an OperationOutcome, as bytes
    Column("report_id", Text),
    Column("report_version", Integer),
    Column("source", Text),  # the name of an EHR to fetch the patient's record from first
    Column("fetched_at", Moment),  # when that was done, for this job
    Index("ix_jobs_open", "status", "available_at", sqlite_where=OPEN_JOB, postgresql_where=OPEN_JOB),
    Index("ix_jobs_open_patient", "patient_id", "status", sqlite_where=OPEN_JOB, postgresql_where=OPEN_JOB),
    Index("ix_jobs_patient", "patient_id", "created_at"),
    Index("ix_jobs_status", "status", "finished_at"),
    Index("ix_jobs_to_fetch", "status", "available_at", sqlite_where=_TO_BE_FETCHED, postgresql_where=_TO_BE_FETCHED),
    comment="One row per patient and submission: the FHIR Task, and the outbox of the queue.",
)
NEEDS_FETCH = sa.and_(jobs.c.source.is_not(None), jobs.c.fetched_at.is_(None))
"""Of a job: its patient is to be fetched from an EHR before a worker correlates."""

reports = Table(
    "reports",
    metadata,
    Column("id", Text, primary_key=True),
    Column("patient_id", Text, ForeignKey("patients.id"), nullable=False),
    Column("version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("content_digest", Text, nullable=False),
    Column("revision_of", Text),
    Column("living", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Index(
        "uq_reports_living",
        "patient_id",
        unique=True,
        sqlite_where=sa.text("living"),
        postgresql_where=sa.text("living"),
    ),
    Index("ix_reports_patient", "patient_id", "created_at"),
    comment="Our reports. The unique index keeps one living report per patient.",
)

report_versions = Table(
    "report_versions",
    metadata,
    Column("report_id", Text, ForeignKey("reports.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("status", Text, nullable=False),
    Column("content_digest", Text, nullable=False),
    Column("job_id", Text),
    Column("caller_id", Text),  # who signed or withdrew it
    Column("recorded_at", Moment, nullable=False),
    Column("basis", LargeBinary),  # what it was computed from: ids, versions, digests; none before revision 0002
    comment="Every version of every report; never changed once written.",
)

knowledge_editions = Table(
    "knowledge_editions",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("edition", Text, nullable=False),
    Column("files", LargeBinary, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    comment="Every edition of the knowledge base that ever ran on this record, its files as one archive.",
)

report_resources = Table(
    "report_resources",
    metadata,
    Column("report_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    sa.ForeignKeyConstraint(["report_id", "version"], ["report_versions.report_id", "report_versions.version"]),
    Index("ix_report_resources_id", "type", "id", "version"),
    comment="The resources of a report's version, in their order; the DiagnosticReport is first.",
)

withheld = Table(
    "withheld",
    metadata,
    Column("patient_id", Text, ForeignKey("patients.id"), primary_key=True),
    Column("source", Text, primary_key=True),  # the name of an EHR
    Column("data", Text, primary_key=True),  # a class of data, in words of the engine's
    Column("because", Text, primary_key=True),
    comment="What could not be seen of a patient when they were last fetched from an EHR; never what it holds.",
)

write_backs = Table(
    "write_backs",
    metadata,
    Column("report_id", Text, ForeignKey("reports.id"), primary_key=True),
    Column("server", Text, primary_key=True),  # the name of an EHR
    Column("wanted_version", Integer, nullable=False),  # the newest version of the report
    Column("settled_version", Integer),  # the version for which nothing is left to do there
    Column("outcome", Text),  # what became of that version, in words of ehr/write_back.py
    Column("attempts", Integer, nullable=False),  # since a version was last settled
    Column("available_at", Moment, nullable=False),
    Column("worker", Text),
    Column("lease_until", Moment),
    Column("error_type", Text),
    Column("updated_at", Moment, nullable=False),
    Index("ix_write_backs_available_at", "available_at"),
    comment="One row per report and EHR: which version stands there, and which should. The outbox of writing back.",
)

listened = Table(
    "listened",
    metadata,
    Column("server", Text, primary_key=True),  # the name of an EHR
    Column("heard_until", Text),  # the newest meta.lastUpdated there that was seen, as that server writes it
    Column("due_at", Moment, nullable=False),  # when it is to be asked again what is new
    Column("told_at", Moment),  # when it last sent a word
    Column("asked_at", Moment),  # when it last answered
    Column("subscribed_at", Moment),  # when its Subscriptions were last found in order
    Column("worker", Text),
    Column("lease_until", Moment),
    comment="The EHRs that are listened to: until when we know what is new there.",
)

heard = Table(
    "heard",
    metadata,
    Column("server", Text, primary_key=True),
    Column("resource", Text, primary_key=True),  # Type/id/_history/version on that server
    Column("heard_at", Moment, nullable=False),
    Index("ix_heard_heard_at", "heard_at"),
    comment="What was new on an EHR and was acted on, kept as long as it may be told again.",
)

search_entries = Table(
    "search_entries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("type", Text, nullable=False),
    Column("patient_id", Text),
    Column("report_id", Text),  # of what we made; NULL for what was received, and for our own Device and Organization
    Column("made", Boolean, nullable=False),
    Column("created_at", Moment, nullable=False),  # never changed: the order of pages rests on it
    Column("updated_at", Moment, nullable=False),
    Column("first_day", Text),  # the span of its date: days as they were written, and instants in UTC
    Column("last_day", Text),
    Column("begins", Text),
    Column("ends", Text),
    Index("ix_search_entries_created", "type", "created_at", "id"),
    Index("ix_search_entries_updated", "type", "updated_at", "id"),
    Index("ix_search_entries_patient", "patient_id", "type"),
    Index(
        "ix_search_entries_report",
        "report_id",
        sqlite_where=sa.text("report_id IS NOT NULL"),
        postgresql_where=sa.text("report_id IS NOT NULL"),
    ),
    comment="One row for each resource that a search finds: what was received and is not deleted, and what we made.",
)

search_tokens = Table(
    "search_tokens",
    metadata,
    Column("parameter", Text, primary_key=True),  # Type.name
    Column("value", Text, primary_key=True),
    Column("system", Text, primary_key=True),
    Column("entry_id", Text, primary_key=True),
    Index("ix_search_tokens_entry_id", "entry_id"),
    comment="By what else a search finds them: codes, identifiers, names, references.",
    sqlite_with_rowid=False,
)

audit = Table(
    "audit",
    metadata,
    Column("number", sa.BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Moment, nullable=False),
    Column("caller_id", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("patient_id", Text),
    Index("ix_audit_patient", "patient_id", "at"),
    Index("ix_audit_at", "at"),
    comment="Who read or wrote what, and when.",
)
