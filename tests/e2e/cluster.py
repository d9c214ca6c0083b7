"""A Dask cluster of real processes on this machine: a scheduler, and any number of workers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.e2e.fleet import wait_until

CONNECTED_MESSAGE = "Starting established connection"
NO_WARNINGS = {"DASK_DISTRIBUTED__ADMIN__TICK__LIMIT": "1h"}
"""Suppresses Dask's warnings about a busy machine."""


class Processes:
    """A scheduler and its workers. Use it as a context manager, which ends all of them."""

    def __init__(self, folder: Path, protocol: str = "tcp") -> None:
        self.folder, self.protocol = folder, protocol
        folder.mkdir()
        self._stack = ExitStack()
        self.address = ""
        self.scheduler: subprocess.Popen[bytes]
        self.workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Processes:
        try:
            self.start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def start(self, port: int = 0) -> None:
        """Start the scheduler, and wait for its address."""
        file = self.folder / f"scheduler-{os.urandom(4).hex()}.json"
        location = ("--host", "127.0.0.1", "--port", str(port), "--scheduler-file", str(file))
        options = ("--protocol", self.protocol, "--no-dashboard", "--dashboard-address", "127.0.0.1:0")
        env = {**os.environ, "TENANTRY_STATE": str(self.folder / "state")}
        self.scheduler = self._run("scheduler", (*location, *options), env)
        wait_until(lambda: file.exists() and file.read_text().endswith("}"), "a scheduler")
        self.address = json.loads(file.read_text())["address"]

    @property
    def port(self) -> int:
        """The port of the scheduler."""
        return int(self.address.rpartition(":")[2])

    def work(
        self, env: Mapping[str, str], *options: str, threads: int = 1, nanny: bool = False
    ) -> subprocess.Popen[bytes]:
        """Start a worker with its own environment. Call `wait` afterwards."""
        number = len(self.workers)
        log = self.folder / f"worker-{number}.log"
        arguments = ("--host", "127.0.0.1", "--no-dashboard", "--nthreads", str(threads))
        nanny_option = () if nanny else ("--no-nanny",)
        folder_option = ("--local-directory", str(self.folder / f"worker-{number}"))
        process = self._run(
            "worker", (self.address, *arguments, *nanny_option, *folder_option, *options), env, log
        )
        self.workers.append(process)
        return process

    def wait(self) -> None:
        """Wait until all started workers are connected."""
        for number, process in enumerate(self.workers):
            log = self.folder / f"worker-{number}.log"
            wait_until(
                lambda process=process, log=log: (
                    process.poll() is not None or CONNECTED_MESSAGE in log.read_text()
                ),
                "a worker",
            )
            assert process.poll() is None, log.read_text()

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """Kill a process of this cluster."""
        process.send_signal(signal.SIGKILL)
        process.wait()

    def logs(self) -> str:
        """Return the logs of the scheduler and the workers."""
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("*.log")))

    def _run(
        self, kind: str, arguments: Sequence[str], env: Mapping[str, str], log: Path | None = None
    ) -> subprocess.Popen[bytes]:
        log = log or self.folder / f"{kind}-{os.urandom(4).hex()}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", kind, *arguments],
                env={**env, **NO_WARNINGS},
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        self._stack.callback(_terminate, process)
        return process


def _terminate(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
