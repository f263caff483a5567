"""What a search finds, and by what; patients that were merged.

Revision: 0003, after: 0002
"""

import sqlalchemy as sa
from alembic import op


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('patients', sa.Column('merged_into', sa.Text(), nullable=True))
    op.create_index(op.f('ix_patients_merged_into'), 'patients', ['merged_into'], unique=False)
    op.drop_index('ix_resources_type', table_name='resources')
    op.create_table('search_entries',
    sa.Column('id', sa.Text(), nullable=False),
    sa.Column('type', sa.Text(), nullable=False),
    sa.Column('patient_id', sa.Text(), nullable=True),
    sa.Column('report_id', sa.Text(), nullable=True),
    sa.Column('made', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('updated_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('first_day', sa.Text(), nullable=True),
    sa.Column('last_day', sa.Text(), nullable=True),
    sa.Column('begins', sa.Text(), nullable=True),
    sa.Column('ends', sa.Text(), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_search_entries')),
    comment='One row for each resource that a search finds: what was received and is not deleted, and what we made.'
    )
    op.create_index('ix_search_entries_created', 'search_entries', ['type', 'created_at', 'id'], unique=False)
    op.create_index('ix_search_entries_updated', 'search_entries', ['type', 'updated_at', 'id'], unique=False)
    op.create_index('ix_search_entries_patient', 'search_entries', ['patient_id', 'type'], unique=False)
    op.create_index('ix_search_entries_report', 'search_entries', ['report_id'], unique=False, sqlite_where=sa.text('report_id IS NOT NULL'), postgresql_where=sa.text('report_id IS NOT NULL'))
    op.create_table('search_tokens',
    sa.Column('parameter', sa.Text(), nullable=False),
    sa.Column('value', sa.Text(), nullable=False),
    sa.Column('system', sa.Text(), nullable=False),
    sa.Column('entry_id', sa.Text(), nullable=False),
    sa.PrimaryKeyConstraint('parameter', 'value', 'system', 'entry_id', name=op.f('pk_search_tokens')),
    comment='By what else a search finds them: codes, identifiers, names, references.',
    sqlite_with_rowid=False
    )
    op.create_index('ix_search_tokens_entry_id', 'search_tokens', ['entry_id'], unique=False)


def downgrade() -> None:
    raise NotImplementedError("forwards only: restore a backup instead")
