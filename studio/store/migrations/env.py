"""What Alembic runs to migrate: the steps within the transaction that the database opened for them."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
