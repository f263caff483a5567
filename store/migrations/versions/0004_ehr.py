"""EHRs: jobs that fetch first, what could not be seen, reports that are written back, servers that are listened to.

Revision: 0004, after: 0003
"""

import sqlalchemy as sa
from alembic import op


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


_LABELLED = 'v3-Confidentiality'  # what is labelled is found by its label since: the index forgets it, and is filled anew at the start


def _forget_labelled() -> None:
    part = 'instr(CAST(content AS TEXT), :label)' if op.get_bind().dialect.name == 'sqlite' else "position(convert_to(:label, 'UTF8') in content)"
    for column in ('resource_versions.resource_id', 'report_resources.id'):
        table, _, name = column.partition('.')
        labelled = sa.text(f'SELECT {name} FROM {table} WHERE {part} > 0').bindparams(label=_LABELLED)
        ids = sorted({row[0] for row in op.get_bind().execute(labelled)})
        for identity in ids:
            op.get_bind().execute(sa.text('DELETE FROM search_tokens WHERE entry_id = :id'), {'id': identity})
            op.get_bind().execute(sa.text('DELETE FROM search_entries WHERE id = :id'), {'id': identity})


def upgrade() -> None:
    _forget_labelled()
    op.add_column('jobs', sa.Column('source', sa.Text(), nullable=True))
    op.add_column('jobs', sa.Column('fetched_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index('ix_jobs_to_fetch', 'jobs', ['status', 'available_at'], unique=False, sqlite_where=sa.text('source IS NOT NULL AND fetched_at IS NULL'), postgresql_where=sa.text('source IS NOT NULL AND fetched_at IS NULL'))
    op.create_table('withheld',
    sa.Column('patient_id', sa.Text(), nullable=False),
    sa.Column('source', sa.Text(), nullable=False),
    sa.Column('data', sa.Text(), nullable=False),
    sa.Column('because', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['patient_id'], ['patients.id'], name=op.f('fk_withheld_patient_id')),
    sa.PrimaryKeyConstraint('patient_id', 'source', 'data', 'because', name=op.f('pk_withheld')),
    comment='What could not be seen of a patient when they were last fetched from an EHR; never what it holds.'
    )
    op.create_table('write_backs',
    sa.Column('report_id', sa.Text(), nullable=False),
    sa.Column('server', sa.Text(), nullable=False),
    sa.Column('wanted_version', sa.Integer(), nullable=False),
    sa.Column('settled_version', sa.Integer(), nullable=True),
    sa.Column('outcome', sa.Text(), nullable=True),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('available_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('worker', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('error_type', sa.Text(), nullable=True),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['report_id'], ['reports.id'], name=op.f('fk_write_backs_report_id')),
    sa.PrimaryKeyConstraint('report_id', 'server', name=op.f('pk_write_backs')),
    comment='One row per report and EHR: which version stands there, and which should. The outbox of writing back.'
    )
    op.create_index('ix_write_backs_available_at', 'write_backs', ['available_at'], unique=False)
    op.create_table('listened',
    sa.Column('server', sa.Text(), nullable=False),
    sa.Column('heard_until', sa.Text(), nullable=True),
    sa.Column('due_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('told_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('subscribed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('worker', sa.Text(), nullable=True),
    sa.Column('lease_until', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('server', name=op.f('pk_listened')),
    comment='The EHRs that are listened to: until when we know what is new there.'
    )
    op.create_table('heard',
    sa.Column('server', sa.Text(), nullable=False),
    sa.Column('resource', sa.Text(), nullable=False),
    sa.Column('heard_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('server', 'resource', name=op.f('pk_heard')),
    comment='What was new on an EHR and was acted on, kept as long as it may be told again.'
    )
    op.create_index('ix_heard_heard_at', 'heard', ['heard_at'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("forwards only: restore a backup instead")
