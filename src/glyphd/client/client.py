"""The client: one method a call of the HTTP API."""

import base64
import hashlib
import math
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from itertools import chain
from typing import TYPE_CHECKING, Any, Literal, Self, Unpack, overload
from urllib.parse import quote

import httpx

from glyphd.client.connection import Connection, read_as
from glyphd.client.lineage import LineageReads
from glyphd.client.listings import Listing
from glyphd.client.options import (
    Checking,
    ImportQuery,
    ListingQuery,
    Moment,
    Submission,
    Wait,
    as_parameters,
)
from glyphd.client.paging import read_arrays, read_pages
from glyphd.client.submitting import OnReport, answered, await_import, path_of, report_of, submit, validate
from glyphd.client.uploads import Submittable
from glyphd.domain.receipts import Receipt
from glyphd.domain.report import (
    ImportEvent,
    ImportReport,
    ModelSummary,
    RejectedRecord,
    RejectionVariant,
    RowDigest,
    SchemaVersions,
    SourceSummary,
    ValidationReport,
)
from glyphd.errors import ArtifactDamaged

if TYPE_CHECKING:
    import polars as pl


class Client(LineageReads):
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
        self, file: Submittable, *, filename: str | None = None, **submission: Unpack[Submission]
    ) -> ImportReport:
        """Import one batch: a path, bytes, or a file that is open for reading bytes, which is sent as it is read.

        Waits until the import is finished, unless :class:`Submission` says otherwise; its status tells. One that failed
        is raised if it was waited for, with its ``import_id``, counts and errors as members.
        """
        return submit(self._server, "/api/import", {"file": file}, submission, filename)

    def import_pipeline(
        self, enriched: Submittable, scored: Submittable, **submission: Unpack[Submission]
    ) -> ImportReport:
        """Import what a finished pipeline run left behind, joined by record position; else as :meth:`import_file`."""
        files = {"enriched": enriched, "scored": scored}
        return submit(self._server, "/api/imports/from-pipeline", files, submission)

    def validate_file(
        self, file: Submittable, *, filename: str | None = None, **submission: Unpack[Checking]
    ) -> ValidationReport:
        """Return what an import of this batch would report; nothing is stored. Files as for :meth:`import_file`."""
        return validate(self._server, "/api/import/validate", {"file": file}, submission, filename)

    def validate_pipeline(
        self, enriched: Submittable, scored: Submittable, **submission: Unpack[Checking]
    ) -> ValidationReport:
        """Return what an import of this pipeline run would report; nothing is stored."""
        files = {"enriched": enriched, "scored": scored}
        return validate(self._server, "/api/imports/from-pipeline/validate", files, submission)

    def wait(self, import_id: str, *, timeout: float = math.inf, on_progress: OnReport | None = None) -> ImportReport:
        """Ask for an import until it is finished, or for so many seconds, and return its report as it is then."""
        return await_import(self._server, import_id, timeout, on_progress)

    def report(self, import_id: str) -> ImportReport:
        """Return the report of one import, as of now. Raises ImportNotFound."""
        return report_of(self._server, import_id)

    def imports(self, *, limit: int | None = None, **filters: Unpack[ImportQuery]) -> Iterator[ImportReport]:
        """Yield the reports of imports, newest first unless sorted otherwise."""
        return read_pages(self._server, "/api/imports", ImportReport, as_parameters(filters), limit=limit)

    def rejections(self, import_id: str, *, limit: int | None = None) -> Iterator[RejectedRecord]:
        """Yield the records that were not stored, by import_index. Raises ImportNotFound."""
        return read_pages(self._server, path_of(import_id, "rejections"), RejectedRecord, {}, limit=limit)

    def rejections_csv(self, import_id: str, variant: str = RejectionVariant.ROUNDTRIP) -> Iterator[bytes]:
        """Yield all of them as CSV with their original cells. Raises ImportNotFound, ArtifactNotFound."""
        with self._server.stream(path_of(import_id, "rejections"), {"format": "csv", "variant": variant}) as answer:
            yield from answer.iter_bytes()

    def events(self, import_id: str, *, limit: int | None = None) -> Iterator[ImportEvent]:
        """Yield what happened to an import, oldest first. Raises ImportNotFound."""
        return read_pages(self._server, path_of(import_id, "events"), ImportEvent, {}, limit=limit)

    def artifact(self, import_id: str, role: str | None = None) -> Iterator[bytes]:
        """Yield the bytes as they were submitted; without a role those of the first artifact.

        Raises ImportNotFound, ArtifactNotFound; ArtifactDamaged at the end of bytes that are not those.
        """
        with self._server.stream(path_of(import_id, "artifact"), as_parameters({"role": role})) as answer:
            digest = hashlib.sha256()
            for portion in answer.iter_bytes():
                digest.update(portion)
                yield portion
            told = answer.headers.get("Repr-Digest", "")
            if told != f"sha-256=:{base64.b64encode(digest.digest()).decode()}:":
                raise ArtifactDamaged("The bytes on the way were not those of the artifact.", import_id=import_id)

    def discard(self, import_id: str, reason: str | None = None) -> ImportReport:
        """Take out an import that is not published. Raises ImportNotFound, IllegalTransition."""
        return read_as(ImportReport, self._change(import_id, "discard", reason))

    def _change(self, import_id: str, verb: str, reason: str | None) -> httpx.Response:
        return self._server.ask("POST", path_of(import_id, verb), json={"reason": reason})

    def publish(self, import_id: str, reason: str | None = None) -> ImportReport:
        """Make the rows of a staged import visible. Raises ImportNotFound, IllegalTransition."""
        return read_as(ImportReport, self._change(import_id, "publish", reason))

    def rollback(self, import_id: str, reason: str | None = None) -> Receipt:
        """Take a published import out of every read. Raises ImportNotFound, IllegalTransition."""
        return read_as(Receipt, self._change(import_id, "rollback", reason))

    def restore(self, import_id: str, reason: str | None = None) -> Receipt:
        """Put a rolled-back import back into every read. Raises ImportNotFound, IllegalTransition."""
        return read_as(Receipt, self._change(import_id, "restore", reason))

    def replay(
        self,
        import_id: str,
        reason: str | None = None,
        *,
        publish: str | None = None,
        schema_version: str | None = None,
        wait: Wait = True,
        idempotency_key: str | None = None,
    ) -> ImportReport:
        """Import a batch's stored artifacts again under today's rules, and return the replay's report.

        Raises ImportNotFound, IllegalTransition, NothingToReplay, and as :meth:`import_file`.
        """
        params = as_parameters({"publish": publish, "schema_version": schema_version})
        again = partial(self._server.ask, "POST", path_of(import_id, "replay"), params=params, json={"reason": reason})
        return answered(self._server, lambda headers: again(headers=headers), wait, idempotency_key)

    def digest(self, import_id: str) -> str:
        """Return the row digest of an import, in hex. Raises ImportNotFound."""
        return self._server.get(path_of(import_id, "digest"), RowDigest).row_digest

    def sources(self) -> Iterator[SourceSummary]:
        """Yield the sources, by name."""
        return read_pages(self._server, "/api/sources", SourceSummary, {})

    def models(self, *, source: str | None = None, as_of: Moment | None = None) -> Iterator[ModelSummary]:
        """Yield the models of the current view, or of that as of a moment, with their prices, by name."""
        params = as_parameters({"source": source, "as_of": as_of})
        return chain.from_iterable(read_arrays(self._server, "/api/models", ModelSummary, params))

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
        # polars takes 0.2 s, and who asks for no frame has no use for it
        frames = import_module("glyphd.client.frames")
        frame: pl.DataFrame = frames.frame_of(pages)
        return frame

    def export(self, form: str, **filters: Unpack[ListingQuery]) -> Iterator[bytes]:
        """Yield a file of all listings that match, with where each came from: `csv`, `ndjson` or `parquet`."""
        with self._server.stream("/api/listings", as_parameters({**filters, "format": form})) as answer:
            yield from answer.iter_bytes()

    def schema_versions(self) -> SchemaVersions:
        """Return the schema versions that a batch may name."""
        return self._server.get("/api/schema/versions", SchemaVersions)

    def schema(self, version: str) -> dict[str, Any]:
        """Return the row contract of one schema version as JSON Schema. Raises SchemaVersionNotFound."""
        return self._server.get(f"/api/schema/{quote(version, safe='')}", dict[str, Any])
