"""Paths in requests: whatever is tried, nothing outside the pipeline directory is read, and nothing waits (G7)."""

import hashlib
import os
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from glyphd.artifacts.folder import ArtifactFolder
from glyphd.errors import BodyTooLarge
from glyphd.services.pipeline_directory import PipelineDirectory
from tests.pipeline_run import enriched_file, scored_file

URL = "/api/imports/from-pipeline"
GOOD = {"enriched_path": "run/enriched.csv", "scored_path": "run/scored.csv"}
SECRET = enriched_file(("SECRET",) * 4)


@pytest.fixture
def pipeline_dir(tmp_path: Path) -> Path:
    """A pipeline directory with a run in it, and beside it a file that nobody may read."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "enriched.csv").write_bytes(SECRET)
    run = tmp_path / "pipeline" / "run"
    run.mkdir(parents=True)
    (run / "enriched.csv").write_bytes(enriched_file())
    (run / "scored.csv").write_bytes(scored_file())
    return run.parent


@pytest.fixture
def api(make_api: Callable[..., httpx.Client], pipeline_dir: Path) -> httpx.Client:
    """The API with that pipeline directory."""
    return make_api(pipeline_dir=pipeline_dir, max_body_bytes=100_000)


def post(api: httpx.Client, path: str) -> httpx.Response:
    """Ask for a path as the enriched file."""
    return api.post(URL, json={**GOOD, "enriched_path": path}, timeout=20)


def linked(folder: Path, target: str) -> str:
    """Make a symbolic link in the pipeline directory and return its name."""
    (folder / "link.csv").symlink_to(target)
    return "link.csv"


def linked_folder(folder: Path, target: str) -> str:
    """Make a link to a folder and return a path through it."""
    (folder / "link").symlink_to(target)
    return "link/enriched.csv"


def fifo(folder: Path) -> str:
    """Make a FIFO that nobody writes to."""
    os.mkfifo(folder / "fifo.csv")
    return "fifo.csv"


def listening(folder: Path) -> str:
    """Make a socket; its name is short enough only from within its folder."""
    here = os.open(".", os.O_RDONLY)
    os.chdir(folder)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("socket.csv")
    os.fchdir(here)
    os.close(here)
    return "socket.csv"


ATTACKS: dict[str, Callable[[Path], str]] = {
    "passwd": lambda _: "/etc/passwd",
    "zero": lambda _: "/dev/zero",
    "a process's memory": lambda _: "/proc/self/mem",
    "what is not there": lambda _: "run/other.csv",
    "outside, not there": lambda _: "/nowhere/enriched.csv",
    "up": lambda _: "../outside/enriched.csv",
    "up and down": lambda folder: f"../{folder.name}/run/enriched.csv",
    "up later": lambda _: "run/../../outside/enriched.csv",
    "up, absolute": lambda folder: f"{folder}/../outside/enriched.csv",
    "a name that begins alike": lambda folder: f"{folder}-2/enriched.csv",
    "link to passwd": lambda folder: linked(folder, "/etc/passwd"),
    "link to zero": lambda folder: linked(folder, "/dev/zero"),
    "link up": lambda folder: linked(folder, "../outside/enriched.csv"),
    "link within": lambda folder: linked(folder, "run/enriched.csv"),
    "link to itself": lambda folder: linked(folder, "link.csv"),
    "folder that is a link": lambda folder: linked_folder(folder, "../outside"),
    "folder that is a link within": lambda folder: linked_folder(folder, "run"),
    "FIFO": fifo,
    "socket": listening,
    "folder": lambda _: "run",
    "the directory": str,
    "here": lambda _: ".",
    "root": lambda _: "/",
    "nothing": lambda _: "",
    "slash after": lambda _: "run/enriched.csv/",
    "file as folder": lambda _: "run/enriched.csv/enriched.csv",
    "NUL": lambda _: "run/enriched.csv\0.csv",
    "long name": lambda _: "a" * 300,
    "long path": lambda _: "run/" * 2000 + "enriched.csv",
    "Windows": lambda _: "..\\outside\\enriched.csv",
    "home": lambda _: "~/.profile",
    "URL": lambda _: "file:///etc/passwd",
    "encoded": lambda _: "%2e%2e/outside/enriched.csv",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_path_that_leads_elsewhere_is_refused(api: httpx.Client, pipeline_dir: Path, name: str) -> None:
    """Every refusal has the same words, and nothing is on the ledger."""
    path = ATTACKS[name](pipeline_dir)

    answer = post(api, path)

    assert (422, "pipeline_path_refused") == (answer.status_code, answer.json()["code"]), answer.text
    assert post(api, "run/other.csv").json() == answer.json()
    assert [] == api.get("/api/imports").json()["items"]
    assert 201 == post(api, GOOD["enriched_path"]).status_code


def test_a_lone_surrogate_in_a_path_is_refused(api: httpx.Client) -> None:
    """JSON can say what no file can be called."""
    body = b'{"enriched_path": "run/\\ud800.csv", "scored_path": "run/scored.csv"}'

    answer = api.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}


def test_without_a_directory_every_path_is_refused(make_api: Callable[..., httpx.Client], pipeline_dir: Path) -> None:
    """The path form is off by default, and says how it is switched on; uploads go on being taken."""
    api = make_api()

    answer = post(api, str(pipeline_dir / "run" / "enriched.csv"))

    assert (422, "pipeline_dir_unset") == (answer.status_code, answer.json()["code"])
    assert "GLYPHD_PIPELINE_DIR" in answer.json()["detail"]
    files = {"enriched": ("a.csv", enriched_file()), "scored": ("b.csv", scored_file())}
    assert 201 == api.post(URL, files=files).status_code


def test_a_directory_that_is_not_there_refuses_every_path(
    make_api: Callable[..., httpx.Client], pipeline_dir: Path
) -> None:
    """A share that is not mounted is no fault of the server's."""
    api = make_api(pipeline_dir=pipeline_dir / "unmounted")

    assert (422, "pipeline_path_refused") == ((answer := post(api, "a.csv")).status_code, answer.json()["code"])


