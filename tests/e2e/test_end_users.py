"""End users: `tenantry keypair` creates a key, `up` registers it, and `tenantry smoke` logs in with it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.world import World, writes

TENANTRY = Path(sys.executable).parent / "tenantry"

CUSTOMER = with_changes(
    GLOBEX,
    ("groups/Viewers", {}),
    ("spaces/Partners", {"type": "managed", "access": {"Viewers": ["consumer"]}}),
    ("apps/Sales Overview/publish_to", ["Sales", "Partners"]),
)


def tenantry(stack: Stack, *arguments: str, code: int = 0) -> str:
    """Run `tenantry` in the stack's folder and environment. Return its output on one line."""
    completed = subprocess.run(
        [TENANTRY, *arguments], cwd=stack.folder, env=stack.env, capture_output=True, text=True, check=False
    )
    print(completed.stdout, completed.stderr)
    assert completed.returncode == code, completed.stdout + completed.stderr
    return " ".join((completed.stdout + completed.stderr).split())


def smoke(stack: Stack, *arguments: str, key: str = "keys/private.pem", code: int = 0) -> str:
    groups = [word for group in ("Analysts", "Viewers") for word in ("--group", group)]
    return tenantry(stack, "smoke", stack.name, "--key", key, "--wait", "0", *groups, *arguments, code=code)


def create_keypair(stack: Stack, folder: str) -> dict[str, dict[str, str]]:
    """Create a key pair and return the block that the command prints for the stack file."""
    completed = subprocess.run(
        [TENANTRY, "keypair", folder],
        cwd=stack.folder,
        env=stack.env,
        capture_output=True,
        text=True,
        check=True,
    )
    block = re.search(r"^ *jwt_identity_providers:\n(?:^ +.*\n)+", completed.stdout, re.MULTILINE)
    assert block, completed.stdout
    lines: dict[str, dict[str, str]] = yaml.safe_load(block.group())["jwt_identity_providers"]
    return lines


@pytest.fixture
def customer(stack: Stack, qlik: Emulator) -> World:
    """A customer with the identity provider block that `tenantry keypair` printed."""
    stack.write(**settings(with_changes(CUSTOMER, ("jwt_identity_providers", create_keypair(stack, "keys")))))
    stack.up()
    return World(qlik, stack.outputs()["hostname"])


def test_a_member_of_a_group_sees_its_apps_and_nothing_else(stack: Stack, customer: World) -> None:
    """If somebody changes the access outside Pulumi, the smoke test fails until `up --refresh` repairs it."""
    output = smoke(stack)
    assert "Analysts: ok, sees Sales Overview in Sales and nothing else" in output
    assert "Viewers: ok, sees Sales Overview in Partners and nothing else" in output

    create_keypair(stack, "other")
    assert "the key belongs to no identity provider" in smoke(stack, key="other/private.pem", code=1)
    assert 'no group "Nobody" in the stack file' in smoke(stack, "--group", "Nobody", code=1)

    partners = f"spaces/{customer.spaces['Partners']['id']}/assignments"
    assignment = customer.assignment("Partners", "Viewers")["id"]
    customer.request("DELETE", f"{partners}/{assignment}")
    body = {"type": "group", "assigneeId": customer.groups["Analysts"]["id"], "roles": ["consumer"]}
    customer.request("POST", partners, body)
    output = smoke(stack, code=1)
    assert "Analysts: FAILED sees Sales Overview in Partners" in output
    assert "Viewers: FAILED does not see Sales Overview in Partners" in output
    extra = customer.assignment("Partners", "Analysts")["id"]
    customer.request("DELETE", f"{partners}/{extra}")

    (provider,) = customer.every("identity-provider")
    customer.request("DELETE", f"identity-providers/{provider['id']}")
    assert "has no JWT identity provider" in smoke(stack, code=1)

    assert "POST /login/jwt-session" not in writes(stack.up("--refresh").requests), "`up` must not log in"
    assert "FAILED" not in smoke(stack)
    assert not [user for user in customer.every("user") if user["subject"] == "tenantry-smoke"]


SCRIPT = """
SET vCustomer = 'template';
Orders:
LOAD RowNo() AS [Order id], '$(vCustomer)' AS Customer AUTOGENERATE 20;
LET vOwner = Peek('Customer', 0, 'Orders');
COMMENT FIELD Customer WITH '$(vOwner)';
"""


def test_template_data_does_not_count_as_customer_data(stack: Stack) -> None:
    """It is not enough that an app opens: its data must be the customer's."""
    app = "apps/Sales Overview"
    provider = ("jwt_identity_providers", create_keypair(stack, "keys"))
    expect = (
        f"{app}/expect",
        {
            "rows": {"Orders": 20},
            "distinct_values": {"Customer": 1},
            "field_comments": {"Customer": "Globex"},
            "reloaded_within_hours": 1,
        },
    )
    stack.write(**settings(with_changes(CUSTOMER, provider, expect)))
    stack.up()
    output = smoke(stack, code=1)
    assert "Analysts: ok" in output
    assert 'Sales Overview in Sales: FAILED there is no table "Orders"; tables: Customers' in output
    assert 'field "Customer" has no comment instead of "Globex"' in output

    (stack.folder / "stacks" / "orders.qvs").write_text(SCRIPT)
    own_data = [(f"{app}/script", "orders.qvs"), (f"{app}/reload", {"variables": {"vCustomer": "Globex"}})]
    stack.write(**settings(with_changes(CUSTOMER, provider, expect, *own_data)))
    stack.up()
    output = smoke(stack)
    for space in ("Sales", "Partners"):
        assert f"Sales Overview in {space}: ok, has the data that the stack file expects" in output

    stack.write(**settings(with_changes(CUSTOMER, provider, *own_data)))
    assert writes(stack.up("--expect-no-changes").requests) == [], "expectations are not stored at Qlik"
