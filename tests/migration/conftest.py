"""Databases to migrate: fresh, in use, and as earlier tools left them in the field."""

import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine

from glyphd.store import schema

SCRIPT = """
CREATE TABLE schema_version (
    id INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, description TEXT
);
CREATE TABLE import_batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    import_id TEXT NOT NULL UNIQUE,  -- given by the user, (e.g. 'july'), not always
    imported_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    source TEXT, record_count INTEGER DEFAULT 0, /* unchecked, */
    description TEXT                 -- free
);
CREATE TABLE models (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    model TEXT NOT NULL UNIQUE,
    vram_gb INTEGER, tdp_watts INTEGER, mig_support INTEGER DEFAULT 0, nvlink BOOLEAN DEFAULT 0, generation TEXT,
    cuda_cores INTEGER, slot_width INTEGER, pcie_generation INTEGER,
    listing_count INTEGER DEFAULT 0, min_price REAL, median_price REAL, max_price REAL, avg_price REAL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    import_id TEXT,
    FOREIGN KEY (import_id) REFERENCES import_batches(import_id) ON DELETE SET NULL
);
CREATE TABLE listings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    title TEXT NOT NULL, price REAL NOT NULL, canonical_model TEXT NOT NULL, match_type TEXT NOT NULL,
    match_score REAL NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    import_id TEXT,
    FOREIGN KEY (canonical_model) REFERENCES models(model) ON DELETE CASCADE,
    FOREIGN KEY (import_id) REFERENCES import_batches(import_id) ON DELETE SET NULL
);
CREATE TABLE scored_listings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- what is offered, and for how much
    canonical_model TEXT NOT NULL, price REAL NOT NULL, vram_gb INTEGER NOT NULL, tdp_watts INTEGER NOT NULL,
    mig_support INTEGER DEFAULT 0, nvlink BOOLEAN DEFAULT 0, generation TEXT, cuda_cores INTEGER, slot_width INTEGER,
    pcie_generation INTEGER, form_factor TEXT DEFAULT 'Standard', -- e.g. 'SFF', or "Standard"
    notes TEXT, warnings TEXT, score REAL NOT NULL,
    condition TEXT, quantity INTEGER, min_order_qty INTEGER, seller TEXT, region TEXT, source_url TEXT,
    source_type TEXT, seen_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    import_id TEXT,                  -- may be missing
    FOREIGN KEY (canonical_model) REFERENCES models(model) ON DELETE CASCADE,
    FOREIGN KEY (import_id) REFERENCES import_batches(import_id) ON DELETE SET NULL
);
CREATE TABLE quantized_listings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    scored_listing_id INTEGER NOT NULL, model_7b INTEGER NOT NULL, model_13b INTEGER NOT NULL,
    model_70b INTEGER NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    import_id TEXT,
    FOREIGN KEY (scored_listing_id) REFERENCES scored_listings(id) ON DELETE CASCADE,
    FOREIGN KEY (import_id) REFERENCES import_batches(import_id) ON DELETE SET NULL
);
CREATE INDEX idx_models_model ON models(model);
CREATE INDEX idx_listings_canonical_model ON listings(canonical_model);
CREATE INDEX idx_listings_import_id ON listings(import_id);
CREATE INDEX idx_scored_listings_canonical_model ON scored_listings(canonical_model);
CREATE INDEX idx_scored_listings_score ON scored_listings(score);
CREATE INDEX idx_scored_listings_region ON scored_listings(region);
CREATE INDEX idx_scored_listings_seen_at ON scored_listings(seen_at);
CREATE INDEX idx_scored_listings_import_id ON scored_listings(import_id);
CREATE INDEX idx_quantized_listings_scored_listing_id ON quantized_listings(scored_listing_id);
CREATE TRIGGER update_models_timestamp
AFTER UPDATE ON models
BEGIN
    UPDATE models SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;
CREATE TRIGGER update_listings_timestamp AFTER UPDATE ON listings BEGIN
    UPDATE listings SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id; -- every time
END;
CREATE TRIGGER update_scored_listings_timestamp AFTER UPDATE ON scored_listings BEGIN
    UPDATE scored_listings SET updated_at = CURRENT_TIMESTAMP WHERE id = NEW.id;
END;
"""

