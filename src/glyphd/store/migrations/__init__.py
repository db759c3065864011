"""The Alembic environment that travels in the wheel; `glyphd.store.schema` is how it is used.

`versions/` holds one concept a revision. What only SQLite needs, such as adopting a database from the field and
rebuilding tables, is in the modules beside it.
"""
