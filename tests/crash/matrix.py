"""The crash matrix: each operation, each request of a customer with all settings, each fault, each machine.

A cell is one run of an operation with a fault in one request, and then the runs of a careful person. That
person follows the messages, and never pastes the `revive:` line of another customer's tenant. In the end,
Qlik holds each object exactly once, the state agrees, and another run changes nothing and sends no request.

    make crash-matrix                         # the whole matrix, which takes hours
    make crash-matrix ARGS="--every 50"       # each fiftieth cell
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
from tests.e2e.customers import Customer, everything, with_changes
from tests.e2e.operations import ORGANISATION

MAX_RUNS = 8
"""The maximum number of runs of a careful person."""

SETTLED_SECONDS = 900
"""Seconds after which a request can have no effect any more."""

LATE_LISTS = {"items_lag_ms": 20_000, "organisation_lag_ms": 20_000}
REVIVE = re.compile(r"^\s*(revive: \{hostname: [\w.-]+, tenant_id: \w+\})", re.MULTILINE)
TOO_EARLY = "Run `pulumi up` again after"

UPDATED = with_changes(
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
REPLACED = with_changes(
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


class MatrixLab(Lab):
    """A lab whose clients have their own clock."""

    clock_ahead_seconds = 0.0
    """Seconds by which the clock of the client is ahead of Qlik's."""

    @property
    def notes(self) -> Path:
        """The folder of the notes."""
        return self._live_folder / "notes"

    def _set_up_process(self) -> None:
        super()._set_up_process()
        if self.clock_ahead_seconds:
            cloud = adapter._cloud()
            cloud.clock = FastClock(cloud.clock, self.clock_ahead_seconds)


