"""Signing in to the console, where the server has an access token."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx
import pytest
from itsdangerous import TimestampSigner

from glyphd.api.access import COOKIE, SESSION_SECONDS
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.integration.console.reading import Page, read, send
from tests.serving import serving

TOKEN = "a-token-of-this-test"
MakeConsole = Callable[..., AbstractContextManager[httpx.Client]]


@pytest.fixture
def make_console(make_settings: Callable[..., Settings], context: Context) -> MakeConsole:
    """Serve a console with these settings, to a browser that has no cookie yet."""

    @contextmanager
    def make(**values: Any) -> Iterator[httpx.Client]:
        with serving(make_settings(**{"api_token": TOKEN, **values}), context) as client:
            client.headers["Accept"] = "text/html"
            client.follow_redirects = True
            yield client

    return make


@pytest.fixture
def console(make_console: MakeConsole) -> Iterator[httpx.Client]:
    """A console whose writes are guarded."""
    with make_console() as client:
        yield client


def sign_in(console: httpx.Client, at: str = "/login", token: str = TOKEN, status: int = 200) -> Page:
    """Give the token to the login page."""
    return send(console, read(console, at), "/login", status, token=token)


def test_a_page_that_writes_asks_to_sign_in_and_leads_back(console: httpx.Client) -> None:
    """To the same address, with what was asked in it; everyone reads the other pages."""
    assert "Overview" in read(console, "/").text
    page = sign_in(console, "/imports/new?source=wamatek")

    assert ("/imports/new", "wamatek") == (console_address(page), page.forms["/imports/new"]["source"])
    assert "Sign out" in page.text


def console_address(page: Page) -> str:
    """Return the page that the navigation marks as the one that is shown."""
    return next(given["href"] or "" for tag, given in page.elements if tag == "a" and given.get("aria-current"))


def test_a_wrong_token_is_refused(console: httpx.Client) -> None:
    """And asked for again, on the way to the same page; it is not shown."""
    page = sign_in(console, "/login?next=/imports/new", token="another-token-than-that", status=401)

    assert (401, None) == (page.status, console.cookies.get(COOKIE))
    assert "not the access token of this server" in page.text
    assert "/imports/new" == page.forms["/login"]["next"]
    assert "another-token" not in page.source


def test_a_form_of_who_is_not_signed_in_is_refused(console: httpx.Client) -> None:
    """Its page says what to do."""
    token = read(console, "/login").forms["/login"]["form_token"]

    refused = console.post("/imports/none/publish", data={"form_token": token})

    assert 401 == refused.status_code
    assert "Sign in at /login" in refused.text


def test_a_session_is_no_token_for_the_api(console: httpx.Client) -> None:
    """A browser sends its cookie whoever made it send a request: the API's writes take the token only."""
    sign_in(console)

    assert console.cookies.get(COOKIE)
    assert 401 == console.post("/api/imports/none/rollback").status_code


def test_signing_out_ends_it(console: httpx.Client) -> None:
    """The next page that writes asks again."""
    sign_in(console)
    page = send(console, read(console, "/login"), "/login/out")

    assert None is console.cookies.get(COOKIE)
    assert "/login" in page.forms
    assert "Access token" in read(console, "/imports/new").text


def test_reads_are_guarded_if_so_set(make_console: MakeConsole) -> None:
    """Pages, and what they lead to of the API, which a session opens; not what the login page needs."""
    with make_console(guard_reads=True) as console:
        page = read(console, "/imports")
        assert "Access token" in page.text
        for tag, given in page.elements:
            if tag == "link":
                assert 200 == console.get(given["href"] or "").status_code
        assert 401 == console.get("/api/listings").status_code
        sign_in(console)

        assert "Nothing is imported yet" in read(console, "/imports").text
        assert 200 == console.get("/api/listings").status_code


def test_signing_in_leads_back_to_a_name_of_any_kind(make_console: MakeConsole) -> None:
    """Spaces and letters of any script included."""
    with make_console(guard_reads=True) as console:
        page = sign_in(console, "/models/RTX%204090%25%20%E3%83%A2%2F?as_of=2026-07-01")

    assert "Model RTX 4090% モ/" in page.text
    assert "2026-07-01" == page.forms["/models/RTX%204090%25%20%E3%83%A2%2F"]["as_of"]


def test_a_session_lasts_for_twelve_hours(console: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no longer, whatever the browser keeps."""
    now = TimestampSigner("").get_timestamp()
    sign_in(console)
    session = console.cookies[COOKIE]

    def asks_again(seconds: int) -> bool:
        monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: now + seconds)
        console.cookies.set(COOKIE, session)
        return "Access token" in read(console, "/imports/new").text

    assert [False, False, True] == [asks_again(seconds) for seconds in (5, SESSION_SECONDS - 60, SESSION_SECONDS + 60)]


@pytest.mark.parametrize(
    "change", [lambda text: text[:-1], lambda text: "x" + text, lambda _: "signed in", lambda _: ""]
)
def test_a_session_that_was_tampered_with_is_none(console: httpx.Client, change: Callable[[str], str]) -> None:
    """Nobody else can make one."""
    sign_in(console)
    session = console.cookies[COOKIE]
    console.cookies.clear()
    console.cookies.set(COOKIE, change(session))

    assert "Access token" in read(console, "/imports/new").text


def test_a_new_token_ends_every_session(make_console: MakeConsole) -> None:
    """What was signed with the old one is worth nothing."""
    with make_console() as console:
        sign_in(console)
        session = console.cookies[COOKIE]
    with make_console(api_token="another-token-than-that") as console:
        console.cookies.set(COOKIE, session)

        assert "Access token" in read(console, "/imports/new").text


@pytest.mark.parametrize(
    "onward",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "evil", "/a\r\nb: c", ""],
)
def test_signing_in_never_leads_elsewhere(console: httpx.Client, onward: str) -> None:
    """An address that is not one of this server leads to the first page."""
    page = read(console, str(httpx.URL("/login", params={"next": onward})))

    assert "/" == page.forms["/login"]["next"]
    console.follow_redirects = False
    fields = {**page.forms["/login"], "next": onward, "token": TOKEN}
    assert "/" == console.post("/login", data=fields).headers["Location"]


def test_where_there_is_no_token_nobody_signs_in(make_console: MakeConsole) -> None:
    """The page says so, and no other page leads to it."""
    with make_console(api_token=None) as console:
        assert "nobody needs to sign in" in read(console, "/login").text
        assert "Sign in" not in read(console, "/").text
