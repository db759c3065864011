"""`glyphd validate` in this process, on a local database and on a server, with the same output and exit codes."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import Result

from glyphd.cli.output import ExitCode
from glyphd.services.context import Context
from glyphd.settings import Settings
from tests.conftest import GOOD_ROW
from tests.integration.cli.conftest import SAMPLE, Glyphd
from tests.serving import serving
from tests.written import COMPRESSIONS, FORMATS, written

ENRICHED, SCORED = (SAMPLE.with_name(f"pipeline_{name}.csv") for name in ("enriched", "scored"))


@pytest.fixture(params=["local", "remote"])
def validate(
    request: pytest.FixtureRequest, glyphd: Glyphd, make_settings: Callable[..., Settings], context: Context
) -> Iterator[Glyphd]:
    """Run `glyphd validate` here, and on a server of the same database."""
    if request.param == "local":
        yield lambda *arguments: glyphd("validate", *arguments)
        return
    with serving(make_settings(), context) as client:
        yield lambda *arguments: glyphd("--url", str(client.base_url), "validate", *arguments)


def _said(ran: Result) -> list[str]:
    """Return the lines of standard error that are not the log of the server, which is in this process."""
    return [line for line in ran.stderr.splitlines() if not line.startswith("{")]


def _report(ran: Result) -> dict[str, object]:
    found: dict[str, object] = json.loads(ran.stdout)
    return found


def test_what_would_be_imported_is_told_to_a_person(validate: Glyphd, glyphd: Glyphd, sample: Path) -> None:
    """Counts, the schema versions it satisfies, its format and its errors; nothing is imported."""
    ran = validate(sample)

    assert ExitCode.OK == ran.exit_code, ran.stderr
    assert "scored_sample.csv → would be imported: 10 received, 8 to be stored, 2 rejected" in ran.stdout
    assert "  format CSV\n" in ran.stdout
    assert "  satisfies v1.0, v1.1\n" in ran.stdout
    assert "record 9: price must be a number (not_a_number)" in ran.stdout
    assert "[]\n" == glyphd("imports", "list", "--json").stdout


def test_how_columns_were_read_is_told(validate: Glyphd, make_csv: Callable[..., Path]) -> None:
    """A column of another name with its field, and those that are ignored."""
    file = make_csv({"colour": "red"})
    file.write_text(file.read_text().replace("price", "Price").replace("score", "final_score"))

    ran = validate(file)

    assert "  read Price as price, final_score as score\n" in ran.stdout, ran.stdout
    assert "  ignored colour\n" in ran.stdout


def test_exit_codes_of_a_validation(validate: Glyphd, sample: Path, make_csv: Callable[..., Path]) -> None:
    """0 would be imported, 1 would not, 2 usage, 3 rejections under --strict; the worst of several files."""
    good, bad = make_csv({}, name="good.csv"), make_csv({"price": "x"}, name="bad.csv")

    assert [0, 3, 0, 1, 1, 1, 2, 2] == [
        validate(*arguments).exit_code
        for arguments in (
            [sample],
            [sample, "--strict"],
            [good, "--strict"],
            [bad],
            [sample, "--on-error", "abort"],
            [good, bad, sample, "--strict"],
            [],
            [good, "--enriched", good, "--scored", good],
        )
    ]


def test_a_pipeline_run_is_validated(validate: Glyphd, tmp_path: Path) -> None:
    """Its two files as one batch; files that do not belong together would not be imported."""
    shorter = tmp_path / "shorter.csv"
    shorter.write_text("".join(SCORED.read_text().splitlines(keepends=True)[:-1]))

    good = validate("--enriched", ENRICHED, "--scored", SCORED, "--json")
    bad = validate("--enriched", ENRICHED, "--scored", shorter, "--json")

    assert (0, True, None) == (good.exit_code, *(_report(good)[name] for name in ("would_import", "failure")))
    assert ["enriched", "scored"] == [each["role"] for each in json.loads(good.stdout)["artifacts"]]
    assert (1, False) == (bad.exit_code, _report(bad)["would_import"])
    assert "pipeline_rows_differ" == json.loads(bad.stdout)["failure"]["code"]


def test_the_schema_version_is_what_it_is_checked_against(validate: Glyphd, sample: Path) -> None:
    """And said in the report; one that does not exist is a failure in one sentence."""
    ran, unknown = validate(sample, "--schema-version", "v1.0", "--json"), validate(sample, "--schema-version", "v9")

    assert (0, "v1.0") == (ran.exit_code, _report(ran)["schema_version"])
    assert (1, 1, "") == (unknown.exit_code, len(_said(unknown)), unknown.stdout)


def test_every_format_is_validated(validate: Glyphd, tmp_path: Path) -> None:
    """One JSON document a line, in the order given, each with its format, whatever it is compressed with."""
    records = [GOOD_ROW, GOOD_ROW | {"price": "x"}]
    files = {f"batch{suffix}{compression}": (suffix, compression) for suffix in FORMATS for compression in COMPRESSIONS}
    for name, kind in files.items():
        (tmp_path / name).write_bytes(written(*kind, list(GOOD_ROW), records))

    ran = validate(*files, "--json")

    assert [(name, suffix[1:], True, 2, 1, 1) for name, (suffix, _) in files.items()] == [
        (
            report["artifacts"][0]["filename"],
            report["format"].lower(),
            *(report[member] for member in ("would_import", "received", "count", "rejected")),
        )
        for report in map(json.loads, ran.stdout.splitlines())
    ]


def test_what_cannot_be_read_is_told(validate: Glyphd, sample: Path, make_csv: Callable[..., Path]) -> None:
    """A format that is none, and a compression that is broken; the other files are judged all the same."""
    workbook, broken = make_csv({}, name="a.xlsx"), make_csv({}, name="b.csv.gz")
    broken.write_bytes(b"\x1f\x8b\x08\x00nothing")

    ran = validate(workbook, broken, sample)

    assert ExitCode.FAILED == ran.exit_code
    assert _said(ran)[0].startswith("a.xlsx: The format of the body is not one that can be imported: ")
    assert "b.csv.gz → would not be imported" in ran.stdout
    assert "scored_sample.csv → would be imported" in ran.stdout
