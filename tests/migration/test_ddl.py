"""The text of a CREATE TABLE is changed only where it has to be."""

import pytest

from glyphd.store.migrations.sqlite.ddl import TableText

AWKWARD = """CREATE TABLE "odd (name" ( -- first, (
    id INTEGER PRIMARY KEY AUTOINCREMENT, [im,port] TEXT DEFAULT 'a,)''(' CHECK ("im,port" <> '--'), /* ) , */
    "import_id" VARCHAR(36) NOT NULL DEFAULT (lower(hex(randomblob(2), '('))),
    crawl TEXT NOT  NULL ON CONFLICT ABORT CHECK (crawl NOT IN ('NOT NULL', ',')), -- last
    CONSTRAINT "c,1" UNIQUE ("import_id" COLLATE NOCASE, [im,port] DESC),
    FOREIGN KEY (import_id) REFERENCES import_batches (import_id) ON DELETE SET NULL
) STRICT"""


@pytest.mark.parametrize(
    "sql", [AWKWARD, "CREATE TABLE t(a)", "CREATE TABLE t(a,b TEXT)", AWKWARD.replace(" STRICT", "")]
)
def test_taken_apart_and_put_together(sql: str) -> None:
    """Without a change the text is the same."""
    assert sql == str(TableText.parse(sql))


def test_a_column_is_declared_anew_in_its_place() -> None:
    """Whatever its name is quoted in; others are added before the constraints."""
    text = TableText.parse(AWKWARD).with_columns({"import_id": "import_id TEXT", "more": "more TEXT"})

    declared = AWKWARD.replace(
        "\"import_id\" VARCHAR(36) NOT NULL DEFAULT (lower(hex(randomblob(2), '(')))", "import_id TEXT"
    )
    assert str(text) == declared.replace("',')), -- last", "',')),\n    more TEXT, -- last")


def test_constraints_are_dropped_by_what_they_are_over() -> None:
    """Whatever they are called; others stay."""
    text = TableText.parse(AWKWARD).without("FOREIGN", ["import_id"]).without("UNIQUE", ["import_id", "im,port"])

    assert "FOREIGN KEY" not in str(text)
    assert "UNIQUE" not in str(text)
    assert str(text).startswith(AWKWARD[: AWKWARD.index(", -- last")])


def test_unknown_columns_may_be_empty() -> None:
    """A required column that glyphd never writes would stop every import; one with a default does not."""
    text = str(TableText.parse(AWKWARD).tolerant(["id", "im,port"]))

    assert "CHECK (crawl NOT IN ('NOT NULL', ','))" in text
    assert "NOT  NULL" not in text
    assert "CONFLICT" not in text
    assert "VARCHAR(36) NOT NULL DEFAULT" in text
    assert "STRICT" not in text
