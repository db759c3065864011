"""The Alembic environment that travels in the wheel; `glyphd.store.schema` is how it is used.

`versions/` holds one concept a revision, in terms that hold on every engine. What only SQLite needs (adopting a database
from the field, rebuilding tables) is in the modules beside it; `README.md` tells how up, down and up again keep every row.
"""
