"""Moving house: everything arrives, as readers are told it, or nothing of an import does."""

from pathlib import Path
from typing import Any

import pytest

from glyphd.domain.imports import ImportFilters, Status
from glyphd.errors import CopyDiffers, CopyRefused, SchemaOutOfDate, StoreUnavailable
from glyphd.services.context import Context
from glyphd.services.copying import copy_installation
from glyphd.services.running import claim_next, run_next
from glyphd.store import copying, imports
from glyphd.store.tables import metadata
from tests.moving import Moving, answers, in_use, lines, publish, receive, run_on, sql


def test_every_table_is_copied_or_known_not_to_be() -> None:
    """A table that is new and forgotten here would stay behind."""
    assert set(metadata.tables.values()) == {*copying.COPIED, *copying.NOT_COPIED}


def test_everything_is_answered_as_before(source: Context, target: Context) -> None:
    """Imports in every state, their rows, rejections, events and files; the answers are the same bytes."""
    made = in_use(source)
    report = copy_installation(source, target)
    assert answers(source) == answers(target)
    assert (len(made), [], []) == (report.imports, report.legacy_raw, report.missing_artifacts)
    assert {"legacy_raw": [], "artifacts": 8} == {"legacy_raw": report.legacy_raw, "artifacts": report.artifacts}


def test_a_database_comes_back(moving: Moving, source: Context) -> None:
    """There and back again is the same."""
    in_use(source)
    there, back = moving.postgresql("there"), moving.sqlite("back")
    copy_installation(source, there)
    copy_installation(there, back)
    assert answers(source) == answers(back)


def test_a_copy_that_was_stopped_goes_on(source: Context, target: Context) -> None:
    """What is there is verified, not copied again; the rest follows; meanwhile nothing unfinished is shown."""
    made = in_use(source)

    def stop(done: int, _of: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_installation(source, target, on_progress=stop)
    with target.database.reading() as connection:
        shown = [
            each.import_id
            for each in imports.list_imports(connection, ImportFilters(statuses=[Status.PUBLISHED]), limit=99)
        ]
    assert [made["published"]] == shown
    assert run_next(target, "worker") is False
    report = copy_installation(source, target)
    assert (len(made) - 3, 3) == (report.imports, report.verified)
    assert answers(source) == answers(target)


def test_a_row_that_was_changed_at_the_target_is_noticed(source: Context, target: Context) -> None:
    """The digest of what is there differs from the source's."""
    publish(source, lines(100, 200))
    copy_installation(source, target)
    run_on(target, "UPDATE scored_listings SET price = 100.5 WHERE import_index = 1")
    with pytest.raises(CopyDiffers, match="row digest"):
        copy_installation(source, target)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM import_rejections",
        "DELETE FROM sightings",
        "DELETE FROM import_events",
        "UPDATE import_batches SET status = 'rolled_back'",
    ],
)
def test_anything_else_that_was_changed_is_noticed(source: Context, small: Context, statement: str) -> None:
    """Counts of every table and the ledger are compared too."""
    publish(source, lines(100, 0))
    copy_installation(source, small)
    run_on(small, statement)
    with pytest.raises(CopyDiffers):
        copy_installation(source, small)


