"""Pulumi CLIs made by others: the one on PATH, or the official release by the vendor's own installer."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import urllib.request
from pathlib import Path

from tools import golang
from tools.golang import REGISTRIES, Recipe
from tools.steps import SetupError, complete_or_absent, locked, run, step

MINIMUM = (3, 254, 0)
INSTALLER = "https://get.pulumi.com/install.sh"
REACHABLE_SECONDS = 5
PLUGINS = ("pulumi-language-python", "pulumi-resource-pulumi-python")
RECIPE = Recipe(
    Path(__file__).parent,
    f"{REGISTRIES}\nOr put Pulumi 3.254 or newer on PATH yourself: https://www.pulumi.com/docs/install/",
)


def pinned() -> str:
    """The version that is installed or built, such as "3.259.0"."""
    return RECIPE.required("github.com/pulumi/pulumi/pkg/v3")


def cached_as(cache: Path, origin: str) -> Path:
    """The folder in the cache for the pinned version, by where it comes from."""
    return golang.cached_as(cache, "pulumi", pinned(), origin)


def version_of(cli: Path) -> tuple[int, ...]:
    """What `pulumi version` answers, as numbers. Raises SetupError if that is no version."""
    with tempfile.TemporaryDirectory() as home:
        answer = run(
            [cli, "version"],
            env={"PULUMI_SKIP_UPDATE_CHECK": "true", "PULUMI_HOME": home},
            timeout=60,
            advice=f"Remove {cli.resolve().parent} and run the set-up again.",
        )
    match = re.search(r"^v?(\d+)\.(\d+)\.(\d+)", answer, re.MULTILINE)
    if not match:
        raise SetupError(f"`{cli} version` names no version", output=answer)
    return tuple(int(part) for part in match.groups())


def on_path(venv_bin: Path, own_mark: str) -> Path | None:
    """The Pulumi CLI on PATH, if it is new enough and complete; `own_mark` tells our own wrappers."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    others = os.pathsep.join(folder for folder in folders if folder and Path(folder) != venv_bin)
    found = shutil.which("pulumi", path=others)
    if not found or own_mark.encode() in Path(found).read_bytes()[:200]:
        return None
    try:
        version = version_of(Path(found))
    except SetupError as error:
        print(f"{found} is not used: {error}")
        return None
    beside = f"{others}{os.pathsep}{Path(found).resolve().parent}"
    missing = [plugin for plugin in PLUGINS if not shutil.which(plugin, path=beside)]
    if version < MINIMUM or missing:
        wanted = ".".join(map(str, MINIMUM))
        reason = f"it comes without {missing[0]}" if missing else f"{wanted} or newer is needed"
        print(f"{found} {'.'.join(map(str, version))} is not used: {reason}")
        return None
    return Path(found).absolute()


def installed(cache: Path, installer: str = INSTALLER) -> Path | None:
    """The official release, installed into the cache if need be; None where the vendor cannot be reached."""
    home = cached_as(cache, "installed")
    cli = home / "bin" / "pulumi"
    with locked(cache / "pulumi.lock"):
        if cli.exists():
            return cli
        script = fetched(installer)
        if script is None:
            print(f"{installer} cannot be reached")
            return None
        try:
            with (
                step(f"Pulumi CLI {pinned()} by the official installer"),
                complete_or_absent(home) as scratch,
            ):
                install(script, scratch)
        except SetupError as error:
            print(f"The official installer did not work.\n{error}")
            return None
    return cli


def fetched(url: str) -> bytes | None:
    """The content of `url`, or None if it does not answer within seconds."""
    try:
        with urllib.request.urlopen(url, timeout=REACHABLE_SECONDS) as answer:  # noqa: S310 (a constant, https)
            content: bytes = answer.read()
            return content
    except OSError:
        return None


def install(script: bytes, root: Path) -> None:
    """Run the vendor's installer so that the CLI lies in `root/bin`, and nothing of the user's is touched."""
    file = root / "install.sh"
    file.write_bytes(script)
    run(
        ["sh", file, "--no-edit-path", "--install-root", root, "--version", pinned()],
        env={"HOME": str(root)},
        timeout=600,
        advice="The CLI is built from its source instead.",
    )
    file.unlink()
    version_of(root / "bin" / "pulumi")
