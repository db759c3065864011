"""Submit what makes an import, and wait for what becomes of it."""

import math
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx

from glyphd.client.connection import Connection, read_as
from glyphd.client.options import Wait, as_parameters
from glyphd.client.problems import failure_of
from glyphd.client.uploads import OnSent, Submittable, opened
from glyphd.domain.imports import PENDING
from glyphd.domain.report import ImportReport, ValidationReport
from glyphd.errors import GlyphdError

OnReport = Callable[[ImportReport], None]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_HELD_SECONDS = 10
"""How long the server is asked to keep a request that waits for its import; after that it is asked again and again."""


def path_of(import_id: str, *rest: str) -> str:
    """Return where an import is, or what belongs to it."""
    return "/".join(["/api/imports", quote(import_id, safe=""), *rest])


def report_of(server: Connection, import_id: str) -> ImportReport:
    """Return the report of one import, as of now. Raises ImportNotFound."""
    return server.get(path_of(import_id), ImportReport)


def submit(
    server: Connection,
    path: str,
    files: Mapping[str, Submittable],
    submission: Mapping[str, Any],
    filename: str | None = None,
) -> ImportReport:
    """Send the files of one batch as a form, with what is said of it, and wait as asked.

    Raises what the server refuses it with, and, if it was waited for, why the import failed.
    """
    options = dict(submission)
    wait, key = options.pop("wait", True), options.pop("idempotency_key", None)

    def send(headers: Mapping[str, str]) -> httpx.Response:
        return send_files(server, path, files, options, filename=filename, headers=headers)

    return answered(server, send, wait, key)


def validate(
    server: Connection,
    path: str,
    files: Mapping[str, Submittable],
    submission: Mapping[str, Any],
    filename: str | None = None,
) -> ValidationReport:
    """Send the files of one batch to be validated, with what is said of it."""
    return read_as(ValidationReport, send_files(server, path, files, submission, filename=filename))


def answered(
    server: Connection, send: Callable[[Mapping[str, str]], httpx.Response], wait: Wait, idempotency_key: str | None
) -> ImportReport:
    """Send what makes an import, under one key however often, and wait as asked. Raises as :func:`submit`."""
    held = _HELD_SECONDS if wait is True else min(_HELD_SECONDS, wait)
    preferred = f"wait={math.ceil(held)}" if held else "respond-async"
    try:
        report = read_as(
            ImportReport, send({"Idempotency-Key": f'"{idempotency_key or uuid4()}"', "Prefer": preferred})
        )
    except GlyphdError as exc:
        if wait or exc.import_id is None or "received" not in exc.members:
            raise
        return report_of(server, exc.import_id)  # it is on the ledger, and has failed already
    if wait and report.status in PENDING:
        report = await_import(server, report.import_id, math.inf if wait is True else wait - held)
    if wait and (failure := failure_of(report)):
        raise failure
    return report


def send_files(
    server: Connection,
    path: str,
    files: Mapping[str, Submittable],
    options: Mapping[str, Any],
    *,
    filename: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Send files as a form. What is said of them is in the URL, where it is read before they are, if it fits there."""
    said = dict(options)
    on_sent: OnSent | None = said.pop("on_progress", None)
    params = as_parameters(said)
    fields = {"metadata": params.pop("metadata")} if "metadata" in params else {}
    with opened(files, filename=filename, on_sent=on_sent) as uploads:
        form = {"params": params, "data": fields, "files": uploads.form()}
        return server.ask("POST", path, repeatable=uploads.repeatable, headers=headers, **form)


def await_import(
    server: Connection, import_id: str, seconds: float, on_progress: OnReport | None = None
) -> ImportReport:
    """Ask for an import until it is finished, or for so many seconds, and return its report as it is then."""
    deadline, pause = time.monotonic() + seconds, _FIRST_PAUSE
    while True:
        report = report_of(server, import_id)
        if on_progress:
            on_progress(report)
        left = deadline - time.monotonic()
        if report.status not in PENDING or left <= 0:
            return report
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
