"""What `glyphd serve` says at its start."""

import socket
from typing import Any

import pytest
from structlog.testing import capture_logs

from glyphd.cli.server import tell_who_may
from glyphd.settings import Settings

TOKEN = {"api_token": "a-token-of-this-test"}


def told(host: str, **values: Any) -> tuple[str, str, str, str]:
    """Return what is logged of a server that listens there: event, level, who reads, who writes."""
    with socket.socket() as listener, capture_logs() as logs:
        listener.bind((host, 0))
        tell_who_may(Settings(host=host, **values), listener)
    (only,) = logs
    return only["event"], only["log_level"], only["reads"], only["writes"]


@pytest.mark.parametrize(("host", "level"), [("127.0.0.1", "info"), ("0.0.0.0", "warning")])  # noqa: S104 - not served
def test_a_server_without_a_token_says_that_it_is_open(host: str, level: str) -> None:
    """As a warning where others than this machine reach it."""
    assert ("server.open", level, "everyone", "everyone") == told(host)


def test_a_server_with_a_token_says_what_needs_it() -> None:
    """Whatever it listens on."""
    who = "who has the access token"
    assert ("server.guarded", "info", "everyone", who) == told("127.0.0.1", **TOKEN)
    assert ("server.guarded", "info", who, who) == told("127.0.0.1", **TOKEN, guard_reads=True)


@pytest.mark.parametrize("token", ["", "short", "a token with spaces in it", "ein-schlüssel-mit-umlaut"])
def test_a_token_that_guards_nothing_is_refused(token: str) -> None:
    """An empty one above all: the variable is there, and the server would be open."""
    with pytest.raises(ValueError, match="at least 16 printable ASCII characters"):
        Settings(api_token=token)


def test_reads_cannot_be_guarded_without_a_token() -> None:
    """Nobody could read."""
    with pytest.raises(ValueError, match="nobody could read"):
        Settings(guard_reads=True)