class FastClock:
    """A clock that is ahead of another one."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock, self._seconds = clock, seconds
        self.monotonic, self.sleep = clock.monotonic, clock.sleep

    def time(self) -> float:
        """Return seconds since 1970, UTC, by this wrong clock."""
        return self._clock.time() + self._seconds


class CellRunner:
    """Tries the cells of one operation. It returns to the start of the operation for each cell."""

    def __init__(self, operation: Operation) -> None:
        memory = Path("/dev/shm")
        self._folder = Path(tempfile.mkdtemp(prefix="crash-", dir=memory if memory.is_dir() else None))
        self.operation = operation
        self.lab = MatrixLab(self._folder)

    def __enter__(self) -> CellRunner:
        self.lab.__enter__()
        self.lab.env |= ORGANISATION
        self._revive: dict[str, Any] = {}
        if self.operation.before:
            self.lab.configure(self.operation.before)
            self.lab.up().expect_ok()
        if self.operation.destroyed:
            run = self.lab.destroy().expect_ok()
            self._revive = yaml.safe_load(REVIVE.findall("\n".join(run.lines))[0])
        self.start = self.lab.save()
        self._env = dict(self.lab.env)
        self._configure()
        self.run()
        self._run_until_ok(
            lambda: self.lab.up() if self.operation.command != "destroy" else self.lab.destroy()
        )
        self.expected = content_of(self.lab)
        return self

    def __exit__(self, *_: object) -> None:
        self.lab.qlik.stop()
        shutil.rmtree(self._folder)

    def requests(self) -> list[Request]:
        """Return the requests of the operation without a fault."""
        self.restore()
        return self.run().expect_ok().requests

    def restore(self) -> None:
        """Return to the start of the operation."""
        self.lab.restore(self.start)
        self.lab.env.clear()
        self.lab.env |= self._env
        self._configure()

    def run(self, **options: Any) -> Run:
        """Run the operation."""
        run: Run = getattr(self.lab, self.operation.command)(**options)
        return run

    def try_cell(self, cell: Cell) -> str:
        """Try one cell; return the problem in the end, or an empty string."""
        self.restore()
        saved_notes = self._save_notes() if cell.machine == "stale notes" else None
        if cell.machine == "late lists":
            self.lab.advance(seconds=60)  # so that the list shows the existing tenants
            self.lab.qlik.control.settings(**LATE_LISTS)
        self.lab.clock_ahead_seconds = 600.0 if cell.machine == "clock ahead" else 0.0
        if cell.machine == "no organisation":
            for name in ORGANISATION:
                del self.lab.env[name]
        self.run(fault=cell.request.fault(times=1, **FAULTS[cell.fault]))
        self._change_notes(cell.machine, saved_notes)
        return self._run_until_ok(self._repeat) or self.find_problem()

    def _repeat(self) -> Run:
        return self.lab.destroy() if self.operation.command == "destroy" else self.lab.up()

    def _configure(self, **changes: Any) -> None:
        self.lab.configure({**self.operation.customer, **self._revive, **changes})

    def _save_notes(self) -> Path:
        """Copy the notes; return the copy, which does not exist without notes."""
        saved_notes = self._folder / "saved-notes"
        shutil.rmtree(saved_notes, ignore_errors=True)
        if self.lab.notes.exists():
            shutil.copytree(self.lab.notes, saved_notes)
        return saved_notes

    def _change_notes(self, machine: str, saved_notes: Path | None) -> None:
        """Change the notes as the kind of machine requires."""
        notes = self.lab.notes
        if machine in ("no notes", "stale notes"):
            shutil.rmtree(notes, ignore_errors=True)
        if saved_notes and saved_notes.exists():
            shutil.copytree(saved_notes, notes)
        if machine == "broken notes":
            for file in notes.rglob("*.json"):
                file.write_text(file.read_text()[:-9])

    def _run_until_ok(self, run_again: Callable[[], Run]) -> str:
        """Repeat runs until one succeeds, as a careful person does; return the remaining errors."""
        errors = ""
        for _ in range(MAX_RUNS):
            run = run_again()
            if run.ok:
                self.lab.advance(seconds=SETTLED_SECONDS)  # Qlik carries out a late request by then
                return ""
            errors = "\n".join(run.errors)
            self._follow_message(errors)
        return f"still failing after {MAX_RUNS} runs: {errors}"

    def _follow_message(self, errors: str) -> None:
        if proof := nothing_created_in(errors):
            self.lab.env[RENEW] = proof
        elif TOO_EARLY in errors:
            self.lab.advance(seconds=SETTLED_SECONDS)
        elif RENEW in errors:
            self.lab.advance(seconds=SETTLED_SECONDS)  # the person waits for a certain result
            active = [host for host, status in self.lab.tenant_statuses.items() if status == "active"]
            lines = [line for line in REVIVE.findall(errors) if any(host in line for host in active)]
            if active and not self.operation.destroyed:
                (host,) = active
                tenant_id = self.lab.world.tenant["id"]
                assert not lines or host in lines[0], "the line names another tenant"
                self._configure(revive={"hostname": host, "tenant_id": tenant_id})
            else:
                self.lab.env[RENEW] = re.findall(rf"{RENEW}=([0-9a-f]+)", errors)[-1]

    def find_problem(self) -> str:
        """Return the problem in the end, or an empty string."""
        content = content_of(self.lab)
        if content != self.expected:
            return f"Qlik holds something else: {difference(self.expected, content)}"
        self.lab.env.pop(RENEW, None)
        if self.operation.command == "destroy":
            names = self.lab.state.names
            return f"still in the state: {names}" if names else ""
        if problem := find_id_problem(self.lab):
            return problem
        run = self._repeat()
        if run.errors or run.steps or run.requests:
            return f"another run is not idle: {run.errors} {run.steps} {list(map(str, run.requests))}"
        before = self.lab.state.as_json()
        refresh = self.lab.refresh()
        if refresh.errors or self.lab.state.as_json() != before:
            return f"a refresh finds a difference: {refresh.errors}"
        return ""


def content_of(lab: Lab) -> dict[str, Any]:
    """Return Qlik's content in a form that is the same in every run."""
    dump = lab.qlik.control.dump()
    content: dict[str, Any] = {"tenants": sorted(lab.tenant_statuses.values())}
    for hostname in lab.tenant_statuses:
        for object_type, objects in dump[hostname].items():
            if object_type not in ("temp-content", "session"):
                content[object_type] = sorted(map(_describe, objects))
        # Without the notes of the other machine, a run repeats a reload, which loads the same data.
        content["reload"] = sorted(set(content.get("reload", [])))
    return content


