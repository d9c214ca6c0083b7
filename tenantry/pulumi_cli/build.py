"""The Pulumi CLI from its published Go modules, for machines that can reach only package registries.

The Python language host of a release is not published as a module; `language_host.py` replaces it.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from tenantry.pulumi_cli.golang import REGISTRIES, Go, Recipe, build_folder, cache_folder
from tenantry.pulumi_cli.steps import complete_or_absent, locked, step, write

COMMAND = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
PROVIDER = "pulumi-resource-pulumi-python"
RECIPE = Recipe(
    Path(__file__).parent,
    f"{REGISTRIES}\nOr install Pulumi 3.254 or newer on PATH yourself: https://www.pulumi.com/docs/install/",
)


def pinned() -> str:
    """Return the version to build, such as "3.259.0"."""
    return RECIPE.required("github.com/pulumi/pulumi/pkg/v3")


def assembled(cache: Path, venv: Path) -> Path:
    """Put the CLI with its plugins into `venv/pulumi`, and return its path.

    The compiled programs come from the cache, the language host from this package. Raises SetupError if the
    build fails.
    """
    parts = compiled(cache)
    with complete_or_absent(venv / "pulumi") as home:
        for name in ("pulumi", PROVIDER):
            link_or_copy(parts / name, home / name)
        host = [venv / "bin" / "python", "-P", RECIPE.folder / "language_host.py"]
        start = " ".join(shlex.quote(str(word)) for word in host)
        write(home / "pulumi-language-python", f'#!/bin/sh\nexec {start} "$@"\n', mode=0o755)
    return venv / "pulumi" / "pulumi"


def compiled(cache: Path) -> Path:
    """Return the folder in the cache with the CLI and its Python provider. Builds them once per version."""
    home = cache_folder(cache, "pulumi", pinned())
    with locked(cache / "pulumi.lock"):
        if not (home / "pulumi").exists():
            with build_folder(home, RECIPE) as (go, scratch):
                build(go, scratch)
    return home


def build(go: Go, into: Path) -> None:
    """Compile the CLI and copy its Python provider, both to `into`."""
    version = f"-X {SDK}/go/common/version.Version=v{pinned()}"
    with step(f"Pulumi CLI {pinned()} from its Go modules (3 to 5 minutes on 2 cores, once)"):
        go.build(COMMAND, into / "pulumi", ldflags=version, tags="osusergo grpcnotrace")
        sdk = go.run("list", "-m", "-f", "{{.Dir}}", SDK).strip()
    provider = into / PROVIDER
    shutil.copyfile(Path(sdk) / "python" / "dist" / PROVIDER, provider)
    provider.chmod(0o755)  # archives of the module proxy have no executable bits


def link_or_copy(source: Path, target: Path) -> None:
    """Link or copy the file `source` to `target`. A hard link saves 115 MB.

    A symbolic link does not work: the engine resolves it and then looks for its plugins in the cache.
    """
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
