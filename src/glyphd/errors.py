"""The whole failure vocabulary.

A failure has a stable ``code``, a ``kind`` that the edges translate (HTTP status in ``api/problems.py``, exit code in
``cli/``), a ``title`` (the first line of its docstring) and a ``detail`` of what was found in this one case."""

from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What sort of failure it is; the edges need nothing else to answer."""

    SYNTAX = "syntax"
    NOT_FOUND = "not_found"
    NOT_ALLOWED = "not_allowed"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"
    UNSATISFIABLE = "unsatisfiable"
    INVALID = "invalid"
    BUSY = "busy"
    FAULT = "fault"
    UNAVAILABLE = "unavailable"
    NO_SPACE = "no_space"


class GlyphdError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    kind: ClassVar[Kind] = Kind.FAULT

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        """Keep the detail, and members such as ``import_id`` or ``line`` that the problem carries along."""
        self.detail = detail or self.title()
        self.members = members
        super().__init__(self.detail)

    @classmethod
    def title(cls) -> str:
        """Return what this failure is called, the same for every case of it."""
        return (cls.__doc__ or cls.__name__).strip().splitlines()[0].rstrip(".")


# -- the request ------------------------------------------------------------------------------------------------------


class MalformedRequest(GlyphdError):
    """The request cannot be parsed."""

    code, kind = "malformed_request", Kind.SYNTAX


class RouteNotFound(GlyphdError):
    """There is nothing at this path."""

    code, kind = "route_not_found", Kind.NOT_FOUND


class MethodNotAllowed(GlyphdError):
    """The path does not take this method."""

    code, kind = "method_not_allowed", Kind.NOT_ALLOWED


class IncompleteBody(GlyphdError):
    """The body ended early."""

    code, kind = "incomplete_body", Kind.SYNTAX


class InvalidParameter(GlyphdError):
    """A parameter has a value that is not accepted."""

    code, kind = "invalid_parameter", Kind.INVALID


class ConflictingOptions(GlyphdError):
    """One option was given twice with different values."""

    code, kind = "conflicting_options", Kind.INVALID


class MissingFile(GlyphdError):
    """The request carries nothing to import."""

    code, kind = "missing_file", Kind.INVALID


class UnsupportedSchemaVersion(GlyphdError):
    """The schema version is not supported."""

    code, kind = "unsupported_schema_version", Kind.INVALID


class BodyTooLarge(GlyphdError):
    """The body is larger than this server accepts."""

    code, kind = "body_too_large", Kind.TOO_LARGE


class UnsupportedFormat(GlyphdError):
    """The format of the body is not one that can be imported."""

    code, kind = "unsupported_format", Kind.UNSUPPORTED


class QueueFull(GlyphdError):
    """Too many imports are waiting."""

    code, kind = "queue_full", Kind.BUSY


# -- the file: these leave a failed import, since its bytes are safe by then -------------------------------------------


class FileFault(GlyphdError):
    """The file cannot be imported."""

    code, kind = "file_fault", Kind.INVALID


class EmptyFile(FileFault):
    """The file holds no record."""

    code = "empty_file"


class MissingColumn(FileFault):
    """A required column is missing."""

    code = "missing_column"


class DuplicateHeader(FileFault):
    """Two columns have the same name."""

    code = "duplicate_header"


class TooManyColumns(FileFault):
    """The file has more columns than are accepted."""

    code = "too_many_columns"


class UnterminatedQuote(FileFault):
    """A quoted cell is never closed."""

    code = "unterminated_quote"


class NulByte(FileFault):
    """The file holds a NUL byte."""

    code = "nul_byte"


class WrongEncoding(FileFault):
    """The file is not UTF-8."""

    code = "wrong_encoding"


class CellTooLarge(FileFault):
    """A cell is larger than this server accepts."""

    code = "cell_too_large"


class RecordTooLarge(FileFault):
    """A record is larger than this server accepts."""

    code = "record_too_large"


class MalformedJson(FileFault):
    """The file is not well-formed JSON."""

    code = "malformed_json"


class NoValidRecord(FileFault):
    """No record of the file is valid."""

    code = "no_valid_record"


class RejectedRecords(FileFault):
    """Records were rejected, and the request said to abort in that case."""

    code = "rejected_records"


# -- the ledger -------------------------------------------------------------------------------------------------------


class ImportNotFound(GlyphdError):
    """There is no import with this id."""

    code, kind = "import_not_found", Kind.NOT_FOUND


class ArtifactNotFound(GlyphdError):
    """The import has no such artifact."""

    code, kind = "artifact_not_found", Kind.NOT_FOUND


class RangeNotSatisfiable(GlyphdError):
    """The artifact has no such range."""

    code, kind = "range_not_satisfiable", Kind.UNSATISFIABLE


class SchemaVersionNotFound(GlyphdError):
    """There is no such schema version."""

    code, kind = "schema_version_not_found", Kind.NOT_FOUND


class IllegalTransition(GlyphdError):
    """The state of the import does not allow this."""

    code, kind = "illegal_transition", Kind.CONFLICT


class ImportDiscarded(GlyphdError):
    """The import was discarded."""

    code, kind = "import_discarded", Kind.CONFLICT


class LeaseLost(GlyphdError):
    """Another worker has taken the import over."""

    code, kind = "lease_lost", Kind.CONFLICT


class CountsDisagree(GlyphdError):
    """The rows in the database are not the rows that were read."""

    code, kind = "counts_disagree", Kind.FAULT


class WorkerDied(GlyphdError):
    """No attempt to run the import came to an end."""

    code, kind = "worker_died", Kind.FAULT


class UnexpectedFailure(GlyphdError):
    """The service ran into a fault of its own."""

    code, kind = "unexpected_failure", Kind.FAULT


# -- the stores -------------------------------------------------------------------------------------------------------


class StoreUnavailable(GlyphdError):
    """The database or the artifact store cannot be used."""

    code, kind = "store_unavailable", Kind.UNAVAILABLE


class NoSpaceLeft(GlyphdError):
    """The disk is full."""

    code, kind = "no_space_left", Kind.NO_SPACE


class SchemaOutOfDate(GlyphdError):
    """The database is not at the schema revision of this version of glyphd."""

    code, kind = "schema_out_of_date", Kind.UNAVAILABLE


class MigrationFailed(GlyphdError):
    """The migration failed and changed nothing."""

    code, kind = "migration_failed", Kind.UNAVAILABLE


class ArtifactDamaged(GlyphdError):
    """The stored artifact is missing or is not what was submitted."""

    code, kind = "artifact_damaged", Kind.FAULT


class CopyRefused(GlyphdError):
    """This database cannot be copied to that one."""

    code, kind = "copy_refused", Kind.CONFLICT


class CopyDiffers(GlyphdError):
    """What was copied is not what is there to copy."""

    code, kind = "copy_differs", Kind.FAULT
