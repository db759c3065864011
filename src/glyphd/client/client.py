"""The client: one method a call of the HTTP API."""

import base64
import hashlib
import math
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload
from urllib.parse import quote
from uuid import uuid4

import httpx

from glyphd.client.connection import Connection, read_as
from glyphd.client.listings import Listing
from glyphd.client.options import ImportQuery, ListingQuery, SubmitOptions, as_parameters
from glyphd.client.paging import read_arrays, read_pages
from glyphd.client.problems import failure_of
from glyphd.client.uploads import OnSent, Submittable, Uploads, opened
from glyphd.domain.imports import PENDING
from glyphd.domain.report import (
    ImportEvent,
    ImportReport,
    ModelSummary,
    RejectedRecord,
    RowDigest,
    SchemaVersions,
    SourceSummary,
)
from glyphd.errors import ArtifactDamaged, GlyphdError

if TYPE_CHECKING:
    import polars as pl

OnReport = Callable[[ImportReport], None]
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0
_HELD_SECONDS = 10
"""How long the server is asked to keep a request that waits for its import; after that it is asked again and again."""


class Client:
    """A client of one server; use it as a context manager, or close it.

    What the server answers as a problem is raised as the class of :mod:`glyphd.errors` with its code, carrying
    ``code``, ``status``, ``import_id``, ``detail`` and ``members``; without an answer it is ServerUnreachable.
    Requests that did not reach the server, or that it was too busy for, are sent again, imports under one idempotency
    key, so that a batch is imported once however often its request was sent.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        actor: str | None = None,
        timeout: float = 75,
        retries: int = 5,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Name a server, e.g. `http://localhost:8080`; nothing is sent yet. Raises ValueError for no URL.

        ``token`` is sent as a bearer token, ``actor`` is who the audit trail names, ``timeout`` is in seconds without
        a byte (the server may think for 60), ``retries`` how often a request is sent again.
        """
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if actor:
            headers["X-Actor"] = actor.encode("ascii", "replace").decode()
        self._server = Connection(base_url, headers, timeout=timeout, retries=retries, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections to the server."""
        self._server.close()

    def import_file(
        self,
        file: Submittable,
        *,
        filename: str | None = None,
        idempotency_key: str | None = None,
        wait: bool | float = True,
        on_progress: OnSent | None = None,
        **options: Unpack[SubmitOptions],
    ) -> ImportReport:
        """Import one batch: a path, bytes, or a file that is open for reading bytes, which is sent as it is read.

        ``wait``: until the import is finished (True), so many seconds, or not at all (False); the report tells by its
        status whether it is. ``on_progress`` is told the bytes sent and their total. An import that is finished and
        failed is raised, with its ``import_id``, counts and errors as members. Without an ``idempotency_key`` the call
        makes its own; give one to continue what another process began.
        """
        with opened({"file": file}, filename=filename, on_sent=on_progress) as uploads:
            return self._submit("/api/import", uploads, idempotency_key, wait, options)

    def _submit(
        self,
        path: str,
        uploads: Uploads,
        idempotency_key: str | None,
        wait: bool | float,  # noqa: FBT001
        options: SubmitOptions,
    ) -> ImportReport:
        held = min(_HELD_SECONDS, wait if wait is not True else _HELD_SECONDS)
        headers = {
            "Idempotency-Key": f'"{idempotency_key or uuid4()}"',
            "Prefer": f"wait={math.ceil(held)}" if held else "respond-async",
        }
        try:
            report = read_as(ImportReport, self._send(path, uploads, options, headers))
        except GlyphdError as exc:
            if wait or exc.import_id is None or "received" not in exc.members:
                raise
            return self.report(exc.import_id)  # it is on the ledger, and has failed already
        if wait and report.status in PENDING:
            report = self.wait(report.import_id, timeout=None if wait is True else wait - held)
        if wait and (failure := failure_of(report)):
            raise failure
        return report

    def _send(
        self, path: str, uploads: Uploads, options: SubmitOptions, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send files; what is said of them is in the URL, where it is read before they are, if it fits there."""
        params = as_parameters(options)
        fields = {name: params.pop(name) for name in ("metadata",) if name in params}
        return self._server.ask(
            "POST",
            path,
            repeatable=uploads.repeatable,
            params=params,
            data=fields,
            files=uploads.form(),
            headers=headers,
        )

    def wait(
        self, import_id: str, *, timeout: float | None = None, on_progress: OnReport | None = None
    ) -> ImportReport:
        """Ask for an import until it is finished, or for so many seconds, and return its report as it is then."""
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while True:
            report = self.report(import_id)
            if on_progress:
                on_progress(report)
            if report.status not in PENDING or time.monotonic() >= deadline:
                return report
            time.sleep(max(0, min(pause, deadline - time.monotonic())))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def report(self, import_id: str) -> ImportReport:
        """Return the report of one import, as of now. Raises ImportNotFound."""
        return self._server.get(_own(import_id), ImportReport)

    def imports(self, *, limit: int | None = None, **filters: Unpack[ImportQuery]) -> Iterator[ImportReport]:
        """Yield the reports of imports, newest first."""
        return read_pages(self._server, "/api/imports", ImportReport, as_parameters(filters), limit=limit)

    def rejections(self, import_id: str, *, limit: int | None = None) -> Iterator[RejectedRecord]:
        """Yield the records that were not stored, by import_index. Raises ImportNotFound."""
        return read_pages(self._server, _own(import_id, "rejections"), RejectedRecord, {}, limit=limit)

    def rejections_csv(self, import_id: str) -> Iterator[bytes]:
        """Yield all of them as CSV with their original cells. Raises ImportNotFound, ArtifactNotFound."""
        with self._server.stream(_own(import_id, "rejections"), {"format": "csv"}) as answer:
            yield from answer.iter_bytes()

    def events(self, import_id: str, *, limit: int | None = None) -> Iterator[ImportEvent]:
        """Yield what happened to an import, oldest first. Raises ImportNotFound."""
        return read_pages(self._server, _own(import_id, "events"), ImportEvent, {}, limit=limit)

    def artifact(self, import_id: str, role: str | None = None) -> Iterator[bytes]:
        """Yield the bytes as they were submitted; without a role those of the first artifact.

        Raises ImportNotFound, ArtifactNotFound; ArtifactDamaged at the end of bytes that are not those.
        """
        with self._server.stream(_own(import_id, "artifact"), as_parameters({"role": role})) as answer:
            digest = hashlib.sha256()
            for portion in answer.iter_bytes():
                digest.update(portion)
                yield portion
            told = answer.headers.get("Repr-Digest", "")
            if told != f"sha-256=:{base64.b64encode(digest.digest()).decode()}:":
                raise ArtifactDamaged("The bytes on the way were not those of the artifact.", import_id=import_id)

    def discard(self, import_id: str, reason: str | None = None) -> ImportReport:
        """Take out an import that is not published. Raises ImportNotFound, IllegalTransition."""
        return self._change(import_id, "discard", reason)

    def _change(self, import_id: str, verb: str, reason: str | None) -> ImportReport:
        return read_as(ImportReport, self._server.ask("POST", _own(import_id, verb), json={"reason": reason}))

    def digest(self, import_id: str) -> str:
        """Return the row digest of an import, in hex. Raises ImportNotFound."""
        return self._server.get(_own(import_id, "digest"), RowDigest).row_digest

    def sources(self) -> Iterator[SourceSummary]:
        """Yield the sources, by name."""
        return read_pages(self._server, "/api/sources", SourceSummary, {})

    def models(self) -> Iterator[ModelSummary]:
        """Yield the models of the current view with their prices, by name."""
        return chain.from_iterable(read_arrays(self._server, "/api/models", ModelSummary, {}))

    @overload
    def listings(
        self, *, as_frame: None = None, limit: int | None = None, **filters: Unpack[ListingQuery]
    ) -> Iterator[dict[str, Any]]: ...
    @overload
    def listings(
        self, *, as_frame: Literal["polars"], limit: int | None = None, **filters: Unpack[ListingQuery]
    ) -> "pl.DataFrame": ...
    def listings(
        self, *, as_frame: str | None = None, limit: int | None = None, **filters: Unpack[ListingQuery]
    ) -> "Iterator[dict[str, Any]] | pl.DataFrame":
        """Yield listings, newest import first, or return them as a frame of :data:`glyphd.client.frames.SCHEMA`."""
        pages = read_arrays(self._server, "/api/listings", Listing, as_parameters(filters), limit=limit)
        if as_frame is None:
            return chain.from_iterable(pages)
        if as_frame != "polars":
            raise ValueError(f"as_frame is 'polars' or None, not {as_frame!r}.")
        frames = import_module(
            "glyphd.client.frames"
        )  # polars takes 0.2 s, and who asks for no frame has no use for it
        frame: pl.DataFrame = frames.frame_of(pages)
        return frame

    def schema_versions(self) -> SchemaVersions:
        """Return the schema versions that a batch may name."""
        return self._server.get("/api/schema/versions", SchemaVersions)

    def schema(self, version: str) -> dict[str, Any]:
        """Return the row contract of one schema version as JSON Schema. Raises SchemaVersionNotFound."""
        return self._server.get(f"/api/schema/{quote(version, safe='')}", dict[str, Any])


def _own(import_id: str, *rest: str) -> str:
    return "/".join(["/api/imports", quote(import_id, safe=""), *rest])
