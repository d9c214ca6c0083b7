"""A customer's stack and an emulator in one folder, which you can save and restore many times.

with Lab(folder) as lab:
    lab.write(everything())
    lab.up().expect_ok()
    kept = lab.keep()
    lab.advance(days=1)
    lab.refresh()
    lab.put_back(kept)
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

import pulumi.runtime

from tenantry.demo.environment import EXCLUDED, client_environment
from tenantry.emulator import Emulator
from tenantry.providers import resource_types
from tenantry.providers.framework import adapter, stack
from tenantry.providers.qlik import Cloud
from tests.contract import ContractChecker
from tests.crash.clock import SharedClock
from tests.crash.engine import Engine, Result
from tests.crash.resources import State
from tests.crash.wire import Kill, Request, Wire, numbered
from tests.e2e.customers import REGION, SOURCE_TENANT, Customer
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]

# Load the modules of every run once, because the runs are forks of this process.
resource_types()
for module in (
    "tenantry.components",
    "dill",
    "requests",
    "tenantry.settings.current",
    "tenantry.settings.loading",
):
    importlib.import_module(module)


@dataclass(frozen=True)
class Run(Result):
    """The result of a run, and the emulator's log of its requests, including tokens."""

    log: list[dict[str, Any]]

    @property
    def requests(self) -> list[Request]:
        """The requests, with names that are the same in every run."""
        return list(numbered(self.log))


class Lab:
    """One stack of the real program, and one emulator.

    Args:
        folder: the folder for everything, in memory if possible.
        settings: settings of the emulator, see `tenantry.emulator.settings.Settings`.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self._folder, self._settings = folder, settings
        self._kept = 0
        self._checker = ContractChecker()
        self._live = folder / "live"
        self._live.mkdir()
        self._kill: Kill | None = None
        self._config: dict[str, str] = {}
        self.env: dict[str, str] = {}
        """Additional environment variables for every further run."""
        self.engine = Engine(self._live, self._program, before=self._before)

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *error: object) -> None:
        self.qlik.stop()
        if error == (None, None, None):
            assert not self._checker.violations, "\n".join(self._checker.violations)

    def write(self, customer: Customer) -> None:
        """Set the customer's configuration for the next runs. It writes no file."""
        config = {"qlik:region": REGION, "qlik:source_tenant": SOURCE_TENANT}
        self._config = {**config, "tenantry:customer": json.dumps(customer)}

    @property
    def state(self) -> State:
        """The state of the stack."""
        return self.engine.state

    @property
    def tenants(self) -> dict[str, str]:
        """The status of every created tenant, by system hostname."""
        made = [tenant for tenant in self.qlik.control.dump()["cloud"]["tenant"] if tenant.get("_made")]
        return {tenant["hostnames"][0]: tenant["status"] for tenant in made}

    @property
    def world(self) -> World:
        """The content of the tenant; there must be exactly one."""
        (hostname,) = self.tenants
        return World(self.qlik, hostname)

    def up(self, *, fault: Mapping[str, Any] | None = None, kill: Kill | None = None, **options: Any) -> Run:
        """Run `up` with the options of `Engine.up`; `fault` is an emulator rule for this run only."""
        return self._run("up", fault, kill, options)

    def refresh(
        self, *, fault: Mapping[str, Any] | None = None, kill: Kill | None = None, **options: Any
    ) -> Run:
        """Run `refresh`; the arguments are the same as for `up`."""
        return self._run("refresh", fault, kill, options)

    def destroy(
        self, *, fault: Mapping[str, Any] | None = None, kill: Kill | None = None, **options: Any
    ) -> Run:
        """Run `destroy`; the arguments are the same as for `up`."""
        return self._run("destroy", fault, kill, options)

    def now(self) -> float:
        """Return seconds since 1970 by the emulator's clock."""
        return datetime.fromisoformat(self.qlik.control.health()["time"]).timestamp()

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Advance the time."""
        self.qlik.control.advance(days * 24 * 3600 + seconds)

    def keep(self) -> Path:
        """Save everything: Qlik, the state, the notes on disk. Return the argument for `put_back`."""
        self._kept += 1
        kept = self._folder / f"kept-{self._kept}"
        self.qlik.stop()
        shutil.copytree(self._live, kept)
        self._start()
        return kept

    def put_back(self, kept: Path) -> None:
        """Restore everything as it was at the call of `keep`."""
        self.qlik.stop()
        shutil.rmtree(self._live)
        shutil.copytree(kept, self._live)
        self._start()

    def _start(self) -> None:
        self.qlik = Emulator(self._live / "qlik", middleware=self._checker.wrap, **self._settings).start()

    def _run(
        self, command: str, fault: Mapping[str, Any] | None, kill: Kill | None, options: Mapping[str, Any]
    ) -> Run:
        before = len(self.qlik.control.requests())
        self._kill = kill
        rule = self.qlik.control.add_fault(**fault) if fault else ""
        result: Result = getattr(self.engine, command)(**options)
        if rule:
            self.qlik.control.release(rule)
        run = Run(**vars(result), log=self.qlik.control.requests()[before:])
        print(command, *run.lines, *run.errors, "killed" if run.killed else "", sep="\n    ")
        return run

    def _before(self) -> None:
        """Set up the process like a provider: its environment, its client, and the state that it reads."""
        for name in [name for name in os.environ if name.startswith(EXCLUDED)]:
            del os.environ[name]
        os.environ |= client_environment(self.qlik.url) | {
            "HOME": str(self._live),
            "TENANTRY_STATE": str(self._live / "notes"),
            "TENANTRY_CACHE": str(self._live / "cache"),
            "PULUMI_BACKEND_URL": "file://state",
            **self.env,
        }
        cloud = Cloud(os.environ, clock=SharedClock(self.qlik.control), adapter=Wire(self._kill))
        cloud.notify = print
        vars(adapter)["_cloud"] = lambda: cloud
        vars(stack)["find_pulumi"] = self._pulumi

    def _pulumi(self) -> str:
        """Create a command that responds to `pulumi stack export`; return its path."""
        command = self._live / "pulumi"
        command.write_text(f"#!/bin/sh\necho '{{\"deployment\":'; cat '{self.engine.file}'; echo '}}'\n")
        command.chmod(0o755)
        return str(command)

    def _program(self) -> None:
        pulumi.runtime.set_all_config(self._config)
        settings = pulumi.runtime.settings.SETTINGS
        settings.root_directory = str(ROOT)
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
