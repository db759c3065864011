"""A connection whose client hangs up: what has arrived whole is still read.

uvicorn tells an application of the disconnect instead of handing it the rest of a body that it has in its buffer. A
client that sent its batch and went away at once, because it does not care for the answer, lost it in 20 of 20 trials.
"""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

PAUSE_SECONDS = 0.05


class ReadingProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, but a disconnect is told after the body."""

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait until a request that is whole has been read or answered."""
        cycle = self.cycle
        if cycle and cycle.body and not (cycle.more_body or cycle.response_complete):
            asyncio.get_running_loop().call_later(PAUSE_SECONDS, self.connection_lost, exc)
        else:
            super().connection_lost(exc)
