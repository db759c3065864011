"""Rejections as CSV: many of them, and records that are hardly one."""

import csv
import io
from collections.abc import Callable

from glyphd.services.context import Context
from glyphd.services.returning import return_rejections

_CSV_HEADER = ["import_index", "_issues"]


def test_more_rejections_than_a_page_and_a_portion_hold(
    context: Context, publish: Callable[..., str], make_lines: Callable[..., str]
) -> None:
    """Each comes once, in order, with its cells as they were submitted."""
    content = make_lines(1, *[0] * 2_500, seller='"quoted, and ""long"" ' + "x" * 90 + '"')
    portions = list(return_rejections(context, publish(content)))
    header, *rows = csv.reader(io.StringIO(b"".join(portions).decode()))
    submitted = list(csv.reader(io.StringIO(content)))
    assert len(portions) > 1
    assert _CSV_HEADER + submitted[0] == header
    assert [[str(at + 1), "price: out_of_range", *submitted[at + 1]] for at in range(1, 2_501)] == rows


def test_json_records_that_are_no_objects_have_no_cells(context: Context, publish: Callable[..., str]) -> None:
    """Their line says so; members of the others become columns in the order they first come."""
    content = '[{"price": 1.50, "b": null}, 5, {"b": {"c": ["é"]}, "price": "x"}]'
    found = b"".join(return_rejections(context, publish(content, "application/json"))).decode()
    header, *rows = csv.reader(io.StringIO(found))
    assert [*_CSV_HEADER, "price", "b"] == header
    assert [["1.50", ""], ["", ""], ["x", '{"c": ["é"]}']] == [row[2:] for row in rows]
    assert ["1", "2", "3"] == [row[0] for row in rows]
    assert "record: not_an_object" == rows[1][1]
