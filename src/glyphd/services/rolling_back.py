"""Take a published import out of every read, and put it back: one row's update, whatever its size (G6)."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Connection

from glyphd.domain.imports import Import, Status
from glyphd.domain.receipts import BatchView, Receipt
from glyphd.services.context import Context
from glyphd.services.refusing import refused, require_published_parent
from glyphd.store import events, imports, visibility
from glyphd.store.unit_of_work import UnitOfWork
from glyphd.store.visibility import VisibleImport

_ACTIONS = {Status.ROLLED_BACK: "rolled_back", Status.PUBLISHED: "restored"}


def roll_back_import(context: Context, import_id: str, actor: str, reason: str | None = None) -> Receipt:
    """Hide the rows of a published import, and of what hangs on it. Asking twice changes nothing.

    Raises ImportNotFound, and IllegalTransition when it is neither published nor rolled back.
    """
    return _change(context, import_id, Status.ROLLED_BACK, actor, reason)


def restore_import(context: Context, import_id: str, actor: str, reason: str | None = None) -> Receipt:
    """Show the rows of a rolled-back import again, and of what hangs on it. Asking twice changes nothing.

    Raises ImportNotFound, and IllegalTransition when it was not rolled back, or its batch is not published.
    """
    return _change(context, import_id, Status.PUBLISHED, actor, reason)


def _change(context: Context, import_id: str, wanted: Status, actor: str, reason: str | None) -> Receipt:
    with context.database.writing() as work:
        imports.hold_source(work, imports.find_import(work.connection, import_id).source)
        entry = imports.hold_import(work, import_id)
        batch_id = entry.parent_import_id or entry.import_id
        before = visibility.view_of(work.connection, batch_id)
        if changed := entry.status is not wanted:
            _require_possible(work, entry, wanted)
            imports.update_import(work.connection, import_id, {"status": wanted})
            now, action = context.clock(), _ACTIONS[wanted]
            events.add_event(work.connection, import_id, now, actor, action, wanted, reason=reason)
        after = visibility.view_of(work.connection, batch_id)
        receipt = _receipt(work.connection, entry, wanted, changed=changed, before=before, after=after)
        work.commit()
        return receipt


def _require_possible(work: UnitOfWork, entry: Import, wanted: Status) -> None:
    expected = Status.PUBLISHED if wanted is Status.ROLLED_BACK else Status.ROLLED_BACK
    if entry.status is not expected:
        verb = "rolled back" if wanted is Status.ROLLED_BACK else "restored"
        detail = f"The import is {entry.status}; only one that is {expected} can be {verb}."
        raise refused(work.connection, entry, detail)
    if wanted is Status.PUBLISHED:
        require_published_parent(work.connection, entry)


def _receipt(
    connection: Connection,
    entry: Import,
    status: Status,
    *,
    changed: bool,
    before: Sequence[VisibleImport],
    after: Sequence[VisibleImport],
) -> Receipt:
    hidden = [each for each in before if each not in after]
    shown = [each for each in after if each not in before]
    batch = imports.find_import(connection, entry.parent_import_id or entry.import_id)
    later = visibility.later_batches(connection, batch.import_id)
    since = batch.observed_at or batch.imported_at
    views = _batch_views(visibility.batch_views(connection, source=entry.source, since=since))
    current = visibility.current_batches(connection, source=entry.source)
    showing = [each for batch_id in current for each in visibility.view_of(connection, batch_id)]
    return Receipt(
        import_id=entry.import_id,
        status=status,
        source=entry.source,
        changed=changed,
        rows_hidden=sum(each.count for each in hidden),
        rows_shown=sum(each.count for each in shown),
        hidden_imports=[each.import_id for each in hidden],
        shown_imports=[each.import_id for each in shown],
        later_imports=[view for view in views if view.import_id in later],
        current_view=next(iter(_batch_views(showing)), None),
    )


def _batch_views(visible: Sequence[VisibleImport]) -> list[BatchView]:
    """Group imports that come batch by batch."""
    grouped = groupby(visible, key=lambda each: (each.batch_id, each.source_version, each.observed_at))
    return [
        BatchView(*batch, count=sum(each.count for each in view), import_ids=[each.import_id for each in view])
        for batch, view in ((batch, list(view)) for batch, view in grouped)
    ]
