# flake8: noqa: E501
# ruff: noqa: E501
"""JSON files: records as text cells, their bytes, and what is not JSON."""

import json

import pytest

from glyphd.errors import CellTooLarge, EmptyFile, MalformedJson, RecordTooLarge, TooManyColumns, WrongEncoding
from glyphd.ingest.media_types import Format

GOOD = {
    "canonical_model": "H100", "vram_gb": 80, "tdp_watts": 350.0, "mig_support": 7, "nvlink": True, "price": 28450.5, "score": "71.4",
}  # fmt: skip
GOOD_TEXT = json.dumps(GOOD)


def with_member(name, text):
    """Return a good record in which one member is this JSON text."""
    return (
        "{"
        + ", ".join(
            f'"{key}": {text if key == name else json.dumps(value)}' for key, value in (GOOD | {name: 0}).items()
        )
        + "}"
    )


@pytest.mark.parametrize(
    "content",
    [
        f"[{GOOD_TEXT}]",
        f"\ufeff [ {GOOD_TEXT} ] \n",
        f'{{"listings": [{GOOD_TEXT}]}}',
        f'{{"source": "x", "metadata": {{"a": [1, {{}}]}}, "listings":\n[{GOOD_TEXT}], "n": 1e400}}',
    ],
)
@pytest.mark.parametrize("block_bytes", [1 << 20, 7])
def test_array_or_object_with_listings(read, content, block_bytes):
    """The records are those of the top-level array, or of the member `listings`, however the file is cut."""
    outcome = read(content, Format.JSON, block_bytes=block_bytes)
    assert outcome.accepted.select("import_index", *GOOD).rows() == [(1, "H100", 80, 350, 7, True, 28450.5, 71.4)]


@pytest.mark.parametrize(
    ("name", "text", "codes"),
    [
        ("price", "true", ["not_a_number"]),
        ("price", "1e400", ["not_finite"]),
        ("price", "1" * 400, ["not_finite"]),
        ("price", "null", ["required"]),
        ("price", '"NaN"', ["required"]),
        ("price", "[1]", ["not_a_number"]),
        ("vram_gb", "80.5", ["not_an_integer"]),
        ("vram_gb", "9" * 30, ["out_of_range"]),
        ("nvlink", "2", ["not_a_boolean"]),
        ("nvlink", '"yes"', []),
        ("price", '"$12,490.00"', []),
        ("notes", r'"\ud800"', ["invalid_encoding"]),
        ("notes", r'"\u0000"', ["invalid_encoding"]),
        ("notes", r'"\\ud800 \ud83d\ude00 \u00e9"', []),
        ("other", r'"\ud800"', []),
        ("notes", '"é😀"', []),
    ],
)
def test_values_of_json(read, name, text, codes):
    """JSON values are judged as their text: a boolean is no price, an enormous number no crash."""
    outcome = read(f"[{GOOD_TEXT}, {with_member(name, text)}]", Format.JSON)
    assert outcome.codes == ({2: codes} if codes else {})


def test_arrays_and_objects_are_their_json_text(read):
    """A value that is an array or an object is quoted as it was submitted."""
    values = ['{"a": [1.50, true]}', "[ ]"]
    outcome = read(f"[{', '.join(with_member('price', value) for value in values)}]", Format.JSON)
    assert [rejection.issues[0].value for rejection in outcome.rejections] == values


@pytest.mark.parametrize("value", ["true", "[]", '{"a": 1}'])
@pytest.mark.parametrize("name", ["canonical_model", "seller", "source_url", "seen_at"])
def test_text_fields_hold_text(read, name, value):
    """A boolean, an array or an object in a text field is an issue that names the member; a number is text."""
    outcome = read(f"[{GOOD_TEXT}, {with_member(name, value)}, {with_member('seller', '42')}]", Format.JSON)
    assert outcome.codes == {2: ["not_text"]}
    assert outcome.rejections[0].issues[0].message.startswith(f"{name} must be text")


def test_records_that_are_no_listings(read):
    """Elements that are no objects and objects with a member twice are rejections with their bytes, in their place."""
    outcome = read(f'[1, {GOOD_TEXT}, null, "x", [], {{"price": 1, "price": 2}}, {{}}]', Format.JSON)
    assert outcome.codes == {
        1: ["not_an_object"],
        3: ["not_an_object"],
        4: ["not_an_object"],
        5: ["not_an_object"],
        6: ["duplicate_member"],
        7: ["required"] * 7,
    }
    assert [rejection.raw for rejection in outcome.rejections] == [
        b"1",
        b"null",
        b'"x"',
        b"[]",
        b'{"price": 1, "price": 2}',
        b"{}",
    ]


