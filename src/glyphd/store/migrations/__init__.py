"""The Alembic environment that travels in the wheel; `glyphd.store.schema` is how it is used.

`versions/` holds one concept a revision, one set for both engines. What engines do differently is behind `steps.py`, in
a package for each; what both go by is in `baseline.py` and `rules.py`.
"""
