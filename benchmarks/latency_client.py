"""Asks a server for some paths in turn until told to stop; a process of its own, so that it measures only the server.

    python -m benchmarks.latency_client PORT PATH…

Says `asking` when it has warmed up, stops at the first line on standard input, then prints the milliseconds by path.
"""

import http.client
import json
import select
import sys
import time

THINK_SECONDS = 0.005
WARM_UP = 20


def ask(connection: http.client.HTTPConnection, path: str) -> float:
    """Return the milliseconds from the request to the last byte of its answer."""
    start = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    answer.read()
    if answer.status != http.client.OK:
        raise RuntimeError(f"{path}: {answer.status}")
    return (time.perf_counter() - start) * 1000


def main(port: int, paths: list[str]) -> None:
    """Ask until there is something to read on standard input."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    samples: dict[str, list[float]] = {path: [] for path in paths}
    for path in paths * WARM_UP:
        ask(connection, path)
    print("asking", flush=True)
    while not select.select([sys.stdin], [], [], 0)[0]:
        for path in paths:
            samples[path].append(ask(connection, path))
            time.sleep(THINK_SECONDS)
    print(json.dumps(samples))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
