"""The row contract: every field of a listing, declared once.

Reader aliases, validation, table columns, API schema, JSON Schema and the reference documentation are all made from
:data:`FIELDS`. Adding a field is one line here, one migration and one test row; adding a schema version is one entry
in :data:`SCHEMA_VERSIONS` and ``since=`` on its fields.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class FieldType(StrEnum):
    """How a cell is read."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    URL = "url"
    TIMESTAMP = "timestamp"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a listing.

    ``minimum`` and ``maximum`` are inclusive, ``above`` is exclusive, in ``unit``; ``max_length`` counts characters.
    ``thousands``: amounts may be written as people do, `$12,490.00`. ``unknown_means_null``: a value that cannot be
    read becomes NULL with a warning instead of rejecting its record.
    ``aliases`` are headers seen in real files, strongest first; :func:`header_key` tells when two headers are the same.
    """

    name: str
    type: FieldType
    description: str
    example: str
    required: bool = False
    since: str = "v1.1"
    unit: str | None = None
    minimum: float | None = None
    above: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    thousands: bool = False
    unknown_means_null: bool = False
    aliases: tuple[str, ...] = ()


_TEXT, _INT, _NUM = FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER
_INT32_MAX = 2_147_483_647  # the widest integer that both engines' INTEGER columns hold

FIELDS: tuple[Field, ...] = (
    Field(
        "canonical_model", _TEXT, "Canonical name of the GPU model; never `UNKNOWN`", "H100_PCIE_80GB",
        required=True, since="v1.0", max_length=128, aliases=("Card_Name", "gpu_model", "model"),
    ),
    Field("vram_gb", _INT, "Video memory", "80", required=True, since="v1.0", unit="GB", minimum=1, maximum=1024),
    Field(
        "tdp_watts", _INT, "Thermal design power", "350",
        required=True, since="v1.0", unit="W", minimum=1, maximum=5000, aliases=("tdp_w",),
    ),
    Field(
        "mig_support", _INT, "Number of MIG instances; 0 is none", "7",
        required=True, since="v1.0", minimum=0, maximum=7, aliases=("mig_capable",),
    ),
    Field(
        "nvlink", FieldType.BOOLEAN, "Whether the card has NVLink", "True",
        required=True, since="v1.0", aliases=("NVLink_Support",),
    ),
    Field(
        "price", _NUM, "Asking price", "28450.00",
        required=True, since="v1.0", unit="USD", above=0, maximum=10_000_000, thousands=True,
        aliases=("price_usd", "Current_Retail_Price_USD"),
    ),
    Field(
        "score", _NUM, "Score of the offer, higher is better", "71.4",
        required=True, since="v1.0", minimum=0, maximum=100, aliases=("final_score", "Composite_Score"),
    ),
    Field("generation", _TEXT, "GPU architecture", "Hopper", max_length=256),
    Field("cuda_cores", _INT, "Number of CUDA cores", "16896", minimum=0, maximum=_INT32_MAX),
    Field("slot_width", _INT, "Physical width", "2", unit="slots", minimum=0, maximum=_INT32_MAX, aliases=("slots",)),
    Field("pcie_generation", _INT, "PCI Express generation", "5", minimum=0, maximum=_INT32_MAX),
    Field("form_factor", _TEXT, "Physical form", "Dual-slot", max_length=256),
    Field("notes", _TEXT, "Free notes", "passive cooling", max_length=4096),
    Field("warnings", _TEXT, "What the scoring pipeline warned of", "price below market", max_length=4096),
    Field("condition", _TEXT, "State of the card", "New", max_length=256),
    Field(
        "quantity", _INT, "Units on offer; text such as `Available` is NULL with a warning", "4",
        unit="units", minimum=0, maximum=_INT32_MAX, unknown_means_null=True,
    ),
    Field(
        "min_order_qty", _INT, "Smallest order; text such as `1+` is NULL with a warning", "1",
        unit="units", minimum=0, maximum=_INT32_MAX, unknown_means_null=True,
    ),
    Field("seller", _TEXT, "Who offers it", "Halbry Systems", max_length=256),
    Field("region", _TEXT, "Where it is offered", "US", max_length=256, aliases=("geographic_region",)),
    Field(
        "source_url", FieldType.URL, "Page of the offer (http, https); text that is no URL is NULL with a warning",
        "https://halbry.example/gpu/h100", max_length=2048,
    ),
    Field("source_type", _TEXT, "Kind of shop", "reseller", max_length=256),
    Field(
        "seen_at", FieldType.TIMESTAMP, "When it was seen (ISO 8601), at most 24 h after receipt; no offset is UTC",
        "2026-11-20T08:12:00Z", unit="UTC",
    ),
)  # fmt: skip

FIELDS_BY_NAME: Mapping[str, Field] = MappingProxyType({field.name: field for field in FIELDS})

SCHEMA_VERSIONS: tuple[str, ...] = ("v1.0", "v1.1")
DEFAULT_SCHEMA_VERSION = "v1.1"

NULL_TOKENS = frozenset({"", "nan", "null", "n/a", "—"})
"""Trimmed, lower-case cells that mean "no value"."""

WEAK_ALIASES = frozenset({"model"})
"""Aliases that count only when the file has no column under the field's own name or a stronger alias."""

PREFERRED_ALIASES: Mapping[str, str] = MappingProxyType({"score": "final_score"})
"""Aliases that win over the field's own name: pipelines write a 0-1 `score` beside the 0-100 `final_score`."""


def fields_of(schema_version: str) -> tuple[Field, ...]:
    """Return the fields of one supported schema version, in declaration order."""
    known = SCHEMA_VERSIONS[: SCHEMA_VERSIONS.index(schema_version) + 1]
    return tuple(field for field in FIELDS if field.since in known)


def header_key(header: str) -> str:
    """Return what is compared when headers are matched: case, spaces, `-` and `_` do not count."""
    return re.sub(r"[\s_-]+", "", header).casefold()


def model_key(model: str) -> str:
    """Return what is compared when models are looked up: ASCII case, spaces, `-` and `_` do not count.

    Otherwise exact: fuzzy matching was seen to answer L4 for L40 (DESIGN §6).
    """
    return re.sub(r"[ _-]", "", model).translate(_ASCII_LOWER)


_ASCII_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}
