"""Idempotency keys: whose request has one, and which import came of it. A key is free from its expiry on."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, delete, select

from glyphd.store.tables import idempotency_keys
from glyphd.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key that is taken: by a request that is being received (then without an import), or by an import."""

    claim: str
    fingerprint: str | None
    import_id: str | None
    expires_at: datetime


def hold_key(work: UnitOfWork, key: str, now: datetime, longest_claim: timedelta) -> KeyEntry | None:
    """Return who has a key, None if it is free; nobody else gets it until the transaction ends.

    A claim that ends later than any made now could is of a clock that stepped back; it counts as expired.
    """
    work.lock(f"idempotency key {key}")
    found = find_key(work.connection, key, now)
    if found and found.import_id is None and found.expires_at > now + 2 * longest_claim:
        return None
    return found


def find_key(connection: Connection, key: str, now: datetime) -> KeyEntry | None:
    """Return who has a key, None if it is free."""
    table = idempotency_keys.c
    columns = (table.claim, table.fingerprint, table.import_id, table.expires_at)
    row = connection.execute(select(*columns).where(table.key == key, table.expires_at > now)).one_or_none()
    return None if row is None else KeyEntry(*row)


def write_key(work: UnitOfWork, key: str, entry: KeyEntry, now: datetime) -> None:
    """Write who has a key from now on; the caller holds it."""
    work.connection.execute(delete(idempotency_keys).where(idempotency_keys.c.key == key))
    work.connection.execute(
        idempotency_keys.insert().values(
            key=key,
            claim=entry.claim,
            fingerprint=entry.fingerprint,
            import_id=entry.import_id,
            created_at=now,
            expires_at=entry.expires_at,
        )
    )


def prolong_claim(connection: Connection, key: str, claim: str, expires_at: datetime) -> None:
    """Let a claim last longer, if it still is one."""
    connection.execute(idempotency_keys.update().where(*_of_claim(key, claim)).values(expires_at=expires_at))


def remove_claim(connection: Connection, key: str, claim: str) -> None:
    """Free a key whose request was refused; one that has an import stays."""
    connection.execute(delete(idempotency_keys).where(*_of_claim(key, claim)))


def has_expired_keys(connection: Connection, now: datetime) -> bool:
    """Tell whether there are keys to remove."""
    query = select(idempotency_keys.c.key).where(idempotency_keys.c.expires_at <= now).limit(1)
    return connection.execute(query).first() is not None


def remove_expired_keys(connection: Connection, now: datetime, limit: int) -> int:
    """Remove keys that have expired, the oldest first; return how many."""
    table = idempotency_keys.c
    oldest = select(table.key).where(table.expires_at <= now).order_by(table.expires_at).limit(limit)
    return connection.execute(delete(idempotency_keys).where(table.key.in_(oldest), table.expires_at <= now)).rowcount


def _of_claim(key: str, claim: str) -> list[ColumnElement[bool]]:
    table = idempotency_keys.c
    return [table.key == key, table.claim == claim, table.import_id.is_(None)]
