"""A finished pipeline run: the enriched and the scored file, joined by record position.

The enriched file has specs and price, and the seller's text under `model`; the scored one has the score, and the
canonical name under `model`. Nothing in a record says which record of the other file is its own, so that both files
must have as many records, and where both name the canonical model they must agree.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from glyphd.domain.issues import Issue, Rejection
from glyphd.domain.listing import fields_of
from glyphd.errors import FileFault, MissingColumn, PipelineModelsDisagree, PipelineRowsDiffer
from glyphd.ingest.columns import (
    HEADERS_SHOWN,
    ColumnMapping,
    Resolution,
    claimed_field,
    is_weak,
    map_columns,
    name_key,
)
from glyphd.ingest.readers.csv import CsvReader
from glyphd.ingest.readers.dialect import Dialect, find_dialect, first_block
from glyphd.ingest.readers.scan import scan_block, split_record
from glyphd.ingest.readings import SPACE
from glyphd.ingest.records import IMPORT_INDEX, Chunk, Limits

ENRICHED, SCORED = "enriched", "scored"
MODEL, SCORE = "canonical_model", "score"
_SCORED_MODEL = "model of the scored file"


@dataclass(frozen=True, slots=True)
class Pair:
    """The headers of both files, each resolved to the fields that are read from it."""

    enriched: Dialect
    scored: Dialect
    schema_version: str

    @property
    def header(self) -> list[str]:
        """The names of the columns of a joined record: those of the enriched file, then what the scored one adds."""
        names = [self.enriched.header[at] for at in self._kept_of_enriched()]
        scored = self.scored
        model = scored.resolution.fields[MODEL]
        return names + [MODEL if at == model else scored.header[at] for at in self._kept_of_scored()]

    def cells(self, raw: bytes) -> list[bytes]:
        """Return the cells of a joined record, one for each name of the header; more or fewer if it is ragged."""
        end = int(scan_block(raw, self.enriched.delimiter, final=True).ends[0])
        return [
            *_picked(split_record(raw[:end], self.enriched.delimiter), self._kept_of_enriched(), self.enriched),
            *_picked(split_record(raw[end + 1 :], self.scored.delimiter), self._kept_of_scored(), self.scored),
        ]

    def columns(self) -> ColumnMapping:
        """Return how the columns of both files map to fields."""
        enriched = map_columns(self.enriched.header, self.enriched.resolution)
        superseded = self.scored.resolution.superseded
        scored = map_columns(self.scored.header, Resolution(self._read_of_scored, superseded))
        mapping = enriched.mapping | scored.mapping
        ignored = [name for name in dict.fromkeys(enriched.ignored + scored.ignored) if name not in mapping]
        return ColumnMapping(mapping, ignored, enriched.warning_counts + scored.warning_counts, self.header)

    @property
    def _read_of_scored(self) -> dict[str, int]:
        read = self.scored.resolution.fields
        return {field: at for field, at in read.items() if field not in self.enriched.resolution.fields}

    def _kept_of_enriched(self) -> list[int]:
        """Leave out what would compete with the score of the scored file."""
        header = self.enriched.header
        return [at for at, name in enumerate(header) if claimed_field(name, self.schema_version) != SCORE]

    def _kept_of_scored(self) -> list[int]:
        known = {name_key(name, self.schema_version) for name in self.enriched.header}
        read = self._read_of_scored.values()
        return [
            at
            for at, name in enumerate(self.scored.header)
            if at in read
            or claimed_field(name, self.schema_version) == SCORE
            or (claimed_field(name, self.schema_version) is None and name_key(name, self.schema_version) not in known)
        ]


def _picked(cells: list[bytes], kept: list[int], dialect: Dialect) -> list[bytes]:
    """Return the cells of the columns that are kept, and those that have no column."""
    return [cells[at] for at in kept if at < len(cells)] + cells[len(dialect.header) :]


def read_pair(enriched: tuple[bytes, bool], scored: tuple[bytes, bool], *, schema_version: str, limits: Limits) -> Pair:
    """Read the headers of both files from the first block of each, given with whether it is all of the file.

    Raises EmptyFile, WrongEncoding, TooManyColumns, DuplicateHeader, and MissingColumn, judged over both files.
    """
    with _naming(ENRICHED):
        first = find_dialect(enriched[0], schema_version, limits, final=enriched[1])
    with _naming(SCORED):
        second = find_dialect(scored[0], schema_version, limits, final=scored[1])
    own = _reading(first, [field for field, name in _named(first) if field != SCORE and not _is_sellers(field, name)])
    taken = _reading(second, [MODEL, SCORE])
    _check_required(own, taken, schema_version)
    return Pair(own, taken, schema_version)


def _named(dialect: Dialect) -> list[tuple[str, str]]:
    return [(field, dialect.header[at]) for field, at in dialect.resolution.fields.items()]


def _is_sellers(field: str, name: str) -> bool:
    """Tell whether a column of the enriched file holds the seller's text, and no canonical model."""
    return field == MODEL and is_weak(name)


