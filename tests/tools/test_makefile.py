"""Tests of the Makefile and of the script for continuous integration."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAKE = """\
#!/bin/sh
echo "$@" >> "$CALLS"
case "$1" in
  $BROKEN) code=2 ;;
  *) code=0 ;;
esac
test "$1" = test && echo "==== 3 passed in 1.20s ===="
test "$code" = 0 || echo "make: *** [$1] Error $code"
exit $code
"""


def test_every_target_has_help() -> None:
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    output = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert re.findall(r"^  make (\w+) +\S", output, re.MULTILINE) == targets
    assert {"setup", "demo", "test", "check", "bench", "emulator"} <= set(targets)


@pytest.mark.parametrize(
    ("broken", "code"), [("nothing", 0), ("setup", 2), ("check", 1), ("test", 1), ("check|test", 1)]
)
def test_continuous_integration_runs_all_targets_and_reports_failures(
    tmp_path: Path, broken: str, code: int
) -> None:
    make = tmp_path / "make"
    make.write_text(MAKE.replace("$BROKEN", broken))
    make.chmod(0o755)
    calls = tmp_path / "calls"
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "CALLS": str(calls)}
    process = subprocess.run([ROOT / ".ci" / "run"], env=env, capture_output=True, text=True, check=False)
    assert process.returncode == code, process.stdout + process.stderr
    targets = [line.split()[0] for line in calls.read_text().splitlines()]
    assert targets == (["setup"] if broken == "setup" else ["setup", "check", "test"])
    if broken != "setup":
        assert process.stdout.splitlines()[-1] == "==== 3 passed in 1.20s ===="


@pytest.mark.parametrize(
    ("arguments", "is_measured"), [("", True), ("tests/settings", False), ("-k plans", False)]
)
def test_coverage_is_measured_if_all_tests_run(arguments: str, is_measured: bool) -> None:
    """Continuous integration runs all tests, so it measures coverage."""
    command = ["make", "--dry-run", "test", *([f"ARGS={arguments}"] if arguments else [])]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    [line] = [line for line in output.splitlines() if "pytest" in line]
    assert ("--cov" in line.split()) is is_measured
    assert re.search(r"^PY_COLORS=0 make test \|", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)


def test_a_low_coverage_fails_the_run() -> None:
    report = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["coverage"]["report"]
    assert report["fail_under"] > 90
