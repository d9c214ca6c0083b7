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

SEEN = Path(os.environ.get("CANARY_SEEN", ""))
AT_ONCE = 6
"""More than the SDK's own four."""


def note(verb: str, **more: Any) -> None:
    """Write one record into its own file."""
    what = {"verb": verb, "pid": os.getpid(), "arguments": sys.argv[1:], **more}
    (SEEN / f"{verb}-{time.time_ns()}-{os.urandom(4).hex()}.json").write_text(json.dumps(what))


def together() -> bool:
    """Tell whether all creates ran at the same time."""
    note("arrived")
    end = time.monotonic() + 5
    while len(list(SEEN.glob("arrived-*"))) < AT_ONCE:
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def providers() -> list[int]:
    """Return the ids of the provider processes of this run, when there are any."""
    own, end = os.environ["CANARY_SEEN"], time.monotonic() + 20
    while True:
        found = [
            item.pid
            for item in psutil.process_iter(["cmdline", "environ"])
            if "pulumi.dynamic" in (item.info["cmdline"] or ())
            and (item.info["environ"] or {}).get("CANARY_SEEN") == own
        ]
        if found or time.monotonic() > end:
            return found
        time.sleep(0.01)


class Provider(ResourceProvider):
    """A provider that creates nothing."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        workers.raise_limit(AT_ONCE)
        note("check", name=news["name"], instance=id(self), unknown=is_unknown(news.get("of")))
        return CheckResult(news, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        note("diff", name=_news["name"], instance=id(self))
        return DiffResult(replaces=["kind"] if _olds["kind"] != _news["kind"] else [])

    def create(self, props: dict[str, Any]) -> CreateResult:
        call, name = current_call(), props["name"]
        if call and name in ("broken", "refused"):
            half = error_details.unfinished("id-broken", props, "it says so") if name == "broken" else None
            error_details.attach(call, "it says so", half)
            raise RuntimeError("not to be shown")
        more: dict[str, Any] = {"urn": call.urn, "run": call.run} if call else {}
        if name.startswith("many"):
            more["together"] = together()
        backend = Path(os.environ["PULUMI_BACKEND_URL"].removeprefix("file://"))
        shutil.copytree(backend / ".pulumi", SEEN / f"during-{name}")
        note("create", name=name, engine=engine_address(), **more)
        return CreateResult(f"id-{name}", props)

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        live = {**props, "size": 9} if props["name"] == "first" else props
        return ReadResult(id_, live, live)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        return UpdateResult(_news)


class Thing(Resource, module="canary", name="Thing"):
    """Something with a name, a size, and a kind that replaces it."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None, **more: Any) -> None:
        super().__init__(Provider(), name, {"name": name, "kind": "a", "size": 1, **more}, opts)


def program() -> None:
    """Register the resources of this run."""
    run = os.environ.get("CANARY_RUN", "")
    if run == "many":
        for number in range(AT_ONCE):
            Thing(f"many-{number}")
        return
    if run == "told":
        pulumi.export("told", {"plain": [1], "hidden": [pulumi.Output.secret("hush")]})
        return
    if run == "early":
        early_provider.start()
        note("early", providers=providers())
    later = run == "later"
    with no_stack_trace():
        first = Thing("first", size=2 if later else 1, opts=pulumi.ResourceOptions(protect=later))
    Thing("second", of=first.id, kind="b" if later else "a")
    if later:
        Thing("broken")
        Thing("refused")
