"""Idempotency keys: a request that is sent again, because its answer was lost, is carried out once.

A key is claimed before the body is read, in a lease that whoever receives the body renews, so that a server that dies
leaves no key that is taken for ever. Claims only tell others early: the key gets its import in the transaction that
writes the import, and what is then found under it decides.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from uuid import uuid4

import msgspec

from glyphd.domain.imports import Artifact
from glyphd.errors import IdempotencyKeyInFlight, IdempotencyKeyReused
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.store import idempotency_keys
from glyphd.store.idempotency_keys import KeyEntry
from glyphd.store.unit_of_work import UnitOfWork

KEYS_PER_STEP = 500
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A key, and by what the request is known that claims it.

    ``known`` is what an earlier request has left under it: this request will not be carried out again.
    """

    key: str
    token: str
    known: KeyEntry | None = None


def claim_key(context: Context, key: str) -> KeyClaim:
    """Claim a key for a request that is about to be received. Raises IdempotencyKeyInFlight."""
    token = uuid4().hex
    with context.database.writing(durable=False) as work:
        now = context.clock()
        known = idempotency_keys.hold_key(work, key, now, context.lease)
        if known is None:
            idempotency_keys.write_key(work, key, KeyEntry(token, None, None, now + context.lease), now)
            work.commit()
        elif known.import_id is None:
            raise _in_flight(key)
    return KeyClaim(key, token, known)


def find_key(context: Context, key: str) -> KeyEntry | None:
    """Return who has a key, None if nobody has."""
    with context.database.reading() as connection:
        return idempotency_keys.find_key(connection, key, context.clock())


def renew_claim(context: Context, claim: KeyClaim) -> None:
    """Say that the request that claims a key is still being received."""
    with context.database.writing(durable=False) as work:
        expires_at = context.clock() + context.lease
        idempotency_keys.prolong_claim(work.connection, claim.key, claim.token, expires_at)
        work.commit()


def release_claim(context: Context, claim: KeyClaim) -> None:
    """Free the key of a request that was refused: it may be mended and sent again."""
    with context.database.writing(durable=False) as work:
        idempotency_keys.remove_claim(work.connection, claim.key, claim.token)
        work.commit()


@contextmanager
def claimed(context: Context, key: str | None, *, patience_seconds: float = 0) -> Iterator[KeyClaim | None]:
    """Hold a key, if there is one, while a batch is received; free it when that fails.

    With patience a request that comes while an equal one is received waits for it, and then finds its import.
    Raises IdempotencyKeyInFlight.
    """
    claim = _claim_patiently(context, key, patience_seconds) if key else None
    try:
        yield claim
    except BaseException:
        if claim:
            release_claim(context, claim)
        raise


def _claim_patiently(context: Context, key: str, seconds: float) -> KeyClaim:
    deadline = time.monotonic() + seconds
    while True:
        try:
            return claim_key(context, key)
        except IdempotencyKeyInFlight:
            if time.monotonic() >= deadline:
                raise
        time.sleep(PAUSE_SECONDS)


def receive_once(context: Context, claim: KeyClaim | None, fingerprint: str, write: Callable[[UnitOfWork], str]) -> str:
    """Write an import and its key in one transaction, or find the import that the key has already; return its id.

    ``write`` writes the import and returns its import_id. Raises IdempotencyKeyReused if the key belongs to another
    fingerprint; IdempotencyKeyInFlight if this request was silent for so long that another one has claimed its key.
    """
    if claim and claim.known:
        return _import_of(claim.key, claim.known, fingerprint)
    with context.database.writing() as work:
        now = context.clock()
        found = claim and idempotency_keys.hold_key(work, claim.key, now, context.lease)
        if claim and found and found.claim != claim.token:
            return _import_of(claim.key, found, fingerprint)
        import_id = write(work)
        if claim:
            entry = KeyEntry(claim.token, fingerprint, import_id, now + context.key_life)
            idempotency_keys.write_key(work, claim.key, entry, now)
        work.commit()
    return import_id


def _import_of(key: str, entry: KeyEntry, fingerprint: str) -> str:
    """Return the import that a key belongs to. Raises IdempotencyKeyInFlight, IdempotencyKeyReused."""
    if entry.import_id is None:
        raise _in_flight(key)
    if entry.fingerprint != fingerprint:
        detail = f"The idempotency key {key!r} belongs to the import {entry.import_id}, of other bytes or options."
        raise IdempotencyKeyReused(detail, import_id=entry.import_id)
    return entry.import_id


def _in_flight(key: str) -> IdempotencyKeyInFlight:
    return IdempotencyKeyInFlight(f"A request with the idempotency key {key!r} is being received: ask again later.")


def fingerprint_of(options: ImportOptions, stored: Sequence[Artifact]) -> str:
    """Return the fingerprint of a batch: the digests with their roles, and the options that were given.

    An option that was left out, or given its default, is not in it: one that a later version adds changes nothing.
    """
    said = {each.name: getattr(options, each.name) for each in fields(options)}
    given = {name: value for name, value in said.items() if value != _DEFAULTS[name]}
    return fingerprint("import", sorted((artifact.role, artifact.sha256) for artifact in stored), given)


def fingerprint(*asked: object) -> str:
    """Return what tells requests apart that have the same key, in hex."""
    return hashlib.sha256(msgspec.json.encode(asked, order="deterministic")).hexdigest()


_DEFAULTS = {each.name: getattr(ImportOptions(), each.name) for each in fields(ImportOptions)}


def remove_expired_keys(context: Context) -> bool:
    """Remove some of the keys that have expired; tell whether there were any."""
    with context.database.reading() as connection:
        if not idempotency_keys.has_expired_keys(connection, context.clock()):
            return False
    with context.database.writing(durable=False) as work:
        idempotency_keys.remove_expired_keys(work.connection, context.clock(), KEYS_PER_STEP)
        work.commit()
    return True
