"""Installs `bin/pulumi` in a virtual environment. This script starts a Pulumi CLI, which runs programs with
the environment's Python.

The CLI is the first of these that works: the one on PATH if it is new enough, the official release, a build
from source. Downloads and builds are kept per version in a cache that all environments share:
`TENANTRY_CACHE`, `$XDG_CACHE_HOME/tenantry` or `~/.cache/tenantry`.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tenantry.pulumi_cli import build, release
from tenantry.pulumi_cli.stamps import Stamps
from tenantry.pulumi_cli.steps import step, write

MARK = "# Written by Tenantry; `tenantry install-pulumi` rewrites it."
FOLDER = Path(__file__).parent


def ensure(venv: Path, stamps: Stamps) -> Path:
    """Make sure that `venv/bin/pulumi` works, and return the CLI that it starts.

    Raises SetupError if no Pulumi CLI can be installed.
    """
    wrapper = venv / "bin" / "pulumi"
    digest = stamps.digest(*sorted(file for file in FOLDER.iterdir() if file.is_file()))
    if stamps.fresh("pulumi", digest) and wrapper.exists() and target_of(wrapper).exists():
        return target_of(wrapper)
    cli = release.on_path(venv / "bin", MARK) or release.installed(cache()) or build.assembled(cache(), venv)
    with step(f"{wrapper.relative_to(venv.parent)} -> {cli}"):
        write(wrapper, wrapper_script(cli, venv), mode=0o755)
        release.version_of(wrapper)  # raises SetupError if the script does not work
    stamps.put("pulumi", digest)
    return cli


def cache() -> Path:
    """Return the folder for downloads and builds that all environments share."""
    if own := os.environ.get("TENANTRY_CACHE"):
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tenantry"


def wrapper_script(cli: Path, venv: Path) -> str:
    """Return the text of `bin/pulumi`.

    It works whether or not the environment is activated. The CLI's folder comes first on PATH, because the
    engine prefers plugins on PATH. Otherwise it could use those of an older Pulumi on this machine.
    """
    path = f"{shlex.quote(str(venv / 'bin'))}:{shlex.quote(str(cli.parent))}"
    return f"""#!/bin/sh
{MARK}
PULUMI_PYTHON_CMD={shlex.quote(str(venv / "bin" / "python"))}
PATH={path}:"$PATH"
export PULUMI_PYTHON_CMD PATH
exec {shlex.quote(str(cli))} "$@"
"""


def target_of(wrapper: Path) -> Path:
    """Return the CLI that the script `wrapper` starts.

    If Tenantry did not write the script, return a path that cannot exist.
    """
    last = wrapper.read_bytes().decode(errors="replace").strip().rpartition("\n")[2]
    words = shlex.split(last) if last.startswith("exec ") else []
    return Path(words[1] if len(words) > 1 else os.devnull + "/none")
