"""A customer's stack and an emulator in one folder. You can save and restore both many times.

with Lab(folder) as lab:
    lab.configure(everything())
    lab.up().expect_ok()
    saved = lab.save()
    lab.advance(days=1)
    lab.refresh()
    lab.restore(saved)
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
from tests.crash.wire import KillingAdapter, KillPoint, Request, numbered
from tests.e2e.customers import REGION, SOURCE_TENANT, Customer
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]

# The runs are forks of this process, so load their modules only once, here.
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
        self._saved_count = 0
        self._checker = ContractChecker()
        self._live_folder = folder / "live"
        self._live_folder.mkdir()
        self._kill: KillPoint | None = None
        self._config: dict[str, str] = {}
        self.env: dict[str, str] = {}
        """Additional environment variables for every later run."""
        self.engine = Engine(self._live_folder, self._run_program, set_up=self._set_up_process)

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, *error: object) -> None:
        self.qlik.stop()
        if error == (None, None, None):
            assert not self._checker.violations, "\n".join(self._checker.violations)

    def configure(self, customer: Customer) -> None:
        """Set the customer's configuration for the next runs, without a file."""
        config = {"qlik:region": REGION, "qlik:source_tenant": SOURCE_TENANT}
        self._config = {**config, "tenantry:customer": json.dumps(customer)}

    @property
    def state(self) -> State:
        """The state of the stack."""
        return self.engine.state

    @property
    def tenant_statuses(self) -> dict[str, str]:
        """The status of every created tenant, by system hostname."""
        tenants = self.qlik.control.dump()["cloud"]["tenant"]
        return {tenant["hostnames"][0]: tenant["status"] for tenant in tenants if tenant.get("_created")}

    @property
    def world(self) -> World:
        """The content of the tenant; there must be exactly one."""
        (hostname,) = self.tenant_statuses
        return World(self.qlik, hostname)

    def up(
        self, *, fault: Mapping[str, Any] | None = None, kill: KillPoint | None = None, **options: Any
    ) -> Run:
        """Run `up` with the options of `Engine.up`; `fault` is an emulator rule for this run only."""
        return self._run("up", fault, kill, options)

    def refresh(
        self, *, fault: Mapping[str, Any] | None = None, kill: KillPoint | None = None, **options: Any
    ) -> Run:
        """Run `refresh`; the arguments are the same as for `up`."""
        return self._run("refresh", fault, kill, options)

    def destroy(
        self, *, fault: Mapping[str, Any] | None = None, kill: KillPoint | None = None, **options: Any
    ) -> Run:
        """Run `destroy`; the arguments are the same as for `up`."""
        return self._run("destroy", fault, kill, options)

    def now(self) -> float:
        """Return seconds since 1970 by the emulator's clock."""
        return datetime.fromisoformat(self.qlik.control.health()["time"]).timestamp()

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        """Advance the time."""
        self.qlik.control.advance(days * 24 * 3600 + seconds)

    def save(self) -> Path:
        """Save everything: Qlik, the state, the notes on disk. Return the argument for `restore`."""
        self._saved_count += 1
        saved = self._folder / f"saved-{self._saved_count}"
        self.qlik.stop()
        shutil.copytree(self._live_folder, saved)
        self._start()
        return saved

    def restore(self, saved: Path) -> None:
        """Restore everything as it was at the call of `save`."""
        self.qlik.stop()
        shutil.rmtree(self._live_folder)
        shutil.copytree(saved, self._live_folder)
        self._start()

    def _start(self) -> None:
        self.qlik = Emulator(
            self._live_folder / "qlik", middleware=self._checker.wrap, **self._settings
        ).start()

    def _run(
        self,
        command: str,
        fault: Mapping[str, Any] | None,
        kill: KillPoint | None,
        options: Mapping[str, Any],
    ) -> Run:
        earlier_requests = len(self.qlik.control.requests())
        self._kill = kill
        rule = self.qlik.control.add_fault(**fault) if fault else ""
        result: Result = getattr(self.engine, command)(**options)
        if rule:
            self.qlik.control.release(rule)
        run = Run(**vars(result), log=self.qlik.control.requests()[earlier_requests:])
        print(command, *run.lines, *run.errors, "killed" if run.killed else "", sep="\n    ")
        return run

    def _set_up_process(self) -> None:
        """Set up the process of a run: its environment, its client, and the state that it reads."""
        for name in [name for name in os.environ if name.startswith(EXCLUDED)]:
            del os.environ[name]
        os.environ |= client_environment(self.qlik.url) | {
            "HOME": str(self._live_folder),
            "TENANTRY_STATE": str(self._live_folder / "notes"),
            "TENANTRY_CACHE": str(self._live_folder / "cache"),
            "PULUMI_BACKEND_URL": "file://state",
            **self.env,
        }
        cloud = Cloud(os.environ, clock=SharedClock(self.qlik.control), adapter=KillingAdapter(self._kill))
        cloud.notify = print
        vars(adapter)["_cloud"] = lambda: cloud
        vars(stack)["find_pulumi"] = self._create_pulumi_command

    def _create_pulumi_command(self) -> str:
        """Create a script that prints the state like `pulumi stack export`; return its path."""
        command = self._live_folder / "pulumi"
        command.write_text(f"#!/bin/sh\necho '{{\"deployment\":'; cat '{self.engine.file}'; echo '}}'\n")
        command.chmod(0o755)
        return str(command)

    def _run_program(self) -> None:
        pulumi.runtime.set_all_config(self._config)
        settings = pulumi.runtime.settings.SETTINGS
        settings.root_directory = str(ROOT)
        runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
