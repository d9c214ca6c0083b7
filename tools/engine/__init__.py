"""The Pulumi CLI: the one on PATH if it is new enough, else the official release, else built from source.

Releases and builds are kept per version in a cache outside the checkout (`TENANTRY_CACHE`, else
`$XDG_CACHE_HOME/tenantry`, else `~/.cache/tenantry`). `.venv/bin/pulumi` starts whichever it is, with this
environment's Python for programs and providers, whether or not the environment is activated.
"""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from tools.engine import build, release
from tools.environment import Stamps
from tools.steps import step, write

MARK = "# Written by Tenantry's set-up; `make setup` writes it anew."
RECIPE = Path(__file__).parent


def ensure(venv: Path, stamps: Stamps) -> None:
    """See to it that `venv/bin/pulumi` works. Raises SetupError if no way leads to a Pulumi CLI."""
    wrapper = venv / "bin" / "pulumi"
    digest = stamps.digest(*sorted(file for file in RECIPE.iterdir() if file.is_file()))
    if stamps.fresh("pulumi", digest) and wrapper.exists() and target_of(wrapper).exists():
        return
    cli = release.on_path(venv / "bin", MARK) or release.installed(cache()) or build.assembled(cache(), venv)
    with step(f"{wrapper.relative_to(venv.parent)} -> {cli}"):
        write(wrapper, wrapper_script(cli, venv), mode=0o755)
        release.version_of(wrapper)
    stamps.put("pulumi", digest)


def cache() -> Path:
    """The folder for what is fetched or built once per version and shared by all checkouts."""
    if own := os.environ.get("TENANTRY_CACHE"):
        return Path(own).expanduser().resolve()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "tenantry"


def wrapper_script(cli: Path, venv: Path) -> str:
    """The text of `.venv/bin/pulumi`.

    The CLI's folder goes on PATH because the engine prefers plugins of PATH to those beside itself: those of
    an older Pulumi on this machine would be taken otherwise, with a warning.
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
    """The CLI that the script `wrapper` starts; an impossible path if it is no script of ours."""
    last = wrapper.read_bytes().decode(errors="replace").strip().rpartition("\n")[2]
    words = shlex.split(last) if last.startswith("exec ") else []
    return Path(words[1] if len(words) > 1 else os.devnull + "/none")
