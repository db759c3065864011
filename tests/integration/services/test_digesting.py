"""The row digest: the same for the same rows, and for no others."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from glyphd.domain.listing import FIELDS
from glyphd.errors import ImportNotFound
from glyphd.services import digesting
from glyphd.services.context import Context
from glyphd.services.digesting import digest_import
from glyphd.store.listings import RowFilters, read_rows
from tests.moving import Moving, lines, publish, run_on


@pytest.fixture(params=["sqlite", "postgresql"])
def place(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Context]:
    """An empty installation on either engine."""
    made = Moving(tmp_path, lambda: str(request.getfixturevalue("postgres_url")))
    yield made.make(str(request.param), "place")
    made.close()


def _slowly(context: Context, import_id: str) -> str:
    """Compute the digest from what readers are shown, as its definition says it."""
    with context.database.reading() as connection:
        rows = read_rows(connection, import_id, RowFilters(), limit=100_000)
    names = ["import_index", *(field.name for field in FIELDS)]
    shown: list[dict[str, Any]] = [{name: row[name] for name in names if row[name] is not None} for row in rows]
    text = b"".join(msgspec.json.encode(row, order="sorted") + b"\n" for row in shown)
    return hashlib.sha256(text).hexdigest()


def test_the_digest_is_of_what_readers_are_shown(place: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Page by page it is the same as in one go."""
    import_id = publish(place, lines(*(price + 0.25 for price in range(1, 12)), 0))
    expected = _slowly(place, import_id)
    assert expected == digest_import(place, import_id)
    for rows in (1, 4, 11):
        monkeypatch.setattr(digesting, "INDEXES_PER_PAGE", rows)
        assert expected == digest_import(place, import_id)


def test_a_digest_is_the_same_on_every_engine_and_in_every_version(place: Context) -> None:
    """A golden value: whoever changes it makes every digest that was noted down worthless."""
    import_id = publish(place, lines(100, 1e6, 0, 28450.125, seller="Müller & Söhne"))
    assert "363ceb6d46c8c688838c27660602f8ed8fa269ac7e6a04b20719414c0c9b5e58" == digest_import(place, import_id)


def test_a_second_import_of_the_same_rows_has_the_same_digest(place: Context) -> None:
    """Nothing in it is of the import itself; order counts, and so does every value."""
    first, second = publish(place, lines(1, 2)), publish(place, lines(1, 2), source="another")
    other = publish(place, lines(2, 1))
    assert digest_import(place, first) == digest_import(place, second)
    assert digest_import(place, first) != digest_import(place, other)


@pytest.mark.parametrize("field", [field.name for field in FIELDS if field.name != "canonical_model"])
def test_every_field_counts(place: Context, field: str) -> None:
    """A change to any of them is a change of the digest."""
    import_id = publish(place, lines(1))
    before = digest_import(place, import_id)
    value = {"nvlink": "false", "seen_at": "'2020-01-01 00:00:00'"}.get(field, "'5'")
    run_on(place, f"UPDATE scored_listings SET {field} = {value}")
    assert before != digest_import(place, import_id)


def test_no_rows_have_a_digest(place: Context) -> None:
    """It is that of nothing."""
    import_id = publish(place, lines(0))
    assert hashlib.sha256(b"").hexdigest() == digest_import(place, import_id)


def test_an_unknown_import_has_none(place: Context) -> None:
    """As everywhere."""
    with pytest.raises(ImportNotFound):
        digest_import(place, "01a2b3c4-0000-7000-8000-000000000000")
