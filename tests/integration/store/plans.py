"""How an engine goes about a statement, in one wording for both: `SEARCH table (column=? AND …)`, or `SCAN table`."""

import re
from collections.abc import Iterator
from typing import Any

_WORDING = re.compile(r"\bTABLE (\w+)")
_CONDITION = re.compile(r"\b(\w+)\)? (=|<|>|<=|>=) ")
_COSTLY = ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin", "material")


def plan_of(cursor: Any, statement: str, parameters: Any) -> list[str]:
    """Explain a statement that is about to be run on a driver's cursor; one line for each access to a table."""
    if type(cursor).__module__.startswith("sqlite3"):
        found = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        return [_WORDING.sub(r"\1", detail) for *_, detail in found]
    return list(_of_postgresql(cursor.connection, statement, parameters))


def _of_postgresql(connection: Any, statement: str, parameters: Any) -> Iterator[str]:
    """Ask what the plan would be for big tables: those of a test are so small that reading them whole is cheapest."""
    for kind in _COSTLY:
        connection.execute(f"SET LOCAL enable_{kind} = off")
    ((plans,),) = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters).fetchall()
    for kind in _COSTLY:
        connection.execute(f"SET LOCAL enable_{kind} = on")
    yield from _accesses(plans[0]["Plan"])


def _accesses(node: dict[str, Any]) -> Iterator[str]:
    if table := node.get("Relation Name"):
        conditions = " AND ".join(f"{column}{sign}?" for column, sign in _CONDITION.findall(node.get("Index Cond", "")))
        if node["Node Type"] in {"Index Scan", "Index Only Scan"}:
            yield f"{'SEARCH' if conditions else 'SCAN'} {table} USING INDEX {node['Index Name']} ({conditions})"
        elif node["Node Type"] != "ModifyTable" and node["Node Type"] != "LockRows":
            yield f"SCAN {table}"
    if node["Node Type"] == "Sort":
        yield f"SORT BY {node['Sort Key']}"
    for inner in node.get("Plans", ()):
        yield from _accesses(inner)
