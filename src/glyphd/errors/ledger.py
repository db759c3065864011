"""What the ledger answers."""

from glyphd.errors.base import GlyphdError, Kind


class ImportNotFound(GlyphdError):
    """There is no import with this id."""

    code, kind = "import_not_found", Kind.NOT_FOUND


class ListingNotFound(GlyphdError):
    """There is no such listing."""

    code, kind = "listing_not_found", Kind.NOT_FOUND


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


class NothingToReplay(GlyphdError):
    """The import has no artifact that could be imported again."""

    code, kind = "nothing_to_replay", Kind.CONFLICT


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
