"""A console with something on each page: a file as four crawls of a source, and every state that is looked at.

The one list of the console's pages: `tests/browser` and `make screenshots` open them all.
"""

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx

from glyphd.client.client import Client
from glyphd.domain.report import ImportReport

ROOT = Path(__file__).parents[1]
SAMPLE = ROOT / "sample" / "scored_sample.csv"
SOURCE = "halbry-crawl"
FACTORS = (1.06, 1.03, 0.98, 1.0)
"""What the prices of the file are multiplied by, one crawl a week; the last crawl is the file as it is."""


@dataclass(frozen=True, slots=True)
class Furnished:
    """The import_ids that pages are about."""

    latest: str
    rolled_back: str
    staged: str
    model: str
    rejected: int
    checked: str


def furnish(base: str, file: Path = SAMPLE) -> Furnished:
    """Import a file as crawls into the empty installation at this address, and let one more wait for a word."""
    with Client(base) as client:
        crawls = [_import(client, crawl(factor, file), number) for number, factor in enumerate(FACTORS)]
        rolled_back = _import(client, crawl(9.0, file), len(FACTORS)).import_id
        client.rollback(rolled_back, "Prices in another currency")
        held = {"source": "orrin-crawl", "publish": "hold"}
        staged = _import(client, crawl(0.97, file), len(FACTORS) + 1, **held).import_id
    latest = crawls[-1]
    rejected = latest.errors[0].import_index
    return Furnished(latest.import_id, rolled_back, staged, latest.top_models[0].model, rejected, check(base, file))


def pages(ids: Furnished) -> dict[str, str]:
    """Return the address of each page of a furnished console by its name."""
    latest = f"/imports/{ids.latest}"
    return {
        "overview": "/",
        "import-a-file": "/imports/new",
        "import-a-file-checked": ids.checked,
        "imports": "/imports",
        "imports-none-like-that": "/imports?status=purged",
        "import": latest,
        "import-staged": f"/imports/{ids.staged}",
        "import-rolled-back": f"/imports/{ids.rolled_back}",
        "rejections": f"{latest}/rejections",
        "rejections-none-like-that": f"{latest}/rejections?q=nothing-like-that",
        "roll-back": f"{latest}/rollback",
        "discard": f"/imports/{ids.staged}/discard",
        "compare": "/diff",
        "diff": f"{latest}/diff",
        "market": "/models",
        "model": f"/models/{quote(ids.model, safe='')}?bucket=import",
        "model-by-day": f"/models/{quote(ids.model, safe='')}",
        "listings": "/listings",
        "listing": f"/listings/{ids.latest}/1",
        "listing-rejected": f"/listings/{ids.latest}/{ids.rejected}",
        "login": "/login",
        "report": f"/report?import_id={ids.latest}&budget=20000",
        "report-of-the-market": "/report",
        "report-alone": f"/api/report?import_id={ids.latest}&format=html",
    }


def check(base: str, file: Path = SAMPLE) -> str:
    """Send a file as the form does, and return the address of the page that shows what would come of it."""
    with httpx.Client(base_url=base, timeout=60, headers={"Accept": "text/html"}) as browser:
        browser.get("/imports/new")
        fields = {"form_token": browser.cookies["glyphd_form"], "source": SOURCE}
        answer = browser.post("/imports/new", data=fields, files={"file": ("crawl-7.csv", crawl(1.0, file).encode())})
        return answer.headers["Location"]


def crawl(factor: float = 1.0, file: Path = SAMPLE) -> str:
    """Return a file with its prices multiplied; a price that is no number stays as it is."""
    with file.open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        figure = row["price"].strip("$").replace(",", "")
        if figure.replace(".", "").isdigit():
            row["price"] = f"{float(figure) * factor:.2f}"
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _import(client: Client, text: str, week: int, source: str = SOURCE, publish: str = "auto") -> ImportReport:
    observed_at = f"2026-0{7 + week // 4}-{1 + 7 * (week % 4):02}T06:00:00Z"
    name = f"crawl-{week + 1}.csv"
    return client.import_file(text.encode(), filename=name, source=source, publish=publish, observed_at=observed_at)
