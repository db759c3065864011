"""What a refusal calls possible is what the services do; every kind of import, in every state."""

from collections.abc import Callable
from typing import Any

import pytest

from glyphd.domain.imports import Import, Kind, Status, possible_in
from glyphd.errors import IllegalTransition
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.publishing import publish_import
from glyphd.services.purging import PurgeTerms, purge_import
from glyphd.services.refusing import refused
from glyphd.services.replaying import replay_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next
from glyphd.store import imports
from tests.engines import only_sqlite

ACTIONS: dict[str, Callable[[Context, str], Any]] = {
    "publish": lambda context, import_id: publish_import(context, import_id, "ana"),
    "discard": lambda context, import_id: discard_import(context, import_id, "ana"),
    "rollback": lambda context, import_id: roll_back_import(context, import_id, "ana"),
    "restore": lambda context, import_id: restore_import(context, import_id, "ana"),
    "purge": lambda context, import_id: purge_import(context, import_id, PurgeTerms("ana")),
    "replay": lambda context, import_id: replay_import(context, import_id, "ana"),
}


@pytest.fixture
def make(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str], execute: Callable[..., list[Any]]
) -> Callable[..., Import]:
    """Make an import of a kind in a state, on a batch in a state."""

    def run(kind: Kind, status: Status, parent: Status) -> Import:
        import_id = batch = publish(make_lines(100, 0))
        if kind is Kind.AMENDMENT:
            import_id = publish(make_lines(7), parent_import_id=batch)
        if kind is Kind.REPLAY:
            import_id = replay_import(context, batch, "ana")
            run_next(context, "worker")
        setting = "UPDATE import_batches SET status = :status WHERE import_id = :id"
        execute(setting, status=parent, id=batch)
        execute(setting, status=status, id=import_id)
        if status is Status.PURGED:
            execute("DELETE FROM import_artifacts WHERE import_id = :id", id=import_id)
        with context.database.reading() as connection:
            return imports.find_import(connection, import_id)

    return run


@pytest.fixture
def takes_effect(
    context: Context, execute: Callable[..., list[Any]], receive: Callable[..., str], make_lines: Callable[..., str]
) -> Callable[[str, str], bool]:
    """Do something with an import, and tell whether anything came of it."""

    def run(action: str, import_id: str) -> bool:
        counting = "SELECT count(*) FROM import_events"
        before = execute(counting)
        try:
            if action == "amend":
                receive(make_lines(9), parent_import_id=import_id)
            else:
                ACTIONS[action](context, import_id)
        except IllegalTransition:
            return False
        return bool(before != execute(counting))

    return run


@only_sqlite
@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize(
    ("kind", "parent"),
    [
        (Kind.BATCH, Status.PUBLISHED),
        *((kind, parent) for kind in (Kind.REPLAY, Kind.AMENDMENT) for parent in (Status.PUBLISHED, Status.DISCARDED)),
    ],
)
def test_what_is_possible_is_what_works(
    make: Callable[..., Import], takes_effect: Callable[[str, str], bool], kind: Kind, status: Status, parent: Status
) -> None:
    """No more and no less."""
    found = {action for action in (*ACTIONS, "amend") if takes_effect(action, make(kind, status, parent).import_id)}

    assert found == set(possible_in(kind, status, parent_published=parent is Status.PUBLISHED))


@pytest.mark.parametrize(
    ("kind", "parent", "possible"),
    [
        (Kind.BATCH, Status.PUBLISHED, ["restore", "purge", "replay"]),
        (Kind.REPLAY, Status.PUBLISHED, ["restore", "purge", "replay"]),
        (Kind.AMENDMENT, Status.PUBLISHED, ["restore", "purge"]),
        (Kind.AMENDMENT, Status.ROLLED_BACK, ["purge"]),
    ],
)
def test_a_refusal_regards_what_the_import_hangs_on(
    context: Context, make: Callable[..., Import], kind: Kind, parent: Status, possible: list[str]
) -> None:
    """It names the batch too."""
    entry = make(kind, Status.ROLLED_BACK, parent)
    with context.database.reading() as connection:
        refusal = refused(connection, entry, "No.")

    batch = {} if kind is Kind.BATCH else {"parent_import_id": entry.parent_import_id}
    state = {"import_id": entry.import_id, "import_status": Status.ROLLED_BACK, "possible": possible}
    assert state | batch == refusal.members


@pytest.mark.parametrize(
    ("parent", "advice"),
    [
        (Status.STAGED, "is staged: publish that first"),
        (Status.ROLLED_BACK, "is rolled_back: restore that first"),
        (Status.DISCARDED, "is discarded: it cannot be shown without it"),
    ],
)
@pytest.mark.parametrize(("action", "status"), [("publish", Status.STAGED), ("restore", Status.ROLLED_BACK)])
def test_a_refusal_says_what_comes_first(
    context: Context, make: Callable[..., Import], parent: Status, advice: str, action: str, status: Status
) -> None:
    """Of what hangs on a batch that is not published."""
    with pytest.raises(IllegalTransition, match=advice) as told:
        ACTIONS[action](context, make(Kind.AMENDMENT, status, parent).import_id)

    assert action not in told.value.members["possible"]