def test_the_directory_itself_may_be_a_link(make_api: Callable[..., httpx.Client], pipeline_dir: Path) -> None:
    """Its operator has put it there; what is below it is another matter."""
    link = pipeline_dir.with_name("current")
    link.symlink_to(pipeline_dir)
    api = make_api(pipeline_dir=link)

    assert 201 == post(api, f"{link}/run/enriched.csv").status_code


def test_a_large_file_is_refused_unread(api: httpx.Client, pipeline_dir: Path) -> None:
    """A sparse file of 10 GB takes no time, no memory and no disk."""
    with (pipeline_dir / "large.csv").open("wb") as file:
        file.truncate(10 << 30)

    answer = post(api, "large.csv")

    assert (413, "body_too_large") == (answer.status_code, answer.json()["code"])


def test_a_file_that_holds_more_than_it_said_is_refused(tmp_path: Path) -> None:
    """As one that grows while it is read: files of /proc say that they have no bytes."""
    directory = PipelineDirectory(Path("/proc/self"), limit=100)
    store = ArtifactFolder(tmp_path / "artifacts")

    with pytest.raises(BodyTooLarge):
        directory.store({"input_csv_path": "status"}, store)

    assert [] == [path for path in store.location.rglob("*") if path.is_file()]


def test_a_folder_that_becomes_a_link_meanwhile_changes_nothing(
    tmp_path: Path, pipeline_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was walked is what is read: the link is put in place between the last look and the opening."""
    plain_open = os.open

    def swap_before(path: Any, flags: int, *more: Any, **named: Any) -> int:
        if str(path).endswith("enriched.csv") and not (pipeline_dir / "run").is_symlink():
            (pipeline_dir / "run").rename(pipeline_dir / "moved")
            (pipeline_dir / "run").symlink_to("../outside")
        return plain_open(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", swap_before)
    store = ArtifactFolder(tmp_path / "artifacts")

    artifacts = PipelineDirectory(pipeline_dir, limit=100_000).store({"input_csv_path": "run/enriched.csv"}, store)

    assert (pipeline_dir / "run").is_symlink()
    assert [hashlib.sha256(enriched_file()).hexdigest()] == [artifact.sha256 for artifact in artifacts]


def test_others_are_served_while_fifos_are_asked_for(api: httpx.Client, pipeline_dir: Path) -> None:
    """Twice as many as there are threads for uploads; one that waited for a writer would hold up every import."""
    path = fifo(pipeline_dir)

    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(post, api, path) for _ in range(16)]
        imported = post(api, GOOD["enriched_path"])
        read = api.get("/api/listings", timeout=20)

    assert (201, 200) == (imported.status_code, read.status_code)
    assert {422} == {answer.result().status_code for answer in asked}
