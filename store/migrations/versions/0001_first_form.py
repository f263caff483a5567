"""The first form of the record: patients, submissions, resources, jobs, reports, audit.

Revision: 0001, after: none
"""

import sqlalchemy as sa
from alembic import op


revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('audit',
    sa.Column('number', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('caller_id', sa.Text(), nullable=False),
    sa.Column('action', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('patient_id', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('number', name=op.f('pk_audit')),
    comment='Who read or wrote what, and when.'
    )
    op.create_index('ix_audit_at', 'audit', ['at'], unique=False)
    op.create_index('ix_audit_patient', 'audit', ['patient_id', 'at'], unique=False)
    op.create_table('patients',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('birth_date', sa.Text(), nullable=True),
    sa.Column('sex', sa.Text(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_patients')),
    comment="One row per person. The row is the lock under which the person's jobs run one at a time."
    )
    op.create_table('submissions',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('kind', sa.Text(), nullable=False),
    sa.Column('raw', sa.LargeBinary(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('caller_id', sa.Text(), nullable=False),
    sa.Column('idempotency_key', sa.Text(), nullable=True),
    sa.Column('options', sa.LargeBinary(), nullable=False),
    sa.Column('answer', sa.LargeBinary(), nullable=False),
    sa.Column('received_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_submissions')),
    comment='Every accepted body, byte for byte.'
    )
    op.create_index('ix_submissions_repeat', 'submissions', ['sha256', 'caller_id', 'received_at'], unique=False)
    op.create_index('uq_submissions_idempotency_key', 'submissions', ['caller_id', 'idempotency_key'], unique=True, sqlite_where=sa.text('idempotency_key IS NOT NULL'), postgresql_where=sa.text('idempotency_key IS NOT NULL'))
    op.create_table('jobs',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('submission_id', sa.Text(), nullable=False),
    sa.Column('patient_id', sa.Text(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('reason', sa.Text(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('fence', sa.Integer(), nullable=False),
    sa.Column('available_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('queued_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('worker', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('started_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error_type', sa.Text(), nullable=True),
    sa.Column('outcome', sa.LargeBinary(), nullable=True),
    sa.Column('report_id', sa.Text(), nullable=True),
    sa.Column('report_version', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.id'], name=op.f('fk_jobs_patient_id')),
    sa.ForeignKeyConstraint(['submission_id'], ['submissions.id'], name=op.f('fk_jobs_submission_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_jobs')),
    comment='One row per patient and submission: the FHIR Task, and the outbox of the queue.'
    )
    op.create_index('ix_jobs_open', 'jobs', ['status', 'available_at'], unique=False, sqlite_where=sa.text("status IN ('received', 'in-progress')"), postgresql_where=sa.text("status IN ('received', 'in-progress')"))
    op.create_index('ix_jobs_open_patient', 'jobs', ['patient_id', 'status'], unique=False, sqlite_where=sa.text("status IN ('received', 'in-progress')"), postgresql_where=sa.text("status IN ('received', 'in-progress')"))
    op.create_index('ix_jobs_patient', 'jobs', ['patient_id', 'created_at'], unique=False)
    op.create_index('ix_jobs_status', 'jobs', ['status', 'finished_at'], unique=False)
    op.create_index(op.f('ix_jobs_submission_id'), 'jobs', ['submission_id'], unique=False)
    op.create_table('patient_keys',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('patient_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.id'], name=op.f('fk_patient_keys_patient_id')),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_patient_keys')),
    comment='By what a patient is known again: identifiers with system, absolute addresses.'
    )
    op.create_index(op.f('ix_patient_keys_patient_id'), 'patient_keys', ['patient_id'], unique=False)
    op.create_table('reports',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('patient_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('content_digest', sa.Text(), nullable=False),
    sa.Column('revision_of', sa.Text(), nullable=True),
    sa.Column('living', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.id'], name=op.f('fk_reports_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports')),
    comment='Our reports. The unique index keeps one living report per patient.'
    )
    op.create_index('ix_reports_patient', 'reports', ['patient_id', 'created_at'], unique=False)
    op.create_index('uq_reports_living', 'reports', ['patient_id'], unique=True, sqlite_where=sa.text('living'), postgresql_where=sa.text('living'))
    op.create_table('resources',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('patient_id', sa.Text(), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('source_url', sa.Text(), nullable=True),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.id'], name=op.f('fk_resources_patient_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_resources')),
    comment='The received resources; what they say is in resource_versions.'
    )
    op.create_index('ix_resources_patient', 'resources', ['patient_id', 'type'], unique=False)
    op.create_index('ix_resources_type', 'resources', ['type', 'updated_at'], unique=False)
    op.create_table('report_versions',
    sa.Column('report_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('status', sa.Text(), nullable=False),
    sa.Column('content_digest', sa.Text(), nullable=False),
    sa.Column('job_id', sa.Text(), nullable=True),
    sa.Column('caller_id', sa.Text(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['report_id'], ['reports.id'], name=op.f('fk_report_versions_report_id')),
    sa.PrimaryKeyConstraint('report_id', 'version', name=op.f('pk_report_versions')),
    comment='Every version of every report; never changed once written.'
    )
    op.create_table('resource_keys',
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('scope', sa.Text(), nullable=False),
    sa.Column('resource_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['resource_id'], ['resources.id'], name=op.f('fk_resource_keys_resource_id')),
    sa.PrimaryKeyConstraint('key', 'type', 'scope', name=op.f('pk_resource_keys')),
    comment='By what a resource is known again, within one patient.'
    )
    op.create_index(op.f('ix_resource_keys_resource_id'), 'resource_keys', ['resource_id'], unique=False)
    op.create_table('resource_versions',
    sa.Column('resource_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('deleted', sa.Boolean(), nullable=False),
    sa.Column('sha256', sa.Text(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('submission_id', sa.Text(), nullable=True),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['resource_id'], ['resources.id'], name=op.f('fk_resource_versions_resource_id')),
    sa.ForeignKeyConstraint(['submission_id'], ['submissions.id'], name=op.f('fk_resource_versions_submission_id')),
    sa.PrimaryKeyConstraint('resource_id', 'version', name=op.f('pk_resource_versions')),
    comment='Every version of every received resource.'
    )
    op.create_index('ix_resource_versions_sha256', 'resource_versions', ['sha256'], unique=False)
    op.create_table('shared_resources',
    sa.Column('patient_id', sa.Text(), nullable=False),
    sa.Column('resource_id', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.id'], name=op.f('fk_shared_resources_patient_id')),
    sa.ForeignKeyConstraint(['resource_id'], ['resources.id'], name=op.f('fk_shared_resources_resource_id')),
    sa.PrimaryKeyConstraint('patient_id', 'resource_id', name=op.f('pk_shared_resources')),
    comment="Which patients refer to a resource that is not one patient's own (Practitioner, Organization, Device)."
    )
    op.create_table('report_resources',
    sa.Column('report_id', sa.Text(), nullable=False),
    sa.Column('version', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('position', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['report_id', 'version'], ['report_versions.report_id', 'report_versions.version'], name=op.f('fk_report_resources_report_id')),
    sa.PrimaryKeyConstraint('report_id', 'version', 'position', name=op.f('pk_report_resources')),
    comment="The resources of a report's version, in their order; the DiagnosticReport is first."
    )
    op.create_index('ix_report_resources_id', 'report_resources', ['type', 'id', 'version'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("forwards only: restore a backup instead")
