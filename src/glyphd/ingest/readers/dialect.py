"""How a CSV file is written: its encoding, its delimiter, and the header with the columns that are read."""

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE, BOM_UTF32_BE, BOM_UTF32_LE
from dataclasses import dataclass
from pathlib import Path

from glyphd.errors import EmptyFile, NulByte, RecordTooLarge, TooManyColumns, UnterminatedQuote, WrongEncoding
from glyphd.ingest.columns import Resolution, check_duplicates, check_required, resolve_columns
from glyphd.ingest.readers.locate import count_lines
from glyphd.ingest.readers.scan import scan_block, split_record
from glyphd.ingest.records import Limits

DELIMITERS = b",;\t|"
"""Tried on the header, most usual first. `csv.Sniffer` guesses from the data, and guessed letters in real files."""

_HEAD_BYTES = 65_536

# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16
_FOREIGN_BOMS = {
    BOM_UTF32_LE: "UTF-32 (little endian)",
    BOM_UTF32_BE: "UTF-32 (big endian)",
    BOM_UTF16_LE: "UTF-16 (little endian)",
    BOM_UTF16_BE: "UTF-16 (big endian)",
}


# of the first four bytes: 0 where one is NUL, 1 where it is not
_NUL_PATTERNS = {
    b"\1\0\0\0": "UTF-32 (little endian)",
    b"\0\0\0\1": "UTF-32 (big endian)",
    b"\1\0\1\0": "UTF-16 (little endian)",
    b"\0\1\0\1": "UTF-16 (big endian)",
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """``body`` is the byte offset of the first line after the header, ``line`` the header's 1-based line."""

    delimiter: int
    header: list[str]
    resolution: Resolution
    body: int
    line: int

    def cells(self, raw: bytes) -> list[bytes]:
        """Return the cells of a record, one for each name of the header; more or fewer if it is ragged."""
        return split_record(raw, self.delimiter)


def check_encoding(head: bytes) -> None:
    """Raise WrongEncoding when the first bytes of a file are UTF-16 or UTF-32, with or without a byte order mark."""
    found = next((name for bom, name in _FOREIGN_BOMS.items() if head.startswith(bom)), None) or _by_nul_pattern(head)
    if found:
        raise WrongEncoding(f"The file is {found}; save it as UTF-8.", line=1, column=1, found=found, expected="UTF-8")


def _by_nul_pattern(head: bytes) -> str | None:
    """Tell the encoding of ASCII text in wide characters by where its NUL bytes are."""
    return _NUL_PATTERNS.get(bytes(byte and 1 for byte in head[:4]))


def first_block(path: Path, size: int) -> tuple[bytes, bool]:
    """Return the first bytes of a file, and whether they are all of it."""
    with path.open("rb") as file:
        head = file.read(size)
    return head, path.stat().st_size == len(head)


def read_dialect(head: bytes, schema_version: str, limits: Limits, *, final: bool) -> Dialect:
    """Find delimiter and header in the first block of a file of listings. ``final``: the block is the whole file.

    Raises EmptyFile, WrongEncoding, RecordTooLarge, TooManyColumns, DuplicateHeader or MissingColumn.
    """
    dialect = find_dialect(head, schema_version, limits, final=final)
    check_required(dialect.header, dialect.resolution, schema_version, dialect.line)
    return dialect


def find_dialect(head: bytes, schema_version: str, limits: Limits, *, final: bool) -> Dialect:
    """Do as :func:`read_dialect` does, whatever columns the file lacks."""
    check_encoding(head)
    start = len(BOM_UTF8) if head.startswith(BOM_UTF8) else 0
    while head[start : start + 1].isspace():
        start += 1
    if start == len(head):
        raise empty_file("The file is empty." if not head else "The file holds only blank lines.", found="nothing")
    candidates = [_read_header(head, start, delimiter, schema_version, final=final) for delimiter in DELIMITERS]
    dialect = max(candidates, key=lambda candidate: (len(candidate.resolution.fields), len(candidate.header) > 1))
    if len(dialect.header) > limits.columns:
        raise TooManyColumns(
            f"The header has {len(dialect.header)} columns; at most {limits.columns} are accepted.",
            line=dialect.line,
            column=limits.columns + 1,
            found=len(dialect.header),
            expected=limits.columns,
        )
    if (nul := head.find(0, start, dialect.body)) >= 0:
        column = 1 + _cell_of(head[start : dialect.body], dialect.delimiter, nul - start)
        raise NulByte(
            f"There is a NUL byte in column {column} of the header.",
            line=dialect.line,
            column=column,
            found="NUL",
            expected="text",
        )
    check_duplicates(dialect.header, schema_version, dialect.line)
    return dialect


def empty_file(detail: str, *, found: str, line: int = 1) -> EmptyFile:
    """Return the fault of a file without a record."""
    return EmptyFile(detail, line=line, column=1, found=found, expected="a header and at least one record")


def _cell_of(record: bytes, delimiter: int, position: int) -> int:
    """Return how many cells lie before a position of a record."""
    return len(split_record(record[: position + 1].rstrip(b"\0") + b"x", delimiter)) - 1


def _read_header(head: bytes, start: int, delimiter: int, schema_version: str, *, final: bool) -> Dialect:
    line = 1 + count_lines(head[:start])
    end, body = _first_record(head, start, delimiter, final=final, line=line)
    try:
        header = [cell.decode() for cell in split_record(head[start:end], delimiter)]
    except UnicodeDecodeError as exc:
        found = f"byte 0x{exc.object[exc.start]:02x}"
        raise WrongEncoding(
            f"The header holds {found}, which is not valid UTF-8; save the file as UTF-8.",
            line=line,
            column=head.count(delimiter, start, end) and 1 + _cells_before(head[start:end], delimiter),
            found=found,
            expected="UTF-8",
        ) from exc
    return Dialect(delimiter, header, resolve_columns(header, schema_version), body, line)


def _cells_before(record: bytes, delimiter: int) -> int:
    cells = split_record(record, delimiter)
    return next(number for number, cell in enumerate(cells) if not _is_utf8(cell))


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def _first_record(head: bytes, start: int, delimiter: int, *, final: bool, line: int) -> tuple[int, int]:
    """Return where the record at ``start`` ends and where the next line begins."""
    for size in (_HEAD_BYTES, len(head)):
        block = head[start : start + size]
        last = final and start + size >= len(head)
        scan = scan_block(block, delimiter, final=last)
        if scan.ends.size:
            body = scan.starts[1] if scan.starts.size > 1 else scan.consumed
            return start + int(scan.ends[0]), start + int(body)
    if final and scan.open_quote is not None:
        column = 1 + head.count(delimiter, start, start + scan.open_quote)
        raise UnterminatedQuote(
            f"The quote that opens in column {column} of the header is never closed.",
            line=line,
            column=column,
            found="end of file",
            expected='a closing "',
        )
    raise RecordTooLarge(
        f"The header does not end within {len(head)} bytes.",
        line=line,
        column=1,
        found=f"over {len(head)} bytes",
        expected="the end of a line",
    )
