"""Alembic's entry: each revision in a transaction of its own, on the connection that `migrate` holds."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
