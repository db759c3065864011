"""`glyphd import` and `glyphd imports …` in this process, on a local database."""

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from glyphd.bootstrap import build_context
from glyphd.cli.output import ExitCode
from glyphd.services.options import ImportOptions
from glyphd.services.receiving import receive_import, store_file
from glyphd.settings import Settings
from tests.integration.cli.conftest import Glyphd

UNKNOWN = "01997c1e-4a00-7d5e-9c39-0f6a4cf0a1b2"


def last_id(glyphd: Glyphd) -> str:
    """Return the id of the newest import."""
    newest: str = json.loads(glyphd("imports", "list", "--json", "--limit", 1).stdout)[0]["import_id"]
    return newest


def test_a_file_is_imported_and_told_to_a_person(glyphd: Glyphd, sample: Path) -> None:
    """Counts and errors on standard output; a partial success is a success."""
    ran = glyphd("import", sample)

    assert ExitCode.OK == ran.exit_code
    assert "10 received, 8 stored, 2 rejected" in ran.stdout
    assert "record 9: price must be a number (not_a_number)" in ran.stdout


def test_several_files_are_imports_of_their_own(glyphd: Glyphd, make_csv: Callable[..., Path]) -> None:
    """One JSON document a line on standard output, in the order given, and nothing else there."""
    files = [make_csv({}, name="a.csv"), make_csv({}, {}, name="b.csv")]

    ran = glyphd("import", *files, "--source", "wamatek", "--json")
    reports = [json.loads(line) for line in ran.stdout.splitlines()]

    assert [("wamatek", 1, "a.csv", 1), ("wamatek", 2, "b.csv", 2)] == [
        (report["source"], report["source_version"], report["artifacts"][0]["filename"], report["count"])
        for report in reports
    ]


def test_options_are_kept(glyphd: Glyphd, sample: Path) -> None:
    """Every option of an import reaches its report."""
    options = ["--source", "a", "--campaign-id", "b", "--metadata", '{"c": 1}', "--observed-at", "2026-07-01"]

    report = json.loads(glyphd("import", sample, *options, "--schema-version", "v1.0", "--json").stdout)

    assert ("a", "b", {"c": 1}, "2026-07-01T00:00:00Z", "v1.0") == tuple(
        report[name] for name in ("source", "campaign_id", "metadata", "observed_at", "schema_version")
    )


def test_exit_codes_of_an_import(glyphd: Glyphd, sample: Path, make_csv: Callable[..., Path]) -> None:
    """0 done, 1 failed, 2 usage, 3 partial under --strict."""
    good, bad = make_csv({}, name="good.csv"), make_csv({"price": "x"}, name="bad.csv")

    assert [0, 3, 0, 1, 1, 2, 2, 2] == [
        glyphd("import", *arguments).exit_code
        for arguments in (
            [sample],
            [sample, "--strict"],
            [good, "--strict"],
            [bad],
            [sample, "--on-error", "abort"],
            [good.with_name("none.csv")],
            [sample, "--on-error", "perhaps"],
            [],
        )
    ]


def test_a_file_that_is_refused_does_not_stop_the_others(glyphd: Glyphd, make_csv: Callable[..., Path]) -> None:
    """The worst outcome is the exit code; the reports of the others are printed."""
    workbook = make_csv({}, name="a.xlsx")

    ran = glyphd("import", make_csv({}, name="a.csv"), workbook, make_csv({}, name="b.csv"), "--json", "--strict")

    assert ExitCode.FAILED == ran.exit_code
    assert ["a.csv", "b.csv"] == [json.loads(line)["artifacts"][0]["filename"] for line in ran.stdout.splitlines()]
    assert ran.stderr.startswith("a.xlsx: The format of the body is not one that can be imported: ")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--metadata", "[]"), ("--observed-at", "x"), ("--schema-version", "v9"), ("--source", ""), ("--source", "a\nb")],
)
def test_an_option_that_is_not_accepted(glyphd: Glyphd, sample: Path, option: str, value: str) -> None:
    """One sentence, exit code 1, and no import."""
    ran = glyphd("import", sample, option, value)

    assert (1, 1, "") == (ran.exit_code, len(ran.stderr.splitlines()), ran.stdout)
    assert "[]\n" == glyphd("imports", "list", "--json").stdout


@pytest.mark.parametrize("name", ["[red]a[-bold].csv", "b\udcff.csv", "c\x1b[31m.csv", "=d.csv", "e\\[red].csv"])
def test_a_hostile_file_name_does_no_harm(glyphd: Glyphd, sample: Path, tmp_path: Path, name: str) -> None:
    """Markup and control characters in a name neither break the output nor reach the terminal."""
    file = tmp_path / name
    file.write_bytes(sample.read_bytes())

    ran = glyphd("import", file)

    assert (0, None) == (ran.exit_code, ran.exception)
    assert "\x1b" not in ran.stdout + ran.stderr
    assert 0 == glyphd("imports", "show", last_id(glyphd)).exit_code


