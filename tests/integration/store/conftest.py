"""What tests of the store start from."""

from collections.abc import Callable
from pathlib import Path

import pytest

from glyphd.domain.report import ImportReport


@pytest.fixture
def publish_one(import_file: Callable[..., ImportReport], make_csv: Callable[..., Path]) -> Callable[[], str]:
    """Publish an import of one row of the model H100 and return its import_id."""
    return lambda: import_file(make_csv({"canonical_model": "H100"})).import_id
