"""Listings as files: what the export of a query is at the edge."""

from fastapi import Response

from glyphd.api import answers
from glyphd.api.schemas import ListingParameters
from glyphd.domain.report import ExportFormat
from glyphd.errors import InvalidParameter
from glyphd.services.context import Context
from glyphd.services.exporting import export_listings

_EXAMPLES = {
    ExportFormat.CSV: "id,import_id,import_index,canonical_model\n1,0199\u2026,1,H100_PCIE_80GB\n",
    ExportFormat.NDJSON: '{"id":1,"import_id":"0199\u2026","import_index":1,"canonical_model":"H100_PCIE_80GB"}\n',
    ExportFormat.PARQUET: "PAR1\u2026",
}

FILES = {
    form.media_type.partition(";")[0]: {"schema": {"type": "string"}, "example": example}
    for form, example in _EXAMPLES.items()
}
"""How the document describes the files, by media type."""


def listings_file(context: Context, parameters: ListingParameters) -> Response:
    """Answer a file of all listings that match. Raises InvalidParameter with paging, which it has not."""
    if paging := sorted(parameters.model_fields_set & {"limit", "offset", "cursor"}):
        detail = f"A file has all listings that match: leave out {', '.join(paging)}, or format."
        raise InvalidParameter(detail, parameter=paging[0])
    form, left_out = ExportFormat(parameters.format), answers.fields_left_out(parameters.schema_version)
    portions = export_listings(context, answers.listing_query(parameters), form, left_out)
    return answers.export_download(form, portions, "listings")
