"""`tenantry demo` as a user runs it: a process that shows the product and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tenantry.demo import run

ROOT = Path(__file__).resolve().parents[2]


class Demo:
    """A running demo whose temporary files and processes can be identified."""

    def __init__(self, folder: Path, *args: str) -> None:
        self.folder, self._mark = folder, uuid.uuid4().hex
        (folder / "tmp").mkdir()
        (folder / "home").mkdir()
        env = {**os.environ, "HOME": str(folder / "home"), "TMPDIR": str(folder / "tmp"), "_DEMO": self._mark}
        command = [str(Path(sys.executable).with_name("tenantry")), "demo", *args]
        self._output = folder / "output"
        with self._output.open("w") as output:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=output)

    @property
    def output(self) -> str:
        """The output so far."""
        return self._output.read_text()

    def wait_for(self, text: str, seconds: float = 60) -> None:
        """Wait until the output contains `text`."""
        deadline = time.monotonic() + seconds
        while text not in self.output:
            assert time.monotonic() < deadline, self.output
            assert self.process.poll() is None, self.output
            time.sleep(0.02)

    def leftovers(self) -> list[str]:
        """Return the files and processes of the demo that still exist."""
        files = [str(file) for name in ("home", "tmp") for file in (self.folder / name).iterdir()]
        return files + [str(process) for process in psutil.process_iter() if self._belongs_to_demo(process)]

    def _belongs_to_demo(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("_DEMO") == self._mark
        except psutil.Error:
            return False


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Demo]:
    """Return a function that starts a demo with its arguments."""
    return lambda *args: Demo(tmp_path, *args)


def test_the_demo_creates_a_customer_and_a_second_run_sends_nothing(start: Callable[..., Demo]) -> None:
    demo = start()
    assert demo.process.wait(120) == 0, demo.output
    first, second = re.findall(r"^(\d+) requests", demo.output, re.MULTILINE)
    assert int(first) > 10
    assert int(second) == 0
    assert re.search(r"^url +https://\S+\.eu\.qlikcloud\.com *$", demo.output, re.MULTILINE)
    assert "What to try next" in demo.output
    assert demo.leftovers() == []


@pytest.mark.parametrize(("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_demo_can_be_stopped_at_any_time(
    start: Callable[..., Demo], stop: signal.Signals, code: int
) -> None:
    demo = start()
    demo.wait_for("created")
    demo.process.send_signal(stop)
    assert demo.process.wait(60) == code, demo.output
    assert "Traceback" not in demo.output
    assert demo.leftovers() == []


def test_the_demo_keeps_running_with_stay(start: Callable[..., Demo]) -> None:
    """The printed commands work in another terminal."""
    demo = start("--stay")
    demo.wait_for("Press Ctrl-C here to end the demo.", 120)
    lines = demo.output.splitlines()
    exports = [line for line in lines if line.startswith("export ")]
    command = next(line for line in lines if "/pulumi up --stack" in line)
    folder = next(line for line in lines if line.startswith("cd "))
    script = "\n".join(
        [*exports, folder, f"{command} --skip-preview --yes --non-interactive --expect-no-changes"]
    )
    process = subprocess.run(["sh", "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stdout + process.stderr
    demo.process.send_signal(signal.SIGINT)
    assert demo.process.wait(60) == 0, demo.output
    assert demo.leftovers() == []


def test_the_demo_fails_if_pulumi_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "pulumi"
    broken.write_text("#!/bin/sh\necho the reason >&2\nexit 7\n")
    broken.chmod(0o755)
    monkeypatch.setattr(run, "pulumi_command", lambda: str(broken))
    previous_handler = signal.getsignal(signal.SIGTERM)
    try:
        assert run.main() == 1
    finally:
        signal.signal(signal.SIGTERM, previous_handler)
    output = capfd.readouterr()
    assert "the reason" in output.err
    assert "exited with code 7" in output.out
    assert "What to try next" not in output.out
