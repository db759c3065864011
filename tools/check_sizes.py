"""Check the size and shape rules of the code (ADR 0004), which no linter knows.

Files have at most 300 lines, functions 30, the bodies of routes 10; a docstring counts for a file, not for a function.
No module is called `utils.py` or `helpers.py`, no class is a manager, no import hides in a function, no two functions
have the same body. Run by `make check`: prints what is off, one line each.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("src", "tools", "benchmarks", "tests")
FILE_LINES, FUNCTION_LINES, ROUTE_LINES = 300, 30, 10
SAME_BODY_LINES = 5
ROUTES = (Path("src/glyphd/api/routes"), Path("src/glyphd/console/routes"))
BANNED_MODULES = {"utils.py", "helpers.py", "util.py", "helper.py", "common.py", "misc.py"}
BANNED_SUFFIXES = ("Manager", "Helper", "Processor", "DTO")

EXEMPT_FILES = {
    "src/glyphd/store/tables.py": "declarative: one table after the other, nothing to split by",
}
"""Files that may be longer, with the reason. Whatever stands here needs one."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _body(function: Function) -> list[ast.stmt]:
    """Return the statements of a function without its docstring."""
    return function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body


def _lines(statements: list[ast.stmt]) -> int:
    if not statements:
        return 0
    return (statements[-1].end_lineno or 0) - statements[0].lineno + 1


def _length(function: Function) -> int:
    """Return the lines of a function from `def` to its end, the docstring and the decorators not counted."""
    signature = function.body[0].lineno - function.lineno
    return signature + _lines(_body(function))


def _is_route(function: Function, path: Path) -> bool:
    routed = any(path.is_relative_to(folder) for folder in ROUTES)
    return routed and any(isinstance(node, ast.Call) for node in function.decorator_list)


def _hidden_imports(function: Function) -> Iterator[int]:
    for node in ast.walk(function):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node.lineno


def check_function(function: Function, path: Path) -> Iterator[str]:
    """Yield what is off about one function."""
    where = f"{path}:{function.lineno}: {function.name}"
    if (length := _length(function)) > FUNCTION_LINES:
        yield f"{where} has {length} lines, at most {FUNCTION_LINES}"
    if _is_route(function, path) and (length := _lines(_body(function))) > ROUTE_LINES:
        yield f"{where} is a route with {length} lines, at most {ROUTE_LINES}"
    for line in _hidden_imports(function):
        yield f"{path}:{line}: import inside {function.name}"


def check_file(path: Path, tree: ast.Module, length: int) -> Iterator[str]:
    """Yield what is off about one file and everything in it."""
    if path.name in BANNED_MODULES:
        yield f"{path}: a module is named after its concept, not {path.name}"
    if length > FILE_LINES and str(path) not in EXEMPT_FILES:
        yield f"{path}: {length} lines, at most {FILE_LINES}"
    for node in ast.walk(tree):
        if isinstance(node, Function):
            yield from check_function(node, path)
        elif isinstance(node, ast.ClassDef) and node.name.endswith(BANNED_SUFFIXES):
            yield f"{path}:{node.lineno}: class {node.name} is named after a pattern, not after what it is"


class Repetition:
    """Finds functions with the same body."""

    def __init__(self) -> None:
        self._seen: dict[str, str] = {}

    def check(self, path: Path, tree: ast.Module) -> Iterator[str]:
        """Yield the functions of a file whose body was seen before."""
        for node in ast.walk(tree):
            if not isinstance(node, Function) or _lines(_body(node)) < SAME_BODY_LINES:
                continue
            where = f"{path}:{node.lineno}: {node.name}"
            first = self._seen.setdefault("\n".join(map(ast.dump, _body(node))), where)
            if first != where:
                yield f"{where} has the same body as {first}"


def check_tree(root: Path) -> Iterator[str]:
    """Yield what is off anywhere below a folder of the project's shape."""
    repetition = Repetition()
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*.py")):
            source, path = file.read_text(), file.relative_to(root)
            tree = ast.parse(source)
            yield from check_file(path, tree, len(source.splitlines()))
            yield from repetition.check(path, tree)
    for name in EXEMPT_FILES:
        if not (root / name).exists():
            yield f"{name} is exempt but does not exist"


if __name__ == "__main__":
    found = list(check_tree(ROOT))
    print("\n".join(found) if found else "sizes and shapes: nothing is off")
    sys.exit(bool(found))
