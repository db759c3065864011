"""What makes a whole CSV file unreadable, told with its place."""

import re

from glyphd.errors import CellTooLarge, FileFault, NulByte, RecordTooLarge, UnterminatedQuote
from glyphd.ingest.readers.locate import Block, Place
from glyphd.ingest.readers.scan import Scan, split_record
from glyphd.ingest.records import Limits

_READ_BYTES = 8 << 20
_QUOTE_RUNS = re.compile(rb'"+')


def check_nul(block: Block) -> None:
    """Raise NulByte: databases and C libraries end text there."""
    position = block.text.find(0)
    if position >= 0:
        place = block.place(position)
        raise NulByte(f"There is a NUL byte in {place}.", **place.members(), found="NUL", expected="text")


def check_sizes(block: Block, scan: Scan, limits: Limits) -> None:
    """Raise CellTooLarge or RecordTooLarge for the complete records of a block."""
    large = (scan.ends - scan.starts) > min(limits.cell_bytes, limits.record_bytes)
    for start, end in zip(scan.starts[large].tolist(), scan.ends[large].tolist(), strict=True):
        _check_record(block, start, end, limits)


def check_remainder(block: Block, scan: Scan, limits: Limits, *, final: bool) -> None:
    """Raise for the record that a block ends in: a quote that is never closed, or more than a record may hold."""
    if scan.open_quote is not None and (final or len(block.text) - scan.consumed > limits.record_bytes):
        if final or not _is_closed_later(block, scan.open_quote):
            raise _unterminated_quote(block, scan.open_quote)
        raise _cell_too_large(block.place(scan.open_quote), len(block.text) - scan.open_quote, limits)
    if len(block.text) - scan.consumed > limits.record_bytes:
        _check_record(block, scan.consumed, len(block.text), limits)


def _check_record(block: Block, start: int, end: int, limits: Limits) -> None:
    record = block.text[start:end]
    cells = split_record(record, block.delimiter)
    for column, cell in enumerate(cells, start=1):
        if len(cell) > limits.cell_bytes:
            raise _cell_too_large(block.place(start, column), len(cell), limits)
    if len(record) > limits.record_bytes:
        place = block.place(start)
        raise RecordTooLarge(
            f"The record in line {place.line} has more than {limits.record_bytes} bytes.",
            **place.members(),
            found=len(record),
            expected=limits.record_bytes,
        )


def _cell_too_large(place: Place, size: int, limits: Limits) -> FileFault:
    return CellTooLarge(
        f"The cell in {place} has more than {limits.cell_bytes} bytes.",
        **place.members(),
        found=size,
        expected=limits.cell_bytes,
    )


def _unterminated_quote(block: Block, position: int) -> FileFault:
    place = block.place(position)
    return UnterminatedQuote(
        f"The quote that opens in {place} is never closed.",
        **place.members(),
        found="end of file",
        expected='a closing "',
    )


def _is_closed_later(block: Block, open_quote: int) -> bool:
    """Look through the rest of the file for the quote that closes the cell: a run of quotes of odd length."""
    run = 0
    with block.path.open("rb") as file:
        file.seek(block.offset + open_quote + 1)
        while text := file.read(_READ_BYTES):
            body = text.lstrip(b'"')
            run += len(text) - len(body)
            if not body:
                continue
            if run % 2:
                return True
            trimmed = body.rstrip(b'"')
            if any(len(quotes) % 2 for quotes in _QUOTE_RUNS.findall(trimmed)):
                return True
            run = len(body) - len(trimmed)
    return run % 2 == 1
