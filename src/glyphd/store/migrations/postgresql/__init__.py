"""What the migrations do on PostgreSQL, where every database was made by glyphd and ALTER TABLE can change anything.

`steps.py` is what the revisions call.
"""