def test_an_import_that_arrives_changed_is_rolled_back(
    source: Context, target: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest is compared before the commit: of such an import nothing stays but its place."""
    publish(source, lines(100, 200))
    append = copying.append_bulk

    def spoiled(work: Any, table: Any, import_id: str, frame: Any) -> None:
        append(work, table, import_id, frame.head(1) if table.name == "scored_listings" else frame)

    monkeypatch.setattr(copying, "append_bulk", spoiled)
    with pytest.raises(CopyDiffers, match="row digest"):
        copy_installation(source, target)
    monkeypatch.undo()
    with target.database.reading() as connection:
        assert [True] == [place.kept for place in copying.ledger(connection)]
    assert 1 == copy_installation(source, target).imports


def test_a_missing_or_damaged_file_is_named_and_not_fatal(source: Context, small: Context) -> None:
    """The rows are worth having without the file they came from."""
    for price in (1, 2, 3):
        publish(source, lines(price))
    first, second, *_ = sorted(path for path in source.artifacts._folder.glob("*/*") if len(path.name) == 64)
    first.unlink()
    second.write_bytes(b"something else")
    report = copy_installation(source, small)
    assert (1, 3) == (report.artifacts, report.imports)
    assert [first.name in each or second.name in each for each in report.missing_artifacts] == [True, True]


def test_new_rows_are_numbered_after_those_that_came(source: Context, target: Context) -> None:
    """What is imported at the target afterwards takes no number that is taken."""
    in_use(source)
    copy_installation(source, target)
    late = publish(target, lines(11), source="new")
    with target.database.reading() as connection:
        ledger = imports.list_imports(connection, ImportFilters(), limit=99)
        ids = [row[0] for row in connection.exec_driver_sql("SELECT id FROM scored_listings ORDER BY id").all()]
    assert (late, len(ids)) == (ledger[0].import_id, len(set(ids)))


def test_what_waits_is_finished_by_a_worker_of_the_target(source: Context, target: Context) -> None:
    """An import that was received, or whose worker died, is run there; a later copy leaves it to the target."""
    waiting, dead = receive(source, lines(1)), receive(source, lines(2, 3))
    sql(source, "UPDATE import_batches SET id = id + 100 WHERE import_id = ?", waiting)
    claim_next(source, "a dead one")
    sql(source, "UPDATE import_batches SET lease_expires_at = '2020-01-01 00:00:00.000000' WHERE status = 'running'")
    copy_installation(source, target)
    while run_next(target, "worker"):
        pass
    with target.database.reading() as connection:
        found = {name: imports.find_import(connection, name).count for name in (waiting, dead)}
    assert {waiting: 1, dead: 2} == found
    assert 2 == copy_installation(source, target).left_to_target


def test_a_source_in_use_is_refused(source: Context, small: Context) -> None:
    """While a worker holds an import its rows are not all there yet."""
    receive(source, lines(1))
    claim_next(source, "worker")
    with pytest.raises(CopyRefused, match="stop the servers and workers"):
        copy_installation(source, small)


def test_a_target_that_holds_something_else_is_refused(source: Context, target: Context) -> None:
    """Two installations are not mixed; nothing is changed."""
    publish(source, lines(1))
    publish(target, lines(2))
    before = answers(target)
    with pytest.raises(CopyRefused, match="does not know"):
        copy_installation(source, target)
    assert before == answers(target)


def test_a_database_is_not_copied_to_itself(source: Context, moving: Moving) -> None:
    """However its path is written."""
    with pytest.raises(CopyRefused, match="itself"):
        copy_installation(source, moving.sqlite("../" + moving.folder.name + "/source"))


def test_a_source_that_is_not_there_is_not_made(moving: Moving, small: Context) -> None:
    """A mistyped path is an error, not a new database."""
    gone = moving.sqlite("gone")
    gone.database.dispose()
    path = Path(str(gone.database.url.database))
    path.unlink()
    with pytest.raises(StoreUnavailable, match="no file"):
        copy_installation(gone, small)
    assert not path.exists()


def test_a_target_that_is_not_migrated_is_refused(source: Context, small: Context) -> None:
    """It says what to do."""
    run_on(small, "DELETE FROM alembic_version")
    with pytest.raises(SchemaOutOfDate, match="migrate"):
        copy_installation(source, small)


def test_a_dry_run_writes_nothing(source: Context, small: Context) -> None:
    """It counts what would be copied."""
    in_use(source)
    report = copy_installation(source, small, dry_run=True)
    with small.database.reading() as connection:
        assert [] == copying.ledger(connection)
    assert (8, 15, 3) == (report.imports, report.rows, report.rejections)


def test_the_same_folder_is_not_copied(source: Context, moving: Moving) -> None:
    """Source and target may share their files."""
    publish(source, lines(1))
    shared = moving.sqlite("target")
    shared = Context(database=shared.database, artifacts=source.artifacts)
    assert (0, []) == ((report := copy_installation(source, shared)).artifacts, report.missing_artifacts)


def test_a_model_whose_number_is_taken_is_noticed(source: Context, target: Context) -> None:
    """A target that was in use before everything had come may have given the number to a model of its own."""
    publish(source, lines(1))
    run_on(target, "INSERT INTO models (id, model) VALUES (1, 'ANOTHER')")
    with pytest.raises(CopyDiffers, match="The model H100 has another number"):
        copy_installation(source, target)
