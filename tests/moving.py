"""Installations to move house from and to: a SQLite file in use, odd values in it, and what readers are told."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import psycopg

from glyphd.bootstrap import build_context
from glyphd.console.app import create_app
from glyphd.services.context import Context
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.running import run_next
from glyphd.settings import Settings
from glyphd.store import schema

HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,seller,region,source_url,seen_at,quantity"
STATES = ("rolled_back", "discarded", "failed", "purged", "staged")


class Moving:
    """Makes installations in a folder, and closes them at the end."""

    def __init__(self, folder: Path, postgres_url: Callable[[], str]) -> None:
        """Note where; ``postgres_url`` starts a server when it is first asked for."""
        self.folder = folder
        self._postgres_url = postgres_url
        self._made: list[Context] = []

    def open(self, url: str, artifacts: str) -> Context:
        """Open an installation, migrated, with its files in a folder of this name."""
        context = build_context(Settings(database_url=url, artifacts_url=str(self.folder / artifacts / "artifacts")))
        self._made.append(context)
        schema.upgrade(context.database.engine)
        return context

    def sqlite(self, name: str, copied_from: Path | None = None) -> Context:
        """Open a SQLite file of this name; one that is there already, or copied, as it is."""
        path = self.folder / name / "glyphd.sqlite"
        path.parent.mkdir(exist_ok=True)
        if copied_from:
            shutil.copyfile(copied_from, path)
        return self.open(f"sqlite:///{path}", name)

    def postgresql(self, name: str) -> Context:
        """Make a PostgreSQL database."""
        server, database = self._postgres_url(), f"moving_{uuid4().hex}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}"')
        return self.open(f"{server.rpartition('/')[0]}/{database}", name)

    def make(self, engine: str, name: str) -> Context:
        """Make an empty installation on an engine."""
        return self.sqlite(name) if engine == "sqlite" else self.postgresql(name)

    def close(self) -> None:
        """Close every connection."""
        for context in self._made:
            context.database.dispose()


def receive(context: Context, content: str, **options: Any) -> str:
    """Receive a batch given as text; no worker has seen it yet."""
    with context.artifacts.writing() as writer:
        writer.write(content.encode())
        artifact = store_artifact(writer, "text/csv", "batch.csv")
    return receive_import(context, ImportOptions(**options), [artifact], "test")


def publish(context: Context, content: str, **options: Any) -> str:
    """Receive a batch, run it, and return its import_id."""
    import_id = receive(context, content, **options)
    while run_next(context, "worker"):
        pass
    return import_id


def lines(*prices: float, model: str = "H100", seller: str = "s") -> str:
    """Make a CSV of one record per price; a price of 0 makes its record invalid."""
    rows = [
        f"{model},80,350,7,True,{price},71.4,{seller},US,https://x.example/{price},2026-01-0{at % 9 + 1}T10:00:00Z,{at}"
        for at, price in enumerate(prices)
    ]
    return "\n".join([HEADER, *rows]) + "\n"


def sql(context: Context, script: str, *values: Any) -> list[Any]:
    """Run one statement on a SQLite file, as a third party does."""
    with closing(sqlite3.connect(str(context.database.url.database), isolation_level=None)) as connection:
        return connection.execute(script, values).fetchall()


def run_on(context: Context, statement: str) -> None:
    """Run one statement on either engine."""
    with context.database.writing() as work:
        work.connection.exec_driver_sql(statement)
        work.commit()


def in_use(context: Context) -> dict[str, str]:
    """Fill an installation with imports in every state but running; return their ids by state."""
    made = {"published": publish(context, lines(100, 0, 200, 300, 0), source="shop", metadata={"crawl": 7})}
    for state in STATES:
        made[state] = publish(context, lines(5, 7, model=f"M {state}"), source=state)
        sql(context, "UPDATE import_batches SET status = ? WHERE import_id = ?", state, made[state])
    made["another"] = publish(context, lines(9, 8.5, 0, model="H100", seller="you"), source="shop")
    made["received"] = receive(context, lines(1), source="late")
    return made


def answers(context: Context) -> dict[str, Any]:
    """Return what the installation answers to every GET that is about its content."""
    app = create_app(Settings(database_url=context.database.url.render_as_string(hide_password=False)), context)
    found: dict[str, Any] = {}

    async def ask() -> None:
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as api:

            async def get(path: str) -> Any:
                answer = await api.get(path)
                assert answer.status_code < 500, f"{path}: {answer.text}"
                found[path] = (answer.status_code, answer.content, answer.headers.get("link"))
                return answer

            imports = (await get("/api/imports?limit=500")).json()["items"]
            for path in _asked([each["import_id"] for each in imports]):
                await get(path)

    anyio.run(ask)
    return found


def _asked(imports: list[str]) -> Iterator[str]:
    yield from ("/api/listings?limit=1000", "/api/listings?limit=3", "/api/models", "/api/sources")
    for query in ("model=h100", "min_price=6", "max_price=8", "region=US", "q=you", "after=2026-01-02T00:00:00Z"):
        yield f"/api/listings?{query}"
    for import_id in imports:
        yield f"/api/listings?import_id={import_id}&limit=1000"
        for part in ("", "/rejections", "/rejections?format=csv", "/events", "/artifact"):
            yield f"/api/imports/{import_id}{part}"