def _reading(dialect: Dialect, fields: Collection[str]) -> Dialect:
    """Return the dialect of a file of which only some fields are read; a score besides the score is superseded."""
    named, superseded = dialect.resolution.fields, dialect.resolution.superseded
    if SCORE in named and SCORE not in fields:
        superseded |= {named[SCORE]}
    return replace(dialect, resolution=Resolution({f: at for f, at in named.items() if f in fields}, superseded))


def _check_required(enriched: Dialect, scored: Dialect, schema_version: str) -> None:
    required = [field for field in fields_of(schema_version) if field.required]
    expected_in = {field.name: SCORED if field.name in {MODEL, SCORE} else ENRICHED for field in required}
    found = {ENRICHED: enriched.resolution.fields, SCORED: scored.resolution.fields}
    missing = [field for field in required if field.name not in found[expected_in[field.name]]]
    headers = enriched.header[:HEADERS_SHOWN], scored.header[:HEADERS_SHOWN]
    if missing:
        said = ", ".join(f"{field.name} (expected in the {expected_in[field.name]} file)" for field in missing)
        raise MissingColumn(
            f"Missing: {said}. The enriched file has {', '.join(headers[0])}; "
            f"the scored file has {', '.join(headers[1])}.",
            missing=[field.name for field in missing],
            files={field.name: expected_in[field.name] for field in missing},
            accepted={field.name: [field.name, *field.aliases] for field in missing},
            found=[*headers[0], *headers[1]],
            expected=[field.name for field in required],
        )


class JoinedReader:
    """Reads both files side by side, in constant memory.

    A joined record is malformed when it is in either file. Its ``raw`` is the record of the enriched file and that of
    the scored one, each as it came, with a line feed between.
    """

    def __init__(self, enriched: Path, scored: Path, *, schema_version: str, limits: Limits) -> None:
        """Read both headers. Raises as :func:`read_pair`."""
        heads = (first_block(path, limits.block_bytes) for path in (enriched, scored))
        self._pair = read_pair(*heads, schema_version=schema_version, limits=limits)
        self._enriched = CsvReader(enriched, self._pair.enriched, limits)
        self._scored = CsvReader(scored, self._pair.scored, limits)
        self._columns = self._pair.columns()

    @property
    def columns(self) -> ColumnMapping:
        """How the columns of both files map to fields."""
        return self._columns

    def __iter__(self) -> Iterator[Chunk]:
        """Yield chunks. Raises what a reader of either file does, PipelineModelsDisagree and PipelineRowsDiffer."""
        enriched, scored = _chunks(self._enriched, ENRICHED), _chunks(self._scored, SCORED)
        left, right = next(enriched, None), next(scored, None)
        while left and right:
            size = min(left.received, right.received)
            yield _joined(_first(left, size), _first(right, size))
            left = _rest(left, size) or next(enriched, None)
            right = _rest(right, size) or next(scored, None)
        if rest := left or right:
            more = rest.received + sum(chunk.received for chunk in (enriched if left else scored))
            raise _rows_differ(rest, more, longer=ENRICHED if left else SCORED)


