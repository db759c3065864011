"""Run every benchmark and write what came out to `docs/explanation/performance.md` (`make bench`).

    uv run python -m benchmarks.run            everything at full size, about half an hour on two cores
    uv run python -m benchmarks.run --quick    a tenth of the size, printed only: says nothing about the budgets

The page's prose is written by hand; only what stands between its two markers is replaced.
"""

import argparse
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import (
    archive_growth,
    big_file,
    diff,
    export,
    formats,
    history,
    import_csv,
    postgresql,
    read_latency,
    roll_back,
)
from benchmarks.measure import Figure, Options, machine, print_figures

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "performance.md"
BEGIN, END = "<!-- figures: written by `make bench` -->", "<!-- figures: end -->"
QUICK = Options(rows=100_000, repeats=1, imports=3, big_rows=500_000)

BENCHMARKS: dict[str, Callable[[Options], list[Figure]]] = {
    "Import": import_csv.run,
    "Formats": formats.run,
    "Reading while an import runs": read_latency.run,
    "Publish, roll back, restore": roll_back.run,
    "Diff": diff.run,
    "Prices through time": history.run,
    "Export": export.run,
    "Archive size": archive_growth.run,
    "A big file": big_file.run,
    "On PostgreSQL": postgresql.run,
}


def _amount(value: float, unit: str) -> str:
    digits = 0 if abs(value) >= 100 else 2
    return f"{value:,.{digits}f} {unit}".strip()


def _verdict(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    limit = _amount(figure.budget.limit, figure.unit)
    promised = f"{'≥' if figure.budget.at_least else '≤'} {limit}"
    if figure.budget.met_by(figure.value):
        return f"{promised}: met"
    return f"{promised}: **missed by {abs(figure.value / figure.budget.limit - 1):.0%}**"


def render(results: dict[str, list[Figure]], options: Options) -> str:
    """Return the figures as Markdown."""
    lines = [
        f"Measured on {datetime.now(UTC):%Y-%m-%d}: {machine()}.",
        f"Sizes: {options.rows:,} rows, {options.repeats} repeats, {options.imports} imports, "
        f"big file {options.big_rows:,} rows.",
    ]
    for title, figures in results.items():
        lines += ["", f"### {title}", "", "| figure | value | budget |", "|---|---:|---|"]
        lines += [f"| {each.name} | {_amount(each.value, each.unit)} | {_verdict(each)} |" for each in figures]
    return "\n".join(lines)


def write_page(figures: str) -> None:
    """Replace the figures of the page. Raises ValueError when it has lost its markers."""
    page = PAGE.read_text()
    pattern = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"{PAGE} has no markers to write between")
    PAGE.write_text(pattern.sub(lambda _: f"{BEGIN}\n\n{figures}\n\n{END}", page))


def main() -> None:
    """Run, print, and at full size write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    options, results = QUICK if quick else Options(), {}
    for title, run in BENCHMARKS.items():
        print(f"\n{title}", flush=True)
        results[title] = run(options)
        print_figures(results[title])
    if quick:
        return
    write_page(render(results, options))
    print(f"\nwritten: {PAGE.relative_to(PAGE.parents[2])}")


if __name__ == "__main__":
    main()
