"""Runs of a project's program in this process, with our own object instead of the engine.

Relies on: `pulumi.runtime.run_in_stack` runs a program, and `pulumi.runtime.settings.configure` takes any
objects as `monitor` and `engine`. The program calls their methods by the names of the gRPC services, with the
messages for the engine (pulumi/resource.proto, pulumi/engine.proto). `set_all_config` takes the configuration
in the form of the engine.

Verified with: SDK 3.272.0.

When it breaks: no stack is recognised as unchanged, and the engine runs each of them.
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
"""Fields of a registration without effect if the state has the resource under the same URN."""


@dataclass(frozen=True)
class Registration:
    """A resource as a program registers it.

    `inputs` may contain unknown values and secrets, in the form for a provider. `others` are the names of all
    other options that are set.
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
    """The engine's response to a registration."""

    urn: str
    id: str
    outputs: Mapping[str, Any]


class Engine(Protocol):
    """The replacement of the engine. An exception ends the program."""

    def register(self, registration: Registration) -> Registered:
        """Return the response to the registration of a resource."""

    def register_outputs(self, urn: str, outputs: Mapping[str, Any]) -> None:
        """Receive the outputs of a component, or of the stack."""

    def say(self, text: str) -> None:
        """Receive a message of the program, except debug messages."""

    def call(self, name: str) -> None:
        """Receive the name of any other call, which has no response."""


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
    """Run the program in the folder `root` like the engine does for a stack. Raises what the program raises.

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
    """A service of the engine. A method that is not defined below is a call without a response."""

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

        # Without output values the SDK sends secrets in the form for a provider.
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
        response = resource_pb2.RegisterResourceResponse(urn=done.urn, id=done.id)
        response.object.update(done.outputs)
        return response

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
    present = {field.name for field, value in request.ListFields() if not _is_empty(value)}
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
        others=tuple(sorted(present - _FIELDS - WITHOUT_EFFECT)),
    )


def _is_empty(value: Any) -> bool:
    """Tell whether a field is empty, or is a message without fields."""
    return not value.ByteSize() if hasattr(value, "ByteSize") else not value


def _values(properties: Any) -> dict[str, Any]:
    """Return properties in the form for a provider."""
    from pulumi.runtime import rpc

    values: dict[str, Any] = rpc.deserialize_properties(properties, True)
    return values


def _empty() -> Any:
    from google.protobuf.empty_pb2 import Empty

    return Empty()
