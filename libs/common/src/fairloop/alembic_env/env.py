"""Alembic's environment, one for all services: the connection and the metadata come from `fairloop.migrate`."""

from alembic import context
from sqlalchemy import text

attributes = context.config.attributes
months = set(attributes["connection"].scalars(text("SELECT relname FROM pg_class WHERE relispartition")))


def is_of_a_model(name: str | None, kind: str, parents: object) -> bool:
    """The partitions of a table come and go with the months."""
    return kind != "table" or name not in months


context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    compare_type=True,
    compare_server_default=True,
    include_name=is_of_a_model,
)
with context.begin_transaction():
    context.run_migrations()
