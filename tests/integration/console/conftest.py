"""The console on a real socket of this process, over the test's own installation."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.serving import serving


@pytest.fixture
def console(make_settings: Callable[..., Settings], context: Context) -> Iterator[httpx.Client]:
    """A browser without JavaScript: it keeps cookies, and asks for HTML."""
    with serving(make_settings(), context) as client:
        client.headers["Accept"] = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
        client.follow_redirects = True
        yield client
