"""actionlint, which checks workflow files of GitHub Actions, built from its Go module.

The set-up does not build it. The first test that needs it builds it into the cache of the Pulumi CLI.
"""

from __future__ import annotations

from pathlib import Path

from tenantry.pulumi_cli.golang import Recipe, build_folder, cache_folder
from tenantry.pulumi_cli.steps import locked, step

MODULE = "github.com/rhysd/actionlint"
RECIPE = Recipe(Path(__file__).parent)


def ensure(cache: Path) -> Path:
    """Return the actionlint command in the cache. Build it if it is missing. Raises SetupError."""
    version = RECIPE.required(MODULE)
    home = cache_folder(cache, "actionlint", version)
    command = home / "actionlint"
    with locked(cache / "actionlint.lock"):
        if not command.exists():
            with (
                build_folder(home, RECIPE) as (go, scratch),
                step(f"actionlint {version} from its Go module (up to a minute, once)"),
            ):
                go.build(f"{MODULE}/cmd/actionlint", scratch / command.name)
    return command
