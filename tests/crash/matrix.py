"""The crash matrix: each request of a customer with everything, each fault, each operation, each machine.

A cell is one run of an operation with a fault in one request, and then the runs of a careful person. That
person follows the messages, and never pastes the line of another customer's tenant. In the end, Qlik holds
exactly one of each object, the state agrees, and a further run changes nothing and sends no request.

make crash-matrix                       # all of it, which takes hours make crash-matrix ARGS="--every 50"
# each fiftieth cell
"""

from __future__ import annotations

import argparse
import logging
import os
import random
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import yaml

from tenantry.providers.framework import adapter
from tenantry.providers.framework.facts import RENEW, nothing_created_in
from tenantry.providers.qlik import Clock
from tests.crash.faults import FAULTS, MACHINES
from tests.crash.lab import Lab, Run
from tests.crash.resources import Resource
from tests.crash.wire import Request
from tests.e2e.customers import Customer, changed, everything
from tests.e2e.operations import ORGANISATION

MAX_RUNS = 8
"""How many runs a careful person may need."""

SETTLED_SECONDS = 900
"""Seconds after which nothing can come of a request any more."""

LATE_LISTS = {"items_lag_ms": 20_000, "organisation_lag_ms": 20_000}
REVIVE = re.compile(r"^\s*(revive: \{hostname: [\w.-]+, tenant_id: \w+\})", re.MULTILINE)
AGAIN = "Run `pulumi up` again after"

UPDATED = changed(
    everything(),
    ("name", "Globex Ltd"),
    ("groups/Analysts/roles", ["Developer"]),
    ("spaces/Sales/description", "Daily"),
    ("spaces/Sales/access", {"Analysts": ["consumer"]}),
    ("users/Grace/roles", ["Developer"]),
    ("web_integrations/Portal/origins", ["https://portal.example", "https://shop.example"]),
    ("csp_origins/Portal/font_src", True),
    ("license_settings/auto_assign_analyzer", False),
    ("lifecycle/grace_days", 20),
)
REPLACED = changed(
    everything(),
    ("apps/Sales Overview/version", "2.4.0"),
    ("groups/Partners/name", "Resellers"),
    ("users/Grace/subject", "auth0|grace.2"),
    ("spaces/Data/type", "shared"),
    ("spaces/Data/user_access", {"Grace": ["consumer"]}),
)


@dataclass(frozen=True)
class Operation:
    """An operation: the customer before it (None: no customer), the customer after it, and the command."""

    name: str
    before: Customer | None
    customer: Customer
    command: str = "up"
    destroyed: bool = False


OPERATIONS = (
    Operation("create", None, everything()),
    Operation("update", everything(), UPDATED),
    Operation("replacement", everything(), REPLACED),
    Operation("refresh", everything(), everything(), "refresh"),
    Operation("destroy", everything(), everything(), "destroy"),
    Operation("revive", everything(), everything(), destroyed=True),
)
BY_NAME = {operation.name: operation for operation in OPERATIONS}


@dataclass(frozen=True)
class Cell:
    """One cell of the matrix."""

    operation: str
    request: Request
    fault: str
    machine: str

    def __str__(self) -> str:
        return f"{self.operation}: {self.request}: {self.fault}: {self.machine}"


class Machine(Lab):
    """A lab whose clients have their own clock."""

    clock_ahead = 0.0
    """Seconds by which this machine's clock is ahead of Qlik's."""

    @property
    def notes(self) -> Path:
        """The folder of the notes."""
        return self._live / "notes"

    def _before(self) -> None:
        super()._before()
        if self.clock_ahead:
            cloud = adapter._cloud()
            cloud.clock = Ahead(cloud.clock, self.clock_ahead)


