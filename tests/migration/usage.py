"""What a database in use holds: imports in every state, and all that hangs on them. The SQL is that of both engines."""

import re

IN_USE = """
INSERT INTO import_batches (id, import_id, source, record_count, kind, status, source_version, previous_import_id,
        parent_import_id, received, count, rejected, metadata, observed_at, failure, min_price, max_price,
        uncounted_facets, worker, lease_expires_at, fencing_token, attempts, records_done, rows_to_remove) VALUES
    (20, 'p1', 'shop', 2, 'batch', 'published', 1, NULL, NULL, 3, 2, 1, '{"a":1}', '2026-01-01 00:00:00.000000', NULL,
     5.0, 7.5, '["seller"]', NULL, NULL, 1, 1, 3, '0'),
    (21, 'back', 'shop', 1, 'batch', 'rolled_back', 2, 'p1', NULL, 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, '0'),
    (22, 'staged', 'shop', 1, 'batch', 'staged', 3, 'p1', NULL, 2, 1, 1, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 2, '0'),
    (23, 'running', 'shop', 0, 'batch', 'running', 4, NULL, NULL, 0, 0, 0, '{}', NULL, NULL, NULL, NULL, '[]', 'me', '2099-01-01', 3, 2, 9, '0'),
    (24, 'failed', NULL, 0, 'batch', 'failed', 9, NULL, NULL, 4, 0, 4, '{}', NULL, '{"code":"x"}', NULL, NULL, '[]', NULL, NULL, 1, 1, 0, '1'),
    (25, 'corrected', 'shop', 1, 'amendment', 'published', NULL, NULL, 'p1', 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, '0'),
    (26, 'amended', 'shop', 1, 'amendment', 'published', NULL, NULL, 'back', 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, '0'),
    (27, 'received', 'shop', 0, 'batch', 'received', 5, NULL, NULL, 0, 0, 0, '{}', NULL, NULL, NULL, NULL, '[]', NULL, NULL, 0, 0, 0, '0'),
    (28, 'purged', 'shop', 0, 'batch', 'purged', 6, NULL, NULL, 1, 0, 0, '{}', NULL, NULL, NULL, NULL, '[]', NULL, NULL, 0, 0, 0, '0'),
    (29, 'replaced', 'shop', 1, 'batch', 'published', 7, 'p1', NULL, 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, '0'),
    (30, 'replay 1', 'shop', 1, 'replay', 'published', NULL, NULL, 'replaced', 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, '0'),
    (31, 'replay 2', 'shop', 1, 'replay', 'published', NULL, NULL, 'replaced', 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, '0'),
    (32, 'replay 3', 'shop', 1, 'replay', 'rolled_back', NULL, NULL, 'replaced', 1, 1, 0, '{}', NULL, NULL, 1, 1, '[]', NULL, NULL, 1, 1, 1, '0');
INSERT INTO import_batches (id, import_id) VALUES (40, 'to leave a gap'); DELETE FROM import_batches WHERE id = 40;
UPDATE import_batches SET status = 'rolled_back' WHERE import_id = '0c47238f-4a5d-4481-be13-38fbd89af7ad';
INSERT INTO models (model, vram_gb, import_id) VALUES ('OF A FAILED ONE', 8, 'failed'), ('NEW', 9, 'p1');
INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, seller, import_id, import_index) VALUES
    ('NEW', 5, 9, 1, 1, 'me', 'p1', 1), ('NEW', 7.5, 9, 1, 2, 'you', 'p1', 3), ('NEW', 1, 9, 1, 1, 'me', 'back', 1),
    ('NEW', 2, 9, 1, 1, 'me', 'staged', 2), ('NEW', 3, 9, 1, 1, 'me', 'running', 7), ('OF A FAILED ONE', 4, 9, 1, 1, 'x', 'failed', 2),
    ('NEW', 6, 9, 1, 1, 'me', 'corrected', 1), ('NEW', 6, 9, 1, 1, 'me', 'amended', 1), ('NEW', 99, 9, 1, 1, 'me', 'p1', 90),
    ('NEW', 11, 9, 1, 1, 'me', 'replaced', 1), ('NEW', 12, 9, 1, 1, 'me', 'replay 1', 1), ('NEW', 13, 9, 1, 1, 'me', 'replay 2', 1), ('NEW', 14, 9, 1, 1, 'me', 'replay 3', 1);
DELETE FROM scored_listings WHERE import_index = 90;
INSERT INTO listings (title, price, canonical_model, match_type, match_score, import_id, import_index) VALUES
    ('a', 1, 'NEW', 'exact', 1, 'back', 4), ('b', 1, 'NEW', 'exact', 1, 'p1', 5);
INSERT INTO quantized_listings (scored_listing_id, model_7b, model_13b, model_70b, import_id, import_index)
    SELECT id, 1, 1, 1, import_id, import_index + 1 FROM scored_listings WHERE canonical_model = 'NEW' AND price < 11;
INSERT INTO sightings SELECT import_id, 'NEW', 77, import_index, price * 2, 0.125 FROM scored_listings
    WHERE import_id IN ('p1', 'back', 'staged', 'corrected', 'amended', 'replaced', 'replay 1', 'replay 2', 'replay 3');
INSERT INTO import_model_stats SELECT import_id, 'NEW', 1, 0.1, 0.2, 0.3, 4, 5, 6, 7, 8, 9 FROM import_batches
    WHERE import_id IN ('p1', 'back', 'staged');
INSERT INTO import_facets VALUES ('p1', 'region', 'Mars', 5), ('back', 'region', 'Moon', 6);
INSERT INTO import_rejections (import_id, import_index, raw, issues) VALUES ('p1', 8, x'00ff', '[]'),
    ('staged', 1, x'616263', '[{"code":"required"}]'), ('failed', 1, x'', '[]');
INSERT INTO artifacts VALUES ('aa', 3, '2026-01-01'), ('bb', 4, '2026-01-01'), ('nobody''s', 0, '2026-01-01');
INSERT INTO import_artifacts VALUES ('p1', 'batch', 'aa', 'x.csv', 'text/csv'), ('failed', 'batch', 'bb', NULL, 'text/csv');
INSERT INTO import_events (import_id, at, actor, action, status, reason, details) VALUES
    ('p1', '2026-01-01', 'me', 'publish', 'published', NULL, '{}'), ('back', '2026-01-02', 'me', 'rollback', 'rolled_back', 'why', '{"x":1}');
INSERT INTO import_events (import_id, at, actor, action, status) VALUES ('p1', '2026-01-03', '', '', ''); DELETE FROM import_events WHERE id = 3;
UPDATE import_batches SET legacy_raw = '{"imported_at":"then"}' WHERE import_id IN ('p1', 'back');
UPDATE models SET legacy_raw = '{"vram_gb":"eighty"}' WHERE model = 'NEW';
UPDATE scored_listings SET legacy_raw = '{"quantity":"Available"}' WHERE import_id IN ('p1', 'back', 'staged') AND import_index < 3;
UPDATE listings SET legacy_raw = '{"price":"?"}' WHERE import_index = 4;
UPDATE quantized_listings SET legacy_raw = '{}' WHERE import_index = 4;
UPDATE import_batches SET bytes_done = 10, bytes_total = 99999999999, progressed_at = '2026-01-01 00:00:01.000000' WHERE import_id IN ('p1', 'running');
INSERT INTO idempotency_keys VALUES ('of p1', 'c1', 'f1', 'p1', '2026-01-01 00:00:00.000000', '2026-01-02 00:00:00.000000'),
    ('of running', 'c2', 'f2', 'running', '2026-01-01 00:00:00.000000', '2026-01-02 00:00:00.000000'), ('claimed', 'c3', NULL, NULL, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:30.000000');
"""  # noqa: E501

