"""Databases as earlier tools left them in the field: SQL scripts by what is odd about them."""

import re

SCRIPT = """
CREATE TABLE schema_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version TEXT NOT NULL,
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
INSERT INTO import_batches VALUES (5, '0c47238f-4a5d-4481-be13-38fbd89af7ad', '2025-07-29T18:02:11+02:00', 'api',
    2, NULL);
INSERT INTO import_batches VALUES (6, 'no-source', 'yesterday', NULL, NULL, '');
INSERT INTO import_batches VALUES (7, 'empty', '2025-08-01', 'csv', 0, 'nothing came');
INSERT INTO models (id, model, vram_gb, avg_price, updated_at, import_id) VALUES
    (3, 'H100_PCIE_80GB', 80, 30123.5, '2025-07-01 01:02:03', 'july'), (4, 'ORPHAN', NULL, NULL, '2025-07-01', NULL),
    (9, 'A100_SXM4_80GB', 80, NULL, '', '0c47238f-4a5d-4481-be13-38fbd89af7ad');
INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, nvlink, score, quantity, seller, region,
        source_url, seen_at, created_at, updated_at, import_id) VALUES
    (1, 'H100_PCIE_80GB', 34995, 80, 350, 1, 89.5, 'Available', 'Halbry', 'US', 'https://a.example/x', '',
     '2025-07-29', '', 'july'),
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


_ROW_IMPORT = "import_id TEXT,                  -- may"
_FOREIGN_KEYS = r",(\s+--[^\n]*)?\s+FOREIGN KEY[^\n]*(\n\s+FOREIGN KEY[^\n]*)?"
_FIGURES = "listing_count INTEGER DEFAULT 0, min_price REAL, median_price REAL, max_price REAL, avg_price REAL,\n"


def without(script: str, *patterns: str) -> str:
    """Return a script without what matches."""
    for pattern in patterns:
        script, found = re.subn(pattern, "", script, flags=re.DOTALL)
        assert found, pattern
    return script


def changed(script: str, *, old: str, new: str) -> str:
    """Return a script with one part replaced by another."""
    assert old in script, old
    return script.replace(old, new)


SHAPES: dict[str, str] = {
    "as documented": SCRIPT + ROWS,
    "no table at all": "CREATE TABLE unrelated (a)",
    "no rows": SCRIPT,
    "no import_batches": without(
        SCRIPT + ROWS, r"CREATE TABLE import_batches .*?\);", r"INSERT INTO import_batches .*?\);"
    ),
    "no quantized_listings": without(
        SCRIPT + ROWS,
        r"CREATE TABLE quantized_listings .*?\);",
        r"CREATE INDEX idx_quantized[^\n]*",
        r"INSERT INTO quantized_listings .*?\);\n",
    ),
    "no triggers": without(SCRIPT + ROWS, r"CREATE TRIGGER .*?END;\n"),
    "no indexes": without(SCRIPT + ROWS, r"CREATE INDEX[^\n]*"),
    "other index names": changed(SCRIPT, old="INDEX idx_", new="INDEX old_") + ROWS,
    "more indexes": SCRIPT
    + ROWS
    + """
        CREATE INDEX by_seller ON scored_listings(seller COLLATE NOCASE);
        CREATE INDEX cheap ON scored_listings(score) WHERE price < 1000;
        CREATE INDEX up ON listings(upper(title));
    """,
    "some import_index": changed(SCRIPT, old=_ROW_IMPORT, new="import_id TEXT, import_index INTEGER, -- may")
    + ROWS
    + """
        UPDATE scored_listings SET import_index = 3 WHERE id IN (1, 2);
        UPDATE scored_listings SET import_index = CASE id WHEN 7 THEN 'x' ELSE -1 END WHERE id IN (7, 8);
    """,
    "whole import_index": changed(SCRIPT, old=_ROW_IMPORT, new="import_id TEXT, import_index INTEGER, -- may")
    + ROWS
    + """
        CREATE UNIQUE INDEX numbered ON scored_listings (import_id, import_index);
        UPDATE scored_listings SET import_index = id * 10;
    """,
    "unknown columns": SCRIPT
    + ROWS
    + """
        ALTER TABLE scored_listings ADD COLUMN campaign TEXT DEFAULT 'none';
        ALTER TABLE import_batches ADD COLUMN operator TEXT; UPDATE import_batches SET operator = 'x';
        UPDATE scored_listings SET campaign = 7 WHERE id < 5;
    """,
    "columns of our names": SCRIPT
    + ROWS
    + """
        ALTER TABLE import_batches ADD COLUMN status TEXT DEFAULT 'done';
        ALTER TABLE import_batches ADD COLUMN count INTEGER NOT NULL DEFAULT 5;
        UPDATE import_batches SET count = id;
        ALTER TABLE import_batches ADD COLUMN legacy_raw BLOB DEFAULT x'00'; -- as found
        ALTER TABLE import_batches ADD COLUMN "Bytes_Total" TEXT DEFAULT 'many';
        UPDATE import_batches SET bytes_total = id;
        ALTER TABLE models ADD COLUMN "Legacy_Raw" INT NOT NULL DEFAULT 7;
        ALTER TABLE scored_listings ADD COLUMN legacy_raw;
        UPDATE scored_listings SET legacy_raw = id * 2 WHERE id > 2;
        CREATE INDEX theirs ON scored_listings (legacy_raw);
    """,
    "required unknown column": changed(
        SCRIPT, old="seen_at TIMESTAMP,", new="seen_at TIMESTAMP, crawl INT NOT NULL CHECK (crawl > 0),"
    )
    + """
        INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, crawl)
            VALUES ('A', 1, 1, 1, 1, 1);
    """,
    "generated column": changed(SCRIPT, old="seen_at TIMESTAMP,", new="seen_at TIMESTAMP, cents INT AS (price * 100),")
    + ROWS,
    "snapshots and more": SCRIPT
    + ROWS
    + """
        CREATE TABLE listing_snapshots (id INTEGER PRIMARY KEY, import_id TEXT REFERENCES import_batches(import_id),
            model TEXT REFERENCES models(model), price REAL);
        CREATE TABLE listing_deltas AS SELECT 1 AS a;
        INSERT INTO listing_snapshots VALUES (1, 'july', 'ORPHAN', 1), (2, 'nowhere', 'nothing', 2);
        CREATE VIEW cheapest AS SELECT canonical_model, min(price) AS price FROM scored_listings GROUP BY 1;
        CREATE VIEW broken AS SELECT zilch FROM nowhere;
        CREATE TABLE log (what);
        CREATE TRIGGER logged AFTER INSERT ON scored_listings BEGIN INSERT INTO log VALUES (NEW.id); END;
        CREATE TRIGGER logged_import AFTER UPDATE ON import_batches BEGIN INSERT INTO log VALUES (NEW.id); END;
    """,
    "models without figures": without(SCRIPT, re.escape(_FIGURES))
    + without(ROWS, r"INSERT INTO models .*?;\n")
    + "INSERT INTO models (model) VALUES ('H100_PCIE_80GB');",
    "models without updated_at": without(
        SCRIPT,
        r"    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,\n(?=    import_id TEXT,\n    FOREIGN KEY \(imp)",
        r"CREATE TRIGGER update_models.*?END;\n",
    ),
    "references to nothing": SCRIPT
    + ROWS
    + """
        UPDATE scored_listings SET import_id = 'gone' WHERE id IN (2, 8);
        UPDATE scored_listings SET canonical_model = 'NEVER SEEN' WHERE id = 7;
        UPDATE listings SET canonical_model = 'RAW';
        UPDATE models SET import_id = CASE id WHEN 4 THEN 'gone too' ELSE '' END WHERE id IN (4, 9);
        INSERT INTO quantized_listings (id, scored_listing_id, model_7b, model_13b, model_70b)
            VALUES (77, 12345, 1, 2, 3);
    """,
    "odd ids": changed(
        changed(SCRIPT, old="import_id TEXT NOT NULL UNIQUE", new="import_id BLOB"),
        old="import_id TEXT,",
        new="import_id NUMERIC,",
    )
    + ROWS
    + """
        UPDATE scored_listings SET import_id = 42 WHERE id = 1;
        UPDATE scored_listings SET import_id = CASE id WHEN 2 THEN '' ELSE '  ' END WHERE id IN (2, 4);
        UPDATE import_batches SET import_id = NULL WHERE id = 6;
        UPDATE import_batches SET import_id = 42 WHERE id = 7;
        INSERT INTO import_batches (import_id) VALUES ('july'), ('');
    """,
    "no foreign keys": re.sub(_FOREIGN_KEYS, r"\1", SCRIPT)
    + ROWS
    + "UPDATE scored_listings SET canonical_model = 'NEVER SEEN' WHERE id = 7;"
    "UPDATE models SET import_id = 'gone too' WHERE id = 4;",
    "references in the columns": changed(
        re.sub(_FOREIGN_KEYS, r"\1", SCRIPT),
        old="import_id TEXT",
        new="import_id TEXT REFERENCES import_batches(import_id) ON DELETE CASCADE",
    )
    + ROWS,
    "quoted names": changed(
        changed(
            changed(SCRIPT, old="CREATE TABLE scored_listings", new='CREATE TABLE "scored_listings"'),
            old="    import_id TEXT,  ",
            new="    [import_id] VARCHAR(36), `o,dd)` TEXT,  ",
        ),
        old="CREATE TABLE listings",
        new="create table if not exists Listings",
    )
    + ROWS,
    "strict": re.sub(
        r"CREATE TABLE quantized_listings .*?\);",
        "CREATE TABLE quantized_listings (id INTEGER PRIMARY KEY, scored_listing_id INTEGER NOT NULL, model_7b INTEGER"
        " NOT NULL, model_13b INTEGER NOT NULL, model_70b INTEGER NOT NULL, created_at TEXT NOT NULL DEFAULT '',"
        " updated_at TEXT NOT NULL DEFAULT '', import_id TEXT) STRICT;",
        SCRIPT,
        flags=re.DOTALL,
    )
    + ROWS,
}
