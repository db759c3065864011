"""What can be wrong with a file: these leave a failed import, since its bytes are safe by then."""

from glyphd.errors.base import GlyphdError, Kind


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


class PipelineRowsDiffer(FileFault):
    """The two files of a pipeline run have different numbers of records."""

    code = "pipeline_rows_differ"


class PipelineModelsDisagree(FileFault):
    """The two files of a pipeline run name different models in the same record."""

    code = "pipeline_models_disagree"
