"""Alembic's way in: runs the migrations over the connection that `bot.store.database` hands it."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=False)
context.run_migrations()
