"""What the migrations do on SQLite: adopt databases from the field, rebuild tables from their own text.

`steps.py` is what the revisions call.
"""
