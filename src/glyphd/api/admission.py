"""What every request that makes an import passes before its body is read: its key, and the queue."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from anyio import to_thread
from fastapi import Request
from fastapi.concurrency import contextmanager_in_threadpool

from glyphd.api.idempotency import key_claimed
from glyphd.api.threads import threads_of
from glyphd.services.context import Context
from glyphd.services.idempotency import KeyClaim
from glyphd.services.options import ImportOptions, parse_options
from glyphd.services.placing import read_options
from glyphd.services.receiving import check_queue, holding, passing


@dataclass(frozen=True, slots=True)
class Admission:
    """A request that may be received: where its bytes go, how its options are read, and the claim of its key."""

    context: Context
    read_options: Callable[..., ImportOptions]
    claim: KeyClaim | None


@asynccontextmanager
async def admitted(request: Request, context: Context) -> AsyncIterator[Admission]:
    """Admit a request to be received. Raises MalformedIdempotencyKey, IdempotencyKeyInFlight, QueueFull.

    One whose key has an import already is only compared with it: its bytes pass, the queue may be full, and its parent
    may have come to a state in which it could not be amended any more.
    """
    async with key_claimed(request, context) as claim:
        if claim and claim.known:
            async with contextmanager_in_threadpool(passing(context)) as own:
                yield Admission(own, partial(parse_options, now=context.clock()), claim)
        else:
            await to_thread.run_sync(check_queue, context, limiter=threads_of(request).uploads)
            async with contextmanager_in_threadpool(holding(context)) as own:
                yield Admission(own, partial(read_options, own), claim)
