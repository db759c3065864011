"""Show glyphd: migrate, serve, import the sample, say what to open next; runs until Ctrl-C (`make demo`).

Uses the default settings, so that `glyphd …` in another terminal sees the same data. The sample is imported only when
nothing has been imported yet.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from glyphd.settings import Settings

ROOT = Path(__file__).parents[1]
SAMPLE = Path("sample/scored_sample.csv")
START_SECONDS = 30


def _glyphd(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "glyphd", *arguments]


def refuse_taken_port(host: str, port: int) -> None:
    """Stop with one sentence when something else listens there."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as exc:
            raise SystemExit(
                f"demo: {host}:{port} cannot be used ({exc.strerror}). Stop what listens there, or choose another port:"
                f"\n    GLYPHD_PORT={port + 1} make demo"
            ) from exc


def _call(request: urllib.request.Request | str) -> Any:
    with urllib.request.urlopen(request, timeout=90) as answer:
        return json.load(answer)


def wait_until_ready(server: subprocess.Popen[bytes], base: str, seconds: float = START_SECONDS) -> None:
    """Return as soon as the server answers; stop when it ends or takes too long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit(f"demo: the server ended with exit code {server.returncode}; its last lines say why")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{base}/readyz", timeout=2):
            return
        time.sleep(0.1)
    raise SystemExit(f"demo: the server did not become ready within {seconds} s")


def import_sample(base: str) -> str:
    """Import the sample unless the ledger holds something already; return the id of an import to look at."""
    known = _call(f"{base}/api/imports")["items"]
    if known:
        print(
            f"\nThe ledger holds imports already, so the sample was not imported again; newest: {known[0]['import_id']}"
        )
        return str(known[0]["import_id"])
    headers = {"Content-Type": "text/csv"}
    report = _call(
        urllib.request.Request(f"{base}/api/import?source=sample", data=SAMPLE.read_bytes(), headers=headers)
    )
    print(
        f"\nImported {SAMPLE}: {report['received']} received, {report['count']} stored, {report['rejected']} rejected"
    )
    return str(report["import_id"])


def print_next_steps(base: str, import_id: str) -> None:
    """Say what to open and what to type in another terminal."""
    uv = "uv" if shutil.which("uv") else ".uv/bin/uv"
    print(f"""
glyphd is running. Open:

    {base}/    (the console)
    {base}/api/docs    (the API, to try out)
    {base}/api/listings?import_id={import_id}
    {base}/api/models

In another terminal, in this folder:

    curl -X POST {base}/api/import -F "file=@{SAMPLE}"
    curl "{base}/api/imports/{import_id}"
    {uv} run glyphd imports list
    {uv} run glyphd import {SAMPLE} --source mine

Ctrl-C ends it; the data stays.
""")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End the server gently, then less so; a second Ctrl-C does not interrupt that."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server.terminate()
    try:
        server.wait(timeout=15)
    except subprocess.TimeoutExpired:
        server.kill()


def main() -> int:
    """Run the demo and return its exit code."""
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the server is not left behind
    settings = Settings()
    refuse_taken_port(settings.host, settings.port)
    migrated = subprocess.run(_glyphd("migrate"), check=False)
    if migrated.returncode:
        return migrated.returncode
    base = f"http://{settings.host}:{settings.port}"
    quiet = {"GLYPHD_LOG_LEVEL": "WARNING", **os.environ}  # so that what is printed below stays in sight
    server = subprocess.Popen(_glyphd("serve", "--host", settings.host, "--port", str(settings.port)), env=quiet)
    try:
        wait_until_ready(server, base)
        print_next_steps(base, import_sample(base))
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        stop(server)


if __name__ == "__main__":
    sys.exit(main())
