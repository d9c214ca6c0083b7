"""Create the states of this version, to test later versions with them: `python -m tests.upgrades.make`.

The states of a released version never change. `--again` recreates the states of an unreleased version.

The real engine creates a few customers in the emulator. Names and settings are fixed, but ids and times are
not, so a second run creates different files. They contain nothing confidential: the passphrase is empty, and
the keys and people are fictional.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, TRIAL, everything, settings, with_changes
from tests.e2e.harness import Stack
from tests.upgrades.fixtures import HERE, POSTPONED, REQUESTED, SETTLED, STACKS, UNFINISHED, contents

PLAN = {
    "lifecycle": {"kind": "production", "grace_days": 30},
    "license_settings": {"auto_assign_professional": False, "auto_assign_analyzer": True},
    "groups": {"Analysts": {"roles": ["AnalyticsAdmin"]}, "Viewers": {}},
    "spaces": {
        "Staging": {"type": "shared"},
        "Sales": {"type": "managed", "access": {"Analysts": ["consumer", "contributor"]}},
    },
    "apps": {
        "Sales Overview": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        }
    },
}


def groups(first: str, second: str) -> dict[str, Any]:
    """Return two groups with fixed keys and these names."""
    return {key: {"provider_type": "custom", "name": name} for key, name in (("One", first), ("Two", second))}


CUSTOMERS = {
    "everything": everything(),
    "production": {"name": "Initech", "alias": "initech", "plan": "gold"},
    UNFINISHED: with_changes(GLOBEX, ("name", "Hooli"), ("alias", "hooli")),
    POSTPONED: {"name": "Vandelay", "lifecycle": TRIAL, "groups": groups("importers", "exporters")},
    REQUESTED: with_changes(GLOBEX, ("name", "Umbrella"), ("alias", "umbrella")),
}


def main() -> int:
    """Create the folder of this version."""
    target = HERE / version("tenantry")
    if target.exists() and sys.argv[1:] != ["--again"]:
        print(
            f"{target} exists already. If this version is not released yet, add --again to recreate it. "
            "Otherwise, raise the version in pyproject.toml and run `make setup`.",
            file=sys.stderr,
        )
        return 1
    with tempfile.TemporaryDirectory() as scratch:
        output = Path(scratch) / "output"
        _create_states(Path(scratch), output)
        if target.exists():
            shutil.rmtree(target)
        shutil.copytree(output, target)
    print(f"created {target}")
    return 0


def _create_states(scratch: Path, output: Path) -> None:
    (output / "states").mkdir(parents=True)
    project = output / "project"
    with Emulator(data=scratch / "cloud") as qlik:
        for name in STACKS:
            folder = scratch / name
            folder.mkdir()
            with Stack(folder, name, qlik=qlik) as stack:
                shutil.rmtree(folder / "stacks" / "plans")
                (folder / "stacks" / "plans").mkdir()
                stack.write_plan("gold", PLAN)
                stack.write(**settings(CUSTOMERS[name]))
                _up(stack, qlik)
                (project / "stacks").mkdir(parents=True, exist_ok=True)
                shutil.copy(stack.file, project / "stacks")
                state = json.dumps(_without_source_locations(stack.export()), indent=1) + "\n"
                (output / "states" / f"{name}.json").write_text(state, "utf-8")
        shutil.copytree(folder / "stacks" / "plans", project / "stacks" / "plans")
        for file in ("__main__.py", "Pulumi.yaml"):
            shutil.copy(folder / file, project)
    (output / "cloud.json").write_text(json.dumps(contents(scratch / "cloud"), indent=1) + "\n", "utf-8")


def _without_source_locations(state: dict[str, Any]) -> dict[str, Any]:
    """Return the state without the source locations on this machine that the engine adds to each resource."""
    for resource in state["deployment"]["resources"]:
        for key in ("sourcePosition", "stackTrace"):
            resource.pop(key, None)
    return state


def _up(stack: Stack, qlik: Emulator) -> None:
    if stack.name == UNFINISHED:
        qlik.control.add_fault(method="PUT", path="/api/v1/apps/*", status=500)
        failed = stack.up(expect=1, TENANTRY_DEADLINE="4")
        assert failed.failed == ["App Sales Overview"]
    elif stack.name == POSTPONED:
        stack.up()
        swapped = with_changes(CUSTOMERS[POSTPONED], ("groups", groups("exporters", "importers")))
        stack.write(**settings(swapped))
        stack.up("--parallel", "1")
        assert any(resource["outputs"].get("postponed") for resource in stack.resources().values())
    elif stack.name == REQUESTED:
        qlik.control.add_fault(method="POST", path="/api/v1/tenants", drop_after=True, times=1)
        failed = stack.up(expect=1)
        assert failed.failed == ["Tenant tenant"]
    else:
        stack.up()
        assert stack.name in SETTLED
        assert stack.preview("--refresh", "--expect-no-changes").diffs == {}
    qlik.control.clear_faults()


if __name__ == "__main__":
    sys.exit(main())
