"""The same records in any format and compression are the same rows, issues and positions."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glyphd.domain.imports import OnError
from glyphd.domain.listing import FIELDS
from glyphd.errors import FileFault
from glyphd.ingest.judgement import Judgement
from glyphd.ingest.records import Limits
from glyphd.ingest.submitted import SubmittedFile, open_submitted
from tests.property.test_imports import GOOD_RECORDS
from tests.written import COMPRESSIONS, FORMATS, Records, written

NAMES = [field.name for field in FIELDS]
RECEIVED_AT = datetime(2026, 11, 25, tzinfo=UTC)

# What no CSV can carry is left out: NUL, which fails the file, and a record of nothing, which is a blank line.
_TEXT = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\0"), max_size=12)
_ODD = st.sampled_from(
    [
        *("", " ", "NaN", "—", "0", "-1", "1e9", "80.0", "80.5", "inf", "true", "1e400", "$12,490.00", "00", "1.50"),
        *('"', "\\", "\t", ",", "\n", "\r\n", "é", "\U0001f600", "=1+1"),
    ]
)


def _as_text(record: dict[str, Any]) -> dict[str, str]:
    return {
        name: "" if value is None else value.isoformat() if isinstance(value, datetime) else str(value)
        for name, value in record.items()
    }


_RECORDS = st.lists(
    GOOD_RECORDS.map(_as_text)
    | st.tuples(GOOD_RECORDS.map(_as_text), st.sampled_from(NAMES), _ODD | _TEXT).map(
        lambda it: it[0] | {it[1]: it[2]}
    ),
    min_size=1,
    max_size=15,
)


def judged(suffix: str, compression: str, records: Records, **limits: int) -> dict[str, Any]:
    """Return everything that is found in the records as a file; an empty cell and null are the same."""
    judgement = Judgement("v1.1", RECEIVED_AT, OnError.CONTINUE)
    with TemporaryDirectory() as folder:
        file = Path(folder) / f"batch{suffix}{compression}"
        file.write_bytes(written(suffix, compression, NAMES, records))
        rows: list[dict[str, Any]] = []
        issues: list[Any] = []
        failure = None
        try:
            submitted = [SubmittedFile(file, None, file.name)]
            reader = open_submitted(submitted, schema_version="v1.1", limits=Limits(**limits), spool=Path(folder))
            for verdict in judgement.verdicts(reader):
                rows += verdict.accepted.to_dicts()
                issues += [(each.import_index, each.issues) for each in verdict.rejections]
        except FileFault as exc:
            failure = exc.code
    counted = {
        "received": judgement.received,
        "errors": judgement.error_counts,
        "warnings": judgement.warning_counts,
        "columns": judgement.columns.mapping,
        "ignored": judgement.columns.ignored,
    }
    return {"rows": rows, "issues": issues, "failure": failure, **counted}


@given(records=_RECORDS, chunk=st.sampled_from([1, 3, 65_536]))
@settings(max_examples=100, deadline=None)
def test_every_format_yields_the_same(records: Records, chunk: int) -> None:
    """Rows, issues with their fields, codes, messages and values, positions, warnings and columns."""
    expected = judged(".csv", "", records)

    assert expected["received"] == len(records)
    for suffix in FORMATS:
        assert expected == judged(suffix, "", records, chunk_records=chunk), suffix


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("suffix", FORMATS)
def test_every_compression_yields_the_same(suffix: str, compression: str) -> None:
    """One record that is good, one with three issues and one that is good again."""
    good = dict.fromkeys(NAMES, "") | {
        "canonical_model": "H100", "vram_gb": "80", "tdp_watts": "350", "mig_support": "7", "nvlink": "true",
        "price": "$28,450.50", "score": "71.4",
    }  # fmt: skip
    records = [good, good | {"price": "free", "vram_gb": "0", "nvlink": "maybe"}, good]
    found = judged(suffix, compression, records)

    assert [1, 3] == [row["import_index"] for row in found["rows"]]
    assert [(2, {"price", "vram_gb", "nvlink"})] == [
        (index, {issue.field for issue in issues}) for index, issues in found["issues"]
    ]
    assert judged(".csv", "", records) == found
