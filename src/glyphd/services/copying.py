"""Move house: copy everything from one installation to another, import by import, each in one transaction.

It can be stopped anywhere and run again: an import that is there already is compared, and not copied again. What a
worker of the target has done with an import since is left to it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from sqlalchemy import URL, Connection, Table

from glyphd.domain.imports import PENDING
from glyphd.errors import ArtifactDamaged, CopyDiffers, CopyRefused
from glyphd.services.context import Context
from glyphd.services.digesting import digest_rows
from glyphd.store import copying, imports, schema
from glyphd.store.converting import Converter
from glyphd.store.copying import Place
from glyphd.store.tables import artifacts, idempotency_keys, import_artifacts, import_batches, import_events, models
from glyphd.store.unit_of_work import UnitOfWork

PORTION_BYTES = 1 << 20
Progress = Callable[[int, int], None]
"""Told how many imports are done, and of how many."""

_FEW = (import_artifacts, import_events, idempotency_keys)
"""What an import has few of."""


@dataclass(frozen=True, slots=True)
class SetAside:
    """How many values of a column went to `legacy_raw`."""

    table: str
    column: str
    values: int


@dataclass(slots=True)
class CopyReport:
    """What was copied, what was there already (verified), and what was not as it should be."""

    dry_run: bool
    imports: int = 0
    verified: int = 0
    left_to_target: int = 0
    rows: int = 0
    rejections: int = 0
    artifacts: int = 0
    missing_artifacts: list[str] = field(default_factory=list)
    legacy_raw: list[SetAside] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)


def copy_installation(
    source: Context, target: Context, *, dry_run: bool = False, on_progress: Progress = lambda _done, _of: None
) -> CopyReport:
    """Copy ledger, rows, rejections, events and artifacts. ``dry_run`` only reads, and tells what would be set aside.

    Raises CopyRefused, with nothing changed, if the source is in use or the target holds something else; CopyDiffers if
    an import at the target is not what the source has; SchemaOutOfDate, StoreUnavailable.
    """
    require_source(source.database.url)
    if copying.are_same(source.database, target.database):
        raise CopyRefused("A database cannot be copied to itself.")
    schema.require_current(source.database.engine)
    if not dry_run:
        schema.require_current(target.database.engine)
    with source.database.reading() as origin:
        _require_quiet(origin, source)
        move = _Move(source, target, origin, CopyReport(dry_run))
        move.run_dry(on_progress) if dry_run else move.run(on_progress)
        move.report.left_behind = copying.left_behind(origin)
    return move.report


def require_source(url: URL | str) -> None:
    """Refuse to open what is not there, which would make it. Raises StoreUnavailable."""
    copying.require_there(url)


def _require_quiet(origin: Connection, source: Context) -> None:
    if held := copying.under_lease(origin, source.clock(), source.lease):
        raise CopyRefused(
            f"A worker is running the import {held[0]}: stop the servers and workers of the source first.",
            import_id=held[0],
        )


class _Move:
    """One run; everything is read in one snapshot of the source."""

    def __init__(self, source: Context, target: Context, origin: Connection, report: CopyReport) -> None:
        self.source, self.target, self.origin, self.report = source, target, origin, report
        with source.database.verbatim(origin):
            self.places = copying.ledger(origin)
            self.converters = copying.make_converters(origin)

    def run(self, on_progress: Progress) -> None:
        there = self._prepare()
        for done, place in enumerate(self.places):
            on_progress(done, len(self.places))
            found = there.get(place.import_id)
            if found is None or found.kept:
                self._copy(place)
            else:
                self._compare(place)
        self._copy_unnamed_artifacts()
        self.report.legacy_raw = self._set_aside()
        on_progress(len(self.places), len(self.places))

    def run_dry(self, on_progress: Progress) -> None:
        """Convert everything and write nothing."""
        tables = (import_batches, *copying.BULK, *_FEW)
        for _ in chain(self._frames(models), self._frames(artifacts)):
            pass
        for done, place in enumerate(self.places):
            on_progress(done, len(self.places))
            for table in tables:
                for frame in self._frames(table, place.import_id):
                    self._count(table.name, len(frame))
        self.report.imports = len(self.places)
        self.report.legacy_raw = self._set_aside()

    def _prepare(self) -> dict[str, Place]:
        """Keep the places of the imports to come, and copy the models, which refer to them."""
        with self.target.database.reading() as connection:
            there = {place.import_id: place for place in copying.ledger(connection)}
        own = {place.import_id: place.id for place in self.places}
        strange = [name for name, place in there.items() if own.get(name) != place.id]
        if strange:
            raise CopyRefused(
                f"The target holds imports that the source does not know, as {strange[0]}: copy to an empty one.",
                import_id=strange[0],
            )
        with self.target.database.writing() as work:
            copying.keep_places(work, self.places, set(there), self.target.clock())
            for frame in self._frames(models):
                copying.append_models(work, frame)
            work.commit()
        return there

    def _copy(self, place: Place) -> None:
        import_id = place.import_id
        expected = digest_rows(self.origin, import_id)  # before the transaction, which should not wait
        for frame in self._frames(artifacts, import_id):
            self._copy_files(frame["sha256"].to_list())
        with self.target.database.writing() as work:
            self._append(work, import_id)
            self._require_copied(work.connection, import_id, expected)
            work.commit()
        self.report.imports += 1

    def _append(self, work: UnitOfWork, import_id: str) -> None:
        for frame in self._frames(import_batches, import_id):
            copying.write_ledger(work, import_id, frame)
        for frame in self._frames(artifacts, import_id):
            copying.append_artifacts(work, frame)
        for table in _FEW:
            for frame in self._frames(table, import_id):
                copying.append_few(work, table, frame)
        for table in copying.BULK:
            for frame in self._frames(table, import_id):
                copying.append_bulk(work, table, import_id, frame)
                self._count(table.name, len(frame))

    def _compare(self, place: Place) -> None:
        """Verify an import that is there already, unless it waited for a worker, and one of the target took it."""
        import_id = place.import_id
        expected = digest_rows(self.origin, import_id)
        with self.target.database.reading() as connection:
            entry = imports.find_import(self.origin, import_id)
            if place.status in PENDING and imports.find_import(connection, import_id) != entry:
                self.report.left_to_target += 1
                return
            self._require_copied(connection, import_id, expected)
        self.report.verified += 1

    def _require_copied(self, connection: Connection, import_id: str, digest: str) -> None:
        """Compare an import with the source: its entry in the ledger, the digest of its rows, what else it has.

        Raises CopyDiffers.
        """
        entry = f"import {import_id}"
        _require_equal(f"{entry}: the row digest", digest, digest_rows(connection, import_id))
        expected, found = copying.count_all(self.origin, import_id), copying.count_all(connection, import_id)
        for table, count in expected.items():
            _require_equal(f"{entry}: rows in {table}", count, found[table])
        if imports.find_import(self.origin, import_id) != imports.find_import(connection, import_id):
            raise CopyDiffers(f"{entry}: the ledgers of source and target say different things of it.")

    def _copy_unnamed_artifacts(self) -> None:
        """Copy the artifacts that no import names any more."""
        for frame in self._frames(artifacts):
            self._copy_files(frame["sha256"].to_list())
            with self.target.database.writing() as work:
                copying.append_artifacts(work, frame)
                work.commit()

    def _copy_files(self, digests: Sequence[str]) -> None:
        for sha256 in digests:
            try:
                self.report.artifacts += copy_artifact(self.source, self.target, sha256)
            except ArtifactDamaged as exc:
                if exc.detail not in self.report.missing_artifacts:
                    self.report.missing_artifacts.append(exc.detail)

    def _frames(self, table: Table, import_id: str | None = None) -> copying.Frames:
        chosen = () if import_id is None else (copying.of_import(table, import_id),)
        with self.source.database.verbatim(self.origin):
            yield from copying.read_frames(self.origin, self.converters[table.name], table, *chosen)

    def _count(self, table: str, rows: int) -> None:
        self.report.rows += rows if table == "scored_listings" else 0
        self.report.rejections += rows if table == "import_rejections" else 0

    def _set_aside(self) -> list[SetAside]:
        found: list[tuple[str, Converter]] = sorted(self.converters.items())
        return [SetAside(table, *each) for table, converter in found for each in sorted(converter.misfits.items())]


def copy_artifact(source: Context, target: Context, sha256: str) -> bool:
    """Copy the bytes of one artifact, durably; tell whether they were not there yet. Raises ArtifactDamaged."""
    if target.artifacts.has(sha256):
        return False
    path = source.artifacts.locate(sha256)
    with target.artifacts.writing() as writer, path.open("rb") as file:
        while portion := file.read(PORTION_BYTES):
            writer.write(portion)
        if writer.sha256 != sha256:
            raise ArtifactDamaged(f"The artifact {sha256} has been changed: its bytes now have another digest.")
        writer.commit()
    return True


def _require_equal(what: str, expected: object, found: object) -> None:
    if expected != found:
        raise CopyDiffers(f"{what}: {expected} at the source, {found} at the target.")
