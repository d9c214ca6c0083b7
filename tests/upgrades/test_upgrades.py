"""This version reads the states of released versions: it loses nothing and creates nothing twice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenantry.emulator import Emulator
from tests.contract import ContractChecker
from tests.e2e.conftest import make_stack as make_stack
from tests.e2e.conftest import scratch as scratch
from tests.e2e.conftest import session_folder as session_folder
from tests.e2e.customers import SOURCE_TENANT
from tests.e2e.harness import ROOT, Stack
from tests.e2e.operations import ORGANISATION, tenants
from tests.upgrades.fixtures import (
    HERE,
    POSTPONED,
    REQUESTED,
    SETTLED,
    UNFINISHED,
    VERSIONS,
    fill,
    set_up,
    state_of,
)
from tests.world import World, calls, writes

CreateStack = Callable[[str, str], Stack]


@pytest.fixture
def stack_of(make_stack: Callable[..., Stack], tmp_path: Path) -> Iterator[CreateStack]:
    """Return a function that creates a stack from the files, the state and Qlik's content of a version."""
    checker = ContractChecker()
    with ExitStack() as emulators:

        def create(version: str, name: str) -> Stack:
            fill(tmp_path / "cloud", version)
            qlik = emulators.enter_context(Emulator(data=tmp_path / "cloud", middleware=checker.wrap))
            stack = make_stack(name, qlik=qlik)
            set_up(stack, version)
            return stack

        yield create
    assert not checker.violations, "\n".join(checker.violations)


def outputs(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {resource["urn"]: resource.get("outputs") or {} for resource in resources}


def expect_no_output_lost(stack: Stack, version: str) -> None:
    """Check that every output of the former version is in the state, with its value."""
    former = outputs(state_of(version, stack.name)["deployment"]["resources"])
    current = outputs(stack.deployment()["resources"])
    lost = {
        (urn, name): value
        for urn, values in former.items()
        for name, value in values.items()
        if current.get(urn, {}).get(name) != value
    }
    assert lost == {}


def test_every_released_version_has_states() -> None:
    assert VERSIONS
    assert all((HERE / version / "states").is_dir() for version in VERSIONS)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SETTLED)
def test_an_unchanged_customer_has_no_differences(stack_of: CreateStack, name: str, version: str) -> None:
    """`up`, `preview` and `refresh` write nothing. After that, `destroy` works."""
    stack = stack_of(version, name)
    assert stack.up("--expect-no-changes").requests == []
    expect_no_output_lost(stack, version)
    drift = stack.preview("--refresh", "--expect-no-changes")
    assert (drift.diffs, writes(drift.requests)) == ({}, [])
    refreshed = stack.refresh("--expect-no-changes")
    assert writes(refreshed.requests) == []
    expect_no_output_lost(stack, version)

    if any(resource.get("protect") for resource in stack.resources().values()):
        assert stack.destroy(expect=None).rc != 0
        file = yaml.safe_load(stack.file.read_text("utf-8"))
        file["config"]["tenantry:customer"]["protect"] = False
        stack.file.write_text(yaml.safe_dump(file, sort_keys=False), "utf-8")
        assert writes(stack.up().requests) == []
    destroyed = stack.destroy()
    assert [call.rpartition("/")[2] for call in writes(destroyed.requests)] == ["deactivate"]
    assert stack.resources() == {}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_tenant_can_be_imported_again(
    stack_of: CreateStack, make_stack: Callable[..., Stack], version: str
) -> None:
    """After the state is lost, an import writes nothing to Qlik, and the next `up` has nothing to do."""
    former = stack_of(version, "everything")
    hostname = next(
        resource["id"] for label, resource in former.resources().items() if label == "Tenant tenant"
    )
    stack = make_stack("imported", qlik=former.qlik)
    before = len(stack.requests())
    process = subprocess.run(
        [
            ROOT / ".venv" / "bin" / "tenantry",
            *("import", hostname, "--source-tenant", SOURCE_TENANT, "--stack", "other"),
        ],
        cwd=stack.folder,
        env={**stack.env, "PATH": f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert process.returncode == 0, process.stdout + process.stderr
    assert writes(stack.requests()[before:]) == []
    stack.name = "other"
    assert stack.up("--expect-no-changes").requests == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_failed_run_continues(stack_of: CreateStack, version: str) -> None:
    """The run finishes the existing object, and does not create it again."""
    stack = stack_of(version, UNFINISHED)
    app = stack.resources()["App Sales Overview"]
    assert app["initErrors"]
    finished = stack.up()
    assert finished.changes["update"] == ["App Sales Overview"]
    assert "POST /api/v1/apps/import" not in calls(finished.requests)
    assert stack.resources()["App Sales Overview"]["id"] == app["id"]
    assert stack.up("--expect-no-changes").requests == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_postponed_rename_is_finished(stack_of: CreateStack, version: str) -> None:
    """Two groups swap names, so one of them has a temporary name."""
    stack = stack_of(version, POSTPONED)
    assert isinstance(stack.qlik, Emulator)
    postponed = {name for name, resource in stack.resources().items() if resource["outputs"].get("postponed")}
    finished = stack.up()
    assert postponed
    assert postponed == set(finished.changes["update"])  # type: ignore[arg-type]
    world = World(stack.qlik, stack.resources()["Tenant tenant"]["id"])
    ids = {name: group["id"] for name, group in world.groups.items()}
    assert ids["exporters"] == stack.resources()["Group One"]["id"]
    assert ids["importers"] == stack.resources()["Group Two"]["id"]
    assert stack.up("--expect-no-changes").requests == []


@pytest.mark.parametrize("version", VERSIONS)
def test_a_requested_tenant_is_not_requested_again(stack_of: CreateStack, version: str) -> None:
    """This version reads the proof of the former version. Its error names the tenant."""
    stack = stack_of(version, REQUESTED)
    assert isinstance(stack.qlik, Emulator)
    before = list(tenants(stack.qlik))
    failed = stack.up(expect=1, **ORGANISATION)
    [error] = [error for error in failed.errors if "revive: {hostname: " in error]
    assert any(hostname in error for hostname in before)
    assert "POST /api/v1/tenants" not in calls(failed.requests)
    assert list(tenants(stack.qlik)) == before
