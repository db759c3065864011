"""What a migration changed, statement by statement."""

from typing import Any

_CHANGES = frozenset({"CREATE", "DROP", "ALTER", "INSERT", "UPDATE", "DELETE", "REPLACE"})


def recorder(statements: list[str]) -> Any:
    """Return a listener for `before_cursor_execute` that notes the statements that change something."""

    def record(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.split(None, 1)[0].upper() in _CHANGES:
            statements.append(statement.strip())

    return record
