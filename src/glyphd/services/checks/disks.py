"""Check the disks of the database and the artifacts for free space."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from glyphd.domain.findings import Check, Finding, Level, spoken_bytes
from glyphd.services.context import Context

LITTLE_SPACE, NO_SPACE = 5 << 30, 1 << 30
"""Bytes free below which it is a warning, a problem. An import takes 3.3 times its file: once as the artifact and 2.3
times in the database (measured: 1M rows of 14 columns, 187 + 423 MB). So there is room for a file of 1.5 or 0.3 GiB."""


def check_disks(context: Context) -> Iterator[Finding]:
    """Yield one finding a disk; the database may lie on another machine."""
    places = {"the database": context.database.location, "the artifacts": context.artifacts.location}
    disks: dict[int, tuple[Path, list[str]]] = {}
    for name, place in places.items():
        if place is not None:
            there = next(path for path in (place.absolute(), *place.absolute().parents) if path.exists())
            disks.setdefault(there.stat().st_dev, (there, []))[1].append(name)
    for there, names in disks.values():
        yield _space(there, " and ".join(names))


def _space(there: Path, names: str) -> Finding:
    usage = shutil.disk_usage(there)
    said = f"The disk of {names} has {spoken_bytes(usage.free)} of {spoken_bytes(usage.total)} free ({there})."
    if usage.free >= LITTLE_SPACE:
        return Finding(Check.DISK, Level.OK, said)
    level = Level.PROBLEM if usage.free < NO_SPACE else Level.WARNING
    return Finding(
        Check.DISK, level, said, "Make room on it, or move to a larger one: an import takes 3.3 times its file."
    )
