"""Any sequence of changes of state against a plain model: who sees what, what is refused, and whose bytes are kept."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from glyphd.domain.imports import Kind, PublishMode, Status
from glyphd.errors import IllegalTransition
from glyphd.services.browsing import ListingQuery, browse_listings
from glyphd.services.context import Context
from glyphd.services.discarding import discard_import
from glyphd.services.options import ImportOptions
from glyphd.services.publishing import publish_import
from glyphd.services.purging import PurgeTerms, purge_import
from glyphd.services.receiving import receive_import, store_artifact
from glyphd.services.replaying import replay_import
from glyphd.services.reporting import report_import
from glyphd.services.rolling_back import restore_import, roll_back_import
from glyphd.services.running import run_next
from glyphd.store.visibility import market_imports

START = datetime(2026, 7, 1, tzinfo=UTC)
HEADER = "canonical_model,vram_gb,tdp_watts,mig_support,nvlink,price,score,seller"
SOURCES = count()
PURGEABLE = {Status.ROLLED_BACK, Status.DISCARDED, Status.FAILED}
STEPS = st.tuples(
    st.sampled_from(
        [
            "import",
            "import",
            "amend",
            "replay",
            "publish",
            "rollback",
            "rollback",
            "restore",
            "discard",
            "purge",
            "force",
        ]
    ),
    st.integers(0, 30),  # which import it is about, newest last
    st.integers(0, 2),  # which bytes, and so how many rows
    st.integers(0, 4),  # the day it was observed on
    st.sampled_from(PublishMode),
)

MOVES: dict[str, tuple[Any, Status, Status, bool]] = {
    "publish": (publish_import, Status.STAGED, Status.PUBLISHED, True),
    "rollback": (roll_back_import, Status.PUBLISHED, Status.ROLLED_BACK, False),
    "restore": (restore_import, Status.ROLLED_BACK, Status.PUBLISHED, True),
    "discard": (discard_import, Status.STAGED, Status.DISCARDED, False),
}
"""The service, from where to where, and whether it shows rows."""


@dataclass(eq=False)
class Known:
    """An import as the model knows it."""

    import_id: str
    kind: Kind
    status: Status
    content: int
    day: int
    parent: "Known | None" = None


@dataclass
class Model:
    """One source: every rule of DESIGN §3 in a sentence of Python."""

    known: list[Known] = field(default_factory=list)

    def add(self, import_id: str, kind: Kind, mode: PublishMode, content: int, day: int, parent: Known | None) -> None:
        """Publish what is not held, unless its batch is not published."""
        held = mode is PublishMode.HOLD or (parent and parent.status is not Status.PUBLISHED)
        status = Status.STAGED if held else Status.PUBLISHED
        self.known.append(Known(import_id, kind, status, content, day, parent))

    def children(self, batch: Known) -> list[Known]:
        """What hangs on a batch, the oldest first."""
        return [each for each in self.known if each.parent is batch]

    def view_of(self, batch: Known) -> list[Known]:
        """A batch's newest published replay, or itself, and its published amendments; nothing of one that is hidden."""
        if batch.status is not Status.PUBLISHED:
            return []
        shown = [each for each in self.children(batch) if each.status is Status.PUBLISHED]
        stands = [batch, *(each for each in shown if each.kind is Kind.REPLAY)][-1]
        return [stands, *(each for each in shown if each.kind is Kind.AMENDMENT)]

    def visible(self) -> list[Known]:
        """What anybody sees, newest first."""
        batches = [each for each in self.known if each.kind is Kind.BATCH]
        shown = [each for batch in batches for each in self.view_of(batch)]
        return sorted(shown, key=self.known.index, reverse=True)

    def current(self) -> list[Known]:
        """The view of the latest published batch, newest first."""
        batches = [each for each in self.known if each.kind is Kind.BATCH and each.status is Status.PUBLISHED]
        latest = max(batches, key=lambda each: (each.day, self.known.index(each)), default=None)
        return sorted(self.view_of(latest), key=self.known.index, reverse=True) if latest else []

    def readable(self, each: Known) -> bool:
        """Naming it shows its rows while it and its batch are staged or published."""
        return all(one.status in {Status.STAGED, Status.PUBLISHED} for one in (each, each.parent or each))

    def move(self, each: Known, origin: Status, target: Status, *, shows: bool) -> bool:
        """Go from one state to another, or be there already, if that is allowed; what is shown needs a shown batch."""
        if each.status is target:
            return True
        if each.status is not origin or (shows and each.parent and each.parent.status is not Status.PUBLISHED):
            return False
        each.status = target
        return True

    def purge(self, each: Known, *, force: bool) -> bool:
        """Purge what is out of view, with what hangs on it only by force; tell whether that is allowed."""
        hanging = [child for child in self.children(each) if child.status is not Status.PURGED]
        if each.status is Status.PURGED:
            return True
        if each.status not in PURGEABLE or (hanging and not force):
            return False
        for gone in (each, *hanging):
            gone.status = Status.PURGED
        return True