class Ahead:
    """A clock that is ahead of another."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self.monotonic, self.sleep = clock.monotonic, clock.sleep

    def time(self) -> float:
        """Return seconds since 1970, UTC, by this wrong clock."""
        return self._clock.time() + self._seconds


class Bench:
    """A lab that can return to the start of an operation many times."""

    def __init__(self, operation: Operation) -> None:
        memory = Path("/dev/shm")
        self._folder = Path(tempfile.mkdtemp(prefix="crash-", dir=memory if memory.is_dir() else None))
        self.operation = operation
        self.lab = Machine(self._folder)

    def __enter__(self) -> Bench:
        self.lab.__enter__()
        self.lab.env |= ORGANISATION
        self._line: dict[str, Any] = {}
        if self.operation.before:
            self.lab.write(self.operation.before)
            self.lab.up().expect_ok()
        if self.operation.destroyed:
            gone = self.lab.destroy().expect_ok()
            self._line = yaml.safe_load(REVIVE.findall("\n".join(gone.lines))[0])
        self.start = self.lab.keep()
        self._env = dict(self.lab.env)
        self._write()
        self.run()
        self._heal(lambda: self.lab.up() if self.operation.command != "destroy" else self.lab.destroy())
        self.expected = shape(self.lab)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.qlik.stop()
        shutil.rmtree(self._folder)

    def requests(self) -> list[Request]:
        """Return the requests of the operation without a fault."""
        self.put_back()
        return self.run().expect_ok().requests

    def put_back(self) -> None:
        """Return to the start of the operation."""
        self.lab.put_back(self.start)
        self.lab.env.clear()
        self.lab.env |= self._env
        self._write()

    def run(self, **options: Any) -> Run:
        """Run the operation."""
        done: Run = getattr(self.lab, self.operation.command)(**options)
        return done

    def cell(self, cell: Cell) -> str:
        """Try one cell; return the problem in the end, or an empty string."""
        self.put_back()
        stale = self._notes(cell.machine, before=True)
        if cell.machine == "late lists":
            self.lab.advance(seconds=60)  # so that the list shows the existing tenants
            self.lab.qlik.control.settings(**LATE_LISTS)
        self.lab.clock_ahead = 600.0 if cell.machine == "clock ahead" else 0.0
        if cell.machine == "no organisation":
            for name in ORGANISATION:
                del self.lab.env[name]
        self.run(fault=cell.request.fault(times=1, **FAULTS[cell.fault]))
        self._notes(cell.machine, before=False, stale=stale)
        if problem := self._heal(self._again):
            return problem
        return self._wrong()

    def _again(self) -> Run:
        return self.lab.destroy() if self.operation.command == "destroy" else self.lab.up()

    def _write(self, **more: Any) -> None:
        self.lab.write({**self.operation.customer, **self._line, **more})

    def _notes(self, machine: str, *, before: bool, stale: Path | None = None) -> Path | None:
        """Change the notes as the kind of machine requires; return their copy from before the run."""
        notes = self.lab.notes
        if machine == "stale notes" and before:
            kept = self._folder / "stale"
            shutil.rmtree(kept, ignore_errors=True)
            if notes.exists():
                shutil.copytree(notes, kept)
            return kept
        if before:
            return None
        if machine in ("no notes", "stale notes"):
            shutil.rmtree(notes, ignore_errors=True)
        if stale and stale.exists():
            shutil.copytree(stale, notes)
        if machine == "broken notes":
            for file in notes.rglob("*.json"):
                file.write_text(file.read_text()[:-9])
        return None

    def _heal(self, again: Callable[[], Run]) -> str:
        """Repeat runs until one succeeds, as a careful person does; return the remaining errors."""
        errors = ""
        for _ in range(MAX_RUNS):
            run = again()
            if run.ok:
                self.lab.advance(seconds=SETTLED_SECONDS)  # a late request is carried out by then
                return ""
            errors = "\n".join(run.errors)
            self._answer(errors)
        return f"still failing after {MAX_RUNS} runs: {errors}"

    def _answer(self, errors: str) -> None:
        """Follow the messages."""
        if proof := nothing_created_in(errors):
            self.lab.env[RENEW] = proof
        elif AGAIN in errors:
            self.lab.advance(seconds=SETTLED_SECONDS)
        elif "does not say which one" in errors or RENEW in errors:
            self.lab.advance(seconds=SETTLED_SECONDS)  # the person waits for a certain result
            made = [host for host, status in self.lab.tenants.items() if status == "active"]
            lines = [line for line in REVIVE.findall(errors) if any(host in line for host in made)]
            if made and not self.operation.destroyed:
                (host,) = made
                tenant_id = self.lab.world.tenant["id"]
                assert not lines or host in lines[0], "the line names another tenant"
                self._write(revive={"hostname": host, "tenant_id": tenant_id})
            else:
                self.lab.env[RENEW] = re.findall(rf"{RENEW}=([0-9a-f]+)", errors)[-1]

    def _wrong(self) -> str:
        """Return the problem in the end, or an empty string."""
        found = shape(self.lab)
        if found != self.expected:
            return f"Qlik holds something else: {difference(self.expected, found)}"
        self.lab.env.pop(RENEW, None)
        if self.operation.command == "destroy":
            return "" if not self.lab.state.names else f"left in the state: {self.lab.state.names}"
        if problem := ids_that_differ(self.lab):
            return problem
        again = self._again()
        if again.errors or again.steps or again.requests:
            return f"another run is not idle: {again.errors} {again.steps} {list(map(str, again.requests))}"
        before = self.lab.state.as_json()
        seen = self.lab.refresh()
        if seen.errors or self.lab.state.as_json() != before:
            return f"a refresh finds a difference: {seen.errors}"
        return ""


def shape(lab: Lab) -> dict[str, Any]:
    """Return Qlik's content in a form that is the same in every run."""
    dump = lab.qlik.control.dump()
    held: dict[str, Any] = {"tenants": sorted(lab.tenants.values())}
    for hostname in lab.tenants:
        for kind, objects in dump[hostname].items():
            if kind not in ("temp-content", "session"):
                held[kind] = sorted(map(_words, objects))
        # Without the notes of the other machine, a run repeats a reload, which loads the same data.
        held["reload"] = sorted(set(held.get("reload", [])))
    return held