ROWS = """
INSERT INTO schema_version VALUES (1, '1.0.0', '2025-06-01 00:00:00', 'Initial schema creation');
INSERT INTO import_batches VALUES (2, 'july', '2025-07-29 15:47:00', 'api', 99, 'as found');
INSERT INTO import_batches VALUES (5, '0c47238f-4a5d-4481-be13-38fbd89af7ad', '2025-07-29T18:02:11+02:00', 'api', 2, NULL);
INSERT INTO import_batches VALUES (6, 'no-source', 'yesterday', NULL, NULL, '');
INSERT INTO import_batches VALUES (7, 'empty', '2025-08-01', 'csv', 0, 'nothing came');
INSERT INTO models (id, model, vram_gb, avg_price, updated_at, import_id) VALUES
    (3, 'H100_PCIE_80GB', 80, 30123.5, '2025-07-01 01:02:03', 'july'), (4, 'ORPHAN', NULL, NULL, '2025-07-01', NULL),
    (9, 'A100_SXM4_80GB', 80, NULL, '', '0c47238f-4a5d-4481-be13-38fbd89af7ad');
INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, nvlink, score, quantity, seller, region,
        source_url, seen_at, created_at, updated_at, import_id) VALUES
    (1, 'H100_PCIE_80GB', 34995, 80, 350, 1, 89.5, 'Available', 'Halbry', 'US', 'https://a.example/x', '', '2025-07-29', '', 'july'),
    (2, 'H100_PCIE_80GB', 29500.5, 80, 350, 0, 80.0, 4, 'Halbry', 'US', NULL, 'Jul 3', '2025-07-29', 'then', 'july'),
    (4, 'H100_PCIE_80GB', 31000, 80, 350, 'yes', 70, NULL, NULL, NULL, 'N/A', NULL, '2025-07-30', '2025-07-30', NULL),
    (7, 'A100_SXM4_80GB', 'Quote', 80, 400, 0, 60, '1+', 'Foo', 'EU', NULL, '2025-07-29T10:00:00Z', '2025-07-29', 'x',
     '0c47238f-4a5d-4481-be13-38fbd89af7ad'),
    (8, 'A100_SXM4_80GB', 12000, 80, 400, 0, 61, 2.5, 'Foo', 'EU', NULL, NULL, '2025-07-29', 'x',
     '0c47238f-4a5d-4481-be13-38fbd89af7ad'),
    (9, 'A100_SXM4_80GB', 9e999, 80, 400, 0, 61, 2, x'ff00', 'EU', NULL, NULL, '2025-07-28', 'x', 'no-source'),
    (10, 'H100_PCIE_80GB', 1, 80, 400, 0, 61, 2, CAST(x'e9' AS TEXT), 'EU', NULL, NULL, '2025-07-28', 'x', NULL);
INSERT INTO listings VALUES (5, 'H100 80GB', 2000, 'H100_PCIE_80GB', 'exact', 1, '2025-07-29', '', 'july'),
    (6, 'H100', 2001, 'H100_PCIE_80GB', 'fuzzy', 0.5, '2025-07-29', '2025-07-29', NULL);
INSERT INTO quantized_listings VALUES (1, 1, 22, 12, 2, '2025-07-29', '2025-07-29', 'july'),
    (2, 4, 22, 12, 2, '2025-07-29', '2025-07-29', NULL);
DELETE FROM sqlite_sequence WHERE name = 'scored_listings';
INSERT INTO sqlite_sequence VALUES ('scored_listings', 40);
"""

Content = dict[str, Any]


def without(script: str, *patterns: str) -> str:
    """Return a script without the statements or parts that match."""
    for pattern in patterns:
        script, found = re.subn(pattern, "", script, flags=re.DOTALL)
        assert found, pattern
    return script


