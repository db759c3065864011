"""Three crawls of one source, the last one bad: seen in the diff, rolled back, everything as it was, and restored."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.acceptance.conftest import Server, run_glyphd

SOURCE = "demo"
CRAWLS = ("2026-07-01T06:00:00Z", "2026-07-08T06:00:00Z", "2026-07-15T06:00:00Z")
DROPPED = 10


@dataclass
class Story:
    """A server of its own, the file that every crawl is made from, and what was imported so far."""

    server: Server
    records: list[dict[str, str]]
    imports: list[str] = field(default_factory=list)

    @property
    def client(self) -> httpx.Client:
        """A client of the server."""
        return self.server.client

    def crawl(self, factors: dict[str, float], dropped: set[int], *, again: bool = False) -> dict[str, Any]:
        """Import the file with prices multiplied by model and without some records; return the report.

        ``again``: the same request as before, with the key of it.
        """
        kept = [record for index, record in enumerate(self.records, 1) if index not in dropped]
        text = io.StringIO()
        writer = csv.DictWriter(text, self.records[0])
        writer.writeheader()
        for record in kept:
            factor = factors.get(record["canonical_model"], 1)
            writer.writerow({**record, "price": str(round(float(record["price"]) * factor, 2))})
        number = len(self.imports) - again
        data = {"source": SOURCE, "observed_at": CRAWLS[number]}
        key = {"Idempotency-Key": f"crawl-{number}"}
        files = {"file": ("crawl.csv", text.getvalue().encode())}
        report: dict[str, Any] = self.client.post("/api/import", data=data, files=files, headers=key).json()
        if report["import_id"] not in self.imports:
            self.imports.append(report["import_id"])
        return report

    def get(self, path: str, **params: Any) -> Any:
        """Return the JSON of an answer."""
        return self.client.get(path, params=params).raise_for_status().json()

    def change(self, import_id: str, verb: str, reason: str) -> dict[str, Any]:
        """Roll back or restore, and return the receipt."""
        answer = self.client.post(f"/api/imports/{import_id}/{verb}", json={"reason": reason})
        receipt: dict[str, Any] = answer.raise_for_status().json()
        return receipt

    def command(self, *arguments: str) -> str:
        """Run a command against the server, to exit code 0; return what it prints."""
        ran = run_glyphd(self.server.folder, "--url", str(self.client.base_url), *arguments)
        assert 0 == ran.returncode, ran.stderr
        return ran.stdout

    def market(self, plan: "Plan") -> dict[str, bytes]:
        """Return everything that is read without naming an import, byte for byte."""
        paths = [
            "/api/listings?limit=1000",
            "/api/listings?current=true&limit=1000",
            "/api/listings?as_of=2026-08-01T00:00:00Z&limit=1000",
            "/api/listings?current=true&format=csv",
            "/api/listings?format=parquet",
            "/api/models",
            "/api/models?as_of=2026-08-01T00:00:00Z",
            *(f"/api/models/{plan.broken}/history?bucket={bucket}" for bucket in ("import", "day", "week", "month")),
            f"/api/listings/{plan.watched_key}/history",
            "/api/deltas?limit=1000",
            *(f"/api/report?format={form}" for form in ("json", "md", "html")),
        ]
        return {path: self.client.get(path).raise_for_status().content for path in paths}

    def reports(self, import_id: str) -> list[bytes]:
        """Return the market reports of one import, byte for byte."""
        params = [{"import_id": import_id, "format": form} for form in ("json", "md", "html")]
        return [self.client.get("/api/report", params=each).raise_for_status().content for each in params]


@pytest.fixture
def story(start: Callable[..., Server], pipeline_file: Callable[[str], Path]) -> Story:
    """The demo run of the real pipeline, and a server that nothing was imported into."""
    with pipeline_file("DERIVED_demo_scored_wide_alias.csv").open(newline="", encoding="utf-8") as file:
        records = list(csv.DictReader(file))
    return Story(start("--migrate"), records)


@dataclass
class Plan:
    """What the crawls after the first change: one model gets dearer, another one's prices are bad, offers are gone."""

    dearer: str
    dearer_rows: int
    broken: str
    broken_rows: int
    dropped: set[int]
    watched_key: str


