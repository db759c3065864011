"""What can befall the database and the artifact store."""

from glyphd.errors.base import GlyphdError, Kind


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
