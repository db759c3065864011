"""While a database is down at revision 0001, a tool of that time does what it likes; the way up copes (G8)."""

import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine

from glyphd.store import schema

Run = Callable[..., list[tuple[Any, ...]]]

# Not `replay 2`: who deletes a replay from the ledger brings back what it stood for, which the tool has not seen.
IMPORTS = st.sampled_from(
    [None, "", "july", "no-source", "p1", "back", "staged", "failed", "corrected", "new", "newer", "purged"]
)
ROW_IDS = st.integers(1, 60)
DEEDS = st.one_of(
    st.tuples(
        st.just("INSERT INTO scored_listings (canonical_model, price, vram_gb, tdp_watts, score, import_id)"
                " VALUES (?, ?, 1, 1, 1, ?)"),
        st.sampled_from(["NEW", "NEVER SEEN", "ORPHAN"]), st.integers(1, 9), IMPORTS),
    st.tuples(st.just("INSERT INTO listings (title, price, canonical_model, match_type, match_score, import_id)"
                      " VALUES ('t', ?, 'NEW', 'x', 1, ?)"), st.integers(1, 9), IMPORTS),
    st.tuples(st.just("INSERT INTO quantized_listings (scored_listing_id, model_7b, model_13b, model_70b, import_id)"
                      " SELECT id, 1, 1, 1, import_id FROM scored_listings WHERE id = ?"), ROW_IDS),
    st.tuples(st.just("INSERT OR IGNORE INTO import_batches (source, import_id) VALUES (?, ?)"),
              st.sampled_from(["shop", "api", "legacy", None]), IMPORTS.filter(bool)),
    st.tuples(st.just("DELETE FROM import_batches WHERE import_id = ?"), IMPORTS),
    st.tuples(st.just("UPDATE import_batches SET source = ? WHERE import_id = ?"),
              st.sampled_from(["shop", "api", None]), IMPORTS),
    st.tuples(st.just("UPDATE scored_listings SET import_id = ? WHERE id = ?"), IMPORTS, ROW_IDS),
    st.tuples(st.just("UPDATE scored_listings SET price = ? WHERE id = ?"), st.integers(1, 9), ROW_IDS),
    st.tuples(st.just("DELETE FROM scored_listings WHERE id = ?"), ROW_IDS),
    st.tuples(st.just("DELETE FROM models WHERE model = ?"), st.sampled_from(["NEW", "H100_PCIE_80GB"])),
    st.tuples(st.just("INSERT OR IGNORE INTO models (model) VALUES (?)"), st.just("NEVER SEEN")),
)  # fmt: skip

VISIBLE = "SELECT id, canonical_model, price, quantity, updated_at FROM {} ORDER BY id"
HIDDEN = (
    "SELECT canonical_model, price, seller, import_index FROM scored_listings"
    " WHERE id NOT IN (SELECT id FROM visible_listings) ORDER BY 1, 2, 3, 4"
)


def assert_the_guarantees_hold(run: Run, broken: list[tuple[Any, ...]]) -> None:
    """G1, G2 and what is derived."""
    for table in ("scored_listings", "listings", "quantized_listings"):
        assert not run(
            f"SELECT 1 FROM {table} GROUP BY import_id, import_index HAVING count(*) > 1 OR import_index < 1"
        )
    assert {row[:2] for row in run("PRAGMA foreign_key_check")} <= {row[:2] for row in broken}
    assert not run(
        "SELECT b.import_id, received, b.count, n.rows FROM import_batches b LEFT JOIN"
        " (SELECT import_id, count(*) AS rows FROM scored_listings GROUP BY 1) n ON n.import_id = b.import_id"
        " WHERE status IN ('published', 'staged', 'rolled_back')"
        " AND (b.count <> coalesce(n.rows, 0) OR received <> b.count + rejected)"
    )
    assert not run(
        "SELECT import_id, import_index FROM scored_listings"
        " INTERSECT SELECT import_id, import_index FROM import_rejections"
    )
    assert not run(
        "SELECT import_id, import_index FROM sightings EXCEPT SELECT import_id, import_index FROM scored_listings"
    )
    assert not run(
        "SELECT id FROM visible_listings WHERE typeof(price) = 'real' AND price < 1e9"
        " AND (import_id, import_index) NOT IN (SELECT import_id, import_index FROM sightings)"
    )


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(deeds=st.lists(st.tuples(st.booleans(), DEEDS), min_size=1, max_size=8))
def test_whatever_an_old_tool_does(deeds: list[Any], in_use: Engine, run: Run, content: Callable[..., Any]) -> None:
    """What it sees is what is visible afterwards, hidden rows stay whole, and its shape comes back as it was left."""
    note(repr(deeds))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "glyphd.sqlite"
        with closing(sqlite3.connect(path)) as copy, closing(sqlite3.connect(in_use.url.database or "")) as original:
            original.backup(copy)

        def on_copy(script: str) -> list[tuple[Any, ...]]:
            return run(script, str(path.with_suffix("")))

        engine = create_engine(f"sqlite:///{path}")
        try:
            check(engine, deeds, on_copy, lambda: content(str(path.with_suffix(""))))
        finally:
            engine.dispose()


def check(engine: Engine, deeds: list[Any], run: Run, content: Callable[[], Any]) -> None:
    """Let an old tool do things between two migrations, and see to it that nothing is lost."""
    hidden = run(HIDDEN)
    schema.downgrade(engine, to="0001")
    with closing(sqlite3.connect(engine.url.database or "", isolation_level=None)) as tool:
        for enforced, (statement, *values) in deeds:
            tool.execute(f"PRAGMA foreign_keys = {int(enforced)}")
            with suppress(sqlite3.IntegrityError):
                tool.execute(statement, values)
    seen, left = run(VISIBLE.format("scored_listings")), content()
    broken = run("PRAGMA foreign_key_check(quantized_listings)")

    schema.upgrade(engine)
    assert_the_guarantees_hold(run, broken)
    assert seen == run(VISIBLE.format("visible_listings"))
    assert hidden == run(HIDDEN)
    at_head = content()

    schema.downgrade(engine, to="0001")
    assert left == content()
    schema.upgrade(engine)
    assert at_head == content()
