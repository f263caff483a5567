"""This file is what Alembic runs for each command: it works on the connection that `store.schema` hands over."""

from alembic import context

from store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=False, as_sql=False
)
with context.begin_transaction():
    context.run_migrations()
