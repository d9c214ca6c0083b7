"""The import of an existing tenant creates a stack. Neither it nor the next `up` changes anything at Qlik."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenantry.emulator import Emulator
from tests.e2e.harness import ROOT, Stack
from tests.importing.tenants import SOURCE, create_by_scripts
from tests.world import World, writes

TENANTRY = ROOT / ".venv" / "bin" / "tenantry"


def tenantry(stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `tenantry` in the project of a stack."""
    command = [str(TENANTRY), *arguments]
    return subprocess.run(
        command, cwd=stack.folder, env=stack.env, capture_output=True, text=True, timeout=300, check=False
    )


def select_stack(stack: Stack, name: str) -> Stack:
    """Select the stack that an import created in the same project and backend."""
    stack.name = name
    return stack


def file_of(stack: Stack, name: str) -> Path:
    return stack.folder / "stacks" / f"Pulumi.{name}.yaml"


def customer_of(stack: Stack) -> dict[str, Any]:
    customer: dict[str, Any] = yaml.safe_load(stack.file.read_text())["config"]["tenantry:customer"]
    return customer


def change_setting(stack: Stack, *path: str, value: Any) -> None:
    """Change one value in the stack file."""
    content = yaml.safe_load(stack.file.read_text())
    mapping = content["config"]["tenantry:customer"]
    for key in path[:-1]:
        mapping = mapping[key]
    mapping[path[-1]] = value
    stack.file.write_text(yaml.safe_dump(content, sort_keys=False))


def test_a_tenant_of_the_example_scripts_is_imported(stack: Stack, qlik: Emulator, tmp_path: Path) -> None:
    world = create_by_scripts(qlik, tmp_path)
    before = qlik.control.dump()[world.hostname]
    qlik.control.clear_requests()
    completed = tenantry(stack, "import", "acme.eu.qlikcloud.com", "--source-tenant", SOURCE)
    assert completed.returncode == 0, completed.stderr
    assert writes(qlik.control.requests()) == []
    acme = select_stack(stack, "acme")
    assert acme.preview("--refresh", "--expect-no-changes").rc == 0
    assert acme.up("--expect-no-changes").requests == []
    assert qlik.control.dump()[world.hostname] == before

    assert customer_of(acme)["groups"] == {"Analytics Consumers": {"roles": ["AnalyticsAdmin", "AuditAdmin"]}}
    resources = acme.resources()
    protected = {name for name, resource in resources.items() if resource.get("protect")}
    assert protected == {
        "Tenant tenant",
        "Space Sales",
        "AppPublication Sales Overview in Sales",
        "TenantLifecycle lifecycle",
        "TenantActivation activation",
    }
    tenant = resources["Tenant tenant"]
    assert tenant["id"] == world.hostname
    assert resources["Group Analytics Consumers"]["deletedWith"] == tenant["urn"]
    assert len(resources["TenantLifecycle lifecycle"]["dependencies"]) >= len(resources) - 4

    second_import = tenantry(stack, "import", world.hostname, "--source-tenant", SOURCE, "--stack", "other")
    assert (second_import.returncode, "stack acme already manages" in second_import.stderr) == (1, True)
    assert not file_of(stack, "other").exists()
    _check_new_version(acme, world)
    _check_destroy(acme, world)


def _check_new_version(acme: Stack, world: World) -> None:
    """Check that a new version replaces the staged app, which has no mark, and keeps the published app."""
    published_id = world.apps["Sales", "Sales Overview"]["id"]
    staged_id = world.apps["Staging", "Sales Overview"]["id"]
    change_setting(acme, "apps", "Sales Overview", "version", value="2.4.0")
    assert "AppPublication Sales Overview in Sales" in str(acme.up().changes)
    assert world.apps["Sales", "Sales Overview"]["id"] == published_id
    assert world.apps["Sales", "Sales Overview"]["description"] == "Revenue by region and product {v2.4.0}"
    assert world.apps["Staging", "Sales Overview"]["id"] != staged_id
    assert acme.preview("--refresh", "--expect-no-changes").rc == 0


