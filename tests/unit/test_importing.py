"""What importing glyphd may not do."""

import subprocess
import sys

_THREADS = """
import importlib, pathlib
modules = "cli.main", "cli.server", "cli.worker", "cli.importing", "console.app"
for module in (f"glyphd.{name}" for name in modules):
    importlib.import_module(module)
print(*((task / "comm").read_text().strip() for task in pathlib.Path("/proc/self/task").iterdir()))
"""


def test_importing_glyphd_starts_no_threads_that_compute() -> None:
    """A process forked from one that has imported it would wait for polars' threads for ever: it has none of them."""
    ran = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, text=True, check=True)
    assert [] == [name for name in ran.stdout.split() if name.startswith("polars-") and name != "polars-ooc-clea"]
