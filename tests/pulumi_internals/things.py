"""The program and the provider of the canaries' stack, which record the calls of the engine."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pulumi
from pulumi.dynamic import (
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)

from tenantry.pulumi_internals import early_provider, error_details, workers
from tenantry.pulumi_internals.calls import current_call
from tenantry.pulumi_internals.engine_address import engine_address
from tenantry.pulumi_internals.stack_traces import no_stack_trace
from tenantry.pulumi_internals.unknown_values import is_unknown

RECORDS = Path(os.environ.get("CANARY_RECORDS", ""))
CONCURRENT_CALLS = 6
"""More than the four calls that the SDK runs at once."""


def record(method: str, **facts: Any) -> None:
    """Write one record into its own file."""
    content = {"method": method, "pid": os.getpid(), "arguments": sys.argv[1:], **facts}
    (RECORDS / f"{method}-{time.time_ns()}-{os.urandom(4).hex()}.json").write_text(json.dumps(content))


def runs_with_all_others() -> bool:
    """Tell whether all creates run at the same time."""
    record("arrived")
    deadline = time.monotonic() + 5
    while len(list(RECORDS.glob("arrived-*"))) < CONCURRENT_CALLS:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def providers() -> list[int]:
    """Wait for provider processes of this run; return their ids."""
    records, deadline = os.environ["CANARY_RECORDS"], time.monotonic() + 20
    while True:
        found = [
            process.pid
            for process in psutil.process_iter(["cmdline", "environ"])
            if "pulumi.dynamic" in (process.info["cmdline"] or ())
            and (process.info["environ"] or {}).get("CANARY_RECORDS") == records
        ]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.01)


class Provider(ResourceProvider):
    """A provider that creates nothing."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        workers.raise_limit(CONCURRENT_CALLS)
        record("check", name=news["name"], instance=id(self), unknown=is_unknown(news.get("of")))
        return CheckResult(news, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        record("diff", name=_news["name"], instance=id(self))
        return DiffResult(replaces=["kind"] if _olds["kind"] != _news["kind"] else [])

    def create(self, props: dict[str, Any]) -> CreateResult:
        call, name = current_call(), props["name"]
        if call and name in ("broken", "refused"):
            partial = (
                error_details.unfinished("id-broken", props, "the error text") if name == "broken" else None
            )
            error_details.attach(call, "the error text", partial)
            raise RuntimeError("a text that nobody sees")
        facts: dict[str, Any] = {"urn": call.urn, "run": call.run} if call else {}
        if name.startswith("many"):
            facts["runs_with_all_others"] = runs_with_all_others()
        backend = Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
        shutil.copytree(backend / ".pulumi", RECORDS / f"backend-{name}")
        record("create", name=name, engine=engine_address(), **facts)
        return CreateResult(f"id-{name}", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        live = {**props, "size": 9} if props["name"] == "first" else props
        return ReadResult(id_, live, live)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_news)


class Thing(Resource, module="canary", name="Thing"):
    """A resource with a name, a size, and a kind. A new kind replaces it."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> None:
        super().__init__(Provider(), name, {"name": name, "kind": "a", "size": 1, **inputs}, opts)


def program() -> None:
    """Register the resources of this run."""
    run = os.environ.get("CANARY_RUN", "")
    if run == "many":
        for number in range(CONCURRENT_CALLS):
            Thing(f"many-{number}")
        return
    if run == "outputs":
        pulumi.export("exported", {"plain": [1], "hidden": [pulumi.Output.secret("hush")]})
        return
    if run == "early":
        early_provider.start()
        record("early", providers=providers())
    is_second_up = run == "second"
    with no_stack_trace():
        first = Thing(
            "first", size=2 if is_second_up else 1, opts=pulumi.ResourceOptions(protect=is_second_up)
        )
    Thing("second", of=first.id, kind="b" if is_second_up else "a")
    if is_second_up:
        Thing("broken")
        Thing("refused")
