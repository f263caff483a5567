"""What a report version was computed from, and the editions of the knowledge base.

Revision: 0002, after: 0001
"""

import sqlalchemy as sa
from alembic import op


revision = '0002'
down_revision = '0001'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('report_versions', sa.Column('basis', sa.LargeBinary(), nullable=True))
    op.create_table('knowledge_editions',
    sa.Column('digest', sa.Text(), nullable=False),
    sa.Column('edition', sa.Text(), nullable=False),
    sa.Column('files', sa.LargeBinary(), nullable=False),
    sa.Column('recorded_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('digest', name=op.f('pk_knowledge_editions')),
    comment='Every edition of the knowledge base that ever ran on this record, its files as one archive.'
    )


def downgrade() -> None:
    raise NotImplementedError("forwards only: restore a backup instead")
