"""Resources that are stored in `live.json` and record the engine's calls in `log.jsonl`.

The properties `size` and `like` change in place. `shape` and `of` replace the thing. With `deletes_first`,
the old thing is deleted before the new one is created. Other keys are only stored. `faults.json` names the
calls that fail once, and how they fail: {"create a": "fail"}.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    Resource,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import Unknown

from tenantry.providers.framework import engine

Properties = dict[str, Any]
INPUTS = ("size", "shape", "of", "like", "deletes_first", "__provider")
LOCK = threading.Lock()
TIMEOUT_SECONDS = 60.0


@contextmanager
def open_document(name: str) -> Iterator[Properties]:
    """Yield the content of a file, and write it back afterwards."""
    path = Path(name)
    with LOCK:
        content: Properties = json.loads(path.read_text("utf-8")) if path.exists() else {}
        yield content
        path.write_text(json.dumps(content), "utf-8")


def record(method: str, **facts: Any) -> str:
    """Record a call; return the name of its thing."""
    name = engine.current_urn().rpartition("::")[2]
    with LOCK, Path("log.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps({"method": method, "name": name, **facts}) + "\n")
    return name


def cause_fault(method: str, name: str) -> str:
    """Cause the fault of this call, and remove it from the file, so that it happens only once.

    Returns the name of the fault. The caller must cause "half" itself.
    """
    with open_document("faults.json") as faults:
        effect: str = faults.pop(f"{method} {name}", "")
    if effect.startswith("late"):
        # Wait for the named steps to begin, if several steps run at once.
        wait_for(effect.removeprefix("late "))
        effect = "fail"
    if effect == "slow":
        Path(f"begun {name}").touch()
        wait_for("failed")
    if effect == "hang":
        if os.environ.get("ALONE"):
            os._exit(99)
        Path("begun").touch()
        time.sleep(TIMEOUT_SECONDS)
    if effect == "fail":
        Path("failed").touch()
        raise engine.failure(f"cannot {method} {name}")
    return effect


def wait_for(names: str) -> None:
    """Wait for files, unless things are created one at a time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not os.environ.get("ALONE") and not all(Path(name).exists() for name in names.split(",")):
        assert time.monotonic() < deadline, f"no step created {names}"
        time.sleep(0.01)


class Provider(ResourceProvider):
    """A provider that records every call."""

    serialize_as_secret_always = False

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Accept the inputs, unless they are wrong."""
        record("check", fresh=not _olds)
        return CheckResult(news, [CheckFailure("wrong", "is set")] if news.get("wrong") else [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Replace the thing for a new shape or a new `of`. An unknown value counts as a change."""
        record("diff", unknown=sorted(name for name, value in _news.items() if isinstance(value, Unknown)))
        replaces = [name for name in ("shape", "of") if _differs(_olds.get(name), _news.get(name))]
        return DiffResult(replaces=replaces, delete_before_replace=bool(_news.get("deletes_first")))

    def create(self, props: Properties) -> CreateResult:
        """Create the thing, with an id that counts the things of that name."""
        name = record("create", inputs=_shown(props))
        effect = cause_fault("create", name)
        with open_document("live.json") as live:
            number = live["count"] = live.get("count", {})
            number[name] = number.get(name, 0) + 1
            id = f"{name}-{number[name]}"
            live[id] = _shown(props)
        if effect == "half":
            raise engine.partial_failure(id, {**props, "writes": 0}, f"{name} is not finished")
        return CreateResult(id, {**props, "writes": 1})

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the thing."""
        name = record("read", id=id_)
        cause_fault("read", name)
        with open_document("live.json") as live:
            if id_ not in live:
                return ReadResult("", {}, {})
            outs = {**props, **live[id_]}
        return ReadResult(id_, outs, {name: outs[name] for name in INPUTS if name in outs})

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Update the thing."""
        name = record("update", id=_id, olds=_shown(_olds), inputs=_shown(_news))
        effect = cause_fault("update", name)
        with open_document("live.json") as live:
            live[_id] = _shown(_news)
        if effect == "half":
            raise engine.partial_failure(_id, {**_olds, "writes": 0}, f"{name} is not finished")
        return UpdateResult({**_news, "writes": 2})

    def delete(self, _id: str, _props: Properties) -> None:
        """Delete the thing."""
        name = record("delete", id=_id)
        cause_fault("delete", name)
        with open_document("live.json") as live:
            live.pop(_id, None)


class Thing(Resource, module="things", name="Thing"):
    """A thing."""

    size: pulumi.Output[int]
    writes: pulumi.Output[int]

    def __init__(self, name: str, inputs: Properties, options: pulumi.ResourceOptions) -> None:
        super().__init__(Provider(), name, {"size": None, "writes": None, **inputs}, options)


class Group(pulumi.ComponentResource):
    """A component with child things and outputs."""

    def __init__(self, name: str, inputs: Properties, options: pulumi.ResourceOptions) -> None:
        super().__init__("things:index:Group", name, inputs, options)
        self.register_outputs({"size": inputs.get("size")})


def _differs(have: Any, want: Any) -> bool:
    return isinstance(want, Unknown) or have != want


def _shown(properties: Properties) -> Properties:
    return {name: value for name, value in properties.items() if name != "__provider"}
