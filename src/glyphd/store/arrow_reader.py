"""The process that reads a SQLite file for another one: a query a line comes in, a table of Arrow goes out.

    python -m glyphd.store.arrow_reader file:/path/glyphd.sqlite?mode=ro

It must never use `sqlite3`: two copies of SQLite in one process do not see each other's locks (ADR 0001), and only in a
process of its own may this one be loaded. A query is a list in JSON: the SQL, its parameters by position, and how many
rows there are at most, by all of which the types of the columns are told. Where there is no answer, because a column
holds values of several types or SQLite refused, the table has no columns.
"""

import json
import signal
import sys
from typing import Any

import pyarrow as pa
from adbc_driver_manager import AdbcConnection, AdbcStatement, Error
from adbc_driver_sqlite import StatementOptions, connect

_BUSY = "PRAGMA busy_timeout = 60000"


def main() -> None:
    """Answer until there are no more queries; Ctrl-C in a terminal is for the process that asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # whoever asked is gone: so are we
    with connect(sys.argv[1]) as database, AdbcConnection(database) as connection:
        _table(connection, _BUSY, [], 1)
        for query in sys.stdin.buffer:
            table = _answer(connection, query)
            with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as stream:
                stream.write_table(table)
            sys.stdout.buffer.flush()


def _answer(connection: AdbcConnection, query: bytes) -> pa.Table:
    try:
        return _table(connection, *json.loads(query))
    except (Error, OSError, pa.ArrowException):
        return pa.table({})


def _table(connection: AdbcConnection, sql: str, parameters: list[Any], rows: int) -> pa.Table:
    with AdbcStatement(connection) as statement:
        statement.set_options(**{StatementOptions.BATCH_ROWS.value: str(rows)})
        statement.set_sql_query(sql)
        if parameters:
            given = {str(place): [parameter] for place, parameter in enumerate(parameters)}
            schema, array = pa.RecordBatch.from_pydict(given).__arrow_c_array__()
            statement.bind(array, schema)
        stream, _ = statement.execute_query()
        return pa.RecordBatchReader.from_stream(stream).read_all()


if __name__ == "__main__":
    main()
