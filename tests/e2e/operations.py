"""What several tests do with a customer's stack, and how they look at it before and after."""

from __future__ import annotations

from typing import Any

import yaml

from tenantry.emulator import Emulator
from tenantry.emulator.control_client import send
from tenantry.providers.framework.facts import RENEW, nothing_made_in
from tests.e2e import kept
from tests.e2e.customers import Customer, settings
from tests.e2e.harness import Stack
from tests.e2e.result import Result, short_name
from tests.world import World

ORGANISATION = {"QLIK_ORG_CLIENT_ID": "demo-org", "QLIK_ORG_CLIENT_SECRET": "demo-org-secret"}
DEACTIVATE = "/api/v1/tenants/*/actions/deactivate"
HOUR = 3600
"""Longer than a proof is in doubt: what was asked for under it is there and listed, or never will be."""
DAY = 24 * HOUR

Doc = dict[str, Any]


def bring_up(stack: Stack, qlik: Emulator, customer: Customer) -> World:
    """Write the customer's stack file, run `up` and return what is at Qlik.

    A first `up` is run once for all tests that begin with the same customer, see `kept`.
    """
    stack.write(**settings(customer))
    kept.first_up(stack, qlik, stack.folder.parent.parent / "kept")
    return World(qlik, resources(stack)["Tenant tenant"]["id"])


def content(world: World) -> Doc:
    """Everything that the tenant holds."""
    held: Doc = world.qlik.control.dump()[world.hostname]
    return held


def cloud(qlik: Emulator) -> Doc:
    """Everything at Qlik, but for downloads that expire by themselves."""
    dump = qlik.control.dump()
    return {host: {k: v for k, v in kinds.items() if k != "temp-content"} for host, kinds in dump.items()}


def tenants(qlik: Emulator) -> dict[str, str]:
    """Status of every tenant that was made, by system hostname."""
    made = [tenant for tenant in qlik.control.dump()["cloud"]["tenant"] if tenant.get("_made")]
    return {tenant["hostnames"][0]: tenant["status"] for tenant in made}


def checkpoint(stack: Stack) -> list[Doc]:
    """Every entry of the state for a resource at Qlik."""
    return [
        resource
        for resource in stack.deployment().get("resources", [])
        if "dynamic/qlik:" in resource["type"]
    ]


def resources(stack: Stack) -> dict[str, Doc]:
    """The entries of the state by type and name ("Space Sales"); one that is to be deleted does not count."""
    return {short_name(entry["urn"]): entry for entry in checkpoint(stack) if not entry.get("delete")}


def state(stack: Stack) -> dict[str, Doc]:
    """What the state says of each resource."""
    kept = ("id", "inputs", "outputs", "protect", "initErrors")
    return {
        name: {key: resource[key] for key in kept if resource.get(key)}
        for name, resource in resources(stack).items()
    }


def entries(stack: Stack) -> list[str]:
    """The ids of all entries of the state; an object that is in it twice appears twice."""
    return sorted(f"{entry['type'].rpartition(':')[2]} {entry['id']}" for entry in checkpoint(stack))


def urn(stack: Stack, name: str) -> str:
    """The URN of a resource such as "Space Sales"."""
    found: str = resources(stack)[name]["urn"]
    return found


def revive_line(result: Result) -> str:
    """The line that a destroy printed for the stack file."""
    lines = [line.strip() for message in result.messages for line in message.splitlines()]
    found = [line for line in lines if line.startswith("revive:")]
    assert len(found) == 1, f"{len(found)} lines to paste"
    return found[0]


def take_back(stack: Stack, customer: Customer, asked: Result) -> Customer:
    """Add the one line that a run printed to the customer in its stack file; returns the customer with it."""
    taken: Customer = {**customer, **yaml.safe_load(revive_line(asked))}
    stack.write(**settings(taken))
    return taken


def renewal(asked: Result) -> dict[str, str]:
    """The environment that renews the very proof under which nothing was made, as a run has found."""
    (proof,) = {nothing_made_in(error) for error in asked.errors} - {""}
    return {RENEW: proof}


def token(qlik: Emulator, host: str) -> str:
    """A token of our own client for a host."""
    client = {"client_id": "demo", "client_secret": "demo-secret", "grant_type": "client_credentials"}
    _, answer = send(qlik.url, "POST", host, "/oauth/token", json_body=client)
    return str(answer["access_token"])


def deactivate_by_hand(world: World) -> None:
    """Deactivate the tenant behind our back."""
    register = f"register.{world.hostname.split('.')[1]}.qlikcloud.com"
    headers = {
        "authorization": f"Bearer {token(world.qlik, register)}",
        "qlik-confirm-hostname": world.hostname,
    }
    path = f"/api/v1/tenants/{world.tenant['id']}/actions/deactivate"
    status, _ = send(
        world.qlik.url, "POST", register, path, json_body={"purgeAfterDays": 30}, headers=headers
    )
    assert status == 200


def add_app(world: World, space: str, name: str) -> None:
    """Make an app behind our back, in the space of that name."""
    attributes = {"name": name, "spaceId": world.spaces[space]["id"]}
    body = {"attributes": attributes}
    ours = token(world.qlik, world.hostname)
    world.qlik.request("POST", world.hostname, "/api/v1/apps", body, token=ours)
