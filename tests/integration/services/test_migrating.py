"""Migrating through the service: up, down, by number, and tried out."""

from glyphd.services.context import Context
from glyphd.services.migrating import migrate_down, migrate_to, tell_schema
from glyphd.store.schema import HEAD


def test_up_and_down_by_number_and_by_steps(context: Context) -> None:
    """The direction follows from where the database stands."""
    assert [] == migrate_to(context)
    assert migrate_down(context, 2)
    pending = len(tell_schema(context).pending)
    assert (2, True) == (pending, tell_schema(context).known)
    assert migrate_to(context, "0001")
    assert "0001" == tell_schema(context).current
    assert migrate_to(context, HEAD)
    assert HEAD == tell_schema(context).current
    assert migrate_to(context, "base")
    assert tell_schema(context).current is None


def test_trying_out_changes_nothing(context: Context) -> None:
    """The SQL is returned, in both directions."""
    assert migrate_down(context, 1, dry_run=True)
    assert migrate_to(context, "0001", dry_run=True)
    assert HEAD == tell_schema(context).current
