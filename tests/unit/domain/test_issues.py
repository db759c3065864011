"""Issues: their messages, and how values are quoted."""

import pytest

from glyphd.domain.issues import DESCRIPTIONS, VALUE_LIMIT, IssueCode, Rejection, message_for, quote_value
from glyphd.domain.listing import FIELDS


def test_every_code_is_described():
    """The reference has one sentence for each code."""
    assert set(DESCRIPTIONS) == set(IssueCode)


@pytest.mark.parametrize("code", list(IssueCode))
def test_messages_are_about_the_field_or_the_record(code):
    """A message names the field; those about a whole record are its description."""
    messages = [
        message_for(field, code)
        for field in FIELDS
        if code is not IssueCode.OUT_OF_RANGE or field.minimum is not None or field.above is not None
    ]
    assert all(messages)


def test_long_values_are_cut():
    """A quoted value has at most 256 characters and shows that it was cut."""
    assert quote_value("x" * VALUE_LIMIT) == "x" * VALUE_LIMIT
    assert quote_value("x" * 257) == "x" * 255 + "…"


@pytest.mark.parametrize(("raw", "encoding"), [(b"\xc3\xa9", "utf8"), (b"\xff", "base64")])
def test_encoding_of_raw_records(raw, encoding):
    """Bytes that are no UTF-8 are carried as base64."""
    assert Rejection(1, raw, ()).encoding == encoding
