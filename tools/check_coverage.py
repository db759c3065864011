"""Hold the coverage of each named package to a floor, branches included: `check_coverage.py 95 domain ingest`.

Run by `make test` after the tests; every package is checked by itself, so that a good one cannot hide a bad one.
"""

import io
import sys

from coverage import Coverage
from coverage.exceptions import NoDataError


def measure(package: str) -> tuple[float, str]:
    """Return the coverage of a package of glyphd in percent, and the table of what is not covered."""
    coverage = Coverage()
    coverage.load()
    table = io.StringIO()
    return coverage.report(include=[f"src/glyphd/{package}/*"], file=table), table.getvalue()


def check(floor: float, packages: list[str]) -> list[str]:
    """Print the tables and return the packages below the floor."""
    below = []
    for package in packages:
        try:
            percent, table = measure(package)
        except NoDataError:
            below.append(f"{package}: nothing was measured")
            continue
        print(f"\nglyphd.{package}\n{table}")
        if percent < floor:
            below.append(f"{package}: {percent:.1f} % is below {floor:.0f} %")
    return below


if __name__ == "__main__":
    failures = check(float(sys.argv[1]), sys.argv[2:])
    print("\n".join(failures) if failures else f"coverage: every package is at {sys.argv[1]} % or above")
    sys.exit(bool(failures))
