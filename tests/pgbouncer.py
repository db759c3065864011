"""Debian's pgbouncer in transaction mode in front of a server: connections are lent to clients for one transaction."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tools.postgres import PostgresMissingError, find_program, free_port, give_to, unprivileged_user

CONNECTIONS = 3
"""How many the server ever sees, whatever many clients there are."""

_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen}
unix_socket_dir =
auth_type = trust
auth_file = {users}
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
logfile = {log}
"""


@contextmanager
def pgbouncer(server_url: str, folder: Path) -> Iterator[int]:
    """Run it in front of a server until the block ends; yields the port. Raises PostgresMissingError."""
    program = find_program("pgbouncer")
    if program is None:
        raise PostgresMissingError("pgbouncer is not installed (Debian: apt-get install pgbouncer)")
    server = psycopg.conninfo.conninfo_to_dict(server_url)
    port, user = free_port(), unprivileged_user()
    users, configuration = folder / "users.txt", folder / "pgbouncer.ini"
    users.write_text(f'"{server["user"]}" ""\n')
    values = {"host": server["host"], "port": server["port"], "user": server["user"], "listen": port, "users": users}
    configuration.write_text(_CONFIGURATION.format(**values, connections=CONNECTIONS, log=folder / "pgbouncer.log"))
    for path in (folder, users, configuration):
        give_to(path, user)
    command = [str(program), "--quiet", str(configuration)]
    with subprocess.Popen(command, cwd=folder, user=user, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_it_answers(server_url, port)
            yield port
        finally:
            process.terminate()


def _wait_until_it_answers(server_url: str, port: int) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(server_url, port=port, connect_timeout=5).close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return
