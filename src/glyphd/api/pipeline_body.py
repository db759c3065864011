"""What `POST /api/imports/from-pipeline` takes and answers, which FastAPI cannot derive."""

from typing import Any

from glyphd import errors
from glyphd.api.import_body import (
    IMPORT_PARAMETERS,
    IMPORT_RESPONSES,
    OPTION_PARAMETERS,
    OPTIONS,
    json_object,
    parameter,
)
from glyphd.api.problems import declare
from glyphd.services.pipeline_directory import PATH_LENGTH

_FILES = {
    name: {"type": "string", "format": "binary", "description": description}
    for name, description in {
        "enriched": "The enriched file: specs, price, seller.",
        "scored": "The scored file: model and final score of the same records in the same order.",
        "file": "One file that is joined already, instead of the two.",
    }.items()
}
_PATHS: dict[str, dict[str, Any]] = {
    name: {"type": "string", "minLength": 1, "maxLength": PATH_LENGTH, "description": description}
    for name, description in {
        "enriched_path": "The enriched file, below `GLYPHD_PIPELINE_DIR`.",
        "scored_path": "The scored file, below `GLYPHD_PIPELINE_DIR`.",
        "input_csv_path": "One file that is joined already, below `GLYPHD_PIPELINE_DIR`.",
    }.items()
}

_PATH_PARAMETERS = [parameter(name, schema) for name, schema in _PATHS.items()]
PIPELINE_PARAMETERS = [*IMPORT_PARAMETERS, *_PATH_PARAMETERS]
PIPELINE_OPTION_PARAMETERS = [*OPTION_PARAMETERS, *_PATH_PARAMETERS]

_PAIR = ["enriched", "scored"]
_BY_PATH = {
    "oneOf": [
        json_object(["enriched_path", "scored_path"], {**OPTIONS, **{n: _PATHS[n] for n in list(_PATHS)[:2]}}),
        json_object(["input_csv_path"], {**OPTIONS, "input_csv_path": _PATHS["input_csv_path"]}),
    ]
}
_PATHS_EXAMPLE = {"enriched_path": "run-7/enriched.csv", "scored_path": "run-7/scored.csv", "source": "wamatek"}

PIPELINE_BODY = {
    "required": False,
    "content": {
        "multipart/form-data": {
            "schema": {
                "oneOf": [
                    json_object(_PAIR, {**{name: _FILES[name] for name in _PAIR}, **OPTIONS}),
                    json_object(["file"], {"file": _FILES["file"], **OPTIONS}),
                ]
            },
            "encoding": {name: {"contentType": "text/csv, application/octet-stream"} for name in _FILES},
        },
        "application/json": {"schema": _BY_PATH, "example": _PATHS_EXAMPLE},
        "application/x-www-form-urlencoded": {"schema": _BY_PATH, "example": _PATHS_EXAMPLE},
    },
}

_OWN = declare(errors.PipelineDirUnset, errors.PipelinePathRefused)[422]["content"]["application/problem+json"]
_INVALID = IMPORT_RESPONSES[422]["content"]["application/problem+json"]

PIPELINE_RESPONSES: dict[int | str, dict[str, Any]] = {
    **IMPORT_RESPONSES,
    422: {
        **IMPORT_RESPONSES[422],
        "content": {"application/problem+json": {**_INVALID, "examples": {**_INVALID["examples"], **_OWN["examples"]}}},
    },
}
