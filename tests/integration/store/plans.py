"""How an engine goes about a statement, in one wording for both: `SEARCH table (column=? AND …)`, or `SCAN table`."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

_WORDING = re.compile(r"\bTABLE (\w+)")
_CONDITION = re.compile(r"\b(\w+)\)? (=|<|>|<=|>=) ")
_COSTLY = ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin", "material")
_WITH_BITMAPS = ("seqscan", "indexscan", "sort", "hashjoin", "mergejoin", "material")


def plan_of(cursor: Any, statement: str, parameters: Any, *, bitmaps: bool = False) -> list[str]:
    """Explain a statement that is about to be run on a driver's cursor; one line for each access to a table.

    ``bitmaps``: where a read allows them, PostgreSQL prefers them to walking an index; BRIN gives nothing else.
    """
    if type(cursor).__module__.startswith("sqlite3"):
        found = cursor.connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        return [_WORDING.sub(r"\1", detail) for *_, detail in found]
    return list(_of_postgresql(cursor.connection, statement, parameters, _WITH_BITMAPS if bitmaps else _COSTLY))


def _of_postgresql(connection: Any, statement: str, parameters: Any, costly: Sequence[str]) -> Iterator[str]:
    """Ask what the plan would be for big tables: those of a test are so small that reading them whole is cheapest."""
    for kind in costly:
        connection.execute(f"SET LOCAL enable_{kind} = off")
    ((plans,),) = connection.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters).fetchall()
    for kind in costly:
        connection.execute(f"SET LOCAL enable_{kind} = on")
    yield from _accesses(plans[0]["Plan"])


def _accesses(node: dict[str, Any]) -> Iterator[str]:
    inner_nodes = node.get("Plans", [])
    if node["Node Type"] == "Bitmap Heap Scan" and inner_nodes[0]["Node Type"] == "Bitmap Index Scan":
        yield from _accesses(inner_nodes.pop() | {"Node Type": "Index Scan", "Relation Name": node["Relation Name"]})
    elif table := node.get("Relation Name"):
        conditions = " AND ".join(f"{column}{sign}?" for column, sign in _CONDITION.findall(node.get("Index Cond", "")))
        if node["Node Type"] in {"Index Scan", "Index Only Scan"}:
            yield f"{'SEARCH' if conditions else 'SCAN'} {table} USING INDEX {node['Index Name']} ({conditions})"
        elif node["Node Type"] != "ModifyTable" and node["Node Type"] != "LockRows":
            yield f"SCAN {table}"
    if node["Node Type"] == "Sort":
        yield f"SORT BY {node['Sort Key']}"
    for inner in inner_nodes:
        yield from _accesses(inner)
