"""The access token: what needs it, and what does not."""

from collections.abc import Callable

import httpx
import pytest

TOKEN = "a-token-of-this-test"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
BATCH = b"canonical_model,vram_gb,mig_support,nvlink,tdp_watts,price,score\nL4,24,0,False,72,2450.00,71.4\n"
CSV = {"Content-Type": "text/csv"}
WRITES = ("/api/import", "/api/import/validate", "/api/imports/from-pipeline", "/api/imports/none/rollback")
READS = ("/api/imports", "/api/listings", "/api/models", "/api/openapi.json", "/api/imports/none/artifact")

MakeApi = Callable[..., httpx.Client]


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize(
    "given",
    [None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, b"Bearer \xff\xfe\xe9"],
)
def test_a_write_needs_the_token(make_api: MakeApi, path: str, given: str | bytes | None) -> None:
    """Nothing of its body is read: what it would be refused for otherwise does not matter."""
    api = make_api(api_token=TOKEN, worker=False)
    headers = {} if given is None else {"Authorization": given}

    refused = api.post(path, content=b"", headers=headers)

    assert (401, "unauthorized") == (refused.status_code, refused.json()["code"])
    assert "Bearer" == refused.headers["WWW-Authenticate"]
    assert TOKEN not in refused.text


def test_who_has_the_token_writes_and_everyone_reads(make_api: MakeApi) -> None:
    """That is what a token alone does."""
    api = make_api(api_token=TOKEN)

    assert 401 == api.post("/api/import", content=BATCH, headers=CSV).status_code
    assert [] == api.get("/api/listings").json()
    report = api.post("/api/import", content=BATCH, headers={**CSV, **BEARER}).json()

    assert "published" == report["status"]
    assert 1 == len(api.get("/api/listings").json())
    rolled_back = api.post(f"/api/imports/{report['import_id']}/rollback", headers={"Authorization": f"bearer {TOKEN}"})
    assert 200 == rolled_back.status_code


@pytest.mark.parametrize("path", READS)
def test_reads_are_guarded_if_so_set(make_api: MakeApi, path: str) -> None:
    """The document of the API and files too; HEAD is no way around it."""
    api = make_api(api_token=TOKEN, guard_reads=True, worker=False)

    assert 401 == api.get(path).status_code == api.head(path).status_code
    assert 401 != api.get(path, headers=BEARER).status_code


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/api/health"])
def test_who_watches_the_process_needs_no_token(make_api: MakeApi, path: str) -> None:
    """Even where reads are guarded."""
    assert 200 == make_api(api_token=TOKEN, guard_reads=True, worker=False).get(path).status_code


def test_without_a_token_everyone_writes(make_api: MakeApi) -> None:
    """And a token that is sent all the same does no harm."""
    assert 201 == make_api().post("/api/import", content=BATCH, headers={**CSV, **BEARER}).status_code
