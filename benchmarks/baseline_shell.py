"""Baseline (a): the `sqlite3` shell's `.import` of the same file into the legacy table with its five indexes.

    uv run python -m benchmarks.baseline_shell --rows 1000000

Cost model: one parse in C and one row into six B-trees, of which two (score, seen_at) are hit at random places.
No check of any cell, no provenance: `$12,490.00` and `Available` land as text, columns that the file lacks are NULL.
Measured: wall time of the whole shell process. It is helped where that is fair: one transaction, the journal mode that
was fastest, the file's columns first so that nothing has to be copied twice, its warnings thrown away.
No-op control: reading and hashing the file.
"""

import argparse
import shutil
import subprocess
import tempfile
from pathlib import Path

from benchmarks.generate import CACHE, Dataset, dataset
from benchmarks.legacy import PRAGMAS, table_sql
from benchmarks.measure import read_through, seconds


def available() -> bool:
    """Tell whether the machine has a `sqlite3` shell (Debian: `apt-get install sqlite3`)."""
    return shutil.which("sqlite3") is not None


def shell_import(file: Path) -> float:
    """Import a CSV file into a new legacy database and return the seconds it took."""
    header = file.open().readline().strip().split(",")
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        script = f"{PRAGMAS}\n{table_sql(header)}\n.import --csv --skip 1 {file} scored_listings\n"
        command = ["sqlite3", str(Path(folder) / "legacy.sqlite")]
        return seconds(
            lambda: subprocess.run(
                command, input=script, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True
            )
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    path = dataset(Dataset(rows))
    control, took = seconds(lambda: read_through(path)), shell_import(path)
    print(f"sqlite3 .import: {rows / took:,.0f} rows/s ({took:.1f} s); reading the file alone {control:.2f} s")