def _words(thing: dict[str, Any]) -> str:
    kept = (
        "name",
        "subject",
        "email",
        "type",
        "roles",
        "description",
        "active",
        "validOrigins",
        "status",
        "publishTime",
    )
    shown = {key: bool(thing[key]) if key == "publishTime" else thing[key] for key in kept if key in thing}
    roles = [role["name"] for role in thing.get("assignedRoles") or []]
    return repr({**shown, "assigned": sorted(roles)})


def difference(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the kinds of objects in which two worlds differ."""
    kinds = sorted(expected.keys() | found.keys())
    return {
        kind: (expected.get(kind), found.get(kind)) for kind in kinds if expected.get(kind) != found.get(kind)
    }


KINDS = {
    "App": "app",
    "AppPublication": "app",
    "Automation": "automation",
    "Brand": "brand",
    "CspOrigin": "csp-origin",
    "DataConnection": "data-connection",
    "DataFile": "data-file",
    "Extension": "extension",
    "Group": "group",
    "JwtIdentityProvider": "identity-provider",
    "ReloadTask": "task",
    "OidcIdentityProvider": "identity-provider",
    "PinnedLink": "pinned-link",
    "OAuthClient": "oauth-client",
    "SamlIdentityProvider": "identity-provider",
    "Space": "space",
    "SpaceAssignment": "assignment",
    "TenantAdmin": "user",
    "Theme": "theme",
    "User": "user",
    "WebIntegration": "web-integration",
    "Webhook": "webhook",
}


def ids_that_differ(lab: Lab) -> str:
    """Return a problem with the ids in the state: unknown at Qlik, or used twice."""
    (hostname,) = lab.tenants
    dump = lab.qlik.control.dump()[hostname]
    entries = list(lab.state)
    ids = Counter(entry.id for entry in entries if _kind(entry) in KINDS)
    if twice := [id for id, count in ids.items() if count > 1]:
        return f"two entries of the state hold one object: {twice}"
    for entry in entries:
        kind = _kind(entry)
        if entry.initErrors or entry.delete:
            return f"unfinished: {entry.name}"
        there = {document["id"] for document in dump.get(KINDS.get(kind, ""), [])}
        if kind in KINDS and entry.id not in there:
            return f"{entry.name} has the id {entry.id}, which is not at Qlik"
        if kind == "Tenant" and entry.id != hostname:
            return f"the state has tenant {entry.id}, Qlik {hostname}"
    return ""


def _kind(entry: Resource) -> str:
    return entry.type.rpartition(":")[2]


def cells(operation: Operation, requests: Iterable[Request]) -> Iterator[Cell]:
    """Yield all cells of an operation."""
    for machine in MACHINES:
        for request in requests:
            for fault in FAULTS:
                yield Cell(operation.name, request, fault, machine)


def table(tried: Counter[tuple[str, str]], lost: Counter[tuple[str, str]]) -> str:
    """Return a table of tried and survived cells, by fault and operation."""
    names = [op.name for op in OPERATIONS]
    lines = ["fault".ljust(22) + "".join(name.rjust(14) for name in names)]
    for fault in FAULTS:
        numbers = [(tried[fault, name], lost[fault, name]) for name in names]
        lines.append(fault.ljust(22) + "".join(f"{n - bad}/{n}".rjust(14) for n, bad in numbers))
    return "\n".join(lines)


def sample(operation: Operation, requests: Iterable[Request], size: int) -> list[Cell]:
    """Return a fixed sample of cells of an operation, spread over its requests, faults and machines."""
    everything = list(cells(operation, requests))
    return random.Random(operation.name).sample(everything, min(size, len(everything)))


def _try(work: tuple[str, int, int, int]) -> list[tuple[Cell, str]]:
    """Try every nth cell of an operation, as one part of several."""
    name, every, part, parts = work
    found = []
    logging.disable(logging.CRITICAL)  # otherwise the server logs each connection that a fault cuts
    with redirect_stdout(StringIO()), Bench(BY_NAME[name]) as bench:
        chosen = list(cells(bench.operation, bench.requests()))[::every][part::parts]
        for cell in chosen:
            try:
                problem = bench.cell(cell)
            except Exception as error:  # noqa: BLE001 - one cell does not end the others
                problem = f"{type(error).__name__}: {error}"
            found.append((cell, problem))
    return found


def main() -> int:
    """Try cells and print the table; return 1 if any cell has a problem."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--every", type=int, default=1, help="try only every nth cell")
    options.add_argument("--operation", choices=BY_NAME, action="append", help="only this operation")
    given = options.parse_args()
    parts = os.cpu_count() or 1
    work = [(name, given.every, part, parts) for name in given.operation or BY_NAME for part in range(parts)]
    tried: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    with ProcessPoolExecutor(parts) as pool:
        for found in pool.map(_try, work):
            for cell, problem in found:
                tried[cell.fault, cell.operation] += 1
                if problem:
                    lost[cell.fault, cell.operation] += 1
                    print(f"{cell}\n    {problem}", flush=True)
    print(table(tried, lost))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
