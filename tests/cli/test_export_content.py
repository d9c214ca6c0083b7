"""Tests of the output and exit codes of `tenantry export-content`. tests/exporting has the saved files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import tenantry.fleet.inventory
from tenantry.emulator import Emulator
from tenantry.fleet.inventory import StackStatus
from tests.cli.conftest import Folder
from tests.emulator.api import REGISTER, Api, new_tenant

Hostnames = dict[str, str]
"""The hostname of the tenant by stack."""

STACK_FILE = "config:\n  qlik:region: eu\n  tenantry:customer:\n    name: Acme\n"


@pytest.fixture
def tenant(qlik: Emulator, folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Api:
    """Return a tenant with an app whose name contains a control sequence."""
    for name, value in (
        ("QLIK_CLOUD_ENDPOINT", qlik.url),
        ("QLIK_CLIENT_ID", "demo"),
        ("QLIK_CLIENT_SECRET", "demo-secret"),
    ):
        monkeypatch.setenv(name, value)
    tenant = new_tenant(qlik)
    tenant.post("/api/v1/apps", {"attributes": {"name": "Sales\x1b[31m"}}, expect=200)
    qlik.control.advance(300)
    return tenant


@pytest.fixture
def stacks(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> Callable[[Hostnames], None]:
    """Return a function that creates stacks with these tenants.

    A stack with an empty hostname has no tenant. The state of a stack with "?" cannot be read.
    """

    def create_stacks(hostnames: Hostnames) -> None:
        for stack in hostnames:
            folder.write(f"stacks/Pulumi.{stack}.yaml", STACK_FILE)
        monkeypatch.setattr(
            tenantry.fleet.inventory,
            "stack_statuses",
            lambda _reader, members, _jobs: [
                StackStatus(member, trouble="its state is incomplete")
                if hostnames[member.stack] == "?"
                else StackStatus(member, hostname=hostnames[member.stack])
                for member in members
            ],
        )

    return create_stacks


def test_the_content_of_a_stack_is_saved(
    folder: Folder, tenant: Api, stacks: Callable[[Hostnames], None]
) -> None:
    stacks({"acme": tenant.host})
    result = folder.run("export-content", "acme", "--to", "saved")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("acme: 1 app (1 fetched), 0 groups, 1 user; see ")
    assert json.loads(Path("saved/acme/index.json").read_text())["complete"]
    assert "(0 fetched)" in folder.run("export-content", "acme", "--to", "saved").stdout


def test_items_that_cannot_be_saved_are_listed(
    folder: Folder, tenant: Api, stacks: Callable[[Hostnames], None]
) -> None:
    """Each is one line without control characters. The other stacks are still saved."""
    other = new_tenant(tenant.qlik)
    stacks({"acme": tenant.host, "globex": other.host, "hooli": "", "torn": "?"})
    tenant.qlik.control.add_fault(method="POST", path="/api/v1/apps/*/export", status=403)
    result = folder.run("export-content", "--all")
    assert result.exit_code == 1
    assert "acme: 1 app (0 fetched), 0 groups, 1 user, 1 not saved" in result.stdout
    assert "globex: 0 apps (0 fetched), 0 groups, 1 user; see" in result.stdout
    assert 'acme: not saved: app "Sales' in result.stderr
    assert "\x1b" not in result.output
    assert "torn: its state is incomplete" in result.stderr
    assert "hooli" not in result.output
    assert Path("exports/globex/index.json").is_file()


def test_a_stack_without_a_tenant_is_an_error(
    folder: Folder, tenant: Api, stacks: Callable[[Hostnames], None]
) -> None:
    stacks({"hooli": ""})
    result = folder.run("export-content", "hooli")
    assert (result.exit_code, result.stderr) == (1, "hooli: it has no tenant\n")
    assert folder.run("export-content", "--all").exit_code == 0


def test_a_deactivated_tenant_is_an_error_with_the_next_step(
    folder: Folder, tenant: Api, stacks: Callable[[Hostnames], None]
) -> None:
    stacks({"acme": tenant.host})
    tenant.on(REGISTER).login().post(
        f"/api/v1/tenants/{_tenant_id(tenant)}/actions/deactivate",
        {},
        expect=200,
        headers={"qlik-confirm-hostname": tenant.host},
    )
    result = folder.run("export-content", "acme")
    assert result.exit_code == 1
    assert "nothing was exported" in result.stderr
    assert "pulumi up --refresh --stack acme" in result.stderr


def _tenant_id(tenant: Api) -> str:
    """Return the id of a tenant."""
    cloud = tenant.qlik.control.dump()["cloud"]
    return next(str(entry["tenant"]) for entry in cloud["hostname"] if entry["id"] == tenant.host)


def test_an_unwritable_folder_is_an_error(
    folder: Folder, tenant: Api, stacks: Callable[[Hostnames], None]
) -> None:
    stacks({"acme": tenant.host})
    folder.write("taken", "")
    result = folder.run("export-content", "acme", "--to", "taken/below")
    assert (result.exit_code, "cannot be written" in result.stderr) == (1, True)


def test_missing_credentials_are_an_error(
    folder: Folder,
    tenant: Api,
    stacks: Callable[[Hostnames], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stacks({"acme": tenant.host})
    monkeypatch.delenv("QLIK_CLIENT_ID")
    result = folder.run("export-content", "acme")
    assert (result.exit_code, "QLIK_CLIENT_ID" in result.stderr) == (1, True)


def test_expire_joins_spaces_only_for_an_export(folder: Folder) -> None:
    result = folder.run("expire", "--join-spaces")
    assert (result.exit_code, "--export" in result.stderr) == (2, True)
