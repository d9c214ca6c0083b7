"""Actions on a customer's stack, and views of the stack and of Qlik for comparisons."""

from __future__ import annotations

from typing import Any

import yaml

from tenantry.emulator import Emulator
from tenantry.emulator.control_client import send
from tenantry.providers.framework.facts import RENEW, nothing_created_in
from tests.e2e import up_cache
from tests.e2e.customers import Customer, settings
from tests.e2e.harness import Stack
from tests.e2e.result import Result, short_name
from tests.world import World

ORGANISATION = {"QLIK_ORG_CLIENT_ID": "demo-org", "QLIK_ORG_CLIENT_SECRET": "demo-org-secret"}
DEACTIVATE = "/api/v1/tenants/*/actions/deactivate"
HOUR = 3600
"""Seconds after which a proof is settled: its tenant is in Qlik's list or will never exist."""
DAY = 24 * HOUR

Doc = dict[str, Any]


def bring_up(stack: Stack, qlik: Emulator, customer: Customer) -> World:
    """Write the customer's stack file, run `up`, and return the tenant's content.

    The first `up` of a customer runs only once for all tests. Later tests restore its result, see `up_cache`.
    """
    stack.write(**settings(customer))
    up_cache.first_up(stack, qlik, stack.folder.parent.parent / "cache")
    return World(qlik, resources(stack)["Tenant tenant"]["id"])


def content(world: World) -> Doc:
    """Return the whole content of the tenant."""
    documents: Doc = world.qlik.control.dump()[world.hostname]
    return documents


def cloud(qlik: Emulator) -> Doc:
    """Return everything at Qlik, without temporary downloads."""
    dump = qlik.control.dump()
    return {host: {k: v for k, v in kinds.items() if k != "temp-content"} for host, kinds in dump.items()}


def tenants(qlik: Emulator) -> dict[str, str]:
    """Return the status of every created tenant, by system hostname."""
    created = [tenant for tenant in qlik.control.dump()["cloud"]["tenant"] if tenant.get("_created")]
    return {tenant["hostnames"][0]: tenant["status"] for tenant in created}


def checkpoint(stack: Stack) -> list[Doc]:
    """Return every entry of the state for a resource at Qlik."""
    return [
        resource
        for resource in stack.deployment().get("resources", [])
        if "dynamic/qlik:" in resource["type"]
    ]


def resources(stack: Stack) -> dict[str, Doc]:
    """Return the entries of the state by type and name ("Space Sales"), without pending deletions."""
    return {short_name(entry["urn"]): entry for entry in checkpoint(stack) if not entry.get("delete")}


def state(stack: Stack) -> dict[str, Doc]:
    """Return the content of the state for each resource."""
    keys = ("id", "inputs", "outputs", "protect", "initErrors")
    return {
        name: {key: resource[key] for key in keys if resource.get(key)}
        for name, resource in resources(stack).items()
    }


def entries(stack: Stack) -> list[str]:
    """Return the ids of all entries of the state, including duplicates."""
    return sorted(f"{entry['type'].rpartition(':')[2]} {entry['id']}" for entry in checkpoint(stack))


def urn(stack: Stack, name: str) -> str:
    """Return the URN of a resource such as "Space Sales"."""
    found: str = resources(stack)[name]["urn"]
    return found


def revive_line(result: Result) -> str:
    """Return the `revive` line that a run printed."""
    lines = [line.strip() for message in result.messages for line in message.splitlines()]
    found = [line for line in lines if line.startswith("revive:")]
    assert len(found) == 1, f"{len(found)} `revive` lines"
    return found[0]


def add_revive_line(stack: Stack, customer: Customer, result: Result) -> Customer:
    """Add the `revive` line that a run printed to the customer's stack file. Return the changed customer."""
    revived: Customer = {**customer, **yaml.safe_load(revive_line(result))}
    stack.write(**settings(revived))
    return revived


def renewal(result: Result) -> dict[str, str]:
    """Return the environment that allows a new proof instead of the one that a run found unused."""
    (proof,) = {nothing_created_in(error) for error in result.errors} - {""}
    return {RENEW: proof}


def token(qlik: Emulator, host: str) -> str:
    """Return a token of the regional client for a host."""
    client = {"client_id": "demo", "client_secret": "demo-secret", "grant_type": "client_credentials"}
    _, response = send(qlik.url, "POST", host, "/oauth/token", json_body=client)
    return str(response["access_token"])


def deactivate_by_hand(world: World) -> None:
    """Deactivate the tenant outside Pulumi."""
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
    """Create an app outside Pulumi in the space with this name."""
    attributes = {"name": name, "spaceId": world.spaces[space]["id"]}
    body = {"attributes": attributes}
    client_token = token(world.qlik, world.hostname)
    world.qlik.request("POST", world.hostname, "/api/v1/apps", body, token=client_token)