SHAPES: dict[str, Callable[[], str]] = {
    "as documented": lambda: SCRIPT + ROWS,
    "no table at all": lambda: "CREATE TABLE unrelated (a)",
    "no rows": lambda: SCRIPT,
    "no import_batches": lambda: without(
        SCRIPT + ROWS, r"CREATE TABLE import_batches .*?\);", r"INSERT INTO import_batches[^\n]*"
    ),
    "no quantized_listings": lambda: without(
        SCRIPT + ROWS,
        r"CREATE TABLE quantized_listings .*?\);",
        r"CREATE INDEX idx_quantized[^\n]*",
        r"INSERT INTO quantized_listings .*?\);\n",
    ),
    "no triggers": lambda: without(SCRIPT + ROWS, r"CREATE TRIGGER .*?END;\n"),
    "no indexes": lambda: without(SCRIPT + ROWS, r"CREATE INDEX[^\n]*"),
    "other index names": lambda: re.sub(r"CREATE INDEX idx_", "CREATE INDEX old_", SCRIPT) + ROWS,
    "more indexes": lambda: SCRIPT + ROWS + "CREATE INDEX by_seller ON scored_listings(seller COLLATE NOCASE);"
    "CREATE INDEX cheap ON scored_listings(score) WHERE price < 1000; CREATE INDEX up ON listings(upper(title));",
    "some import_index": lambda: SCRIPT.replace(
        "import_id TEXT,                  -- may", "import_id TEXT, import_index INTEGER, -- may"
    )
    + ROWS
    + "UPDATE scored_listings SET import_index = 3 WHERE id IN (1, 2); UPDATE scored_listings SET import_index = 'x'"
    " WHERE id = 7; UPDATE scored_listings SET import_index = -1 WHERE id = 8;",
    "whole import_index": lambda: SCRIPT.replace(
        "import_id TEXT,                  -- may",
        "import_id TEXT, import_index INTEGER, UNIQUE (import_id, import_index), -- may",
    ).replace("UNIQUE (import_id, import_index), -- may be missing\n", "-- may be missing\n").replace(
        "CREATE INDEX idx_models_model", "CREATE UNIQUE INDEX numbered ON scored_listings (import_id, import_index);\n"
        "CREATE INDEX idx_models_model"
    )
    + ROWS
    + "UPDATE scored_listings SET import_index = id * 10;",
    "unknown column": lambda: SCRIPT + ROWS + "ALTER TABLE scored_listings ADD COLUMN campaign TEXT DEFAULT 'none';"
    "ALTER TABLE import_batches ADD COLUMN operator TEXT; UPDATE import_batches SET operator = 'x';"
    "UPDATE scored_listings SET campaign = 7 WHERE id < 5;",
    "columns of our names": lambda: SCRIPT + ROWS + "ALTER TABLE import_batches ADD COLUMN status TEXT DEFAULT 'done';"
    "ALTER TABLE import_batches ADD COLUMN count INTEGER NOT NULL DEFAULT 5; UPDATE import_batches SET count = id;",
    "required unknown column": lambda: SCRIPT.replace("seen_at TIMESTAMP,", "seen_at TIMESTAMP, crawl INT NOT NULL CHECK (crawl > 0),")
    + re.sub(r"INSERT INTO scored_listings .*?;\n", "", ROWS, flags=re.DOTALL)
    + "INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, crawl) VALUES ('A', 1, 1, 1, 1, 1)",
    "generated column": lambda: SCRIPT.replace("seen_at TIMESTAMP,", "seen_at TIMESTAMP, cents INT AS (price * 100),") + ROWS,
    "snapshots and more": lambda: SCRIPT + ROWS + "CREATE TABLE listing_snapshots (id INTEGER PRIMARY KEY,"
    " import_id TEXT REFERENCES import_batches(import_id), model TEXT REFERENCES models(model), price REAL);"
    "CREATE TABLE listing_deltas (a, b); INSERT INTO listing_deltas VALUES (1, 'x');"
    "INSERT INTO listing_snapshots VALUES (1, 'july', 'ORPHAN', 1), (2, 'nowhere', 'nothing', 2);"
    "CREATE VIEW cheapest AS SELECT canonical_model, min(price) AS price FROM scored_listings GROUP BY 1;"
    "CREATE VIEW broken AS SELECT zilch FROM nowhere; CREATE TABLE log (what);"
    "CREATE TRIGGER logged AFTER INSERT ON scored_listings BEGIN INSERT INTO log VALUES (NEW.id); END;"
    "CREATE TRIGGER logged_import AFTER UPDATE ON import_batches BEGIN INSERT INTO log VALUES (NEW.id); END;",
    "models without figures": lambda: SCRIPT.replace(
        "listing_count INTEGER DEFAULT 0, min_price REAL, median_price REAL, max_price REAL, avg_price REAL,\n", ""
    ).replace("    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    import_id TEXT,\n    FOREIGN KEY (import_id) REF",
              "    import_id TEXT,\n    FOREIGN KEY (import_id) REF", 1)
    + without(ROWS, r"INSERT INTO models .*?;\n") + "INSERT INTO models (model) VALUES ('H100_PCIE_80GB');",
    "references to nothing": lambda: SCRIPT + ROWS + "UPDATE scored_listings SET import_id = 'gone' WHERE id IN (2, 8);"
    "UPDATE scored_listings SET canonical_model = 'NEVER SEEN' WHERE id = 7; UPDATE listings SET canonical_model = 'RAW';"
    "UPDATE models SET import_id = 'gone too' WHERE id = 4; UPDATE models SET import_id = '' WHERE id = 9;"
    "INSERT INTO quantized_listings (id, scored_listing_id, model_7b, model_13b, model_70b) VALUES (77, 12345, 1, 2, 3);",
    "odd ids": lambda: SCRIPT.replace("import_id TEXT NOT NULL UNIQUE", "import_id BLOB")
    .replace("import_id TEXT,", "import_id NUMERIC,") + ROWS
    + "UPDATE scored_listings SET import_id = 42 WHERE id = 1; UPDATE scored_listings SET import_id = '' WHERE id = 2;"
    "UPDATE scored_listings SET import_id = '  ' WHERE id = 4; UPDATE import_batches SET import_id = NULL WHERE id = 6;"
    "UPDATE import_batches SET import_id = 42 WHERE id = 7; INSERT INTO import_batches (import_id) VALUES ('july'), ('');",
    "no foreign keys": lambda: re.sub(
        r",(\s+--[^\n]*)?\s+FOREIGN KEY[^\n]*(\n\s+FOREIGN KEY[^\n]*)?", r"\1", SCRIPT
    ) + ROWS + "UPDATE scored_listings SET canonical_model = 'NEVER SEEN' WHERE id = 7;",
    "references in the columns": lambda: re.sub(
        r",(\s+--[^\n]*)?\s+FOREIGN KEY[^\n]*(\n\s+FOREIGN KEY[^\n]*)?", r"\1", SCRIPT
    ).replace("import_id TEXT", "import_id TEXT REFERENCES import_batches(import_id) ON DELETE CASCADE").replace(
        "canonical_model TEXT NOT NULL,", "canonical_model TEXT NOT NULL REFERENCES models(model),"
    ) + ROWS,
    "quoted names": lambda: SCRIPT.replace("CREATE TABLE scored_listings", 'CREATE TABLE "scored_listings"')
    .replace("    import_id TEXT,  ", "    [import_id] VARCHAR(36), `o,dd)` TEXT,  ").replace(
        "CREATE TABLE listings", "create table if not exists Listings") + ROWS,
    "strict": lambda: re.sub(
        r"CREATE TABLE quantized_listings .*?\);", "CREATE TABLE quantized_listings (id INTEGER PRIMARY KEY,"
        " scored_listing_id INTEGER NOT NULL, model_7b INTEGER NOT NULL, model_13b INTEGER NOT NULL, model_70b INTEGER"
        " NOT NULL, created_at TEXT NOT NULL DEFAULT '', updated_at TEXT NOT NULL DEFAULT '', import_id TEXT) STRICT;",
        SCRIPT, flags=re.DOTALL) + ROWS,
}  # fmt: skip


