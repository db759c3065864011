"""The two files of a small pipeline run, made by the tests."""

from collections.abc import Sequence
from typing import Any

import httpx

URL = "/api/imports/from-pipeline"
ENRICHED_HEADER = "model,condition,price,quantity,seller,source_url,canonical_model,vram_gb,tdp_w,mig_capable,nvlink"
SCORED_HEADER = "model,raw_score,quantization_score,final_score"
MODELS = ("H100_PCIE_80GB", "A100_40GB_PCIE", "L40S", "RTX_4090")


def enriched_line(number: int, model: str, *, vram_gb: str = "80.0") -> str:
    """Return the line of a record; ``number`` makes it an offer of its own."""
    url = f"https://example.com/offer/{number}"
    return f'"NVIDIA {model}, new",New,{1000 + number}.5,Available,Orrin Parts,{url},{model},{vram_gb},350.0,7.0,False'


def scored_line(number: int, model: str) -> str:
    """Return the line of the same record in the scored file."""
    return f"{model},0.475,0.2,{number % 100}.25"


def enriched_file(models: Sequence[str] = MODELS, **cells: str) -> bytes:
    """Return an enriched file, a record for each model."""
    lines = [enriched_line(number, model, **cells) for number, model in enumerate(models, start=1)]
    return "\n".join([ENRICHED_HEADER, *lines, ""]).encode()


def scored_file(models: Sequence[str] = MODELS) -> bytes:
    """Return the scored file of the same run."""
    lines = [scored_line(number, model) for number, model in enumerate(models, start=1)]
    return "\n".join([SCORED_HEADER, *lines, ""]).encode()


def joined_file() -> bytes:
    """Return the same run, joined already."""
    lines = [f"{enriched_line(n, model)},{n}.25" for n, model in enumerate(MODELS, start=1)]
    return "\n".join([f"{ENRICHED_HEADER},final_score", *lines, ""]).encode()


def uploads(enriched: bytes, scored: bytes) -> dict[str, Any]:
    """Return a pair as parts of a form."""
    return {"enriched": ("stage_enriched.csv", enriched, "text/csv"), "scored": ("output.csv", scored, "text/csv")}


def post_pair(api: httpx.Client, enriched: bytes, scored: bytes, **options: str) -> httpx.Response:
    """Upload a pair."""
    return api.post(URL, files=uploads(enriched, scored), data=options)
