"""What makes a whole CSV file unreadable, each with its place."""

import pytest

from glyphd.errors import (
    CellTooLarge,
    DuplicateHeader,
    EmptyFile,
    MissingColumn,
    NulByte,
    RecordTooLarge,
    TooManyColumns,
    UnterminatedQuote,
    WrongEncoding,
)

HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score"
GOOD = "H100_PCIE_80GB,80,350,7,True,28450.00,71.4"
WIDE = f"{HEADER},notes"


@pytest.mark.parametrize(
    ("content", "fault", "line", "column"),
    [
        (b"", EmptyFile, 1, 1),
        (b"\n \r\n\n", EmptyFile, 1, 1),
        (b"\xef\xbb\xbf", EmptyFile, 1, 1),
        (f"{HEADER}\n\n\n".encode(), EmptyFile, 1, 1),
        (HEADER.encode(), EmptyFile, 1, 1),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16"), WrongEncoding, 1, 1),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16-le"), WrongEncoding, 1, 1),
        (f"{HEADER}\n{GOOD}\n".encode("utf-16-be"), WrongEncoding, 1, 1),
        (f"{HEADER}\n{GOOD}\n".encode("utf-32"), WrongEncoding, 1, 1),
        (f"{HEADER}\n{GOOD}\n".encode("utf-32-le"), WrongEncoding, 1, 1),
        (f"{HEADER}\n{GOOD}\n".encode("utf-32-be"), WrongEncoding, 1, 1),
        (f"{HEADER},größe\n{GOOD},1\n".encode("latin-1"), WrongEncoding, 1, 8),
        (f"{HEADER}\n{GOOD}\n{GOOD[:-1]}\0\n".encode(), NulByte, 3, 7),
        (f"{HEADER}\r\n{GOOD}\r\nA,\0\r\n".encode(), NulByte, 3, 2),
        (f"a\0b,{HEADER}\n1,{GOOD}\n".encode(), NulByte, 1, 1),
        (f"{HEADER},a\0b\n{GOOD},1\n".encode(), NulByte, 1, 8),
        (f'"{HEADER}\n{GOOD}\n'.encode(), UnterminatedQuote, 1, 1),
        (f'{HEADER},"x\n{GOOD},1\n'.encode(), UnterminatedQuote, 1, 8),
        (f'{WIDE}\n{GOOD},"two\nlines"\n{GOOD},"never ""closed""\n{GOOD},x\n'.encode(), UnterminatedQuote, 4, 8),
        (f'{HEADER}\nA 5" card,"{GOOD}\n'.encode(), UnterminatedQuote, 2, 2),
        (f"{WIDE}\n\n{GOOD},{'x' * 101}\n".encode(), CellTooLarge, 3, 8),
        (f"{WIDE}\n{GOOD},{'x' * 9_000}\n".encode(), CellTooLarge, 2, 8),
        (f'{WIDE}\n{GOOD},"{"x" * 9_000}"\n'.encode(), CellTooLarge, 2, 8),
        (f'{WIDE}\n{GOOD},"{"x" * 9_000}""""'.encode(), UnterminatedQuote, 2, 8),
        (f'{WIDE}\n{GOOD},"{"x" * 9_000}""{"x" * 9_000}'.encode(), UnterminatedQuote, 2, 8),
        (f"{HEADER}\n{'x,' * 2_500}\n".encode(), RecordTooLarge, 2, 1),
        (f"{HEADER}\n{'x,' * 260}\n".encode(), RecordTooLarge, 2, 1),
        (f"{HEADER},{','.join(f'c{i}' for i in range(20))}\n".encode(), TooManyColumns, 1, 21),
        (f"\n{HEADER},VRAM GB\n{GOOD},1\n".encode(), DuplicateHeader, 2, 8),
        (f"{HEADER},Title,title \n{GOOD},1,1\n".encode(), DuplicateHeader, 1, 9),
        (b"x" * 5_000, RecordTooLarge, 1, 1),
    ],
)
def test_faults_say_where_they_are(read, content, fault, line, column):
    """Each fault of a file carries the physical line and the column."""
    with pytest.raises(fault) as caught:
        read(content, block_bytes=1_000, cell_bytes=100, record_bytes=500, columns=20)
    members = caught.value.members
    assert (members["line"], members["column"]) == (line, column)
    assert {"found", "expected"} <= set(members)


def test_faults_name_the_header(read):
    """A fault in a cell says what its column is called, in its members and in its text."""
    with pytest.raises(NulByte) as caught:
        read(f"{HEADER}\nA,\0")
    assert caught.value.members["header"] == "vram_gb"
    assert caught.value.detail == "There is a NUL byte in line 2, column 2 (vram_gb)."


def test_duplicate_header_says_both_places(read):
    """Two columns under one name: both positions and both spellings."""
    with pytest.raises(DuplicateHeader) as caught:
        read(f"{HEADER},VRAM_GB\n")
    assert caught.value.members["columns"] == [2, 8]
    assert caught.value.members["found"] == ["vram_gb", "VRAM_GB"]


def test_missing_columns_are_all_named(read):
    """A file without required columns says all of them, what it has, and what else would do."""
    with pytest.raises(MissingColumn) as caught:
        read("canonical_model,vram,price_usd\nA,1,1\n")
    assert caught.value.members["missing"] == ["vram_gb", "tdp_watts", "mig_support", "nvlink", "score"]
    assert caught.value.members["found"] == ["canonical_model", "vram", "price_usd"]
    assert "score is also read from final_score, Composite_Score" in caught.value.detail


def test_faults_late_in_the_file_are_found(read):
    """A fault behind thousands of good records is told with its physical line, over quoted newlines and blank lines."""
    lines = [f'{GOOD},"a\nb"' if at % 7 == 0 else f"{GOOD},\n" for at in range(700)]
    content = "\n".join([WIDE, *lines, f"{GOOD},\0"])
    with pytest.raises(NulByte) as caught:
        read(content, block_bytes=4_096)
    assert caught.value.members["line"] == content[: content.index("\0")].count("\n") + 1


def test_crlf_cut_by_the_reading_window_is_one_line_end(read, monkeypatch):
    """Lines are counted alike wherever the reading of the file is cut."""
    content = f"{HEADER}\r\n" + f"{GOOD}\r\n" * 50 + "\0"
    for size in (1, 2, 3, 7):
        monkeypatch.setattr("glyphd.ingest.readers.locate._READ_BYTES", size)
        with pytest.raises(NulByte) as caught:
            read(content)
        assert caught.value.members["line"] == 52


def test_quoted_run_at_the_edge_of_the_window(read, monkeypatch):
    """Whether an enormous quoted cell is closed is found whatever the window cuts."""
    monkeypatch.setattr("glyphd.ingest.readers.faults._READ_BYTES", 1)
    for ending, fault in (
        ('"""\n', CellTooLarge),
        ('""\n', UnterminatedQuote),
        ('"', CellTooLarge),
        ('""""', UnterminatedQuote),
    ):
        with pytest.raises(fault):
            read(f'{WIDE}\n{GOOD},"{"x" * 3_000}{ending}', block_bytes=1_000, cell_bytes=100, record_bytes=500)
