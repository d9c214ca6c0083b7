"""Several stacks in two backends, run from two machines, with one emulator for all of them."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

from tenantry.providers.framework.facts import RENEW
from tests.crash.faults import FAULTS
from tests.crash.lab import Lab, Run
from tests.crash.resources import State
from tests.crash.wire import KillPoint, Request
from tests.e2e.customers import Customer
from tests.e2e.operations import ORGANISATION

TENANT = "pulumi-python:dynamic/qlik:Tenant"
PROOF = "pulumi-python:dynamic/qlik:TenantProof"
LIST_LAG_SECONDS = 20.0

CREATE_TENANT = Request("POST", "/api/v1/tenants", 1)
NAME_TENANT = Request("PATCH", "/api/v1/tenants/*", 1)
LIST_TENANTS = Request("GET", "/api/core/tenants", 1)
FIRST_TOKEN = Request("POST", "/oauth/token", 1)
LAST_TOKEN = Request("POST", "/oauth/token", 3)
DEACTIVATE_TENANT = Request("POST", "/api/v1/tenants/*/actions/deactivate", 1)


class StackLocation(NamedTuple):
    """The location of a stack: the backend, and the name of the stack there."""

    backend: str
    name: str


@dataclass(eq=False)
class Stack:
    """One customer's stack: its location, its file, and the errors of its last run.

    `customer` is the unique number of the customer, independent of the names. `renewed_proof` is the last
    proof that the person renewed. `history` are the former states, oldest first. `last_state` is the last
    state of a removed stack. `imported_tenants` and `imported_proofs` came into the stack with an imported
    state.
    """

    location: StackLocation
    customer: int
    file: Customer
    errors: str = ""
    renewed_proof: str = ""
    history: list[State] = field(default_factory=list)
    last_state: State = field(default_factory=State)
    imported_tenants: set[str] = field(default_factory=set)
    imported_proofs: set[str] = field(default_factory=set)


class Disruption(NamedTuple):
    """A fault of one request in a run, or a kill of the process at that request."""

    fault: dict[str, Any] | None = None
    kill: KillPoint | None = None


def _with_fault(request: Request, fault: str) -> Disruption:
    return Disruption(request.fault(times=1, **FAULTS[fault]))


NO_DISRUPTION = Disruption()
UP_DISRUPTIONS = {
    "nothing": NO_DISRUPTION,
    "the response to the create request is cut": _with_fault(CREATE_TENANT, "cut after"),
    "killed before the name request": Disruption(kill=KillPoint(NAME_TENANT)),
    "killed after the create request": Disruption(kill=KillPoint(CREATE_TENANT, after=True)),
    "killed right after the proof": Disruption(kill=KillPoint(LIST_TENANTS)),
    "the create request is done late": _with_fault(CREATE_TENANT, "done late, cut"),
    "the create request is refused": _with_fault(CREATE_TENANT, "refused"),
    "the create request is cut": _with_fault(CREATE_TENANT, "cut before"),
    "killed before the create request": Disruption(kill=KillPoint(CREATE_TENANT)),
    "the response to the create request is truncated": _with_fault(CREATE_TENANT, "truncated"),
    "the create request is done, then 503": _with_fault(CREATE_TENANT, "done, then 503"),
    "killed after the name request": Disruption(kill=KillPoint(NAME_TENANT, after=True)),
    "the name request is refused": _with_fault(NAME_TENANT, "refused"),
    "the name request is done, then 503": _with_fault(NAME_TENANT, "done, then 503"),
    "killed before the proof": Disruption(kill=KillPoint(FIRST_TOKEN)),
    "the first token is refused": _with_fault(FIRST_TOKEN, "refused"),
    "the last token is refused": _with_fault(LAST_TOKEN, "refused"),
}
"""The disruptions of `up`, by their names in a sequence; the simplest and most dangerous ones first."""

DESTROY_DISRUPTIONS = {
    "nothing": NO_DISRUPTION,
    "killed after the deactivation": Disruption(kill=KillPoint(DEACTIVATE_TENANT, after=True)),
    "killed before the deactivation": Disruption(kill=KillPoint(DEACTIVATE_TENANT)),
    "the response is cut": _with_fault(DEACTIVATE_TENANT, "cut after"),
    "the deactivation is refused": _with_fault(DEACTIVATE_TENANT, "refused"),
}


class MultiStackLab(Lab):
    """A lab with many stacks. `break_product` can break the product in the process of each run.

    Call `clear` first.
    """

    def __init__(self, folder: Path, break_product: Callable[[], None] = lambda: None) -> None:
        super().__init__(folder)
        self._break_product = break_product
        self.report: Callable[[str], object] = lambda output: None
        """Receives the output of each run."""

    def clear(self, *, late_lists: bool) -> None:
        """Start again with an empty Qlik and no stacks. `late_lists`: the lists show a new tenant late."""
        self.qlik.control.reset()
        self.late_lists = late_lists
        if late_lists:
            self.qlik.control.settings(organisation_lag_ms=LIST_LAG_SECONDS * 1000)
        for folder in ("states", "machines"):
            shutil.rmtree(self._live_folder / folder, ignore_errors=True)

    def run(
        self,
        stack: Stack,
        command: str = "up",
        *,
        machine: str = "a",
        organisation: bool = True,
        renew: str = "",
        disruption: Disruption = NO_DISRUPTION,
        **options: Any,
    ) -> Run:
        """Run a command of a stack. `renew` is the proof that the person wants to renew."""
        self.engine.folder = self._folder_of(stack.location)
        self.engine.folder.mkdir(parents=True, exist_ok=True)
        self.engine.stack = stack.location.name
        self.configure(stack.file)
        self.env = {
            "TENANTRY_STATE": str(self.notes_of(machine)),
            "PULUMI_BACKEND_URL": f"file://{stack.location.backend}",
            **(ORGANISATION if organisation else {}),
            **({RENEW: renew} if renew else {}),
        }
        with redirect_stdout(StringIO()) as output:
            run: Run = getattr(self, command)(fault=disruption.fault, kill=disruption.kill, **options)
        self.report(output.getvalue().rstrip())
        return run

    def state_of(self, location: StackLocation) -> State:
        """Return the state of the stack at this location."""
        return State.load(self._folder_of(location) / "state.json")

    def import_state(self, location: StackLocation, state: State) -> None:
        """Import a state, possibly from another stack."""
        self._folder_of(location).mkdir(parents=True, exist_ok=True)
        with_stack_name(location.name, state).save(self._folder_of(location) / "state.json")

    def remove_state(self, location: StackLocation) -> None:
        """Run `pulumi stack rm --force`."""
        shutil.rmtree(self._folder_of(location), ignore_errors=True)

    @property
    def created_tenants(self) -> list[dict[str, Any]]:
        """The created tenants that are not purged."""
        now, tenants = self.now(), self.qlik.control.dump()["cloud"]["tenant"]
        return [
            tenant for tenant in tenants if tenant.get("_created") and tenant.get("_purge_at", now + 1) > now
        ]

    def notes_of(self, machine: str) -> Path:
        """Return the folder of a machine's notes."""
        return self._live_folder / "machines" / machine

    @property
    def violations(self) -> list[str]:
        """The responses that break Qlik's contract."""
        return self._checker.violations

    def _folder_of(self, location: StackLocation) -> Path:
        return self._live_folder / "states" / location.backend / location.name

    def _set_up_process(self) -> None:
        super()._set_up_process()
        self._break_product()


def with_stack_name(name: str, state: State) -> State:
    """Return a state with a new stack name, as after `pulumi stack rename`."""
    text = json.dumps(state.as_json())
    text = re.sub(r"urn:pulumi:[^:]+::", f"urn:pulumi:{name}::", text)
    text = re.sub(r'(pulumi:pulumi:Stack::tenantry-)[^:"]+', rf"\g<1>{name}", text)
    return State.from_json(json.loads(text))


def tenants_in(state: State) -> set[str]:
    """Return the system hostnames of the tenants in a state, including tenants with a pending deletion."""
    return {resource.id for resource in state if resource.type == TENANT}


def proof_in(state: State) -> dict[str, Any]:
    """Return the properties of the proof in a state; empty without a proof."""
    proofs = [resource for resource in state if resource.type == PROOF and not resource.delete]
    assert len(proofs) <= 1, "a state with two proofs"
    properties: dict[str, Any] = proofs[0].outputs["proof"] if proofs else {}
    return properties