def _check_destroy(acme: Stack, world: World) -> None:
    """Check that the tenant is protected until the file changes, and that one request deactivates it then."""
    assert "protected" in str(acme.destroy(expect=1))
    change_setting(acme, "protect", value=False)
    acme.up()
    assert writes(acme.destroy().requests) == [
        f"POST /api/v1/tenants/{world.tenant['id']}/actions/deactivate"
    ]


def test_a_manually_created_tenant_is_imported_onto_a_plan(
    stack: Stack, qlik: Emulator, tmp_path: Path
) -> None:
    """The file contains the differences from the plan. The import lists other objects and keeps them."""
    world = create_by_scripts(qlik, tmp_path)
    world.request("POST", "groups", {"name": "Everybody in Lund"})
    world.join(world.spaces["Sales"]["id"])
    plan = {
        "groups": {"Readers": {"name": "Analytics Consumers", "roles": ["AuditAdmin"]}, "Guests": {}},
        "spaces": {
            "Staging": {"type": "shared"},
            "Release": {
                "name": "Sales",
                "type": "managed",
                "access": {"Readers": ["consumer"], "Guests": ["consumer"]},
            },
        },
        "apps": {
            "Main": {
                "name": "Sales Overview",
                "template": "Sales Overview",
                "version": "2.4.0",
                "staging": "Staging",
                "publish_to": ["Release"],
            }
        },
    }
    stack.write_plan("gold", plan)
    arguments = "--source-tenant", SOURCE, "--plan", "gold", "--stack", "customer-7"
    completed = tenantry(stack, "import", world.hostname, *arguments)
    assert completed.returncode == 0, completed.stderr
    acme = select_stack(stack, "customer-7")
    customer = customer_of(acme)
    assert customer["groups"] == {"Readers": {"roles": ["AnalyticsAdmin", "AuditAdmin"]}, "Guests": None}
    assert customer["spaces"]["Release"] == {"description": "none", "access": {"Guests": None}}
    assert customer["apps"] == {"Main": {"description": "Revenue by region and product", "version": "2.3.0"}}
    assert '1 group without roles and without access: "Everybody in Lund"' in completed.stdout
    assert 'access to space "Sales": of 1 user' in completed.stdout
    refreshed = acme.up("--refresh", "--expect-no-changes")
    assert writes(refreshed.requests) == []


def test_a_failed_import_leaves_no_stack_behind(
    make_stack: Callable[..., Stack], qlik: Emulator, tmp_path: Path
) -> None:
    """The program declares a resource of its own, which does not exist in the tenant."""
    world = create_by_scripts(qlik, tmp_path)
    qlik.control.clear_requests()
    stack = make_stack(qlik=qlik)
    (stack.folder / "__main__.py").unlink()
    shutil.copy(ROOT / "__main__.py", stack.folder)
    with (stack.folder / "__main__.py").open("a") as program:
        program.write(
            "\nfrom tenantry.providers import Group\n\n"
            "Group('Extra', tenant=customer.tenant.id, name='Extra')\n"
        )
    completed = tenantry(stack, "import", world.hostname, "--source-tenant", SOURCE)
    assert completed.returncode == 1
    assert 'declares Group "Extra", but the tenant has no matching object' in completed.stderr
    assert not file_of(stack, "acme").exists()
    assert [row["name"] for row in yaml.safe_load(stack.pulumi("stack", "ls", "--json").stdout)] == ["globex"]
    assert writes(qlik.control.requests()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("acme.eu.qlikcloud.com", "--stack", "globex"), "stacks/Pulumi.globex.yaml already exists"),
        (("nobody.eu.qlikcloud.com",), "nobody.eu.qlikcloud.com cannot be read"),
        (("acme.example.com",), "is not a host of Qlik Cloud"),
        (("acme.eu.qlikcloud.com", "--plan", "golden"), 'there is no plan "golden"'),
    ],
)
def test_an_invalid_import_is_refused_with_a_clear_line(
    stack: Stack, qlik: Emulator, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    stack.write(customer={"name": "Globex"}, region="eu", source_tenant=SOURCE)
    completed = tenantry(stack, "import", *arguments)
    assert completed.returncode == 1
    assert message in completed.stderr
    assert "Traceback" not in completed.stderr
