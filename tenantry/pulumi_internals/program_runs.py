"""Runs the program of a project in this process, with an object of ours in the place of the engine.

Relies on: `pulumi.runtime.run_in_stack` runs a program, and `pulumi.runtime.settings.configure` takes any
objects as `monitor` and `engine`. The program calls their methods by the names of the gRPC services, with the
messages that the engine would get (pulumi/resource.proto, pulumi/engine.proto). `set_all_config` takes the
configuration as the engine hands it over.

Seen to hold: SDK 3.272.0.

When it breaks: no stack is found to be unchanged without the engine, and the engine looks at each.
"""

from __future__ import annotations

import asyncio
import runpy
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

WITHOUT_EFFECT = frozenset(
    (
        "acceptSecrets",
        "acceptResources",
        "accepts_byte_string",
        "supportsPartialValues",
        "supportsResultReporting",
        "sourcePosition",
        "stackTrace",
        "parentStackTraceHandle",
        "aliases",
        "aliasURNs",
        "aliasSpecs",
    )
)
"""What of a registration does nothing for a resource that the state has under the same URN."""


@dataclass(frozen=True)
class Registration:
    """A resource as a program registers it. `inputs` may hold unknown values and secrets, as a provider gets
    them; `others` are the names of all options that are given and are none of the fields here.
    """

    type: str
    name: str
    parent: str
    custom: bool
    protect: bool
    deleted_with: str
    dependencies: frozenset[str]
    property_dependencies: Mapping[str, frozenset[str]]
    inputs: Mapping[str, Any]
    others: tuple[str, ...]
    secret_outputs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Registered:
    """What the engine answers to a registration."""

    urn: str
    id: str
    outputs: Mapping[str, Any]


class Engine(Protocol):
    """What takes the place of the engine. Whatever it raises ends the program."""

    def register(self, registration: Registration) -> Registered:
        """Answer the registration of a resource."""

    def register_outputs(self, urn: str, outputs: Mapping[str, Any]) -> None:
        """Take the outputs of a component, or of the stack."""

    def say(self, text: str) -> None:
        """Take a message of the program that is more than debugging."""

    def call(self, name: str) -> None:
        """Learn of a call that is none of these, by its name; it has no answer."""


def run_program(
    root: Path,
    engine: Engine,
    *,
    project: str,
    stack: str,
    config: Mapping[str, str],
    secret_keys: Sequence[str],
    organisation: str,
    preview: bool,
) -> None:
    """Run the program in the folder `root` as the engine would for a stack. Raises whatever it raises.

    `secret_keys` are the keys of `config` whose values are secrets.
    """
    from pulumi.runtime import run_in_stack, set_all_config, settings

    settings.configure(
        settings.Settings(
            project=project,
            stack=stack,
            monitor=_Monitor(engine),
            engine=_Log(engine),
            parallel=1,
            dry_run=preview,
            organization=organisation,
            root_directory=str(root),
        )
    )
    set_all_config(dict(config), list(secret_keys))
    sys.path.insert(0, str(root))

    async def program() -> None:
        runpy.run_path(str(root), run_name="__main__")

    asyncio.run(run_in_stack(program))


class _Service:
    """A service of the engine. A method that is not written below is a call without an answer."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getattr__(self, name: str) -> Any:
        return lambda *_: self._engine.call(name)


class _Log(_Service):
    def Log(self, request: Any) -> None:
        from pulumi.runtime.proto import engine_pb2

        if request.severity != engine_pb2.DEBUG:
            self._engine.say(request.message)


class _Monitor(_Service):
    def GetDeploymentInfo(self, _request: Any) -> Any:
        from pulumi.runtime.proto import resource_pb2

        # Without output values the SDK sends a secret in the form in which a provider gets it.
        known = resource_pb2.ResourceMonitorFeature
        left_out = known.Value("RESOURCE_MONITOR_FEATURE_OUTPUT_VALUES")
        return resource_pb2.DeploymentInfo(
            supportedFeatures=[number for number in known.values() if number != left_out]
        )

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:
        return _empty()

    def RegisterResource(self, request: Any) -> Any:
        from pulumi.runtime.proto import resource_pb2

        done = self._engine.register(_registration(request))
        answer = resource_pb2.RegisterResourceResponse(urn=done.urn, id=done.id)
        answer.object.update(done.outputs)
        return answer

    def RegisterResourceOutputs(self, request: Any) -> Any:
        self._engine.register_outputs(request.urn, _values(request.outputs))
        return _empty()


_FIELDS = frozenset(
    (
        "type",
        "name",
        "parent",
        "custom",
        "object",
        "protect",
        "dependencies",
        "propertyDependencies",
        "deletedWith",
        "additionalSecretOutputs",
    )
)


def _registration(request: Any) -> Registration:
    given = {field.name for field, value in request.ListFields() if not _is_empty(value)}
    return Registration(
        type=request.type,
        name=request.name,
        parent=request.parent,
        custom=request.custom,
        protect=request.protect,
        deleted_with=request.deletedWith,
        dependencies=frozenset(request.dependencies),
        property_dependencies={
            name: frozenset(found.urns) for name, found in request.propertyDependencies.items()
        },
        secret_outputs=frozenset(request.additionalSecretOutputs),
        inputs=_values(request.object),
        others=tuple(sorted(given - _FIELDS - WITHOUT_EFFECT)),
    )


def _is_empty(value: Any) -> bool:
    """Tell whether a field says nothing, be it a message without fields."""
    return not value.ByteSize() if hasattr(value, "ByteSize") else not value


def _values(properties: Any) -> dict[str, Any]:
    """Return properties as the SDK hands them to a provider."""
    from pulumi.runtime import rpc

    values: dict[str, Any] = rpc.deserialize_properties(properties, True)
    return values


def _empty() -> Any:
    from google.protobuf.empty_pb2 import Empty

    return Empty()
