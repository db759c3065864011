"""`GET /api/report`: one report in three forms, asked for by parameter or by `Accept`."""

import httpx
import msgspec
import pytest

from glyphd.api.market import preferred_form
from glyphd.client import Client
from glyphd.domain.market_report import MarketReport, ReportFormat

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", ReportFormat.JSON),
        ("*/*", ReportFormat.JSON),
        ("application/json", ReportFormat.JSON),
        (BROWSER, ReportFormat.HTML),
        ("TEXT/MARKDOWN", ReportFormat.MARKDOWN),
        ("text/html;q=0.5, text/markdown; charset=utf-8; q=0.7", ReportFormat.MARKDOWN),
        ("text/html;q=0", ReportFormat.JSON),
        ("text/html;q=x", ReportFormat.HTML),
        ("image/png", ReportFormat.JSON),
    ],
)
def test_accept_tells_the_form(accept: str, form: ReportFormat) -> None:
    """What is wanted most; JSON where nothing is said that is known."""
    assert form is preferred_form(accept)


def test_the_three_forms(api: httpx.Client, sample: bytes) -> None:
    """Each with its media type; a page may run nothing. The old keys are members of the JSON."""
    import_id = api.post("/api/import?source=a", content=sample, headers={"content-type": "text/csv"}).json()[
        "import_id"
    ]
    asked = {"import_id": import_id, "budget": 2000}
    answer = api.get("/api/report", params=asked)
    found = answer.json()
    assert {"markdown", "summary_stats", "top_ranked"} <= found.keys()
    assert "Accept" == answer.headers["vary"]
    markdown = api.get("/api/report", params=asked, headers={"accept": "text/markdown"})
    assert (found["markdown"], "text/markdown; charset=utf-8") == (markdown.text, markdown.headers["content-type"])
    page = api.get("/api/report", params={**asked, "format": "html"})
    assert page.content == api.get("/api/report", params=asked, headers={"accept": BROWSER}).content
    assert "default-src 'none'" in page.headers["content-security-policy"]
    with Client(str(api.base_url)) as client:
        assert msgspec.json.decode(answer.content, type=MarketReport) == client.market_report(**asked)
        assert page.content == client.market_report_file("html", **asked)


def test_hostile_listings_are_text(api: httpx.Client) -> None:
    """A script in a model's name, and pipes and newlines in a seller's, are text in every form."""
    row = {"canonical_model": "<script>alert(1)</script>", "seller": "a|b\n# c `d`", "price": 5, "score": 1}
    records = [{"vram_gb": 1, "tdp_watts": 1, "mig_support": 0, "nvlink": True, **row}]
    assert 201 == api.post("/api/import", json=records).status_code
    page, markdown = (api.get(f"/api/report?format={form}").text for form in ("html", "md"))
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert r"\<script\>alert(1)\</script\> | $5.00 | 1.0 | 200.00 | - | a\|b # c \`d\` | - |" in markdown


@pytest.mark.parametrize(
    ("question", "status"),
    [("format=pdf", 422), ("budget=-1", 422), ("import_id=x", 422), ("import_id=x&source=a", 422), ("as_of=x", 422)],
)
def test_what_is_not_understood_is_refused(api: httpx.Client, question: str, status: int) -> None:
    """As everywhere."""
    assert status == api.get(f"/api/report?{question}").status_code