@dataclass
class Run:
    """The same steps on the real thing and on the model."""

    context: Context
    source: str
    model: Model = field(default_factory=Model)
    digests: dict[int, str] = field(default_factory=dict)

    def step(self, action: str, number: int, content: int, day: int, mode: PublishMode) -> None:
        """Do one thing to both; what one refuses the other does."""
        known = self.model.known
        if action == "import" or not known:
            options = ImportOptions(source=self.source, publish=mode, observed_at=START + timedelta(days=day))
            self.model.add(self._receive(options, content), Kind.BATCH, mode, content, day, None)
        elif action == "amend":
            self._amend(known[number % len(known)], mode, content)
        elif action == "replay":
            self._replay(known[number % len(known)], mode)
        else:
            self._change(action, known[number % len(known)])

    def _receive(self, options: ImportOptions, content: int) -> str:
        lines = [f"H100,80,350,7,true,{100 + row},71.4,{self.source}" for row in range(content + 1)]
        with self.context.artifacts.writing() as writer:
            writer.write("\n".join([HEADER, *lines]).encode())
            artifact = store_artifact(writer, "text/csv", None)
        self.digests[content] = artifact.sha256
        import_id = receive_import(self.context, options, [artifact], "test")
        assert run_next(self.context, "worker")
        return import_id

    def _amend(self, parent: Known, mode: PublishMode, content: int) -> None:
        options = ImportOptions(parent_import_id=parent.import_id, publish=mode)
        if parent.kind is not Kind.BATCH or parent.status not in {Status.STAGED, Status.PUBLISHED}:
            with pytest.raises(IllegalTransition):
                receive_import(self.context, options, [], "test")
            return
        self.model.add(self._receive(options, content), Kind.AMENDMENT, mode, content, parent.day, parent)

    def _replay(self, asked: Known, mode: PublishMode) -> None:
        batch = asked.parent or asked
        replayable = {Status.STAGED, Status.PUBLISHED, Status.ROLLED_BACK}
        if asked.kind is Kind.AMENDMENT or batch.status not in replayable:
            with pytest.raises(IllegalTransition):
                replay_import(self.context, asked.import_id, "test", publish=mode)
            return
        import_id = replay_import(self.context, asked.import_id, "test", publish=mode)
        assert run_next(self.context, "worker")
        self.model.add(import_id, Kind.REPLAY, mode, batch.content, batch.day, batch)

    def _change(self, action: str, about: Known) -> None:
        if action in MOVES:
            service, origin, target, shows = MOVES[action]
            allowed = self.model.move(about, origin, target, shows=shows)
            really = partial(service, self.context, about.import_id, "test")
        else:
            force = action == "force"
            allowed = self.model.purge(about, force=force)
            really = partial(purge_import, self.context, about.import_id, PurgeTerms("test", force=force))
        if allowed:
            really()
            return
        with pytest.raises(IllegalTransition):
            really()

    def compare(self) -> None:
        """Every read and every state is what the model says, and bytes are there while an import names them."""
        rows = [each.import_id for each in self.model.visible() for _ in range(each.content + 1)]
        assert rows == self._listed()
        for each in self.model.known:
            assert each.status is report_import(self.context, each.import_id).status
            named = self._listed(import_id=each.import_id)
            assert (each.content + 1 if self.model.readable(each) else 0) == len(named)
        with self.context.database.reading() as connection:
            shown = [each.import_id for each in market_imports(connection, source=self.source)]
        assert [each.import_id for each in self.model.current()] == shown
        for content, sha256 in self.digests.items():
            naming = [each for each in self.model.known if each.content == content]
            if naming:
                assert any(each.status is not Status.PURGED for each in naming) is self.context.artifacts.has(sha256)

    def _listed(self, **asked: Any) -> list[str]:
        query = ListingQuery(source=self.source, **asked)
        return [row["import_id"] for row in browse_listings(self.context, query, limit=1000).items]


def _told(*steps: str) -> list[Any]:
    """Return the steps that a few words stand for, each an action and the number of what it is about."""
    told = [step.split() for step in steps]
    return [(action, int(number), int(number) % 3, 0, PublishMode.AUTO) for action, number in told]


@example(
    steps=_told("import 0", "amend 0", "replay 0", "rollback 0", "restore 0", "rollback 1", "rollback 0", "restore 1")
)
@example(steps=_told("import 0", "amend 0", "import 2", "rollback 0", "purge 0", "force 0", "restore 0", "amend 0"))
@given(steps=st.lists(STEPS, min_size=3, max_size=14))
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_any_sequence_shows_what_the_model_shows(context: Context, steps: list[Any]) -> None:
    """After every step, to every read; a source of its own for each sequence."""
    run = Run(context, f"source {next(SOURCES)}")
    for step in steps:
        run.step(*step)
        run.compare()