def _chunks(reader: CsvReader, role: str) -> Iterator[Chunk]:
    with _naming(role):
        yield from reader


@contextmanager
def _naming(role: str) -> Iterator[None]:
    """Say in a fault which file it is of."""
    try:
        yield
    except FileFault as exc:
        raise type(exc)(f"In the {role} file: {exc.detail}", **exc.members, file=role) from exc


def _first(chunk: Chunk, size: int) -> Chunk:
    """Return the first records of a chunk."""
    return chunk if size == chunk.received else _between(chunk, chunk.first_index, size)


def _rest(chunk: Chunk, size: int) -> Chunk | None:
    """Return the records of a chunk after the first ``size``, if there are any."""
    left = chunk.received - size
    return _between(chunk, chunk.first_index + size, left) if left else None


def _between(chunk: Chunk, first: int, size: int) -> Chunk:
    start, stop = (int(chunk.cells[IMPORT_INDEX].search_sorted(index)) for index in (first, first + size))
    malformed = [rejection for rejection in chunk.malformed if first <= rejection.import_index < first + size]
    return replace(chunk, first_index=first, received=size, cells=chunk.cells[start:stop], malformed=malformed)


def _joined(enriched: Chunk, scored: Chunk) -> Chunk:
    cells = enriched.cells.join(
        scored.cells.rename({MODEL: _SCORED_MODEL}), on=IMPORT_INDEX, how="inner", maintain_order="left"
    )
    if MODEL not in cells.columns:
        cells = cells.with_columns(pl.col(_SCORED_MODEL).alias(MODEL))
    _check_models(cells)

    def raw(import_index: int) -> bytes:
        return enriched.raw(import_index) + b"\n" + scored.raw(import_index)

    malformed = [Rejection(index, raw(index), tuple(issues)) for index, issues in _malformed(enriched, scored)]
    done = enriched.bytes_done + scored.bytes_done
    return replace(enriched, cells=cells.drop(_SCORED_MODEL), raw=raw, malformed=malformed, bytes_done=done)


def _malformed(enriched: Chunk, scored: Chunk) -> list[tuple[int, list[Issue]]]:
    """Return what is wrong with the records that are malformed in either file, each naming the file."""
    issues: dict[int, list[Issue]] = {}
    for role, chunk in ((ENRICHED, enriched), (SCORED, scored)):
        for rejection in chunk.malformed:
            named = [replace(issue, message=f"In the {role} file: {issue.message}") for issue in rejection.issues]
            issues.setdefault(rejection.import_index, []).extend(named)
    return sorted(issues.items())


def _check_models(cells: pl.DataFrame) -> None:
    """Raise PipelineModelsDisagree for the first record whose two names of the model differ, trimmed."""
    names = [pl.col(name).str.strip_chars(SPACE) for name in (MODEL, _SCORED_MODEL)]
    differing = cells.select(IMPORT_INDEX, *names).filter(pl.col(MODEL).ne_missing(pl.col(_SCORED_MODEL)))
    if differing.height:
        index, enriched, scored = differing.row(0)
        raise PipelineModelsDisagree(
            f"Record {index} is {enriched!r} in the enriched file and {scored!r} in the scored file.",
            import_index=index,
            found={ENRICHED: enriched, SCORED: scored},
            expected="the same model in the same record of both files",
        )


def _rows_differ(rest: Chunk, more: int, *, longer: str) -> PipelineRowsDiffer:
    last = rest.first_index - 1
    shorter = SCORED if longer == ENRICHED else ENRICHED
    models = rest.cells.filter(pl.col(IMPORT_INDEX) == rest.first_index).to_dicts()
    return PipelineRowsDiffer(
        f"The {shorter} file ends after {last} records, the {longer} file has {last + more}: record {last + 1} is only "
        f"in the {longer} file.",
        import_index=last + 1,
        found={longer: models[0].get(MODEL) if models else None, shorter: None},
        records={longer: last + more, shorter: last},
        expected="as many records in both files",
    )
