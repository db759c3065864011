"""The header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), on every request that makes an import."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import structlog
from anyio import CancelScope, to_thread
from fastapi import Request

from glyphd.api.threads import threads_of
from glyphd.errors import GlyphdError, MalformedIdempotencyKey
from glyphd.services.context import Context
from glyphd.services.heartbeat import BEATS_PER_LEASE
from glyphd.services.idempotency import KeyClaim, claim_key, find_key, release_claim, renew_claim

KEY_HEADER = "Idempotency-Key"
REPLAYED_HEADER = "Idempotency-Replayed"
EXPIRES_HEADER = "Idempotency-Expires"
KEY_LENGTH = 255
_PLACES = f"{{1,{KEY_LENGTH}}}"
KEY_PATTERN = rf'^("([ !#-\[\]-~]|\\["\\]){_PLACES}"|[!#-+\--:<-\[\]-~]{_PLACES})$'
"""A string of RFC 8941, or, as most clients send it, without quotes and what would need them."""

_log = structlog.get_logger()


def read_key(request: Request) -> str | None:
    """Return the key of a request, the same quoted or not. Raises MalformedIdempotencyKey."""
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return None
    if len(given) > 1 or not re.fullmatch(KEY_PATTERN, given[0]):
        raise MalformedIdempotencyKey(
            f'{KEY_HEADER} must be one string of 1 to {KEY_LENGTH} printable ASCII characters, such as "8e03978e-40d5".'
        )
    return re.sub(r"\\(.)", r"\1", given[0][1:-1]) if given[0].startswith('"') else given[0]


@asynccontextmanager
async def key_claimed(request: Request, context: Context) -> AsyncIterator[KeyClaim | None]:
    """Hold the key of a request, if it has one, while it is received; free it when the request is refused.

    Raises MalformedIdempotencyKey, IdempotencyKeyInFlight.
    """
    key = read_key(request)
    if key is None:
        yield None
        return
    run = partial(to_thread.run_sync, limiter=threads_of(request).uploads)
    claim = await run(claim_key, context, key)
    renewals = asyncio.create_task(_renew(context, claim))
    try:
        yield claim
    except BaseException:
        with CancelScope(shield=True), suppress(GlyphdError):  # it lapses by itself
            await run(release_claim, context, claim)
        raise
    finally:
        renewals.cancel()


async def _renew(context: Context, claim: KeyClaim) -> None:
    while not claim.known:
        await asyncio.sleep(context.lease.total_seconds() / BEATS_PER_LEASE)
        try:
            await to_thread.run_sync(renew_claim, context, claim)
        except GlyphdError as exc:
            _log.warning("idempotency_key.renewal_missed", code=exc.code)


async def key_headers(request: Request, context: Context, claim: KeyClaim | None) -> dict[str, str]:
    """Return what an answer says of its key: until when it has the import, and whether an earlier request made it."""
    if claim is None:
        return {}
    entry = await to_thread.run_sync(find_key, context, claim.key, limiter=threads_of(request).outcomes)
    if entry is None:
        return {}
    replayed = {} if entry.claim == claim.token else {REPLAYED_HEADER: "true"}
    return {EXPIRES_HEADER: entry.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"), **replayed}
