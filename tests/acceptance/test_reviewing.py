"""Hold, look, publish or discard; reject, mend, send again; replay: through the real server and the command line."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Server, run_glyphd

ORIGINAL = "DERIVED_demo_scored_wide_alias.csv"


@pytest.fixture
def submit(server: Server, sample: bytes, request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """Import a CSV, the sample unless another is given, for a source of the test's own; return the report."""

    def run(body: bytes = sample, **options: str) -> dict[str, Any]:
        given = {"source": request.node.name[:100]} | options
        if "parent_import_id" in options:
            del given["source"]
        answer = server.client.post("/api/import", files={"file": ("batch.csv", body)}, data=given)
        assert 201 == answer.status_code, answer.text
        report: dict[str, Any] = answer.json()
        return report

    return run


def command(server: Server, *arguments: str) -> str:
    """Run a command against the server, to exit code 0; return what it prints."""
    ran = run_glyphd(server.folder, "--url", str(server.client.base_url), *arguments)
    assert 0 == ran.returncode, ran.stderr
    return ran.stdout


def rows_of(client: httpx.Client, **filters: str) -> list[dict[str, Any]]:
    """Return the listings that a read shows."""
    rows: list[dict[str, Any]] = client.get("/api/listings", params={"limit": "1000", **filters}).json()
    return rows


def mended(rejections: bytes, **cells: str) -> bytes:
    """Return the CSV of the rejections with these cells in every record."""
    table = csv.DictReader(io.StringIO(rejections.decode()))
    written = io.StringIO()
    writer = csv.DictWriter(written, table.fieldnames or ())
    writer.writeheader()
    writer.writerows({**row, **cells} for row in table)
    return written.getvalue().encode()


def test_what_is_held_is_seen_by_naming_it_until_it_is_published(
    server: Server, submit: Callable[..., dict[str, Any]]
) -> None:
    """Listings and rejections are there for who names the import; published, for everybody (G3)."""
    report = submit(publish="hold")
    own, source = f"/api/imports/{report['import_id']}", report["source"]

    assert ("staged", None) == (report["status"], report["published_at"])
    assert (8, 0) == (
        len(rows_of(server.client, import_id=report["import_id"])),
        len(rows_of(server.client, source=source)),
    )
    assert 2 == len(server.client.get(f"{own}/rejections").json()["items"])

    published = server.client.post(f"{own}/publish", json={"reason": "looks right"}, headers={"X-Actor": "ana"})
    again = server.client.post(f"{own}/publish")

    assert (200, "published", published.json()) == (published.status_code, published.json()["status"], again.json())
    assert 8 == len(rows_of(server.client, source=source))
    assert 409 == server.client.post(f"{own}/discard").status_code


def test_what_is_held_can_be_discarded(server: Server, submit: Callable[..., dict[str, Any]]) -> None:
    """It is gone for who names it too, and cannot be published any more."""
    report = submit(publish="hold")
    own = f"/api/imports/{report['import_id']}"

    assert "discarded" == server.client.post(f"{own}/discard", json={"reason": "half a crawl"}).json()["status"]
    refused = server.client.post(f"{own}/publish")

    assert (409, "illegal_transition", "discarded") == (
        refused.status_code,
        refused.json()["code"],
        refused.json()["import_status"],
    )
    assert [] == rows_of(server.client, import_id=report["import_id"])


@pytest.mark.parametrize(
    ("gate", "limit", "value"), [("max_reject_rate", "0.1", 0.2), ("min_rows", "9", 8), ("max_price_move", "0.5", 1.0)]
)
def test_a_gate_of_the_request_that_fails_leaves_it_staged(
    submit: Callable[..., dict[str, Any]], sample: bytes, gate: str, limit: str, value: float
) -> None:
    """The figures are in the report. Prices: every one is twice what it was."""
    submit()
    rows = list(csv.DictReader(io.StringIO(sample.decode())))
    header, prices = ",".join(rows[0]), [row["price"].strip("$").replace(",", "") for row in rows]
    doubled = [{**row, "price": str(2 * float(price))} for row, price in zip(rows[:8], prices[:8], strict=True)]
    lines = [header, *(",".join(f'"{cell}"' for cell in row.values()) for row in [*doubled, *rows[8:]])]

    report = submit("\n".join(lines).encode(), **{gate: limit})

    assert [{"gate": gate, "limit": float(limit), "value": pytest.approx(value), "passed": False}] == report["gates"]
    assert ("staged", 8, 2) == (report["status"], report["count"], report["rejected"])


def test_the_gates_of_a_source_are_settings(start: Callable[..., Server], sample: bytes) -> None:
    """By source and, for those that it does not name, by `*`; what the request says wins."""
    gates = {"*": {"max_reject_rate": 0.5}, "picky": {"max_reject_rate": 0.1, "min_rows": 9}}
    server = start("--migrate", GLYPHD_GATES=json.dumps(gates))

    def submitted(**options: str) -> dict[str, Any]:
        report: dict[str, Any] = server.client.post(
            "/api/import", files={"file": ("batch.csv", sample)}, data=options
        ).json()
        return report

    reports = [
        submitted(source="picky"),
        submitted(source="easy"),
        submitted(source="picky", min_rows="1", max_reject_rate="1"),
    ]
    assert ["staged", "published", "published"] == [report["status"] for report in reports]
    assert [{"max_reject_rate": False, "min_rows": False}, {"max_reject_rate": True}] == [
        {gate["gate"]: gate["passed"] for gate in report["gates"]} for report in reports[:2]
    ]


