"""JSON request bodies, taken apart at receipt."""

import mmap

import pytest

from glyphd.errors import InvalidParameter, MalformedRequest, MissingFile
from glyphd.ingest.json_body import JsonBody, read_json_body


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
@pytest.mark.parametrize(
    ("body", "listings"),
    [
        (b'[{"a": 1}]', b'[{"a": 1}]'),
        (b"\xef\xbb\xbf [ ] ", b"[ ]"),
        (b'["\xff", 1e999, "\\ud800"]', b'["\xff", 1e999, "\\ud800"]'),
        (b'{"source": "s", "listings": [{"a": "\\uD83D\\ude00"}, "\\ud800"]}', b'[{"a": "\\uD83D\\ude00"}, "\\ud800"]'),
        (b'{"listings": [1], "content": null}', b"[1]"),
    ],
)
def test_listings_stay_as_submitted(body, listings, wrap):
    """The listings are the submitted bytes, also where they hold what no text can hold."""
    assert bytes(read_json_body(wrap(body)).listings).strip() == listings


def test_a_mapped_file_is_a_body(tmp_path):
    """A body may be a mapped file, so that it need not be in memory."""
    path = tmp_path / "body"
    path.write_bytes(b'{"listings": [1], "source": "s"}')
    with path.open("rb") as file:
        body = read_json_body(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    assert (bytes(body.listings), body.options) == (b"[1]", {"source": "s"})


def test_content_is_the_text_of_a_file():
    """An object with `content` carries a file and its name; the other members are options, unknown ones are listed."""
    body = read_json_body(
        b'{"content": "a,b\\n", "filename": "x.csv", "source": "s", "metadata": {"n": 12345678901234567890}, "zz": 1.5}'
    )
    options = {"source": "s", "metadata": {"n": 12345678901234567890}, "zz": 1.5}
    assert body == JsonBody(content="a,b\n", filename="x.csv", options=options)
    assert body.unknown == ["zz"]


@pytest.mark.parametrize(
    ("body", "fault", "detail"),
    [
        (b"", MalformedRequest, "at byte 0"),
        (b"  ", MalformedRequest, "at byte 2"),
        (b"[1,]", MalformedRequest, "at byte 3"),
        (b'[1,{"a":NaN}]', MalformedRequest, "at byte 8"),
        (b'["\\ud800",]', MalformedRequest, "at byte 10"),
        (b"[1] x", MalformedRequest, "trailing characters at byte 5"),
        (b'{"\xff": 1}', MalformedRequest, "not UTF-8"),
        (b'{"listings": [], "source": "\xff"}', MalformedRequest, "not UTF-8"),
        (b'{"listings": [], "source": "\\ud800"}', MalformedRequest, "surrogate"),
        (b'{"listings": [], "source": 1, "source": 1}', MalformedRequest, "`source` is there twice"),
        (b'{"listings": [], "metadata": {"a": 1e999}}', MalformedRequest, "out of range"),
        (b'{"listings": [], "metadata": ' + b"9" * 1_001 + b"}", MalformedRequest, "1000 digits"),
        (b"[" * 10_000 + b"]" * 10_000, MalformedRequest, "nested too deeply"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, MalformedRequest, "nested too deeply"),
        (b'"listings"', MissingFile, "neither an array"),
        (b"{}", MissingFile, "neither `listings` nor `content`"),
        (b'{"listings": null}', MissingFile, "neither `listings` nor `content`"),
        (b'{"listings": {}}', InvalidParameter, "must be an array"),
        (b'{"content": 1}', InvalidParameter, "`content` must be text"),
        (b'{"content": "", "filename": 1}', InvalidParameter, "`filename` must be text"),
        (b'{"content": "", "listings": []}', InvalidParameter, "exclude each other"),
    ],
)
def test_bodies_that_are_refused(body, fault, detail):
    """Each refusal says what was found, and where when the syntax is at fault."""
    with pytest.raises(fault) as caught:
        read_json_body(body)
    assert detail in caught.value.detail
