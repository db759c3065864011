"""The row contract as JSON Schema, made from its one declaration."""

from typing import Any

from glyphd.domain.listing import Field, FieldType, fields_of


def json_schema(version: str) -> dict[str, Any]:
    """Return the contract of one supported schema version, of a record as JSON would carry it."""
    fields = fields_of(version)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"/api/schema/{version}",
        "title": f"glyphd listing {version}",
        "type": "object",
        "required": [field.name for field in fields if field.required],
        "properties": {field.name: _property(field) for field in fields},
        "additionalProperties": True,
    }


_JSON_SCHEMA_TYPES = {
    FieldType.INTEGER: "integer",
    FieldType.NUMBER: "number",
    FieldType.BOOLEAN: "boolean",
}


def _property(field: Field) -> dict[str, Any]:
    kind = _JSON_SCHEMA_TYPES.get(field.type, "string")
    described: dict[str, Any] = {"type": kind if field.required else [kind, "null"], "description": field.description}
    keywords = {
        "minimum": field.minimum,
        "exclusiveMinimum": field.above,
        "maximum": field.maximum,
        "maxLength": field.max_length,
        "x-unit": field.unit,
        "x-aliases": list(field.aliases) or None,
    }
    described |= {keyword: value for keyword, value in keywords.items() if value is not None}
    if field.type is FieldType.TIMESTAMP:
        described["format"] = "date-time"
    if field.type is FieldType.URL:
        described["format"] = "uri"
    if field.required and field.type is FieldType.TEXT:
        described |= {"minLength": 1, "not": {"enum": ["UNKNOWN"]}}
    return described
