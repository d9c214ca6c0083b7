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
from tests.crash.resources import Resource, State
from tests.crash.wire import Kill, Request
from tests.e2e.customers import Customer
from tests.e2e.operations import ORGANISATION

TENANT = "pulumi-python:dynamic/qlik:Tenant"
PROOF = "pulumi-python:dynamic/qlik:TenantProof"
LISTS_LATE_SECONDS = 20.0

ASK = Request("POST", "/api/v1/tenants", 1)
NAME = Request("PATCH", "/api/v1/tenants/*", 1)
LIST = Request("GET", "/api/core/tenants", 1)
TOKEN = Request("POST", "/oauth/token", 1)
LAST_TOKEN = Request("POST", "/oauth/token", 3)
DEACTIVATE = Request("POST", "/api/v1/tenants/*/actions/deactivate", 1)


class Place(NamedTuple):
    """The location of a stack: the backend, and the name of the stack there."""

    backend: str
    name: str


@dataclass(eq=False)
class Stack:
    """One customer's stack: its location, its file, and the errors of its last run.

    `customer` is the unique number of the customer, independent of the names. `history` are the former
    states, oldest first. `kept` is the last state of a removed stack. `may_hold` are the tenants and `copied`
    the proofs that came into the stack with a copied state.
    """

    place: Place
    customer: int
    file: Customer
    errors: str = ""
    renewed: str = ""
    history: list[State] = field(default_factory=list)
    kept: State = field(default_factory=State)
    may_hold: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)


class Strike(NamedTuple):
    """A fault of one request in a run, or a kill of the process at that request."""

    fault: dict[str, Any] | None = None
    kill: Kill | None = None


def _struck(request: Request, fault: str, **more: Any) -> Strike:
    return Strike(request.fault(times=1, **FAULTS[fault], **more))


NO_STRIKE = Strike()
STRIKES = {
    "nothing": NO_STRIKE,
    "the answer of the request is cut": _struck(ASK, "cut after"),
    "killed when it is named": Strike(kill=Kill(NAME)),
    "killed after the request": Strike(kill=Kill(ASK, after=True)),
    "killed right after the proof": Strike(kill=Kill(LIST)),
    "the request is done late": _struck(ASK, "done late, cut"),
    "the request is refused": _struck(ASK, "refused"),
    "the request is cut before it is done": _struck(ASK, "cut before"),
    "killed before the request": Strike(kill=Kill(ASK)),
    "the answer is truncated": _struck(ASK, "truncated"),
    "the request is done, then 503": _struck(ASK, "done, then 503"),
    "killed after it is named": Strike(kill=Kill(NAME, after=True)),
    "its name is refused": _struck(NAME, "refused"),
    "its name is done, then 503": _struck(NAME, "done, then 503"),
    "killed before the proof": Strike(kill=Kill(TOKEN)),
    "a token is refused": _struck(TOKEN, "refused"),
    "the last token is refused": _struck(LAST_TOKEN, "refused"),
}
"""All strikes, by their names in a sequence; the first ones are the simplest and the most dangerous."""

STRIKES_OF_DESTROY = {
    "nothing": NO_STRIKE,
    "killed after the deactivation": Strike(kill=Kill(DEACTIVATE, after=True)),
    "killed before the deactivation": Strike(kill=Kill(DEACTIVATE)),
    "the answer is cut": _struck(DEACTIVATE, "cut after"),
    "refused": _struck(DEACTIVATE, "refused"),
}


class Site(Lab):
    """A lab with many stacks. `product` can break the product in the process of each run.

    Call `clear` first.
    """

    def __init__(self, folder: Path, product: Callable[[], None] = lambda: None) -> None:
        super().__init__(folder)
        self._product = product
        self.tell: Callable[[str], object] = lambda text: None
        """Receives the output of each run."""

    def clear(self, *, lists_late: bool) -> None:
        """Start again with an empty Qlik and no stacks."""
        self.qlik.control.reset()
        self.lists_late = lists_late
        if lists_late:
            self.qlik.control.settings(organisation_lag_ms=LISTS_LATE_SECONDS * 1000)
        for folder in ("states", "machines"):
            shutil.rmtree(self._live / folder, ignore_errors=True)

    def run(
        self,
        stack: Stack,
        command: str = "up",
        *,
        machine: str = "a",
        organisation: bool = True,
        renew: str = "",
        strike: Strike = NO_STRIKE,
        **options: Any,
    ) -> Run:
        """Run a command of a stack. `renew` is the proof that the person wants to renew."""
        self.engine.folder = self._folder_of(stack.place)
        self.engine.folder.mkdir(parents=True, exist_ok=True)
        self.engine.stack = stack.place.name
        self.write(stack.file)
        self.env = {
            "TENANTRY_STATE": str(self.notes_of(machine)),
            "PULUMI_BACKEND_URL": f"file://{stack.place.backend}",
            **(ORGANISATION if organisation else {}),
            **({RENEW: renew} if renew else {}),
        }
        with redirect_stdout(StringIO()) as output:
            run: Run = getattr(self, command)(fault=strike.fault, kill=strike.kill, **options)
        self.tell(output.getvalue().rstrip())
        return run

    def state_of(self, place: Place) -> State:
        """Return the state of the stack at this place."""
        return State.load(self._folder_of(place) / "state.json")

    def put_state(self, place: Place, state: State) -> State:
        """Import a state, possibly from another stack; return the imported state."""
        moved = moved_to(place.name, state)
        self._folder_of(place).mkdir(parents=True, exist_ok=True)
        moved.save(self._folder_of(place) / "state.json")
        return moved

    def remove_state(self, place: Place) -> None:
        """Run `pulumi stack rm --force`."""
        shutil.rmtree(self._folder_of(place), ignore_errors=True)

    @property
    def made(self) -> list[dict[str, Any]]:
        """The created tenants that are not purged."""
        now, dump = self.now(), self.qlik.control.dump()["cloud"]["tenant"]
        return [kind for kind in dump if kind.get("_made") and kind.get("_purge_at", now + 1) > now]

    def notes_of(self, machine: str) -> Path:
        """Return the folder of a machine's notes."""
        return self._live / "machines" / machine

    @property
    def violations(self) -> list[str]:
        """The responses that break Qlik's contract."""
        return self._checker.violations

    def _folder_of(self, place: Place) -> Path:
        return self._live / "states" / place.backend / place.name

    def _before(self) -> None:
        super()._before()
        self._product()


def moved_to(name: str, state: State) -> State:
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
    return _said(proofs[0]) if proofs else {}


def _said(proof: Resource) -> dict[str, Any]:
    proof_properties: dict[str, Any] = proof.outputs["proof"]
    return proof_properties
