"""Idempotency keys: claims, leases, expiry, and one import a key whatever happens."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from glyphd.domain.clock import utc_now
from glyphd.domain.imports import Artifact, OnError
from glyphd.errors import IdempotencyKeyInFlight, IdempotencyKeyReused, StoreUnavailable
from glyphd.services import idempotency
from glyphd.services.context import Context
from glyphd.services.idempotency import (
    claim_key,
    find_key,
    fingerprint_of,
    release_claim,
    remove_expired_keys,
    renew_claim,
)
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.store import events

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"


@pytest.fixture
def artifact(context: Context, make_csv: Callable[..., Path]) -> Artifact:
    """A batch whose bytes are safe."""
    return store_file(context, make_csv({}))


def after(context: Context, **time: float) -> Context:
    """Return the context as it is some time later, or earlier."""
    return dataclasses.replace(context, clock=lambda: utc_now() + timedelta(**time))


def count(context: Context, table: str) -> int:
    """Return how many rows a table has."""
    with context.database.reading() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_key_leads_to_one_import(context: Context, artifact: Artifact) -> None:
    """Who comes again with the same bytes and options gets the import that is there."""
    first = receive_import(context, ImportOptions(), [artifact], "me", claim=claim_key(context, KEY))
    again = claim_key(context, KEY)

    assert first == receive_import(context, ImportOptions(), [artifact], "me", claim=again)
    assert again.known
    assert 1 == count(context, "import_batches")


def test_keys_are_compared_as_they_are_written(context: Context, artifact: Artifact) -> None:
    """Case, blanks and signs make another key."""
    keys = ["a", "A", "a ", " a", "'; DROP TABLE import_batches; --"]

    ids = {receive_import(context, ImportOptions(), [artifact], "me", claim=claim_key(context, key)) for key in keys}

    assert len(keys) == len(ids)


def test_another_batch_under_the_same_key_is_refused(
    context: Context, artifact: Artifact, make_csv: Callable[..., Path]
) -> None:
    """Other bytes, another role or another option; the refusal names the import the key belongs to."""
    first = receive_import(context, ImportOptions(), [artifact], "me", claim=claim_key(context, KEY))
    other = store_file(context, make_csv({"price": "7"}, name="other.csv"))
    wanted = [
        (ImportOptions(), other),
        (ImportOptions(), dataclasses.replace(artifact, role="scored")),
        (ImportOptions(on_error=OnError.ABORT), artifact),
        (ImportOptions(source="shop"), artifact),
    ]
    for options, stored in wanted:
        with pytest.raises(IdempotencyKeyReused) as refused:
            receive_import(context, options, [stored], "me", claim=claim_key(context, KEY))
        assert {"import_id": first} == refused.value.members
    assert 1 == count(context, "import_batches")


def test_a_default_that_is_said_is_the_same_request(context: Context, artifact: Artifact) -> None:
    """So that an option that a later version adds does not make a retry another request."""
    same = dataclasses.replace(artifact, filename="renamed.csv")

    assert fingerprint_of(ImportOptions(), [artifact]) == fingerprint_of(
        ImportOptions(on_error=OnError.CONTINUE), [same]
    )


def test_a_key_is_one_requests_at_a_time(context: Context) -> None:
    """While it is received nobody else gets it; when it is refused the next one does."""
    claim = claim_key(context, KEY)
    with pytest.raises(IdempotencyKeyInFlight):
        claim_key(context, KEY)

    release_claim(context, claim)

    assert claim_key(context, KEY).known is None


def test_a_dead_servers_claim_lapses(context: Context, artifact: Artifact) -> None:
    """After a lease the key is free again, and the next request is carried out."""
    claim_key(context, KEY)
    later = after(context, seconds=31)

    receive_import(later, ImportOptions(), [artifact], "me", claim=claim_key(later, KEY))

    assert 1 == count(context, "import_batches")


def test_a_claim_lasts_as_long_as_it_is_renewed(context: Context) -> None:
    """Receiving may take longer than a lease."""
    claim = claim_key(context, KEY)
    renew_claim(after(context, seconds=20), claim)

    with pytest.raises(IdempotencyKeyInFlight):
        claim_key(after(context, seconds=40), KEY)


def test_a_claim_of_a_clock_that_stepped_back_does_not_last(context: Context) -> None:
    """One made a day ahead would block its key until then."""
    claim_key(after(context, days=1), KEY)

    assert claim_key(context, KEY).known is None


def test_who_was_silent_for_too_long_finds_what_another_one_did(
    context: Context, artifact: Artifact, make_csv: Callable[..., Path]
) -> None:
    """A server that was stopped past its lease makes no second import, whatever it has received."""
    stopped = claim_key(context, KEY)
    later = after(context, seconds=31)
    claim = claim_key(later, KEY)
    with pytest.raises(IdempotencyKeyInFlight):
        receive_import(later, ImportOptions(), [artifact], "me", claim=stopped)
    import_id = receive_import(later, ImportOptions(), [artifact], "me", claim=claim)

    assert import_id == receive_import(later, ImportOptions(), [artifact], "me", claim=stopped)
    with pytest.raises(IdempotencyKeyReused):
        receive_import(
            later, ImportOptions(), [store_file(context, make_csv({"price": "7"}, name="b.csv"))], "me", claim=stopped
        )
    release_claim(later, stopped)
    assert import_id == claim_key(later, KEY).known.import_id  # type: ignore[union-attr]


def test_who_was_silent_while_nobody_came_goes_on(context: Context, artifact: Artifact) -> None:
    """Also when a worker has removed the claim meanwhile."""
    claim = claim_key(context, KEY)
    later = after(context, seconds=31)
    assert remove_expired_keys(later)

    import_id = receive_import(later, ImportOptions(), [artifact], "me", claim=claim)

    assert import_id == claim_key(later, KEY).known.import_id  # type: ignore[union-attr]


def test_import_and_key_are_written_together(
    context: Context, artifact: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A receipt that fails at its last step leaves neither; a failure to write the key leaves no import."""

    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    claim = claim_key(context, KEY)
    for module, name in ((events, "add_event"), (idempotency.idempotency_keys, "write_key")):
        with monkeypatch.context() as broken:
            broken.setattr(module, name, fail)
            with pytest.raises(StoreUnavailable):
                receive_import(context, ImportOptions(), [artifact], "me", claim=claim)
        kept = find_key(context, KEY)
        assert kept is not None
        assert (0, None) == (count(context, "import_batches"), kept.import_id)
    release_claim(context, claim)
    assert find_key(context, KEY) is None