def _describe(document: dict[str, Any]) -> str:
    keys = (
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
    shown = {
        key: bool(document[key]) if key == "publishTime" else document[key] for key in keys if key in document
    }
    roles = [role["name"] for role in document.get("assignedRoles") or []]
    return repr({**shown, "assigned": sorted(roles)})


def difference(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the object types in which two contents differ, with the expected and the found objects."""
    return {
        object_type: (expected.get(object_type), found.get(object_type))
        for object_type in sorted(expected.keys() | found.keys())
        if expected.get(object_type) != found.get(object_type)
    }


OBJECT_TYPES = {
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


def find_id_problem(lab: Lab) -> str:
    """Return a problem with the ids in the state, unknown at Qlik or used twice; "" without a problem."""
    (hostname,) = lab.tenant_statuses
    dump = lab.qlik.control.dump()[hostname]
    entries = list(lab.state)
    ids = Counter(entry.id for entry in entries if _resource_type(entry) in OBJECT_TYPES)
    if twice := [id for id, count in ids.items() if count > 1]:
        return f"two entries of the state hold one object: {twice}"
    for entry in entries:
        resource_type = _resource_type(entry)
        if entry.initErrors or entry.delete:
            return f"unfinished: {entry.name}"
        existing_ids = {document["id"] for document in dump.get(OBJECT_TYPES.get(resource_type, ""), [])}
        if resource_type in OBJECT_TYPES and entry.id not in existing_ids:
            return f"{entry.name} has the id {entry.id}, which is not at Qlik"
        if resource_type == "Tenant" and entry.id != hostname:
            return f"the state has tenant {entry.id}, Qlik {hostname}"
    return ""


def _resource_type(entry: Resource) -> str:
    return entry.type.rpartition(":")[2]


def cells(operation: Operation, requests: Iterable[Request]) -> Iterator[Cell]:
    """Yield all cells of an operation."""
    for machine in MACHINES:
        for request in requests:
            for fault in FAULTS:
                yield Cell(operation.name, request, fault, machine)


def table(tried: Counter[tuple[str, str]], failed: Counter[tuple[str, str]]) -> str:
    """Return a table with the numbers of passed and tried cells, by fault and operation."""
    names = [operation.name for operation in OPERATIONS]
    lines = ["fault".ljust(26) + "".join(name.rjust(14) for name in names)]
    for fault in FAULTS:
        numbers = [(tried[fault, name], failed[fault, name]) for name in names]
        lines.append(fault.ljust(26) + "".join(f"{n - n_failed}/{n}".rjust(14) for n, n_failed in numbers))
    return "\n".join(lines)


def sample(operation: Operation, requests: Iterable[Request], size: int) -> list[Cell]:
    """Return a fixed sample of cells of an operation, spread over its requests, faults and machines."""
    all_cells = list(cells(operation, requests))
    return random.Random(operation.name).sample(all_cells, min(size, len(all_cells)))


def _try(work: tuple[str, int, int, int]) -> list[tuple[Cell, str]]:
    """Try every nth cell of an operation, as one part of several."""
    name, every, part, parts = work
    results = []
    logging.disable(logging.CRITICAL)  # otherwise, the server logs each connection that a fault cuts
    with redirect_stdout(StringIO()), CellRunner(BY_NAME[name]) as runner:
        chosen = list(cells(runner.operation, runner.requests()))[::every][part::parts]
        for cell in chosen:
            try:
                problem = runner.try_cell(cell)
            except Exception as error:  # noqa: BLE001 - one cell does not end the others
                problem = f"{type(error).__name__}: {error}"
            results.append((cell, problem))
    return results


def main() -> int:
    """Try cells and print the table; return 1 if any cell has a problem."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--every", type=int, default=1, help="try only every nth cell")
    options.add_argument("--operation", choices=BY_NAME, action="append", help="only this operation")
    arguments = options.parse_args()
    parts = os.cpu_count() or 1
    work = [
        (name, arguments.every, part, parts)
        for name in arguments.operation or BY_NAME
        for part in range(parts)
    ]
    tried: Counter[tuple[str, str]] = Counter()
    failed: Counter[tuple[str, str]] = Counter()
    with ProcessPoolExecutor(parts) as pool:
        for results in pool.map(_try, work):
            for cell, problem in results:
                tried[cell.fault, cell.operation] += 1
                if problem:
                    failed[cell.fault, cell.operation] += 1
                    print(f"{cell}\n    {problem}", flush=True)
    print(table(tried, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
