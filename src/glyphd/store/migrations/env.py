"""How Alembic runs a revision: on the connection that `glyphd.store.schema` opened, inside its transaction."""

from typing import Any

from alembic import context

_options: dict[str, Any] = context.config.attributes
context.configure(
    connection=_options["connection"],
    on_version_apply=_options["on_version_apply"],
    version_table="alembic_version",
    transactional_ddl=False,  # one transaction around all revisions, begun by hand: see transaction.py
)
context.run_migrations()
