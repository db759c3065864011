# ruff: noqa: D103, PT017
"""The CSV reader against the standard library's `csv`, and its own books: every record counted exactly once."""

import csv
import io
import tempfile
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from glyphd.errors import FileFault
from glyphd.ingest.media_types import Format
from glyphd.ingest.readers import open_records
from glyphd.ingest.readers.scan import scan_block, split_record
from glyphd.ingest.records import Limits

HEADER = ["canonical_model", "vram_gb", "tdp_watts", "mig_support", "nvlink", "price", "score"]

cell_text = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=8)
nasty_cell = st.text(st.sampled_from("a\"',;|\t\r\n \u00e9\ufeff"), max_size=6) | cell_text
rows = st.lists(st.lists(nasty_cell, min_size=7, max_size=7), min_size=1, max_size=12)


def read(content: bytes, **limits: int):
    """Return (cells as rows by import_index, rejections, received)."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file.csv"
        path.write_bytes(content)
        cells, malformed, received = {}, [], 0
        for chunk in open_records(path, Format.CSV, schema_version="v1.1", limits=Limits(**limits)):
            assert chunk.first_index == received + 1
            received += chunk.received
            for row in chunk.cells.select("import_index", *HEADER).iter_rows():
                cells[row[0]] = (list(row[1:]), chunk.raw(row[0]))
            malformed += chunk.malformed
        return cells, malformed, received


def is_blank(record: list[str]) -> bool:
    return len(record) < 2 and not "".join(record).strip(" \t\n\r\x0b\x0c")


@settings(max_examples=150, deadline=None)
@given(
    rows=rows,
    delimiter=st.sampled_from(",;\t|"),
    # before Python 3.13 a lone CR was not quoted when lines end in LF
    ends=st.sampled_from([("\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_ALL), ("\r\n", csv.QUOTE_MINIMAL)]),
    block=st.integers(80, 400),
)
def test_what_csv_writes_is_read_back(rows, delimiter, ends, block):
    """Cells written by csv.writer come back as they were, whatever the size of a block."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=ends[0], quoting=ends[1])
    writer.writerows([HEADER, *rows])
    cells, malformed, received = read(text.getvalue().encode(), block_bytes=block, chunk_records=3)
    assert malformed == []
    assert received == len(rows)
    assert [cells[index][0] for index in sorted(cells)] == rows


@settings(max_examples=300, deadline=None)
@given(body=st.text(st.sampled_from('a1",\r\n \u00e9'), max_size=60), block=st.integers(80, 200))
def test_any_text_is_read_as_csv_reads_it(body, block):
    """Records, their number and their cells are those of the standard library, for any text."""
    text = ",".join(HEADER) + "\n" + body
    parsed = list(csv.reader(io.StringIO(text, newline="")))[1:]
    expected = [record for record in parsed if not is_blank(record)]
    # `""` alone in a line is a record, but csv does not tell it from a line of spaces
    assume('"' not in body or not any(len(record) == 1 and is_blank(record) for record in parsed))
    try:
        cells, malformed, received = read(text.encode(), block_bytes=block, chunk_records=4)
    except FileFault as fault:
        assert fault.code == "unterminated_quote" or (fault.code == "empty_file" and not expected)
        return
    assert received == len(expected) == len(cells) + len(malformed)
    ragged = {rejection.import_index for rejection in malformed}
    assert ragged == {index for index, record in enumerate(expected, 1) if len(record) != 7}
    assert {index: cell for index, (cell, _) in cells.items()} == {
        index: record for index, record in enumerate(expected, 1) if len(record) == 7
    }


@settings(max_examples=200, deadline=None)
@given(body=st.binary(max_size=120), block=st.integers(80, 200))
def test_random_bytes_are_counted_once(body, block):
    """Every record of arbitrary bytes is either cells or a rejection, and its raw bytes are in the file."""
    try:
        cells, malformed, received = read(",".join(HEADER).encode() + b"\n" + body, block_bytes=block)
    except FileFault:
        return
    indices = sorted([*cells, *(rejection.import_index for rejection in malformed)])
    assert indices == list(range(1, received + 1))
    for raw in [*(raw for _, raw in cells.values()), *(rejection.raw for rejection in malformed)]:
        assert raw in body


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from('ab",\r\n'), min_size=1, max_size=40))
def test_cells_of_a_record_are_those_of_csv(text):
    """Scanned records split into the cells that csv finds."""
    block = text.encode()
    scan = scan_block(block, ord(","), final=True)
    if scan.open_quote is not None:
        return
    records = [block[start:end] for start, end in zip(scan.starts, scan.ends, strict=True)]
    cells = [[cell.decode() for cell in split_record(record, ord(","))] for record in records]
    assert [len(record) for record in cells] == scan.cells.tolist()
    assert [[] if record == [""] else record for record in cells] == [
        [] if record == [""] else record for record in csv.reader(io.StringIO(text, newline=""))
    ]
