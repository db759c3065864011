"""A lake: a folder of Parquet files, one an import, partitioned as Hive does it, kept up to what is visible."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq

from glyphd.cli.installation import Installation
from glyphd.cli.writing import write_whole
from glyphd.domain.imports import ImportFilters
from glyphd.domain.report import ExportFormat, ImportReport
from glyphd.errors import MalformedRequest

MARKER = "_glyphd.json"
"""Says that a folder is a lake, and of what. Engines leave out files whose names begin so."""

_FILE = "part-0.parquet"
_MOST_IMPORTS = 1_000_000


@dataclass(frozen=True, slots=True)
class LakeChange:
    """What bringing a lake up to date did, in imports. ``skipped`` were taken out or back while they were written.

    One whose file was damaged is ``added`` again.
    """

    added: int
    removed: int
    kept: int
    skipped: int


def update_lake(installation: Installation, folder: Path, source: str | None) -> LakeChange:
    """Write what is visible and not there yet, and remove what is there and not visible any more.

    An import's rows never change, so that a file that is there is not written again, unless its footer is damaged or
    tells of other rows. What is no longer visible goes first: a reader meanwhile may miss rows, and never has them
    twice. Raises MalformedRequest for a folder that is no lake, or one of something else.
    """
    try:
        _claim(folder, source)
        visible = installation.imports(ImportFilters(source=source, visible=True), _MOST_IMPORTS)
        wanted = {_file_of(folder, report): report for report in visible}
        removed = _remove(folder, wanted)
        missing = {file: report for file, report in wanted.items() if not _holds(file, report)}
        added = sum(_write(installation, file, report) for file, report in missing.items())
    except OSError as exc:
        raise MalformedRequest(f"{folder} cannot be written: {exc.strerror}.") from exc
    return LakeChange(added, removed, len(wanted) - len(missing), len(missing) - added)


def _claim(folder: Path, source: str | None) -> None:
    """Make sure that everything in a folder is ours to remove."""
    marker, about = folder / MARKER, {"source": source}
    if marker.exists():
        if (found := _read(marker)) != about:
            raise MalformedRequest(f"{folder} is the lake of another query, {json.dumps(found)}: name another folder.")
        return
    if folder.exists() and any(folder.iterdir()):
        raise MalformedRequest(f"{folder} is not empty and no lake: name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    write_whole([json.dumps(about).encode()], marker)


def _read(marker: Path) -> object:
    try:
        found: object = json.loads(marker.read_bytes())
    except ValueError:
        return None
    return found


def _file_of(folder: Path, report: ImportReport) -> Path:
    """Return where an import is: names of partitions are percent-encoded, as Hive has them."""
    return folder / f"source={quote(report.source, safe='')}" / f"import_id={quote(report.import_id, safe='')}" / _FILE


def _remove(folder: Path, wanted: Mapping[Path, ImportReport]) -> int:
    """Remove files that are not wanted, and what a killed run left behind."""
    removed = 0
    for partition in folder.glob("source=*/import_id=*"):
        for file in partition.iterdir():
            if file not in wanted and file.name.startswith((_FILE, f".{_FILE}-")):
                file.unlink()
                removed += file.name == _FILE
        if not any(partition.iterdir()):
            partition.rmdir()
    for partition in folder.glob("source=*"):
        if not any(partition.iterdir()):
            partition.rmdir()
    return removed


def _write(installation: Installation, file: Path, report: ImportReport) -> bool:
    """Write an import; tell whether it was there, all of it, when it was read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    portions = installation.export(ExportFormat.PARQUET, {"import_id": report.import_id})
    return write_whole(portions, file, lambda written: _holds(written, report))


def _holds(file: Path, report: ImportReport) -> bool:
    """Tell whether a file is there and whole, by its footer, and has the rows of an import."""
    try:
        footer = pq.read_metadata(file)
    except (pa.ArrowException, OSError):  # not there, broken off, or something else
        return False
    return int(footer.num_rows) == report.count and _imports_named(footer) <= {report.import_id}


def _imports_named(footer: pq.FileMetaData) -> set[str]:
    """Return the least and greatest import_id of each row group, as far as the footer tells them whole."""
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    columns = [group.column(number) for group in groups for number in range(group.num_columns)]
    known = [each.statistics for each in columns if each.path_in_schema == "import_id" and each.is_stats_set]
    return {bound for each in known if each.has_min_max for bound in (each.min, each.max)}
