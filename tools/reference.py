"""Write `docs/reference` from the code, or with `--check` tell whether it says what the code says.

Run by `make docs` and `make check`. A command, an option, a setting or a failure without a description is an error:
what is not described cannot be documented.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from inspect import cleandoc
from pathlib import Path
from typing import Any, get_args

import typer.main
from pydantic.fields import FieldInfo

from glyphd.api.app import create_app
from glyphd.api.problems import STATUS_OF_KIND
from glyphd.cli.main import app as command_line
from glyphd.cli.output import ExitCode
from glyphd.domain.issues import DESCRIPTIONS, IssueCode
from glyphd.domain.listing import (
    DEFAULT_SCHEMA_VERSION,
    FIELDS,
    NULL_TOKENS,
    PREFERRED_ALIASES,
    SCHEMA_VERSIONS,
    WEAK_ALIASES,
    Field,
)
from glyphd.errors import problem_types
from glyphd.settings import Settings

REFERENCE = Path(__file__).parents[1] / "docs" / "reference"
PROBLEM_EXAMPLES = Path(__file__).with_name("problem_examples.json")
NOTE = "<!-- Written by `make docs` from {origin}; edit that, not this. -->"
VALUE_NAMES = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}
HTTP_METHODS = ("get", "post", "put", "patch", "delete")


def described(text: str | None, what: str) -> str:
    """Return a description on one line. Raises SystemExit when there is none."""
    if not text or not text.strip():
        raise SystemExit(f"docs: {what} has no description")
    return " ".join(cleandoc(text).split())


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; a bar in a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines)


def code(value: object) -> str:
    """Return a value in code type; nothing for None."""
    return "" if value is None else f"`{value}`"


def settings() -> Iterator[str]:
    """Yield the page of settings."""
    yield NOTE.format(origin="glyphd/settings.py")
    yield "# Settings"
    yield described(Settings.__doc__, "the class Settings")
    yield (
        "Each is an environment variable, the same name in a file `.env`, or the name without `GLYPHD_` and in lower "
        "case in a file `glyphd.toml`. The environment wins over `.env`, `.env` over `glyphd.toml`."
    )
    rows = [
        (
            code(f"GLYPHD_{name.upper()}"),
            _default(field),
            _limits(field),
            described(field.description, f"setting {name}"),
        )
        for name, field in Settings.model_fields.items()
    ]
    yield table(("variable", "default", "accepted", "meaning"), rows)


def _default(field: FieldInfo) -> str:
    return "unset" if field.default is None else code(field.default)


def _limits(field: FieldInfo) -> str:
    kinds = [kind for kind in get_args(field.annotation) or (field.annotation,) if kind is not type(None)]
    names = {"str": "text", "int": "whole number", "float": "number", "bool": "true or false", "Path": "path"}
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    words = [names.get(kind.__name__, kind.__name__) for kind in kinds]
    limits = [f"{signs[key]} {value}" for item in field.metadata for key, value in _bounds(item) if key in signs]
    return ", ".join([*words, *limits])


def _bounds(item: object) -> Iterator[tuple[str, object]]:
    yield from ((name, getattr(item, name)) for name in ("ge", "gt", "le", "lt") if hasattr(item, name))


def command_line_page() -> Iterator[str]:
    """Yield the page of commands."""
    root = typer.main.get_command(command_line)
    yield NOTE.format(origin="glyphd/cli")
    yield "# Command line"
    yield described(root.help, "the command line")
    yield from _command(root, "glyphd")
    yield "## Exit codes"
    yield table(("code", "meaning"), [(int(each), each.name.lower()) for each in ExitCode])


def _command(command: Any, path: str) -> Iterator[str]:
    nested: dict[str, Any] = getattr(command, "commands", {})
    if path != "glyphd":
        yield f"## {path}"
        yield described(command.help, path)
    if not nested:
        yield f"    {' '.join([path, *_usage(command)])}"
    if rows := [_parameter(each, path) for each in command.params if not getattr(each, "hidden", False)]:
        yield table(("argument or option", "default", "meaning"), rows)
    for name in sorted(nested):
        yield from _command(nested[name], f"{path} {name}")


def _usage(command: Any) -> Iterator[str]:
    yield "[OPTIONS]"
    for each in command.params:
        if each.param_type_name == "argument":
            name = each.metavar or each.name.upper()
            yield name if each.required else f"[{name}]"


def _parameter(parameter: Any, path: str) -> tuple[str, str, str]:
    if parameter.param_type_name == "argument":
        shown = parameter.metavar or parameter.name.upper()
    else:
        value = "" if parameter.is_flag else f" {parameter.metavar or _value_name(parameter)}"
        shown = ", ".join(f"{option}{value}" for option in parameter.opts)
    has_default = parameter.default is not None and not callable(parameter.default)
    default = "" if not has_default or getattr(parameter, "is_flag", False) else code(_plain(parameter.default))
    return code(shown), default, described(parameter.help, f"{shown} of {path}")


def _value_name(option: Any) -> str:
    kind = option.type_descriptor.annotation
    kind = next(iter(get_args(kind)), kind)
    return "|".join(_plain(each) for each in kind) if issubclass(kind, Enum) else VALUE_NAMES[kind]


def _plain(value: object) -> str:
    return str(getattr(value, "value", value))


def issue_codes() -> Iterator[str]:
    """Yield the page of issue codes."""
    yield NOTE.format(origin="glyphd/domain/issues.py")
    yield "# Issue codes"
    yield "What can be wrong with one record. Codes are stable; messages may be reworded."
    yield table(("code", "meaning"), [(code(each), DESCRIPTIONS[each]) for each in IssueCode])


def problems() -> Iterator[str]:
    """Yield the page of problem types."""
    yield NOTE.format(origin="glyphd/errors/ and tools/problem_examples.json")
    yield "# Problems"
    yield (
        "Every error of the HTTP API is `application/problem+json` (RFC 9457) with `type`, `title`, `status`, `detail` "
        "and `code`; `type` is `/problems/<code>`, a page that the server itself answers. Failures of a file are also "
        "the `failure` of the import that they ended."
    )
    yield (
        "Each has an example: what the service answers in a test. What only commands, workers and clients meet is "
        "shown in the same form."
    )
    found, examples = problem_types(), problem_examples()
    for name in sorted(found):
        yield f"## {name}"
        yield f"{described(found[name].__doc__, f'problem {name}')} HTTP status {STATUS_OF_KIND[found[name].kind]}."
        yield f"```json\n{json.dumps(examples[name], indent=2, ensure_ascii=False)}\n```"


def problem_examples() -> dict[str, Any]:
    """Return a problem of every type, by code; ``tests/integration/api/test_problem_examples.py`` keeps them true."""
    examples: dict[str, Any] = json.loads(PROBLEM_EXAMPLES.read_text(encoding="utf-8"))
    return examples


def row_contract() -> Iterator[str]:
    """Yield the page of the row contract."""
    yield NOTE.format(origin="glyphd/domain/listing.py")
    yield "# Row contract"
    yield (
        f"Schema versions: {', '.join(map(code, SCHEMA_VERSIONS))}; {code(DEFAULT_SCHEMA_VERSION)} unless a request "
        "names another. Headers match whatever their case, spaces, `-` and `_`. Cells are trimmed."
    )
    rows = [(code(each.name), *_contract(each), described(each.description, each.name)) for each in FIELDS]
    yield table(("field", "type", "required", "since", "accepted", "aliases", "meaning"), rows)
    tokens = ", ".join(code(token) for token in sorted(NULL_TOKENS) if token)
    yield f"A cell that is empty or, in any case, one of {tokens} has no value."
    for alias in sorted(WEAK_ALIASES):
        yield f"`{alias}` counts only in a file without the field's own name or a stronger alias."
    for name, alias in sorted(PREFERRED_ALIASES.items()):
        yield f"A file with both `{name}` and `{alias}` is read by `{alias}`, with a warning."


def _contract(field: Field) -> tuple[str, str, str, str, str]:
    unit = f" ({field.unit})" if field.unit else ""
    bounds = [
        f"at most {field.max_length} characters" if field.max_length else "",
        f"≥ {field.minimum:.0f}" if field.minimum is not None else "",
        f"> {field.above:.0f}" if field.above is not None else "",
        f"≤ {field.maximum:.0f}" if field.maximum is not None else "",
    ]
    aliases = ", ".join(map(code, field.aliases))
    required = "yes" if field.required else ""
    return field.type + unit, required, field.since, ", ".join(filter(None, bounds)), aliases


def http_api() -> Iterator[str]:
    """Yield the page of the HTTP API."""
    document = create_app(Settings()).openapi()
    yield NOTE.format(origin="the OpenAPI document of glyphd/api")
    yield "# HTTP API"
    yield (
        "The whole contract with every schema is the OpenAPI document: `glyphd openapi`, or `/api/openapi.json` of a "
        "running server, which shows it at `/api/docs`. Problems are listed in [problems.md](problems.md)."
    )
    for path, operations in document["paths"].items():
        for method in HTTP_METHODS:
            if method in operations:
                yield from _operation(f"{method.upper()} {path}", operations[method])


def _operation(name: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"## {name}"
    yield described(operation.get("description"), name)
    if body := operation.get("requestBody"):
        yield "Body: " + ", ".join(map(code, body["content"])) + "."
    if parameters := [_parameter_row(each, name) for each in operation.get("parameters", [])]:
        yield table(("parameter", "in", "default", "meaning"), parameters)
    answers = [
        (status, ", ".join(map(code, answer.get("content", {}))), answer["description"])
        for status, answer in sorted(operation["responses"].items())
    ]
    yield table(("status", "body", "meaning"), answers)


def _parameter_row(parameter: dict[str, Any], operation: str) -> tuple[str, str, str, str]:
    name = parameter["name"]
    schema = parameter.get("schema") or next(iter(parameter["content"].values()))["schema"]
    places = (parameter, schema, *schema.get("anyOf", ()))
    found = next((place["description"] for place in places if "description" in place), None)
    return code(name), parameter["in"], code(schema.get("default")), described(found, f"{name} of {operation}")


PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "cli.md": command_line_page,
    "http-api.md": http_api,
    "issue-codes.md": issue_codes,
    "problems.md": problems,
    "row-contract.md": row_contract,
    "settings.md": settings,
}


def outdated() -> dict[Path, str]:
    """Return the pages that do not say what the code says, with what they should say."""
    wanted = {REFERENCE / name: "\n\n".join(page()) + "\n" for name, page in PAGES.items()}
    return {file: text for file, text in wanted.items() if not file.exists() or file.read_text() != text}


def main(*, check: bool) -> int:
    """Write the pages, or only tell which are outdated; return the exit code."""
    stale = outdated()
    for file, text in stale.items():
        print(f"docs: {file.name} {'is outdated: run `make docs`' if check else 'written'}")
        if not check:
            REFERENCE.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
