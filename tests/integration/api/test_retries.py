"""`Idempotency-Key` over HTTP: a request that is sent again is carried out once; and what it is without a key."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.pipeline_run import URL, enriched_file, scored_file

KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
CSV = {"Content-Type": "text/csv"}


def send(api: httpx.Client, body: bytes, **options: str) -> httpx.Response:
    """Import a raw body under the key."""
    return api.post("/api/import", content=body, headers={**CSV, **KEY}, params=options)


def test_a_raw_body_that_is_sent_again_is_the_same_import(api: httpx.Client, sample: bytes) -> None:
    """The second answer is the first one, and says that it was made before."""
    first, again = send(api, sample), send(api, sample)

    assert (201, 201) == (first.status_code, again.status_code)
    assert first.json()["import_id"] == again.json()["import_id"]
    assert "Idempotency-Replayed" not in first.headers
    assert "true" == again.headers["Idempotency-Replayed"]


def test_a_form_that_is_sent_again_is_the_same_import(api: httpx.Client, sample: bytes) -> None:
    """A multipart boundary is no part of what is compared."""
    first, again = (api.post("/api/import", files={"file": ("a.csv", sample, "text/csv")}, headers=KEY) for _ in "ab")

    assert first.json()["import_id"] == again.json()["import_id"]
    assert "true" == again.headers["Idempotency-Replayed"]


def test_a_pipeline_run_that_is_sent_again_is_the_same_import(api: httpx.Client) -> None:
    """Both files count: with another enriched file the key is refused."""
    files = {"enriched": ("e.csv", enriched_file(), "text/csv"), "scored": ("s.csv", scored_file(), "text/csv")}
    first, again = (api.post(URL, files=files, headers=KEY) for _ in "ab")
    other = api.post(URL, files={**files, "enriched": ("e.csv", enriched_file() + b"\n", "text/csv")}, headers=KEY)

    assert first.json()["import_id"] == again.json()["import_id"]
    assert "true" == again.headers["Idempotency-Replayed"]
    assert (422, "idempotency_key_reused") == (other.status_code, other.json()["code"])


def test_a_replay_that_is_asked_for_again_is_the_same_import(api: httpx.Client, sample: bytes) -> None:
    """One replay, however often its answer is lost."""
    url = f"{send(api, sample).headers['Location']}/replay"
    first, again = (api.post(url, headers={"Idempotency-Key": "another"}) for _ in "ab")

    assert first.json()["import_id"] == again.json()["import_id"]
    assert "true" == again.headers["Idempotency-Replayed"]


def test_other_bytes_or_options_under_a_key_are_refused(api: httpx.Client, sample: bytes) -> None:
    """The refusal names the import that the key belongs to."""
    first = send(api, sample).json()["import_id"]

    for answer in (send(api, sample + b"\n"), send(api, sample, source="shop")):
        assert (422, "idempotency_key_reused") == (answer.status_code, answer.json()["code"])
        assert first == answer.json()["import_id"]


@pytest.mark.parametrize("key", ["", '""', '"open', "a b", "x" * 256])
def test_a_malformed_key_is_refused(shared_api: httpx.Client, sample: bytes, key: str) -> None:
    """Before anything is received."""
    answer = shared_api.post("/api/import", content=sample, headers={**CSV, "Idempotency-Key": key})

    assert 400 == answer.status_code
    assert "application/problem+json" == answer.headers["Content-Type"]


def test_an_answer_says_when_its_key_expires(api: httpx.Client, sample: bytes) -> None:
    """A day after the import was received."""
    expires = datetime.fromisoformat(send(api, sample).headers["Idempotency-Expires"])

    assert timedelta(hours=23, minutes=55) < expires - datetime.now(UTC) <= timedelta(hours=24)


def test_the_same_bytes_without_a_key_are_a_new_import(api: httpx.Client, sample: bytes) -> None:
    """It names the import that it repeats."""
    first = send(api, sample).json()["import_id"]
    again = api.post("/api/import", content=sample, headers=CSV).json()

    assert first != again["import_id"]
    assert first == again["duplicate_of"]
