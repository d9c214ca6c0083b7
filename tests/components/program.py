"""Run the component against mocks of the engine.

It runs in its own process, because the SDK never drops the mocks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import mocks, rpc, set_mocks, test
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from tenantry.components import QlikCustomerTenant
from tenantry.demo.example import FILES
from tenantry.settings import load

ROOT = Path(__file__).resolve().parents[2]
TENANT_ID = "JJfZKRbct6lpn6gcjsIbt4mYiiGIlzZG"
HOSTNAME = "x1y2z3.eu.qlikcloud.com"
PROOF = {"id": "0123456789abcdef0123456789abcdef", "name": "Globex", "unused": False}


@dataclass(frozen=True)
class RegisteredResource:
    """A resource from a request to register it. Its fields contain the names of other resources.

    `references` has the resources that each input comes from. `former_names` has the names of the aliases.
    """

    type: str
    name: str
    inputs: dict[str, Any]
    parent: str
    deleted_with: str
    protect: bool
    former_names: list[str]
    depends_on: list[str]
    references: dict[str, list[str]]

    def __str__(self) -> str:
        return f"{self.type.rpartition(':')[2]} {self.name}"


def run(customer: dict[str, Any]) -> tuple[dict[str, RegisteredResource], dict[str, Any]]:
    """Register one customer. Return its resources by type and name ("Space Sales"), and the outputs."""
    result = json.loads(_run(json.dumps(customer)))
    resources = [RegisteredResource(**fields) for fields in result["registered"]]
    return {str(resource): resource for resource in resources}, result["outputs"]


@cache
def _run(customer: str) -> str:
    command = [sys.executable, "-m", __name__]
    process = subprocess.run(command, input=customer, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert process.returncode == 0, process.stderr
    return process.stdout


class Qlik(mocks.Mocks):
    """Mocks that respond like Qlik."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if args.typ.endswith(":TenantProof"):
            return str(PROOF["id"]), {**args.inputs, "proof": PROOF}
        if args.typ.endswith(":Tenant"):
            return HOSTNAME, {**args.inputs, "tenant_id": TENANT_ID, "hostname": HOSTNAME}
        return f"id of {args.name}", {**args.inputs, "url": f"https://{HOSTNAME}/sense/app/{args.name}"}

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        raise AssertionError(f"unexpected call of the function {args.token}")


class Engine(mocks.MockMonitor):
    """Mocks that record the registered resources, in order."""

    def __init__(self) -> None:
        super().__init__(Qlik())
        self.registered: list[dict[str, Any]] = []

    def RegisterResource(self, request: Any) -> Any:
        if request.type != "pulumi:pulumi:Stack":
            self.registered.append(_fields(request))
        return super().RegisterResource(request)  # type: ignore[no-untyped-call]


def _fields(request: Any) -> dict[str, Any]:
    """Return the fields of a RegisteredResource."""
    inputs = rpc.deserialize_properties(request.object)
    return {
        "type": request.type,
        "name": request.name,
        "inputs": {name: value for name, value in inputs.items() if name != "__provider"},
        "parent": _name(request.parent),
        "deleted_with": _name(request.deletedWith),
        "protect": request.protect,
        "former_names": sorted(alias.spec.name for alias in request.aliases),
        "depends_on": sorted(map(_name, request.dependencies)),
        "references": {
            name: sorted(map(_name, dependencies.urns))
            for name, dependencies in request.propertyDependencies.items()
            if dependencies.urns
        },
    }


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def main() -> None:
    """Register the customer in the JSON on stdin, and print the result as JSON."""
    config = {
        "qlik:region": "eu",
        "qlik:source_tenant": "templates.eu.qlikcloud.com",
        "tenantry:customer": json.load(sys.stdin),
    }
    settings = load(config, stack="globex", directory=FILES)
    engine = Engine()
    set_mocks(engine.mocks, project="tenantry", stack="globex", monitor=engine)
    result: dict[str, Any] = {}

    @test  # type: ignore[untyped-decorator]
    def program() -> pulumi.Output[None]:
        component = QlikCustomerTenant("globex", settings)
        return pulumi.Output.from_input(component.outputs).apply(
            lambda outputs: result.update(outputs=outputs)
        )

    program()
    print(json.dumps({"registered": engine.registered, **result}))


if __name__ == "__main__":
    main()
