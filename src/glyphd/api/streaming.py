"""A file that is answered while it is made."""

from collections.abc import Generator, Mapping

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class StreamedFile(StreamingResponse):
    """Portions of a file; what makes them is ended with the answer, also when the client goes away in its midst.

    The library leaves them to the garbage collector, and with them connections and processes.
    """

    def __init__(self, portions: Generator[bytes, None, None], headers: Mapping[str, str], media_type: str) -> None:
        """Answer 200."""
        super().__init__(portions, 200, headers, media_type)
        self._portions = portions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            with anyio.CancelScope(shield=True):
                await run_in_threadpool(self._portions.close)