@pytest.fixture
def make_engine(tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Return a function that opens the database of a name in a folder of its own; all are closed at the end."""
    engines: dict[str, Engine] = {}

    def make(name: str = "glyphd") -> Engine:
        if name not in engines:
            url = f"sqlite:///{tmp_path / name}.sqlite"
            engines[name] = create_engine(url, connect_args={"isolation_level": None})
        return engines[name]

    yield make
    for engine in engines.values():
        engine.dispose()


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., list[tuple[Any, ...]]]:
    """Return a function that runs SQL on the database of a name as an old tool does, and returns the last result."""

    def execute(script: str, name: str = "glyphd") -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite", isolation_level=None)) as connection:
            connection.text_factory = lambda raw: raw.decode(errors="surrogateescape")
            if ";" in script:
                connection.executescript(script)
                return []
            return connection.execute(script).fetchall()

    return execute


@pytest.fixture
def violations(run: Callable[..., list[tuple[Any, ...]]]) -> Callable[[], list[tuple[Any, ...]]]:
    """Return a function that lists rows that refer to nothing, and tables whose references cannot work."""

    def check() -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for (table,) in run("SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%REFERENCES%'"):
            try:
                found += {row[:3] for row in run(f'PRAGMA foreign_key_check("{table}")')}
            except sqlite3.OperationalError as mismatch:
                found.append((table, str(mismatch)))
        return sorted(found, key=repr)

    return check


@pytest.fixture
def content(run: Callable[..., list[tuple[Any, ...]]]) -> Callable[..., Content]:
    """Return a function that reads a whole database: the text of its schema, every value and its storage class."""

    def read(name: str = "glyphd") -> Content:
        assert [("ok",)] == run("PRAGMA integrity_check", name)
        schema = run("SELECT type, name, tbl_name, sql FROM sqlite_master", name)
        schema = [row for row in schema if not row[2].startswith("_glyphd_") and row[2] != "alembic_version"]
        everything: Content = {"schema": sorted(schema, key=repr)}
        for table in sorted(row[1] for row in schema if row[0] == "table"):
            columns = [row[1] for row in run(f'PRAGMA table_xinfo("{table}")', name)]
            values = ", ".join(f'"{column}", typeof("{column}")' for column in columns)
            everything[table] = sorted(run(f'SELECT {values} FROM "{table}"', name), key=repr)
        return everything

    return read


IN_USE = """
INSERT INTO import_batches (id, import_id, source, record_count, kind, status, source_version, previous_import_id,
        parent_import_id, received, count, rejected, metadata, observed_at, failure, min_price, max_price,
        uncounted_facets, worker, lease_expires_at, fencing_token, attempts, records_done, rows_to_remove) VALUES
    (20, 'p1', 'shop', 2, 'batch', 'published', 1, NULL, NULL, 3, 2, 1, '{"a":1}', '2026-01-01 00:00:00.000000', NULL,
     5.0, 7.5, '["seller"]', NULL, NULL, 1, 1, 3, 0),
    (21, 'back', 'shop', 1, 'batch', 'rolled_back', 2, 'p1', NULL, 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, 0),
    (22, 'staged', 'shop', 1, 'batch', 'staged', 3, 'p1', NULL, 2, 1, 1, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 2, 0),
    (23, 'running', 'shop', 0, 'batch', 'running', 4, NULL, NULL, 0, 0, 0, '{}', NULL, NULL, NULL, NULL, '[]', 'me', '2099', 3, 2, 9, 0),
    (24, 'failed', NULL, 0, 'batch', 'failed', 9, NULL, NULL, 4, 0, 4, '{}', NULL, '{"code":"x"}', NULL, NULL, '[]', NULL, NULL, 1, 1, 0, 1),
    (25, 'replayed', 'shop', 1, 'replay', 'published', NULL, NULL, 'p1', 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, 0),
    (26, 'amended', 'shop', 1, 'amendment', 'published', NULL, NULL, 'back', 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, 0),
    (27, 'received', 'shop', 0, 'batch', 'received', 5, NULL, NULL, 0, 0, 0, '{}', NULL, NULL, NULL, NULL, '[]', NULL, NULL, 0, 0, 0, 0),
    (28, 'purged', 'shop', 0, 'batch', 'purged', 6, NULL, NULL, 1, 0, 0, '{}', NULL, NULL, NULL, NULL, '[]', NULL, NULL, 0, 0, 0, 0);
INSERT INTO import_batches (id, import_id) VALUES (40, 'to leave a gap'); DELETE FROM import_batches WHERE id = 40;
UPDATE import_batches SET status = 'rolled_back' WHERE import_id = '0c47238f-4a5d-4481-be13-38fbd89af7ad';
INSERT INTO models (model, vram_gb, import_id) VALUES ('OF A FAILED ONE', 8, 'failed'), ('NEW', 9, 'p1');
INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, seller, import_id, import_index) VALUES
    ('NEW', 5, 9, 1, 1, 'me', 'p1', 1), ('NEW', 7.5, 9, 1, 2, 'you', 'p1', 3), ('NEW', 1, 9, 1, 1, 'me', 'back', 1),
    ('NEW', 2, 9, 1, 1, 'me', 'staged', 2), ('NEW', 3, 9, 1, 1, 'me', 'running', 7), ('OF A FAILED ONE', 4, 9, 1, 1, 'x', 'failed', 2),
    ('NEW', 6, 9, 1, 1, 'me', 'replayed', 1), ('NEW', 6, 9, 1, 1, 'me', 'amended', 1), ('NEW', 99, 9, 1, 1, 'me', 'p1', 90);
