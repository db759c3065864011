"""`POST /api/imports/from-pipeline`: every form of a body, every fault of a pair, and what is kept of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.pipeline_run import ENRICHED_HEADER, MODELS, URL, enriched_file, joined_file, post_pair, scored_file

PATHS = {"enriched_path": "run/enriched.csv", "scored_path": "run/scored.csv"}


@pytest.fixture
def pipeline_dir(tmp_path: Path) -> Path:
    """A pipeline directory with one finished run in it."""
    run = tmp_path / "pipeline" / "run"
    run.mkdir(parents=True)
    (run / "enriched.csv").write_bytes(enriched_file())
    (run / "scored.csv").write_bytes(scored_file())
    (run / "joined.csv").write_bytes(joined_file())
    return run.parent


@pytest.fixture
def api(make_api: Callable[..., httpx.Client], pipeline_dir: Path) -> httpx.Client:
    """The API with a pipeline directory."""
    return make_api(pipeline_dir=pipeline_dir)


def rows(api: httpx.Client, report: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return what was stored, without what names the import."""
    listings = api.get("/api/listings", params={"import_id": report["import_id"]}).json()
    return [(row["import_index"], row["canonical_model"], row["price"], row["score"]) for row in listings]


def test_uploads_are_joined_by_position(api: httpx.Client) -> None:
    """Specs and price are the enriched file's, the score is the scored one's; both files are kept with their roles."""
    answer = post_pair(api, enriched_file(), scored_file(), source="wamatek")

    report = answer.json()
    assert (201, 4, 4) == (answer.status_code, report["received"], report["count"])
    assert report == api.get(answer.headers["Location"]).json()
    assert [(n, model, 1000.5 + n, n + 0.25) for n, model in enumerate(MODELS, start=1)] == rows(api, report)
    assert [("enriched", "stage_enriched.csv"), ("scored", "output.csv")] == [
        (artifact["role"], artifact["filename"]) for artifact in report["artifacts"]
    ]
    assert ["model", "raw_score", "quantization_score"] == report["ignored_columns"]
    for role, sent in (("enriched", enriched_file()), ("scored", scored_file())):
        assert sent == api.get(f"/api/imports/{report['import_id']}/artifact", params={"role": role}).content


@pytest.mark.parametrize(
    "request_of",
    [
        lambda _: {"json": PATHS},
        lambda _: {"params": PATHS},
        lambda _: {"data": PATHS},
        lambda _: {"data": PATHS, "files": {"source": (None, b"wamatek")}},
        lambda _: {"json": {"input_csv_path": "run/joined.csv"}},
        lambda _: {"files": {"file": ("joined.csv", joined_file())}},
        lambda folder: {"json": {name: f"{folder}/{path}" for name, path in PATHS.items()}},
        lambda _: {"json": {"enriched_path": PATHS["enriched_path"]}, "params": {"scored_path": PATHS["scored_path"]}},
    ],
    ids=["JSON", "query", "form", "multipart", "joined path", "joined upload", "absolute", "JSON and query"],
)
def test_every_form_brings_the_same_rows(
    api: httpx.Client, pipeline_dir: Path, request_of: Callable[[Path], dict[str, Any]]
) -> None:
    """Uploads or paths, two files or a joined one."""
    expected = rows(api, post_pair(api, enriched_file(), scored_file()).json())

    answer = api.post(URL, **request_of(pipeline_dir))

    assert 201 == answer.status_code, answer.text
    assert expected == rows(api, answer.json())


def test_what_is_said_about_a_run_is_kept_and_found(api: httpx.Client) -> None:
    """`source_label` is `source`; campaign and members of the metadata find the import again, and no other one."""
    metadata = '{"run":"7","n":3,"deep":{"a":1},"on":true,"none":null}'
    said = {"source_label": "wamatek", "campaign_id": "july", "metadata": metadata}
    report = post_pair(api, enriched_file(), scored_file(), **said).json()
    post_pair(api, enriched_file(), scored_file(), source="wamatek", campaign_id="june", metadata='{"run":7}')

    assert ("wamatek", "july") == (report["source"], report["campaign_id"])
    for query, found in {
        ("campaign_id", "july"): True,
        ("campaign_id", "may"): False,
        ("metadata", '{"run":"7"}'): True,
        ("metadata", '{"run":"7","n":3.0,"on":true,"none":null}'): True,
        ("metadata", '{"run":"8"}'): False,
        ("metadata", '{"on":1}'): False,
        ("metadata", '{"n":"3"}'): False,
        ("metadata", '{"missing":null}'): False,
        ("metadata", '{"r\\"un":"7"}'): False,
    }.items():
        listed = api.get("/api/imports", params=dict([query])).json()["items"]
        assert ([report["import_id"]] if found else []) == [each["import_id"] for each in listed], query


