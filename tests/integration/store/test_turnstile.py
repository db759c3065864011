"""Writers take turns: threads and processes exclude each other, nobody is forgotten."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from glyphd.errors import StoreUnavailable
from glyphd.store.turnstile import Turnstile

_HOLDER = """
import sys
from pathlib import Path
from glyphd.store.turnstile import Turnstile
with Turnstile(Path(sys.argv[1])).turn():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A lock file that is not there yet."""
    return tmp_path / "turnstile"


def test_one_at_a_time(path: Path) -> None:
    """Of many threads only one is ever inside."""
    inside, most = 0, 0
    turnstile = Turnstile(path)

    def pass_through() -> None:
        nonlocal inside, most
        for _ in range(20):
            with turnstile.turn():
                inside += 1
                most = max(most, inside)
                time.sleep(0.0002)
                inside -= 1

    threads = [threading.Thread(target=pass_through) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (0, 1) == (inside, most)


def test_processes_exclude_each_other(path: Path) -> None:
    """And a turn ends with its process, however that ends."""
    with _held_elsewhere(path) as holder:
        with pytest.raises(StoreUnavailable, match=r"over 0 s"), Turnstile(path, timeout_seconds=0.05).turn():
            pass
        holder.kill()
        holder.wait()
        with Turnstile(path, timeout_seconds=5).turn():
            pass


def test_a_waiter_that_gave_up_holds_nothing(path: Path) -> None:
    """Its place in the queue is let go as soon as it comes up, and the next one gets in."""
    turnstile = Turnstile(path, timeout_seconds=0.05)
    with turnstile.turn():
        for _ in range(3):
            with pytest.raises(StoreUnavailable), turnstile.turn():
                pass
    with Turnstile(path, timeout_seconds=5).turn():
        pass


def test_a_waiter_gets_its_turn_beside_a_busy_one(path: Path) -> None:
    """One that takes turn after turn with a pause of a millisecond, as an import does, lets others in."""
    turnstile, stop = Turnstile(path, timeout_seconds=10), threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            with turnstile.turn():
                time.sleep(0.005)
            time.sleep(0.001)

    busy = threading.Thread(target=keep_busy)
    busy.start()
    began = time.monotonic()
    for _ in range(20):
        with turnstile.turn():
            pass
    waited = time.monotonic() - began
    stop.set()
    busy.join()
    assert waited < 5


def test_an_error_inside_ends_the_turn(path: Path) -> None:
    """The next one is not kept waiting."""
    turnstile = Turnstile(path, timeout_seconds=5)
    with pytest.raises(ValueError, match="inside"), turnstile.turn():
        raise ValueError("inside")
    with turnstile.turn():
        pass


def test_a_lock_file_that_cannot_be_opened(tmp_path: Path) -> None:
    """The folder went away: the store is unavailable."""
    with pytest.raises(StoreUnavailable, match="No such file"), Turnstile(tmp_path / "gone" / "turnstile").turn():
        pass


@contextmanager
def _held_elsewhere(path: Path) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "held\n" == process.stdout.readline()
        yield process
