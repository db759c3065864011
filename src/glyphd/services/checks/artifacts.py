"""Check the artifact store: whether it can be written, and whether it holds what the ledger names."""

from collections.abc import Iterator

from glyphd.domain.findings import Check, Finding, Level, Names, spoken_bytes
from glyphd.services.context import Context
from glyphd.store import health

_PAGE = 1_000


def check_artifact_folder(context: Context) -> Iterator[Finding]:
    """Write a file that goes again, and look for what nobody will finish any more."""
    with context.artifacts.writing() as writer:
        writer.write(b"doctor")
        writer.flush()
    folder = context.artifacts.location
    yield Finding(Check.ARTIFACTS, Level.OK, f"{folder} can be written.")
    if stale := len(context.artifacts.stale()):
        said = f"Uploads and runs that ended over a day ago left {stale} of their files in {folder}."
        yield Finding(Check.ARTIFACTS, Level.WARNING, said, "Start a worker anew: each removes them when it starts.")


def compare_artifacts(context: Context) -> Iterator[Finding]:
    """Compare the ledger with the folder, by size: the digest is compared before each run."""
    folder = context.artifacts.location
    missing, changed, total, expected = Names(), Names(), 0, 0
    for sha256, size in _artifacts_of_the_ledger(context):
        found = context.artifacts.size_of(sha256)
        total, expected = total + 1, expected + size
        if found is None:
            missing.add(sha256)
        elif found != size:
            changed.add(f"{sha256} ({found} bytes, not {size})")
    advice = f"Restore {folder} from a backup, or import the same files again, which puts their bytes back."
    if missing.count:
        said = f"Of the ledger's artifacts, {missing.count} of {total} are missing from {folder}: {missing}."
        yield Finding(Check.ARTIFACTS, Level.PROBLEM, said, advice)
    if changed.count:
        said = f"Of the ledger's artifacts, {changed.count} of {total} have another size in {folder}: {changed}."
        yield Finding(Check.ARTIFACTS, Level.PROBLEM, said, advice)
    if missing.count + changed.count == 0:
        said = f"The ledger's artifacts are all there: {total}, with {spoken_bytes(expected)}."
        yield Finding(Check.ARTIFACTS, Level.OK, said)


def _artifacts_of_the_ledger(context: Context) -> Iterator[tuple[str, int]]:
    """Read page by page, so that neither the ledger nor a snapshot of it is held while files are looked at."""
    last, more = "", True
    while more:
        with context.database.reading() as connection:
            page = health.list_artifacts(connection, limit=_PAGE, after=last)
        yield from page
        last, more = page[-1][0] if page else last, len(page) == _PAGE
