"""The table as it was before glyphd: what both baselines write into (DESIGN §4, revision 1)."""

from collections.abc import Sequence

TYPES = {
    "canonical_model": "TEXT NOT NULL",
    "price": "REAL NOT NULL",
    "vram_gb": "INTEGER NOT NULL",
    "tdp_watts": "INTEGER NOT NULL",
    "mig_support": "INTEGER DEFAULT 0",
    "nvlink": "BOOLEAN DEFAULT 0",
    "generation": "TEXT",
    "cuda_cores": "INTEGER",
    "slot_width": "INTEGER",
    "pcie_generation": "INTEGER",
    "form_factor": "TEXT DEFAULT 'Standard'",
    "notes": "TEXT",
    "warnings": "TEXT",
    "score": "REAL NOT NULL",
    "condition": "TEXT",
    "quantity": "INTEGER",
    "min_order_qty": "INTEGER",
    "seller": "TEXT",
    "region": "TEXT",
    "source_url": "TEXT",
    "source_type": "TEXT",
    "seen_at": "TIMESTAMP",
    "created_at": "TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    "updated_at": "TIMESTAMP DEFAULT CURRENT_TIMESTAMP",
    "import_id": "TEXT",
    "id": "INTEGER PRIMARY KEY AUTOINCREMENT",
}

INDEXED = ("canonical_model", "score", "region", "seen_at", "import_id")
"""One index each."""

PRAGMAS = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; PRAGMA cache_size = -32000;"
"""Measured fastest for the shell (1M rows: 10.1 s; WAL 11.0 s); the cache is as large as glyphd's."""


def table_sql(first: Sequence[str]) -> str:
    """Return the DDL of the table and its indexes, the columns of a file first: the shell fills them by position."""
    columns = ", ".join(f"{name} {TYPES[name]}" for name in sorted(TYPES, key=lambda name: _rank(name, first)))
    indexes = (f"CREATE INDEX idx_scored_listings_{name} ON scored_listings({name});" for name in INDEXED)
    return f"CREATE TABLE scored_listings ({columns});\n" + "\n".join(indexes)


def _rank(name: str, first: Sequence[str]) -> int:
    return first.index(name) if name in first else len(first)