def test_markup_in_a_record_is_only_text(glyphd: Glyphd, make_csv: Callable[..., Path]) -> None:
    """What a file holds is shown as it is, in tables too."""
    file = make_csv({}, {"canonical_model": "x[/bold]\\[red]", "price": "[/]"})

    assert 0 == glyphd("import", file).exit_code
    shown = glyphd("imports", "rejections", last_id(glyphd))

    assert (0, True) == (shown.exit_code, "[/]" in shown.stdout)


def test_imports_are_listed(glyphd: Glyphd, sample: Path, make_csv: Callable[..., Path]) -> None:
    """Newest first, filtered by source and status, as a table and as JSON."""
    glyphd("import", sample, "--source", "a")
    glyphd("import", make_csv({"price": "x"}), "--source", "b")

    def listed(*arguments: str) -> list[str]:
        return [report["source"] for report in json.loads(glyphd("imports", "list", "--json", *arguments).stdout)]

    table = glyphd("imports", "list").stdout.splitlines()

    assert ["b", "a"] == listed()
    assert (["a"], ["b"], ["b"]) == (listed("--source", "a"), listed("--status", "failed"), listed("--limit", "1"))
    assert (3, "import_id") == (len(table), table[0].split()[0])
    assert last_id(glyphd) == table[1].split()[0]
    assert [2, 2] == [glyphd("imports", "list", *wrong).exit_code for wrong in (["--status", "x"], ["--limit", "0"])]


def test_no_imports_is_said(glyphd: Glyphd) -> None:
    """A person gets a sentence, a program an empty array."""
    assert "No imports yet: try `glyphd import FILE`.\n" == glyphd("imports", "list").stdout
    assert "[]\n" == glyphd("imports", "list", "--json").stdout


def test_an_import_is_shown(glyphd: Glyphd, sample: Path) -> None:
    """The report, for a person and for a program."""
    glyphd("import", sample)
    import_id = last_id(glyphd)
    shown, document = glyphd("imports", "show", import_id), glyphd("imports", "show", import_id, "--json")

    assert "record 9: price must be a number (not_a_number)" in shown.stdout
    assert (import_id, 8) == tuple(json.loads(document.stdout)[name] for name in ("import_id", "count"))


def test_rejections_as_table_json_and_csv(glyphd: Glyphd, sample: Path) -> None:
    """All of them as CSV with their original columns; issue by issue in the table."""
    glyphd("import", sample)
    import_id = last_id(glyphd)
    table = glyphd("imports", "rejections", import_id).stdout.splitlines()
    document = json.loads(glyphd("imports", "rejections", import_id, "--json", "--limit", 1).stdout)
    as_csv = glyphd("imports", "rejections", import_id, "--csv").stdout.splitlines()

    assert 5 == len(table)
    assert [(9, "utf8")] == [(rejection["import_index"], rejection["raw_encoding"]) for rejection in document]
    assert "import_index,_issues,canonical_model" == as_csv[0][:36]
    assert ["9", "10"] == [line.split(",")[0] for line in as_csv[1:]]


def test_bytes_of_a_rejection_reach_standard_output(glyphd: Glyphd, make_csv: Callable[..., Path]) -> None:
    """`--csv` writes bytes, `--json` base64."""
    file = make_csv({}, {"canonical_model": "caf?"})
    file.write_bytes(file.read_bytes().replace(b"caf?", b"caf\xe9"))
    glyphd("import", file)
    import_id = last_id(glyphd)

    rejection = json.loads(glyphd("imports", "rejections", import_id, "--json").stdout)[0]

    assert b"caf\xe9" in glyphd("imports", "rejections", import_id, "--csv").stdout_bytes
    assert b"caf\xe9" in base64.b64decode(rejection["raw"])


def test_discard(glyphd: Glyphd, sample: Path, make_settings: Callable[..., Settings]) -> None:
    """One that waits is cancelled, twice with one effect; one that is published is refused in one sentence."""
    glyphd("import", sample)
    published = last_id(glyphd)
    context = build_context(make_settings())
    waiting = receive_import(context, ImportOptions(), [store_file(context, sample)], "test")
    context.database.dispose()

    first, again = (glyphd("imports", "discard", waiting, "--reason", "half a crawl", "--json") for _ in range(2))
    refused = glyphd("imports", "discard", published)

    assert [(0, "discarded")] * 2 == [(ran.exit_code, json.loads(ran.stdout)["status"]) for ran in (first, again)]
    assert (1, 1) == (refused.exit_code, len(refused.stderr.splitlines()))
    assert "The import is published" in refused.stderr


@pytest.mark.parametrize("verb", ["show", "rejections", "discard"])
@pytest.mark.parametrize("import_id", [UNKNOWN, "[/x]", "\x1b[31m"])
def test_an_import_that_is_not_there(glyphd: Glyphd, verb: str, import_id: str) -> None:
    """One sentence on standard error, exit code 1."""
    ran = glyphd("imports", verb, import_id)

    assert (1, 1, "") == (ran.exit_code, len(ran.stderr.splitlines()), ran.stdout)
    assert "\x1b" not in ran.stderr
