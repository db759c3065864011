"""Text of others on pages: it is shown, and does nothing."""

import csv
from collections.abc import Callable
from pathlib import Path

import httpx

from glyphd.domain.report import ImportReport
from tests.conftest import GOOD_ROW
from tests.integration.console.reading import read
from tests.integration.console.test_upload import check

SCRIPT = "<script>alert(1)</script>"
BREAKOUT = "\"><img src=x onerror='alert(1)'>"
TURNED = "H100\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe\N{ZERO WIDTH SPACE}"
FORMULA = '=HYPERLINK("http://evil.example";"x")'
LONG = "x" * 10_000


def hostile_file(folder: Path) -> Path:
    """Write a file whose every text wants something; two records are stored, the others are rejected."""
    path = folder / f"{'<b>name&amp;'}.csv"
    rows = [
        {"canonical_model": SCRIPT},
        {"canonical_model": TURNED},
        *({"price": text} for text in (SCRIPT, BREAKOUT, TURNED, FORMULA, LONG)),
    ]
    with path.open("w", encoding="utf-8", newline="") as target:
        writer = csv.DictWriter(target, [*GOOD_ROW, BREAKOUT])
        writer.writeheader()
        writer.writerows({**GOOD_ROW, BREAKOUT: "", **row} for row in rows)
    return path


def test_text_of_others_does_nothing(
    console: httpx.Client, import_file: Callable[..., ImportReport], tmp_path: Path
) -> None:
    """Markup stands there as text, marks that turn or hide text are replaced, and a long cell stays short."""
    report = import_file(hostile_file(tmp_path), source=SCRIPT)
    address = f"/imports/{report.import_id}"
    others = ("/", "/imports", "/models", "/listings", "/report", f"{address}/rollback", f"{address}/rejections")
    pages = [read(console, each) for each in (address, *others)]
    records = [read(console, f"/listings/{report.import_id}/{index}") for index in range(1, report.received + 1)]

    checked = check(console, hostile_file(tmp_path), source=SCRIPT)
    for page in [*pages, *records, checked]:
        assert ["/static/live.js"] == [
            str(given["src"]).partition("?")[0] for tag, given in page.elements if tag == "script"
        ]
        assert "img" not in {tag for tag, _ in page.elements}
        assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page.source
        assert len(page.source) < 60_000
    assert [True] * len(pages) == [SCRIPT in page.text for page in pages]
    assert SCRIPT in read(console, read(console, "/models").links[SCRIPT]).text
    assert SCRIPT in checked.text
    quoted = pages[0].text
    assert BREAKOUT in quoted
    assert "H100\N{REPLACEMENT CHARACTER}gpj.exe" in quoted
    assert LONG not in quoted


def test_a_reason_and_a_receipt_are_text_too(
    console: httpx.Client, import_file: Callable[..., ImportReport], tmp_path: Path
) -> None:
    """What a person wrote is escaped, and so is a receipt that another hand put into the cookie."""
    address = f"/imports/{import_file(hostile_file(tmp_path)).import_id}"
    token = read(console, f"{address}/rollback").forms[f"{address}/rollback"]["form_token"]
    page = console.post(f"{address}/rollback", data={"form_token": token, "reason": SCRIPT})

    assert SCRIPT not in page.text
    assert "&lt;script&gt;alert(1)" in page.text
    for cookie in ("WyI8c2NyaXB0PiJd", "bm90IGpzb24=", "!", "e30="):
        answer = console.get(address, headers={"Cookie": f"glyphd_receipt={cookie}"})
        assert 200 == answer.status_code
        assert "<script>" not in answer.text