FOUND_ON_POSTGRESQL = """
INSERT INTO schema_version VALUES (1, '1.0.0', '2025-06-01', 'Initial schema creation');
INSERT INTO import_batches VALUES (2, 'july', '2025-07-29 15:47', 'api', 99, 'as found'),
    (5, '0c47238f-4a5d-4481-be13-38fbd89af7ad', '2025-07-29 18:02:11+02', 'api', 2, NULL),
    (6, 'no-source', '1970-01-02', NULL, NULL, ''), (7, 'empty', '2025-08-01', 'csv', 0, 'nothing came');
INSERT INTO models (id, model, vram_gb, avg_price, updated_at, import_id) VALUES
    (3, 'H100_PCIE_80GB', 80, 30123.5, '2025-07-01 01:02:03', 'july'), (4, 'ORPHAN', NULL, NULL, '2025-07-01', NULL),
    (9, 'A100_SXM4_80GB', 80, NULL, '2025-07-01', '0c47238f-4a5d-4481-be13-38fbd89af7ad');
INSERT INTO scored_listings (id, canonical_model, price, vram_gb, tdp_watts, nvlink, score, quantity, seller, region,
        source_url, seen_at, created_at, updated_at, import_id) VALUES
    (1, 'H100_PCIE_80GB', 34995, 80, 350, true, 89.5, NULL, 'Halbry', 'US', 'https://a.example/x', NULL,
     '2025-07-29', '2025-07-29', 'july'),
    (2, 'H100_PCIE_80GB', 29500.5, 80, 350, false, 80, 4, 'Halbry', 'US', NULL, NULL, '2025-07-29', '2025-07-29', 'july'),
    (4, 'H100_PCIE_80GB', 31000, 80, 350, NULL, 70, NULL, NULL, NULL, 'N/A', NULL, '2025-07-30', '2025-07-30', NULL),
    (7, 'A100_SXM4_80GB', 'NaN', 80, 400, false, 60, 1, 'Foo', 'EU', NULL, '2025-07-29 10:00Z', '2025-07-29',
     '2025-07-29', '0c47238f-4a5d-4481-be13-38fbd89af7ad'),
    (8, 'A100_SXM4_80GB', 12000, 80, 400, false, 61, 2, 'Foo', 'EU', NULL, NULL, '2025-07-29', '2025-07-29',
     '0c47238f-4a5d-4481-be13-38fbd89af7ad'),
    (9, 'A100_SXM4_80GB', 'Infinity', 80, 400, false, 61, 2, 'é', 'EU', NULL, NULL, '2025-07-28', '2025-07-28', 'no-source'),
    (10, 'H100_PCIE_80GB', 1, 80, 400, false, 61, 2, NULL, 'EU', NULL, NULL, '2025-07-28', '2025-07-28', NULL);
INSERT INTO listings VALUES (5, 'H100 80GB', 2000, 'H100_PCIE_80GB', 'exact', 1, '2025-07-29', '2025-07-29', 'july'),
    (6, 'H100', 2001, 'H100_PCIE_80GB', 'fuzzy', 0.5, '2025-07-29', '2025-07-29', NULL);
INSERT INTO quantized_listings VALUES (1, 1, 22, 12, 2, '2025-07-29', '2025-07-29', 'july'),
    (2, 4, 22, 12, 2, '2025-07-29', '2025-07-29', NULL);
ALTER TABLE import_batches ALTER COLUMN id RESTART WITH 8;
ALTER TABLE models ALTER COLUMN id RESTART WITH 10;
ALTER TABLE scored_listings ALTER COLUMN id RESTART WITH 41;
ALTER TABLE listings ALTER COLUMN id RESTART WITH 7;
ALTER TABLE quantized_listings ALTER COLUMN id RESTART WITH 3;
"""  # noqa: E501

IN_USE_ON_POSTGRESQL = (
    re.sub(r"x'([0-9a-f]*)'", r"'\\x\1'", IN_USE) + "ALTER TABLE import_batches ALTER COLUMN id RESTART WITH 41;"
)