DELETE FROM scored_listings WHERE import_index = 90;
INSERT INTO listings (title, price, canonical_model, match_type, match_score, import_id, import_index) VALUES
    ('a', 1, 'NEW', 'exact', 1, 'back', 4), ('b', 1, 'NEW', 'exact', 1, 'p1', 5);
INSERT INTO quantized_listings (scored_listing_id, model_7b, model_13b, model_70b, import_id, import_index)
    SELECT id, 1, 1, 1, import_id, import_index + 1 FROM scored_listings WHERE canonical_model = 'NEW';
INSERT INTO sightings SELECT import_id, 'NEW', 77, import_index, price * 2, 0.125 FROM scored_listings
    WHERE import_id IN ('p1', 'back', 'staged', 'replayed', 'amended');
INSERT INTO import_model_stats SELECT import_id, 'NEW', 1, 0.1, 0.2, 0.3, 4, 5, 6, 7, 8, 9 FROM import_batches
    WHERE import_id IN ('p1', 'back', 'staged');
INSERT INTO import_facets VALUES ('p1', 'region', 'Mars', 5), ('back', 'region', 'Moon', 6);
INSERT INTO import_rejections (import_id, import_index, raw, issues) VALUES ('p1', 2, x'00ff', '[]'),
    ('staged', 1, x'616263', '[{"code":"required"}]'), ('failed', 1, x'', '[]');
INSERT INTO artifacts VALUES ('aa', 3, '2026-01-01'), ('bb', 4, '2026-01-01'), ('nobody''s', 0, '2026-01-01');
INSERT INTO import_artifacts VALUES ('p1', 'batch', 'aa', 'x.csv', 'text/csv'), ('failed', 'batch', 'bb', NULL, 'text/csv');
INSERT INTO import_events (import_id, at, actor, action, status, reason, details) VALUES
    ('p1', '2026-01-01', 'me', 'publish', 'published', NULL, '{}'), ('back', '2026-01-02', 'me', 'rollback', 'rolled_back', 'why', '{"x":1}');
INSERT INTO import_events (import_id, at, actor, action, status) VALUES ('p1', '', '', '', ''); DELETE FROM import_events WHERE id = 3;
"""  # noqa: E501


@pytest.fixture
def in_use(make_engine: Callable[..., Engine], run: Callable[..., Any]) -> Engine:
    """Return a database from the field, in use since: imports in every state, with all that hangs on them."""
    run(SHAPES["as documented"]())
    schema.upgrade(make_engine())
    run(IN_USE)
    return make_engine()
