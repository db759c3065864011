"""The request header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header), on every POST that makes an import."""

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
from glyphd.services.idempotency import KeyClaim, Receipt, claim_key, release_claim, renew_claim

KEY_HEADER = "Idempotency-Key"
KEY_LENGTH = 255
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')  # a string of RFC 8941
_BARE = re.compile(r"[!#-+\--:<-\[\]-~]+")  # what most clients send: no quotes, commas, semicolons, blanks

_log = structlog.get_logger()


def read_key(request: Request) -> str | None:
    """Return the key of a request, the same quoted or not. Raises MalformedIdempotencyKey."""
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return None
    text = given[0].strip()
    quoted = _QUOTED.fullmatch(text)
    key = re.sub(r"\\(.)", r"\1", quoted[1]) if quoted else text
    if len(given) > 1 or not (quoted or _BARE.fullmatch(text)) or not 1 <= len(key) <= KEY_LENGTH:
        raise MalformedIdempotencyKey(
            f'{KEY_HEADER} must be one string of 1 to {KEY_LENGTH} printable ASCII characters, such as "8e03978e-40d5".'
        )
    return key


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
    renewals = asyncio.create_task(_renewed(context, claim, run))
    try:
        yield claim
    except BaseException:
        with CancelScope(shield=True), suppress(GlyphdError):  # the claim lapses by itself
            await run(release_claim, context, claim)
        raise
    finally:
        renewals.cancel()
