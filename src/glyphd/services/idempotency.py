"""Idempotency keys: a request that is sent again, because its answer was lost, is carried out once.

A key is claimed before the body is read, in a lease that whoever receives the body renews, so that a server that dies
leaves no key that is taken for ever. Claims only tell others early: the key gets its import in the transaction that
writes the import, and what is then found under it decides.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
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


@dataclass(frozen=True, slots=True)
class KeyClaim:
    """A key, and by what the request is known that claims it."""

    key: str
    token: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """The import of a request; ``replayed``: an earlier request with the same key made it. Keys expire."""

    import_id: str
    replayed: bool = False
    key_expires_at: datetime | None = None


def claim_key(context: Context, key: str) -> KeyClaim:
    """Claim a key for a request that is about to be received. Raises IdempotencyKeyInFlight.

    One that has its import already is nobody's to claim: what was asked for is compared once it is known.
    """
    claim = KeyClaim(key, uuid4().hex)
    with context.database.writing(durable=False) as work:
        now = context.clock()
        found = idempotency_keys.hold_key(work, key, now, context.lease)
        if found is None:
            entry = KeyEntry(claim.token, None, None, now + context.lease)
            idempotency_keys.write_key(work, key, entry, now)
            work.commit()
        elif found.import_id is None:
            raise _in_flight(key)
    return claim


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


def receive_once(
    context: Context, claim: KeyClaim | None, fingerprint: str, write: Callable[[UnitOfWork], str]
) -> Receipt:
    """Write an import and its key in one transaction, or return the import that the key has already.

    ``write`` writes the import and returns its import_id. Raises IdempotencyKeyReused if the key belongs to another
    fingerprint; IdempotencyKeyInFlight if this request was silent for so long that another one has claimed its key.
    """
    with context.database.writing() as work:
        now = context.clock()
        if claim and (known := _known(context, work, claim, fingerprint, now)):
            return known
        receipt = Receipt(write(work))
        if claim:
            expires_at = now + context.key_life
            entry = KeyEntry(claim.token, fingerprint, receipt.import_id, expires_at)
            idempotency_keys.write_key(work, claim.key, entry, now)
            receipt = replace(receipt, key_expires_at=expires_at)
        work.commit()
    return receipt


def _known(
    context: Context, work: UnitOfWork, claim: KeyClaim, fingerprint: str, now: datetime
) -> Receipt | None:
    found = idempotency_keys.hold_key(work, claim.key, now, context.lease)
    if found is None or found.claim == claim.token:
        return None
    if found.import_id is None:
        raise _in_flight(claim.key)
    if found.fingerprint != fingerprint:
        raise IdempotencyKeyReused(
            f"The idempotency key {claim.key!r} belongs to the import {found.import_id}, of other bytes or options.",
            import_id=found.import_id,
        )
    return Receipt(found.import_id, replayed=True, key_expires_at=found.expires_at)


def _in_flight(key: str) -> IdempotencyKeyInFlight:
    return IdempotencyKeyInFlight(f"A request with the idempotency key {key!r} is being received: ask again later.")


def fingerprint_of(options: ImportOptions, stored: Sequence[Artifact]) -> str:
    """Return what tells requests apart that have one key: the digests with their roles, and the options that were set.

    An option that was left out, or given its default, is not in it: one that a later version adds changes nothing.
    """
    said = [
        (each.name, value) for each in fields(options) if (value := getattr(options, each.name)) != _DEFAULTS[each.name]
    ]
    roles = sorted((artifact.role, artifact.sha256) for artifact in stored)
    return hashlib.sha256(msgspec.json.encode([roles, said], order="deterministic")).hexdigest()


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