def test_keys_expire(context: Context, artifact: Artifact) -> None:
    """After their life they are free, and removed in small steps, the import staying."""
    first = receive_import(context, ImportOptions(), [artifact], "me", claim=claim_key(context, KEY))
    before, later = after(context, hours=23.9), after(context, hours=24.1)
    assert first == receive_import(before, ImportOptions(), [artifact], "me", claim=claim_key(before, KEY))
    assert not remove_expired_keys(before)

    assert remove_expired_keys(later)

    assert (0, 1) == (count(context, "idempotency_keys"), count(context, "import_batches"))
    assert not remove_expired_keys(later)
    assert first != receive_import(later, ImportOptions(), [artifact], "me", claim=claim_key(later, KEY))


def test_an_expired_key_is_free_before_it_is_removed(context: Context, artifact: Artifact) -> None:
    """Nobody has to wait for a worker."""
    first = receive_import(context, ImportOptions(), [artifact], "me", claim=claim_key(context, KEY))
    later = after(context, hours=24.1)

    assert first != receive_import(later, ImportOptions(), [artifact], "me", claim=claim_key(later, KEY))
    assert 1 == count(context, "idempotency_keys")


def test_expired_keys_go_in_steps(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that no other writer waits for long."""
    monkeypatch.setattr(idempotency, "KEYS_PER_STEP", 2)
    for number in range(5):
        claim_key(context, f"{number}")
    later, left = after(context, hours=1), []

    while remove_expired_keys(later):
        left.append(count(context, "idempotency_keys"))

    assert [3, 1, 0] == left
