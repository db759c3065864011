"""What can be wrong with a request."""

from glyphd.errors.base import GlyphdError, Kind


class MalformedRequest(GlyphdError):
    """The request cannot be parsed."""

    code, kind = "malformed_request", Kind.SYNTAX


class Unauthorized(GlyphdError):
    """The request needs the access token of this server."""

    code, kind = "unauthorized", Kind.UNAUTHENTICATED


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


class FormExpired(GlyphdError):
    """The form is not one that this browser was given."""

    code, kind = "form_expired", Kind.FORBIDDEN


class UploadNotFound(GlyphdError):
    """The files are not here, or not any more."""

    code, kind = "upload_not_found", Kind.NOT_FOUND


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


class PipelineDirUnset(GlyphdError):
    """This server imports no files by their path."""

    code, kind = "pipeline_dir_unset", Kind.INVALID


class PipelinePathRefused(GlyphdError):
    """The path does not name a file of the pipeline directory."""

    code, kind = "pipeline_path_refused", Kind.INVALID