def planned(rows: list[dict[str, Any]]) -> Plan:
    """Choose the two most common models, and offers of others that share their key with no other row."""
    keys, models = (Counter(row[name] for row in rows) for name in ("listing_key", "canonical_model"))
    (dearer, dearer_rows), (broken, broken_rows), *_ = models.most_common()
    alone = [row for row in rows if keys[row["listing_key"]] == 1]
    others = [row["import_index"] for row in alone if row["canonical_model"] not in {dearer, broken}]
    watched = next(row["listing_key"] for row in alone if row["canonical_model"] == broken)
    return Plan(dearer, dearer_rows, broken, broken_rows, set(others[:DROPPED]), watched)


def test_the_story(story: Story) -> None:
    """Crawl, crawl again, a bad crawl; what it did is told, undone and done again, and nothing else ever changes."""
    first = story.crawl({}, set())
    assert (173, 148, 25) == (first["received"], first["count"], first["rejected"])
    plan = planned(story.get("/api/listings", import_id=story.imports[0], limit=1000))
    _crawl_again(story, plan)
    before, reports = story.market(plan), list(map(story.reports, story.imports))

    story.crawl({plan.dearer: 1.1, plan.broken: 0.01}, plan.dropped)
    bad = story.imports[2]
    during, report_of_bad = story.market(plan), story.reports(bad)
    assert all(before[path] != during[path] for path in before)
    _see_what_is_bad(story, plan, bad)

    _take_it_out(story, plan, bad)
    assert before == story.market(plan)
    assert [*reports, report_of_bad] == list(map(story.reports, story.imports))

    assert "is published" in story.command("imports", "restore", bad, "--reason", "they were right")
    assert during == story.market(plan)
    assert [*reports, report_of_bad] == list(map(story.reports, story.imports))
    events = [event["action"] for event in story.get(f"/api/imports/{bad}/events")["items"]]
    assert ["received", "started", "published", "rolled_back", "restored"] == events


def _crawl_again(story: Story, plan: Plan) -> None:
    """The second crawl has what was planned, and its diff with the first says so."""
    second = story.crawl({plan.dearer: 1.1}, plan.dropped)
    assert (second["count"], second["previous_import_id"]) == (148 - DROPPED, story.imports[0])
    diff = story.get(f"/api/imports/{story.imports[1]}/diff")
    assert story.imports[:2] == [diff["base"]["import_id"], diff["target"]["import_id"]]
    assert {
        "appeared": 0,
        "disappeared": DROPPED,
        "price_up": plan.dearer_rows,
        "price_down": 0,
        "unchanged": 148 - DROPPED - plan.dearer_rows,
    } == {name: diff["summary"][name] for name in ("appeared", "disappeared", "price_up", "price_down", "unchanged")}


def _see_what_is_bad(story: Story, plan: Plan, bad: str) -> None:
    """The command line tells of every price that fell to a hundredth, and of nothing else."""
    told = json.loads(story.command("diff", bad, "--json"))
    figures = [told["summary"][name] for name in ("appeared", "disappeared", "price_up", "price_down")]
    assert [0, 0, 0, plan.broken_rows] == figures
    assert {"price_down"} == {item["change"] for item in told["items"]}
    assert all(-99.1 < item["price_change_pct"] < -98.9 for item in told["items"])


def _take_it_out(story: Story, plan: Plan, bad: str) -> None:
    """The receipt tells what that did; the diff still answers, and a late retry brings nothing back."""
    receipt = story.change(bad, "rollback", "prices in hundreds")
    assert (148 - DROPPED, [], story.imports[1]) == (
        receipt["rows_hidden"],
        receipt["later_imports"],
        receipt["current_view"]["import_id"],
    )
    assert [] == story.get("/api/listings", import_id=bad)
    assert plan.broken_rows == story.get(f"/api/imports/{bad}/diff")["summary"]["price_down"]
    assert "rolled_back" == story.crawl({plan.dearer: 1.1, plan.broken: 0.01}, plan.dropped, again=True)["status"]
