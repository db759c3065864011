"""Logs: one line a request and one a step of an import, JSON unless a person watches; never a row's content."""

import logging
import sys
import traceback
from collections.abc import Iterator
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

INNERMOST_FRAMES = 12


def configure_logs(level: str = "INFO") -> None:
    """Set up structlog for this process, on standard error."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        tell_where,
    ]
    terminal = sys.stderr.isatty()
    renderer: Processor = structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer()
    _take_over_stdlib([*shared, structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer])
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(_number(level)),
        # a line and its end in one write: processes share the file (`print` makes two writes of it, unbuffered)
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


def tell_where(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Replace an exception by its types and the places it passed.

    Neither its message nor local variables: both quote records (polars and the database drivers do).
    """
    exc = event.pop("exc_info", None)
    if isinstance(exc, tuple):
        exc = exc[1]
    elif exc and not isinstance(exc, BaseException):
        exc = sys.exc_info()[1]
    if exc:
        event["traceback"] = [_place(each) for each in _chain(exc)]
    return event


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        yield exc
        seen.add(id(exc))
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _place(exc: BaseException) -> dict[str, str | list[str]]:
    frames = traceback.extract_tb(exc.__traceback__)[-INNERMOST_FRAMES:]
    name = f"{type(exc).__module__}.{type(exc).__qualname__}"
    return {"type": name, "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]}


def _take_over_stdlib(processors: list[Processor]) -> None:
    """Write what libraries log (uvicorn's warnings) in the same form."""
    handler = _StandardError()
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=processors))
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is at the moment, as structlog's logger does."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


def _number(level: str) -> int:
    return logging.getLevelNamesMapping()[level.upper()]