@pytest.mark.parametrize("block_bytes", [1 << 20, 5])
def test_bytes_that_are_not_utf8(read, block_bytes):
    """A record with invalid UTF-8 is rejected with its exact bytes; its neighbours are not."""
    bad = with_member("notes", '"é!"').encode("latin-1")
    outcome = read(
        b"[" + GOOD_TEXT.encode() + b",\n" + bad + b"," + GOOD_TEXT.encode() + b"]",
        Format.JSON,
        block_bytes=block_bytes,
    )
    assert outcome.codes == {2: ["invalid_encoding"]}
    assert outcome.rejections[0].raw == bad
    assert outcome.rejections[0].encoding == "base64"


def test_columns_are_found_by_record(read):
    """Each record is read by its own members: `final_score` beats `score`, `model` counts only where it stands alone."""
    first = GOOD | {"final_score": 9, "model": "seller's text"}
    second = {key: value for key, value in GOOD.items() if key != "canonical_model"} | {"gpu_model": "A100", "extra": 1}
    third = {key: value for key, value in GOOD.items() if key != "canonical_model"} | {"model": "L40"}
    outcome = read(json.dumps([first, second, third]), Format.JSON)
    assert outcome.accepted.select("canonical_model", "score").rows() == [("H100", 9.0), ("A100", 71.4), ("L40", 71.4)]
    assert outcome.columns.mapping["final_score"] == "score"
    assert outcome.columns.mapping["model"] == "canonical_model"
    assert outcome.columns.ignored == ["extra"]
    assert outcome.columns.warning_counts == {"superseded_column": 1}


def test_numbering_over_chunks(read):
    """Records keep one numbering over chunks, and raw bytes are found by it."""
    records = [GOOD | {"price": at if at % 3 else "x"} for at in range(1, 1_000)]
    outcome = read(json.dumps(records), Format.JSON, chunk_records=10, block_bytes=300)
    assert list(outcome.codes) == list(range(3, 1_000, 3))
    assert [json.loads(rejection.raw) for rejection in outcome.rejections] == records[2::3]
    assert outcome.accepted["import_index"].to_list() == [at for at in range(1, 1_000) if at % 3]


@pytest.mark.parametrize(
    ("content", "offset", "line", "column"),
    [
        ("[1,]", 3, 1, 4),
        ("[1 2]", 3, 1, 4),
        ('[{"a": NaN}]', 7, 1, 8),
        ('[{"é": -Infinity}]', 9, 1, 10),
        ("[1", 2, 1, 3),
        ("[", 1, 1, 2),
        ("nul", 0, 1, 1),
        ('{"a": 1}', 8, 1, 9),
        ('{"listings": 1}', 13, 1, 14),
        ('{"listings": [], "listings": []}', 28, 1, 29),
        ("{1}", 1, 1, 2),
        ('{"listings": [1], 2}', 18, 1, 19),
        ("[1]\n x", 5, 2, 2),
        ('[1,\n\n"é", "abc]', 11, 3, 7),
        ("[01]", 2, 1, 3),
        ('["a\tb"]', 3, 1, 4),
        (" ", 1, 1, 2),
    ],
)
@pytest.mark.parametrize("block_bytes", [1 << 20, 3])
def test_malformed_json_says_where(read, content, offset, line, column, block_bytes):
    """A file that is not JSON is a fault with byte offset, line and column in bytes."""
    with pytest.raises(MalformedJson) as caught:
        read(content, Format.JSON, block_bytes=block_bytes)
    assert [caught.value.members[name] for name in ("offset", "line", "column")] == [offset, line, column]


def test_nested_too_deeply(read):
    """Ten thousand levels are a fault, not a crash."""
    with pytest.raises(MalformedJson, match="nested too deeply"):
        read("[" * 10_000 + "]" * 10_000, Format.JSON)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", EmptyFile),
        ("[]", EmptyFile),
        ('{"listings": []}', EmptyFile),
        ("[1]".encode("utf-16"), WrongEncoding),
        ("[1]".encode("utf-16-le"), WrongEncoding),
        (f"[{with_member('notes', json.dumps('x' * 101))}]", CellTooLarge),
        (f"[{with_member('other', json.dumps('x' * 900))}]", RecordTooLarge),
        (f"[{with_member('other', json.dumps('x' * 9000))}]", RecordTooLarge),
        (json.dumps([{f"m{at}": 1} for at in range(30)]), TooManyColumns),
    ],
)
def test_other_faults_of_a_file(read, content, fault):
    """Empty files, other encodings and enormous cells, records and member sets are faults of the file."""
    with pytest.raises(fault):
        read(content, Format.JSON, cell_bytes=100, record_bytes=500, block_bytes=1_000, columns=20)


def test_cell_too_large_names_the_record(read):
    """The fault says which record and field."""
    with pytest.raises(CellTooLarge) as caught:
        read(f"[{GOOD_TEXT}, {with_member('notes', json.dumps('é' * 60))}]", Format.JSON, cell_bytes=100)
    assert caught.value.members == {"import_index": 2, "field": "notes", "found": 120, "expected": 100}
