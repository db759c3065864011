"""Which work waits for which threads, so that slow reads do not hold up uploads, nor uploads reads.

Reads have anyio's own 40 threads. Measured before: with 45 searches of a second each, `/livez` answered after 20 s.
"""

from anyio import CapacityLimiter
from starlette.requests import Request


class Threads:
    """How many threads each kind of work may have at once in one API process."""

    def __init__(self) -> None:
        """Make the limits; one for each running application."""
        self.uploads = CapacityLimiter(8)
        self.json_bodies = CapacityLimiter(1)
        """A file's text inside JSON takes up to five times its size while it is taken apart."""
        self.outcomes = CapacityLimiter(4)
        self.validations = CapacityLimiter(1)
        """Processes: one batch is validated at a time, the others wait with their bytes on the disk."""


def threads_of(request: Request) -> Threads:
    """Return the limits of the application that serves a request."""
    threads: Threads = request.app.state.threads
    return threads