@pytest.mark.parametrize("metadata", ["[1]", "{", '{"a":{}}', '{"a":[1]}', "7"])
def test_metadata_that_cannot_be_looked_for(api: httpx.Client, metadata: str) -> None:
    """A filter that is not understood is an error, and finds nothing."""
    answer = api.get("/api/imports", params={"metadata": metadata})

    assert (422, "invalid_parameter") == (answer.status_code, answer.json()["code"])


def test_source_label_is_source_everywhere(api: httpx.Client) -> None:
    """Two that disagree are refused; `POST /api/import` understands it too."""
    said = {"source_label": "wamatek", "source": "ebay"}
    refused = post_pair(api, enriched_file(), scored_file(), **said)
    answer = api.post("/api/import", files={"file": ("a.csv", joined_file())}, data={"source_label": "wamatek"})

    assert (422, "conflicting_options") == (refused.status_code, refused.json()["code"])
    assert (201, "wamatek") == (answer.status_code, answer.json()["source"])


def test_only_the_same_two_files_are_a_duplicate(api: httpx.Client) -> None:
    """One file of another run, or the same bytes in another role, do not make a run a duplicate."""
    first = post_pair(api, enriched_file(), scored_file()).json()
    other_scores = scored_file().replace(b".25", b".75")
    again = post_pair(api, enriched_file(), scored_file()).json()
    other = post_pair(api, enriched_file(), other_scores).json()
    alone = api.post("/api/import", files={"file": ("joined.csv", joined_file())}).json()

    assert [None, first["import_id"], None, None] == [each["duplicate_of"] for each in (first, again, other, alone)]


