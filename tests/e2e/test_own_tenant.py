"""A stack never gets the tenant of another stack, whatever its name, its state and its notes are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import yaml

from tenantry.emulator import Emulator
from tests.e2e import creations
from tests.e2e.creations import COMPLETIONS, CREATIONS, expect_exactly_one_of_each
from tests.e2e.customers import GLOBEX, TRIAL, Customer, settings
from tests.e2e.fleet import Fleet
from tests.e2e.harness import Stack
from tests.e2e.operations import ORGANISATION, add_revive_line, content, resources, tenants
from tests.e2e.test_harness import wait_for
from tests.e2e.test_kills import kill, start
from tests.world import World, writes

SMALL: Customer = {"name": "Globex", "lifecycle": TRIAL, "groups": {"Analysts": {}}}
LINE = re.compile(r"revive: \{hostname: \S+, tenant_id: \S+\}")

MakeStack = Callable[..., Stack]


def notes(stack: Stack) -> Path:
    """Return the folder of this machine's notes."""
    return Path(stack.env["TENANTRY_STATE"])


def on_the_same_machine(make_stack: MakeStack, qlik: Emulator, stack: Stack) -> Stack:
    """Return a stack with the same project, name and notes in another backend."""
    other = make_stack(qlik=qlik)
    other.env["TENANTRY_STATE"] = str(notes(stack))
    assert (other.project, other.name) == (stack.project, stack.name)
    assert other.env["PULUMI_BACKEND_URL"] != stack.env["PULUMI_BACKEND_URL"]
    return other


def test_a_reused_stack_name_gets_its_own_tenant(stack: Stack, make_stack: MakeStack, qlik: Emulator) -> None:
    """After `stack rm`, or in another backend, a stack does not use the notes of the former stack."""
    stack.write(**settings(SMALL))
    stack.up()
    hostnames = [resources(stack)["Tenant tenant"]["id"]]
    before = content(World(qlik, hostnames[0]))
    stack.pulumi("stack", "rm", "--force", "--preserve-config", "--yes")
    assert any(hostnames[0] in file.read_text() for file in notes(stack).rglob("*.json"))
    stack.pulumi("stack", "init", "--no-select")
    for other_stack in (stack, on_the_same_machine(make_stack, qlik, stack)):
        other_stack.write(**settings(SMALL))
        other_stack.up()
        hostnames.append(resources(other_stack)["Tenant tenant"]["id"])
    assert len(set(hostnames)) == 3
    assert tenants(qlik) == dict.fromkeys(hostnames, "active")
    assert content(World(qlik, hostnames[0])) == before


def test_a_renamed_stack_keeps_its_proof(stack: Stack, qlik: Emulator) -> None:
    """Its next run still finds its candidate tenant. A new stack with the former name creates another one."""
    stack.write(**settings(SMALL))
    qlik.control.add_fault(drop_after=True, times=1, **CREATIONS["tenant"])
    stack.up(expect=1)
    (lost_hostname,) = tenants(qlik)
    proof = resources(stack)["TenantProof proof"]["id"]
    stack.pulumi("stack", "rename", "initech")

    stack.pulumi("stack", "init", "--no-select")
    stack.write(**settings({**SMALL, "name": "Hooli"}))
    stack.up(expect=0, **ORGANISATION)
    new_hostname = resources(stack)["Tenant tenant"]["id"]
    assert tenants(qlik).keys() == {lost_hostname, new_hostname} != {lost_hostname}

    stack.name = "initech"
    stack.write(**settings(SMALL))
    assert resources(stack)["TenantProof proof"]["id"] == proof
    stopped = stack.up(expect=1, **ORGANISATION)
    assert writes(stopped.requests) == []
    assert add_revive_line(stack, SMALL, stopped)["revive"]["hostname"] == lost_hostname
    stack.up(expect=0, **ORGANISATION)
    assert {World(qlik, tenant).tenant["name"] for tenant in (lost_hostname, new_hostname)} == {
        "Globex",
        "Hooli",
    }
    assert resources(stack)["Tenant tenant"]["id"] == lost_hostname


def test_only_the_note_identifies_the_tenant_of_a_killed_run(
    stack: Stack, make_stack: MakeStack, qlik: Emulator
) -> None:
    """The state has the proof, and the note on this machine names the tenant that was created under it.

    A copy of the state in another backend cannot use that note. Without the note, the run stops.
    """
    creations.write(stack)
    fault = qlik.control.add_fault(hold=True, **COMPLETIONS["name of the tenant"])
    run = start(stack)
    wait_for(lambda: qlik.control.faults[0]["hit"] == 1, seconds=60)
    kill(stack, run)
    qlik.control.release(fault)
    assert "Tenant tenant" not in resources(stack)

    copy, file = on_the_same_machine(make_stack, qlik, stack), str(stack.folder / "copy.json")
    copy.write(**settings(GLOBEX))
    stack.pulumi("stack", "export", "--file", file)
    copy.pulumi("stack", "import", "--file", file)
    assert resources(copy)["TenantProof proof"]["id"] == resources(stack)["TenantProof proof"]["id"]

    notes_aside = notes(stack).rename(stack.folder / "aside")
    stopped = stack.up(expect=1)
    assert (stopped.failed, writes(stopped.requests)) == (["Tenant tenant"], [])
    assert LINE.search(str.join("\n", stopped.errors))
    shutil.rmtree(notes(stack), ignore_errors=True)
    notes_aside.rename(notes(stack))

    result = stack.up()
    assert any("an earlier run created tenant" in message for message in result.messages)
    expect_exactly_one_of_each(stack, qlik)
    stopped = copy.up(expect=1)
    assert (stopped.failed, stopped.requests) == (["Tenant tenant"], [])
    assert "QLIK_ORG_CLIENT_ID" in str(stopped.errors)


def test_stacks_that_run_at_once_do_not_mix_up_their_tenants(scratch: Path, qlik: Emulator) -> None:
    """The response to one of three stacks is lost. Its run stops until the operator confirms the tenant."""
    fleet = Fleet(scratch, qlik)
    fleet.env |= ORGANISATION | {"TENANTRY_CREATION_SECONDS": "1"}
    customers = {name: {**SMALL, "name": name.title()} for name in ("acme", "hooli", "initech")}
    for name, customer in customers.items():
        fleet.write(name, customer)
    qlik.control.add_fault(drop_after=True, nth=2, **CREATIONS["tenant"])
    result = fleet.run("up", "--all", "--jobs", "3", "--yes", "--skip-preview", "--json", expect=1)
    (lost_stack,) = [name for name, outcome in result.outcomes.items() if outcome.status == "failed"]
    assert len(tenants(qlik)) == 3

    stopped = fleet.run("up", lost_stack, "--yes", "--skip-preview", "--json", expect=1)
    assert writes(stopped.requests) == []
    [trouble] = stopped.outcomes[lost_stack].troubles
    (line,) = LINE.findall(trouble.details)
    fleet.write(lost_stack, {**customers[lost_stack], **yaml.safe_load(line)})
    fleet.run("up", lost_stack, "--yes", "--skip-preview")
    hostnames = {name: outputs["hostname"] for name, outputs in fleet.run("outputs", "--all").json.items()}
    assert set(hostnames.values()) == tenants(qlik).keys()
    assert {name: World(qlik, hostname).tenant["name"] for name, hostname in hostnames.items()} == {
        name: customer["name"] for name, customer in customers.items()
    }
