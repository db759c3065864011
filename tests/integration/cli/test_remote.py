"""`glyphd --url`: the same output and exit codes on a server as here."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from glyphd.cli.output import ExitCode
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.integration.cli.conftest import SAMPLE, Glyphd
from tests.serving import serving, working

NOBODY = "01a212c9-b639-751f-a092-889000000000"
_DIFFERS = re.compile(
    r"\"actor\":\"[^\"]+\"|01a[0-9a-f]{5}-[0-9a-f-]{27}"
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?|\"duration_ms\":\d+"
)


@pytest.fixture
def remote(
    glyphd: Glyphd, make_settings: Callable[..., Settings], context: Context, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Glyphd]:
    """Run commands on a server of the same installation."""
    settings = make_settings()
    monkeypatch.setenv("GLYPHD_ARTIFACTS_URL", f"file://{settings.artifacts_folder.absolute()}")
    with serving(settings, context) as client, working(context):
        yield lambda *arguments: glyphd("--url", str(client.base_url), *arguments)


def told(ran: Result) -> tuple[int, str, list[str]]:
    """Return how a command ended and what it said, without ids and times; the server, in this process, logs as well."""
    said = [line for line in ran.stderr.splitlines() if not line.startswith("{")]
    return ran.exit_code, _DIFFERS.sub("…", ran.stdout), [_DIFFERS.sub("…", line) for line in said]


def held(glyphd: Glyphd, source: str) -> str:
    """Import the sample without publishing it, and return its id."""
    ran = glyphd("import", SAMPLE, "--source", source, "--publish", "hold")
    found = re.search(r"01a[0-9a-f]{5}-[0-9a-f-]{27}", ran.stdout)
    assert found, ran.stderr
    return found[0]


ABOUT_ONE: dict[str, list[Any]] = {
    "show": ["imports", "show", "ID", "--json"],
    "rejections": ["rejections", "ID"],
    "rejections as JSON": ["imports", "rejections", "ID", "--limit", "1", "--json"],
    "rejections as CSV": ["rejections", "ID", "--csv"],
    "rejections for a spreadsheet": ["rejections", "ID", "--csv", "--variant", "spreadsheet"],
    "artifact": ["imports", "artifact", "ID"],
    "digest": ["imports", "digest", "ID"],
    "an unknown one": ["imports", "show", NOBODY],
    "what is no id": ["imports", "show", "nonsense"],
    "list": ["imports", "list", "--status", "staged"],
    "list of a source": ["imports", "list", "--source", "demo", "--json"],
    "nothing to list": ["imports", "list", "--source", "nobody"],
}


@pytest.mark.parametrize("name", ABOUT_ONE)
def test_reading_is_the_same(glyphd: Glyphd, remote: Glyphd, name: str) -> None:
    """To the byte."""
    import_id = held(glyphd, "demo")
    command = [import_id if each == "ID" else each for each in ABOUT_ONE[name]]

    assert told(glyphd(*command)) == told(remote(*command))


IMPORTS: dict[str, tuple[list[Any], ExitCode]] = {
    "a file": ([SAMPLE], ExitCode.OK),
    "strictly": ([SAMPLE, "--strict"], ExitCode.PARTIAL),
    "all or nothing": ([SAMPLE, "--on-error", "abort"], ExitCode.FAILED),
    "a pipeline run": (
        ["--enriched", SAMPLE.with_name("pipeline_enriched.csv"), "--scored", SAMPLE.with_name("pipeline_scored.csv")],
        ExitCode.OK,
    ),
    "with a gate": ([SAMPLE, "--max-reject-rate", "0.1"], ExitCode.OK),
    "held": ([SAMPLE, "--publish", "hold", "--metadata", '{"run":"7"}', "--campaign-id", "july"], ExitCode.OK),
    "an option that is none": ([SAMPLE, "--schema-version", "v9"], ExitCode.FAILED),
    "an unknown parent": ([SAMPLE, "--parent", NOBODY], ExitCode.FAILED),
    "no file": (["nowhere.csv"], ExitCode.USAGE),
    "half a run": (["--enriched", SAMPLE], ExitCode.USAGE),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_importing_is_the_same(glyphd: Glyphd, remote: Glyphd, name: str) -> None:
    """What is said of the outcome, and the exit code."""
    options, code = IMPORTS[name]

    here, there = (told(run("import", *options, "--source", "demo")) for run in (glyphd, remote))

    assert code == here[0], here
    assert here == there


@pytest.mark.parametrize("verb", ["publish", "discard", "replay"])
def test_changing_is_the_same(glyphd: Glyphd, remote: Glyphd, verb: str) -> None:
    """With its reason in the events; what is refused is refused alike."""
    ids = [held(glyphd, source) for source in ("one", "other")]

    first = [
        told(run("imports", verb, each, "--reason", "why")) for run, each in zip((glyphd, remote), ids, strict=True)
    ]
    again = [told(run("imports", verb, each)) for run, each in zip((glyphd, remote), ids, strict=True)]
    events = [told(run("imports", "events", each, "--json")) for run, each in zip((glyphd, remote), ids, strict=True)]

    assert ExitCode.OK == first[0][0], first
    assert [first[0], again[0], events[0]] == [first[1], again[1], events[1]]


@pytest.mark.parametrize(
    "command", [["imports", "list"], ["import", str(SAMPLE)], ["validate", str(SAMPLE)]], ids=" ".join
)
def test_nobody_there(glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch, command: list[str]) -> None:
    """Exit code 4, one line."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    ran = glyphd("--url", "http://127.0.0.1:9", *command)
    assert ExitCode.UNREACHABLE == ran.exit_code
    assert 1 == len(ran.stderr.splitlines()), ran.stderr


@pytest.mark.parametrize("command", ["migrate", "serve", "worker", "doctor", "copy"])
def test_what_is_about_this_machine_refuses_a_server(glyphd: Glyphd, tmp_path: Path, command: str) -> None:
    """Rather than doing it here."""
    more = ["sqlite:///one.sqlite", "sqlite:///other.sqlite"] if command == "copy" else []
    ran = glyphd("--url", "http://127.0.0.1:9", command, *more)
    assert ExitCode.USAGE == ran.exit_code, ran.output
    assert [] == list(tmp_path.glob("*.sqlite"))


def test_a_url_that_is_none(glyphd: Glyphd, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wrong usage, be it an option or a setting."""
    assert ExitCode.USAGE == glyphd("--url", "nonsense", "imports", "list").exit_code
    monkeypatch.setenv("GLYPHD_URL", "ftp://x")
    assert ExitCode.USAGE == glyphd("imports", "list").exit_code