LONGER, SHORTER = (*MODELS, "L4"), MODELS[:-1]
EMPTY = (ENRICHED_HEADER.encode(), b"model,raw_score,quantization_score,final_score\n")
FAULTS: dict[str, tuple[bytes, bytes, str, dict[str, Any]]] = {
    "enriched longer": (
        enriched_file(LONGER),
        scored_file(),
        "pipeline_rows_differ",
        {"import_index": 5, "records": {"enriched": 5, "scored": 4}, "found": {"enriched": "L4", "scored": None}},
    ),
    "scored longer": (
        enriched_file(SHORTER),
        scored_file(),
        "pipeline_rows_differ",
        {"import_index": 4, "records": {"enriched": 3, "scored": 4}, "found": {"enriched": None, "scored": MODELS[3]}},
    ),
    "shifted": (
        enriched_file(),
        scored_file((*MODELS[1:], MODELS[0])),
        "pipeline_models_disagree",
        {"import_index": 1, "found": {"enriched": MODELS[0], "scored": MODELS[1]}},
    ),
    "scored empty": (enriched_file(), EMPTY[1], "empty_file", {"file": "scored"}),
    "scored without a byte": (enriched_file(), b"", "empty_file", {"file": "scored"}),
    "enriched empty": (EMPTY[0], scored_file(), "empty_file", {"file": "enriched"}),
    "no score": (
        enriched_file(),
        scored_file().replace(b"final_score", b"final"),
        "missing_column",
        {"missing": ["score"], "files": {"score": "scored"}},
    ),
    "no specs": (
        enriched_file().replace(b"vram_gb,tdp_w", b"memory,power"),
        scored_file().replace(b"final_score", b"final"),
        "missing_column",
        {
            "missing": ["vram_gb", "tdp_watts", "score"],
            "files": {"vram_gb": "enriched", "tdp_watts": "enriched", "score": "scored"},
        },
    ),
    "swapped": (scored_file(), enriched_file(), "missing_column", {}),
    "two names alike": (
        enriched_file().replace(b"seller", b"price"),
        scored_file(),
        "duplicate_header",
        {"file": "enriched"},
    ),
    "NUL": (enriched_file(), scored_file().replace(b"0.475", b"0\x00", 1), "nul_byte", {"file": "scored"}),
    "UTF-16": (enriched_file(), scored_file().decode().encode("utf-16"), "wrong_encoding", {"file": "scored"}),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_pair_that_cannot_be_joined_fails_as_a_whole(shared_api: httpx.Client, name: str) -> None:
    """The problem says in which file and at which record; nothing is stored, and the import is kept as failed."""
    enriched, scored, code, members = FAULTS[name]

    answer = post_pair(shared_api, enriched, scored)

    problem = answer.json()
    assert (422, code) == (answer.status_code, problem["code"]), problem
    assert members == {name: problem[name] for name in members}
    report = shared_api.get(f"/api/imports/{problem['import_id']}").json()
    assert ("failed", 0, 2) == (report["status"], report["count"], len(report["artifacts"]))
    assert [] == shared_api.get("/api/listings", params={"import_id": problem["import_id"]}).json()
    rejections = shared_api.get(f"/api/imports/{problem['import_id']}/rejections", params={"format": "csv"})
    assert rejections.status_code == 200


@pytest.mark.parametrize(
    ("scored", "name"), [(b'[{"model": "L4", "final_score": 1}]', "scored.json"), (b"[]", "scored.csv")]
)
def test_another_format_in_a_pair_is_named(shared_api: httpx.Client, scored: bytes, name: str) -> None:
    """Only text is joined."""
    parts = {"enriched": ("enriched.csv", enriched_file()), "scored": (name, scored)}

    answer = shared_api.post(URL, files=parts)

    assert (415, "unsupported_format") == (answer.status_code, answer.json()["code"])
    assert "scored" in answer.json()["detail"]


INCOMPLETE: dict[str, tuple[dict[str, Any], str]] = {
    "enriched alone": ({"files": {"enriched": ("a.csv", enriched_file())}}, "scored"),
    "scored alone": ({"files": {"scored": ("a.csv", scored_file())}}, "enriched"),
    "enriched path alone": ({"json": {"enriched_path": "run/enriched.csv"}}, "scored"),
    "scored path alone": ({"json": {"scored_path": "run/scored.csv"}}, "enriched"),
    "nothing": ({}, "neither"),
    "no member": ({"json": {}}, "neither"),
    "options only": ({"data": {"source": "a"}, "files": {"campaign_id": (None, b"b")}}, "neither"),
    "joined and scored": ({"files": {"file": ("a.csv", b"x"), "scored": ("a.csv", b"x")}}, "alone"),
}


@pytest.mark.parametrize("name", INCOMPLETE)
def test_half_a_run_is_refused(api: httpx.Client, name: str) -> None:
    """What is missing is named, and nothing is on the ledger."""
    request, named = INCOMPLETE[name]

    answer = api.post(URL, **request)

    assert (422, "missing_file") == (answer.status_code, answer.json()["code"])
    assert named in answer.json()["detail"]
    assert [] == api.get("/api/imports").json()["items"]


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "a file and a path": (
        {"files": {"enriched": ("a.csv", b"x")}, "data": {"scored_path": "run/scored.csv"}},
        422,
        "invalid_parameter",
    ),
    "two paths that disagree": ({"json": PATHS, "params": {"scored_path": "b"}}, 422, "conflicting_options"),
    "a number": ({"json": {"input_csv_path": 7}}, 422, "invalid_parameter"),
    "an unknown member": ({"json": {**PATHS, "colour": "red"}}, 422, "invalid_parameter"),
    "a list": ({"json": [1]}, 400, "malformed_request"),
    "no JSON": ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "malformed_request"),
    "deep JSON": (
        {"content": b'{"a":' * 9000, "headers": {"Content-Type": "application/json"}},
        400,
        "malformed_request",
    ),
    "no form": (
        {"content": b"a&%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
        400,
        "malformed_request",
    ),
    "a bare CSV": ({"content": joined_file(), "headers": {"Content-Type": "text/csv"}}, 415, "unsupported_format"),
    "a long body": ({"json": {"input_csv_path": "a" * 70_000}}, 413, "body_too_large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_request_that_is_not_understood_is_refused(api: httpx.Client, name: str) -> None:
    """A clear problem, and nothing on the ledger."""
    request, status, code = REFUSED[name]

    answer = api.post(URL, **request)

    assert (status, code) == (answer.status_code, answer.json()["code"]), answer.text
    assert [] == api.get("/api/imports").json()["items"]


def test_it_is_no_import(shared_api: httpx.Client) -> None:
    """Its path looks like that of an import."""
    answer = shared_api.get(URL)

    assert (405, "POST") == (answer.status_code, answer.headers["Allow"])


def test_two_parts_of_one_name_are_refused(api: httpx.Client) -> None:
    """Which of them would be the scored file?"""
    parts = [("enriched", ("a.csv", enriched_file())), *[("scored", ("b.csv", scored_file()))] * 2]

    answer = api.post(URL, files=parts)

    assert (422, "invalid_parameter") == (answer.status_code, answer.json()["code"])