def test_rejections_come_back_mended(server: Server, submit: Callable[..., dict[str, Any]]) -> None:
    """The view of the source includes them; both imports stay readable by themselves."""
    report = submit()
    address = f"/api/imports/{report['import_id']}/rejections"
    sent = server.client.get(address, params={"format": "csv"}).content
    cells = {"canonical_model": "A40", "price": "4100", "vram_gb": "48", "tdp_watts": "300"}

    amendment = submit(mended(sent, **cells), parent_import_id=report["import_id"])

    assert ("amendment", report["import_id"], report["source"]) == (
        amendment["kind"],
        amendment["parent_import_id"],
        amendment["source"],
    )
    assert (2, 2, []) == (amendment["received"], amendment["count"], amendment["ignored_columns"])
    assert [8, 2, 10] == [
        len(rows_of(server.client, **filters))
        for filters in (
            {"import_id": report["import_id"]},
            {"import_id": amendment["import_id"]},
            {"source": report["source"]},
        )
    ]


def test_no_cell_for_a_spreadsheet_is_a_formula(
    server: Server, submit: Callable[..., dict[str, Any]], sample: bytes
) -> None:
    """One variant has the cells as they came, the other none that is run."""
    report = submit(sample.replace(b"Contact for Quote", b"=HYPERLINK(1)"))
    address = f"/api/imports/{report['import_id']}/rejections"
    roundtrip, spreadsheet = (
        server.client.get(address, params={"format": "csv", "variant": variant}).content
        for variant in ("roundtrip", "spreadsheet")
    )

    def price(body: bytes) -> str:
        return next(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))["price"]

    assert ("=HYPERLINK(1)", "'=HYPERLINK(1)") == (price(roundtrip), price(spreadsheet))
    assert (False, True) == tuple(body.startswith(b"\xef\xbb\xbf") for body in (roundtrip, spreadsheet))


def test_a_replay_stands_for_its_batch(server: Server, submit: Callable[..., dict[str, Any]]) -> None:
    """Under unchanged rules with the same rows (G5), which are seen once."""
    check_replay(server.client, submit())


def test_the_demo_run_replayed(
    server: Server, submit: Callable[..., dict[str, Any]], pipeline_file: Callable[[str], Path]
) -> None:
    """The same on a real file."""
    check_replay(server.client, submit(pipeline_file(ORIGINAL).read_bytes()))


def check_replay(client: httpx.Client, report: dict[str, Any]) -> None:
    """Replay an import, and compare what came of it with what there was."""
    own = f"/api/imports/{report['import_id']}"
    replay = client.post(f"{own}/replay", json={"reason": "new rules"}).json()

    assert ("replay", report["import_id"], "published") == (
        replay["kind"],
        replay["parent_import_id"],
        replay["status"],
    )
    digests = [client.get(f"/api/imports/{each['import_id']}/digest").json() for each in (report, replay)]
    assert digests[0]["row_digest"] == digests[1]["row_digest"]
    assert {replay["import_id"]} == {row["import_id"] for row in rows_of(client, source=report["source"])}
    assert report["count"] == len(rows_of(client, import_id=report["import_id"])) == replay["count"]


def test_the_command_line_does_all_of_it(server: Server, sample: bytes) -> None:
    """Hold, publish, take the rejections, mend, amend, replay; and discard what a gate has held."""
    (server.folder / "review.csv").write_bytes(sample)
    held = json.loads(command(server, "import", "review.csv", "--source", "cli", "--publish", "hold", "--json"))
    import_id = held["import_id"]
    assert "published" in command(server, "imports", "publish", import_id, "--reason", "looks right")

    rejected = command(server, "rejections", import_id, "--csv", "--variant", "roundtrip").encode()
    (server.folder / "mended.csv").write_bytes(
        mended(rejected, canonical_model="A40", price="4100", vram_gb="48", tdp_watts="300")
    )
    amendment = json.loads(command(server, "import", "mended.csv", "--parent", import_id, "--json"))
    replay = json.loads(command(server, "imports", "replay", import_id, "--json"))
    gate = ("--max-reject-rate", "0.1")
    gated = json.loads(command(server, "import", "review.csv", "--source", "cli", *gate, "--json"))
    discarded = command(server, "imports", "discard", gated["import_id"])

    assert ["staged", "amendment", "replay", "staged"] == [
        held["status"], amendment["kind"], replay["kind"], gated["status"]
    ]  # fmt: skip
    assert "discarded" in discarded
    assert 10 == len(rows_of(server.client, source="cli"))
