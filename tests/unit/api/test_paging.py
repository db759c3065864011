"""Cursors and the settling of ranges, by property."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glyphd.api.paging import encode_cursor, name_of, number_of, position_of
from glyphd.errors import InvalidParameter
from glyphd.services.browsing import Position

NUMBERS = st.integers(-(2**62), 2**62)


@given(NUMBERS, NUMBERS, st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
def test_a_cursor_says_where_a_page_ended(ledger_id: int, import_index: int, name: str) -> None:
    """What is encoded is what is decoded, and a cursor is safe in a URL."""
    cursors = encode_cursor(ledger_id), encode_cursor(name), encode_cursor(ledger_id, import_index)

    assert (ledger_id, name, Position(ledger_id, import_index)) == (
        number_of(cursors[0]),
        name_of(cursors[1]),
        position_of(cursors[2]),
    )
    assert all(cursor.replace("-", "").replace("_", "").isalnum() for cursor in cursors)


@given(st.text())
def test_any_other_text_is_refused_or_a_position(cursor: str) -> None:
    """Whatever a client sends, the failure is InvalidParameter."""
    for read in (number_of, name_of, position_of):
        with suppress(InvalidParameter):
            assert read(cursor) is not None


def test_a_name_that_no_database_compares_is_refused() -> None:
    """PostgreSQL's text holds no NUL, and no model is called so."""
    with pytest.raises(InvalidParameter):
        name_of(encode_cursor("a\x00b"))


def test_no_cursor_is_the_first_page() -> None:
    """None is none."""
    assert (None, None, None) == (number_of(None), name_of(None), position_of(None))


@pytest.mark.parametrize("number", [2**62 + 1, -(2**62) - 1, 2**200])
def test_a_number_that_no_database_compares_is_refused(number: int) -> None:
    """Ids are 64-bit integers."""
    with pytest.raises(InvalidParameter):
        number_of(encode_cursor(number))
