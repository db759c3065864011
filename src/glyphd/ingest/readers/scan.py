"""Where the records of a block of CSV begin and end, and how many cells each has.

pyarrow parses fast but tells neither the position of a record nor its bytes, so this scan runs before it (0.4 s per
1M records of 15 columns). Both agree with the standard library's `csv`, as property tests hold:

- a quote opens a quoted cell only at the very start of a cell; anywhere else it is a literal character;
- in a quoted cell two quotes are one, and text after the closing quote belongs to the cell;
- a record ends at LF, CRLF or a lone CR outside quotes.
"""

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Positions = NDArray[np.int64]

_LF, _CR, _QUOTE = 10, 13, 34


@dataclass(frozen=True, slots=True)
class Scan:
    """The complete records of a block: ``starts`` and ``ends`` (byte positions, without terminator) and ``cells``.

    ``consumed`` bytes are covered; what follows belongs to the next block. ``open_quote`` is where the quote opened
    in which the block ends, or None.
    """

    starts: Positions
    ends: Positions
    cells: Positions
    consumed: int
    open_quote: int | None


def scan_block(block: bytes, delimiter: int, *, final: bool) -> Scan:
    """Scan a block that begins at the start of a record. ``final``: the file ends with it."""
    array = np.frombuffer(block, dtype=np.uint8)
    marks = _marks(array, delimiter, quotes=b'"' in block, carriage_returns=b"\r" in block, final=final)
    kinds = array[marks]
    if (quotes := kinds == _QUOTE).any():
        inside = np.cumsum(quotes) & 1
        if not _quotes_are_plain(array, marks[quotes], delimiter):
            return _scan_exactly(block, delimiter, final=final)
        outside = (inside == 0) & ~quotes
        open_quote = _open_quote(marks[quotes]) if inside[-1] else None
        marks, kinds = marks[outside], kinds[outside]
    else:
        open_quote = None
    return _records(array, marks, kinds != delimiter, open_quote, final=final)


def _marks(array: NDArray[np.uint8], delimiter: int, *, quotes: bool, carriage_returns: bool, final: bool) -> Positions:
    """Return the positions of delimiters, quotes and record terminators (a CRLF is one, at its LF)."""
    mask = array == delimiter
    mask |= array == _LF
    if quotes:
        mask |= array == _QUOTE
    if carriage_returns:
        lone = array == _CR
        lone[:-1] &= array[1:] != _LF
        lone[-1] &= final  # an LF may follow in the next block
        mask |= lone
    return np.flatnonzero(mask)


def _quotes_are_plain(array: NDArray[np.uint8], quotes: Positions, delimiter: int) -> bool:
    """Tell whether counting quotes is enough: each opens at the start of a cell, closes at its end, or is doubled."""
    opening, closing = quotes[0::2], quotes[1::2]
    before = array[np.maximum(opening - 1, 0)]
    starts_cell = (opening == 0) | (before == delimiter) | (before == _LF) | (before == _CR) | (before == _QUOTE)
    last = array.size - 1
    after = array[np.minimum(closing + 1, last)]
    ends_cell = (closing == last) | (after == delimiter) | (after == _LF) | (after == _CR) | (after == _QUOTE)
    return bool(starts_cell.all() and ends_cell.all())


def _open_quote(quotes: Positions) -> int:
    """Return where the last quoted cell opened: the last opening quote that does not merely double a closing one."""
    opening, closing = quotes[0::2], quotes[1::2]
    opens_cell = np.append(True, opening[1:] - 1 != closing[: opening.size - 1])
    return int(opening[np.flatnonzero(opens_cell)[-1]])


def _records(
    array: NDArray[np.uint8], marks: Positions, terminates: NDArray[np.bool_], open_quote: int | None, *, final: bool
) -> Scan:
    order = np.flatnonzero(terminates)
    terminators = marks[order]
    consumed = int(terminators[-1]) + 1 if terminators.size else 0
    cells = np.diff(order, prepend=-1)
    starts = np.concatenate(([0], terminators[:-1] + 1)) if terminators.size else terminators
    previous = array[np.maximum(terminators - 1, 0)]
    crlf = (array[terminators] == _LF) & (previous == _CR) & (terminators > starts)
    ends = terminators - crlf
    if final and consumed < array.size and open_quote is None:
        starts = np.append(starts, consumed)
        ends = np.append(ends, array.size)
        cells = np.append(cells, marks.size - (order[-1] + 1 if order.size else 0) + 1)
        consumed = array.size
    return Scan(starts, ends, cells, consumed, open_quote)


def _scan_exactly(block: bytes, delimiter: int, *, final: bool) -> Scan:
    """Scan cell by cell, about 20 times slower: for blocks with quotes that counting would misread."""
    found: list[tuple[int, int, int]] = []
    start = position = 0
    cells = 0
    match_cell = _cell_pattern(delimiter).match
    while position < len(block) or cells:
        match = match_cell(block, position)
        if match is None:  # the quoted cell that begins here is not closed in this block
            return _from_list(found, start, position)
        cells, end = cells + 1, match.end()
        if end == len(block) or (block[end] == _CR and end + 1 == len(block)):
            if not final:
                break
        elif block[end] == delimiter:
            position = end + 1
            continue
        found.append((start, end, cells))
        start = position = min(end + (2 if block[end : end + 2] == b"\r\n" else 1), len(block))
        cells = 0
    return _from_list(found, start, None)


@cache
def _cell_pattern(delimiter: int) -> re.Pattern[bytes]:
    separator = re.escape(bytes([delimiter]))
    return re.compile(rb'(?:"(?:[^"]++|"")*+"|(?!"))[^' + separator + rb"\r\n]*+")


def _from_list(found: list[tuple[int, int, int]], consumed: int, open_quote: int | None) -> Scan:
    table = np.array(found, dtype=np.int64).reshape(-1, 3)
    return Scan(table[:, 0], table[:, 1], table[:, 2], consumed, open_quote)


def split_record(record: bytes, delimiter: int) -> list[bytes]:
    """Return the cells of one record, unquoted. An unclosed quoted cell runs to the end of the record."""
    cells: list[bytes] = []
    position = 0
    match_cell = _cell_pattern(delimiter).match
    while True:
        match = match_cell(record, position)
        end = match.end() if match else len(record)
        cells.append(_unquote(record[position:end]))
        if end >= len(record):
            return cells
        position = end + 1


def _unquote(cell: bytes) -> bytes:
    if not cell.startswith(b'"'):
        return cell
    closing = _QUOTED.match(cell)
    if closing is None:
        return cell[1:].replace(b'""', b'"')
    return cell[1 : closing.end() - 1].replace(b'""', b'"') + cell[closing.end() :]


_QUOTED = re.compile(rb'"(?:[^"]++|"")*+"')
