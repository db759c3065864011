"""All SQL of glyphd: tables, engine, transactions, and one module per thing that is stored."""
