"""Logs: JSON lines on standard error, one for what structlog and one for what a library says, without values."""

import io
import json
import logging

import pytest
import structlog

from glyphd.logs import configure_logs, tell_where


def raise_nested() -> None:
    """Raise an exception over another one, both with a value in their message."""
    try:
        int("SECRET")
    except ValueError as exc:
        raise RuntimeError("SECRET") from exc


def raise_cycle() -> None:
    """Raise an exception that is its own cause's cause."""
    first, second = ValueError("SECRET"), KeyError("SECRET")
    first.__cause__, second.__cause__ = second, first
    raise first


@pytest.mark.parametrize(
    ("function", "types"),
    [
        (raise_nested, ["builtins.RuntimeError", "builtins.ValueError"]),
        (raise_cycle, ["builtins.ValueError", "builtins.KeyError"]),
    ],
)
def test_an_exception_is_told_by_type_and_place(
    capsys: pytest.CaptureFixture[str], function: object, types: list[str]
) -> None:
    """Neither messages nor local variables are logged; the places are."""
    configure_logs()
    try:
        function()  # type: ignore[operator]
    except Exception:
        structlog.get_logger().exception("broken", import_id="x")
        logging.getLogger("library").exception("library broke")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [("broken", types), ("library broke", types)] == [
        (line["event"], [each["type"] for each in line["traceback"]]) for line in lines
    ]
    assert all(function.__name__ in line["traceback"][0]["frames"][-1] for line in lines)  # type: ignore[attr-defined]
    assert "SECRET" not in json.dumps(lines)


def test_a_line_without_an_exception_is_left_alone() -> None:
    """`tell_where` only speaks of what was raised."""
    assert {"event": "a"} == tell_where(None, "info", {"event": "a"})
    assert {"event": "a"} == tell_where(None, "info", {"event": "a", "exc_info": None})
    assert {"event": "a"} == tell_where(None, "info", {"event": "a", "exc_info": True})


def test_lines_go_to_what_standard_error_is_now(capsys: pytest.CaptureFixture[str]) -> None:
    """Libraries' warnings are lines too; the level counts for structlog."""
    configure_logs("warning")
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud", n=1)
    logging.getLogger("uvicorn.error").warning("from a library")

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]

    assert [("loud", "warning"), ("from a library", "warning")] == [(line["event"], line["level"]) for line in lines]
    assert all(line["timestamp"].endswith("Z") for line in lines)


def test_a_line_and_its_end_are_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server and its worker share a file: two writes a line would mix their lines."""
    written: list[str] = []

    class Shared(io.StringIO):
        def write(self, text: str, /) -> int:
            written.append(text)
            return len(text)

    monkeypatch.setattr("sys.stderr", Shared())
    configure_logs()
    structlog.get_logger().info("one")
    logging.getLogger("library").warning("two")
    assert ["one", "two"] == [json.loads(line)["event"] for line in written]
    assert all(line.endswith("\n") for line in written)
