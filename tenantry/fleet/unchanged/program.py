"""The program of a stack, run against what its state holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tenantry
from tenantry.fleet.unchanged.doubt import Doubt, must
from tenantry.fleet.unchanged.recorded import Recorded, canonical
from tenantry.providers.framework import formats
from tenantry.pulumi_internals.backend_files import ORGANISATION
from tenantry.pulumi_internals.deployment import Resource
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.pulumi_internals.program_runs import run_program
from tenantry.pulumi_internals.provider_strings import called_by

COMPARED = frozenset(
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
    )
)
"""What of a registration is held against the state."""

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


def unchanged(root: Path, project: str, stack: str, recorded: Recorded, *, preview: bool) -> int:
    """Run the program of the project in the folder `root` and return how many dynamic resources stay.

    `preview`: as the engine runs it in a preview. Raises Doubt if anything differs from the state, and
    whatever the program raises.
    """
    monitor = Monitor(project, stack, recorded)
    try:
        run_program(
            root,
            project=project,
            stack=stack,
            config=recorded.config,
            organisation=ORGANISATION,
            preview=preview,
            monitor=monitor,
            engine=Engine(monitor),
        )
    finally:
        if monitor.doubt:
            raise monitor.doubt
    left = recorded.resources.keys() - monitor.registered - {recorded.provider["urn"]}
    must(not left, f"{', '.join(sorted(left))}: no longer in the program")
    must(monitor.finished == monitor.components, "a component has not registered its outputs")
    return sum(map(recorded.is_dynamic, monitor.registered))


class Engine:
    """Hears what a program says: anything but debugging lets the real engine say it."""

    def __init__(self, monitor: Monitor) -> None:
        self._monitor = monitor

    def Log(self, request: Any) -> None:
        """Take a message of the program."""
        from pulumi.runtime.proto import engine_pb2

        if request.severity != engine_pb2.DEBUG:
            self._monitor.refuse(f"the program says: {request.message}")

    def __getattr__(self, name: str) -> Any:
        """Refuse what is not foreseen here, as the program calls it."""
        return self._monitor.refused(name)


class Monitor:
    """Answers the registrations of a program from a state, as the engine does where nothing changes.

    The method names are those of the engine's ResourceMonitor service (pulumi/resource.proto). `doubt` is the
    first thing that may be a change; what the program does after it is of no interest.
    """

    def __init__(self, project: str, stack: str, recorded: Recorded) -> None:
        self._recorded = recorded
        self._root = f"urn:pulumi:{stack}::{project}"
        self.doubt: Doubt | None = None
        self.registered: set[str] = set()
        self.components: set[str] = set()
        self.finished: set[str] = set()

    def refuse(self, what: str) -> None:
        """Keep a doubt, and raise it."""
        self.doubt = self.doubt or Doubt(what)
        raise self.doubt

    def refused(self, name: str) -> Any:
        """Return a method that is called and not foreseen."""
        return lambda *_: self.refuse(f"the program calls {name}")

    def __getattr__(self, name: str) -> Any:
        """Refuse what is not foreseen here, as the program calls it."""
        return self.refused(name)

    def GetDeploymentInfo(self, request: Any) -> Any:
        """Return what the engine can do: all that a program of today asks for."""
        from pulumi.runtime.proto import resource_pb2

        features = [number for number in resource_pb2.ResourceMonitorFeature.values() if number]
        return resource_pb2.DeploymentInfo(supportedFeatures=features)

    def SignalAndWaitForShutdown(self, request: Any) -> Any:
        """Let the program end."""
        from google.protobuf.empty_pb2 import Empty

        return Empty()

    def RegisterResource(self, request: Any) -> Any:
        """Answer a registration with what the state has, if the engine would find it the same."""
        try:
            return self._same(request)
        except Doubt as doubt:
            self.doubt = self.doubt or doubt
            raise

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Take the outputs of the stack or a component, if they are those in the state."""
        from google.protobuf.empty_pb2 import Empty

        try:
            held = self._recorded.entry(request.urn).get("outputs") or {}
            must(canonical(_values(request.outputs)) == canonical(held), f"{request.urn}: its outputs")
        except Doubt as doubt:
            self.doubt = self.doubt or doubt
            raise
        self.finished.add(request.urn)
        return Empty()

    def _same(self, request: Any) -> Any:
        from pulumi.runtime.proto import resource_pb2

        urn = self._recorded.urn(request.parent, request.type, request.name, self._root)
        held = self._recorded.entry(urn)
        must(urn not in self.registered, f"{urn} is twice in the program")
        for field, value in request.ListFields():
            known = field.name in COMPARED or field.name in WITHOUT_EFFECT
            must(known or _is_empty(value), f"{urn}: {field.name}")
        must(_options(request) == _recorded_options(held), f"{urn}: its options")
        self.registered.add(urn)
        answer = resource_pb2.RegisterResourceResponse(urn=urn, id=held.get("id", ""))
        if not request.custom:
            must(not _values(request.object), f"{urn}: its inputs")
            self.components.add(urn)
            return answer
        must(self._recorded.is_dynamic(urn), f"{urn} is none of a dynamic provider")
        must(held["provider"] == self._recorded.provider_reference, f"{urn}: its provider")
        _compare(urn, held, _values(request.object))
        answer.object.update(held["outputs"])
        return answer


def _is_empty(value: Any) -> bool:
    """Tell whether a field says nothing, be it a message without fields."""
    return not value.ByteSize() if hasattr(value, "ByteSize") else not value


def _options(request: Any) -> tuple[object, ...]:
    return (
        bool(request.custom),
        request.parent,
        bool(request.protect),
        request.deletedWith,
        frozenset(request.dependencies),
        {name: frozenset(found.urns) for name, found in request.propertyDependencies.items()},
    )


def _recorded_options(held: Resource) -> tuple[object, ...]:
    return (
        held["custom"],
        held.get("parent", ""),
        bool(held.get("protect")),
        held.get("deletedWith", ""),
        frozenset(held.get("dependencies") or []),
        {name: frozenset(urns or []) for name, urns in (held.get("propertyDependencies") or {}).items()},
    )


def _compare(urn: str, held: Resource, given: Mapping[str, Any]) -> None:
    """Ask the provider of a resource what the engine would ask it. Raises Doubt for anything but "the same".

    The state and the program must name the same provider, which must be one of ours: the string is code.
    """
    inputs, outputs = held["inputs"], held["outputs"]
    named = given.get(PROVIDER_KEY)
    must(named == inputs.get(PROVIDER_KEY) == outputs.get(PROVIDER_KEY), f"{urn}: its provider's string")
    must(formats.is_ours(named) and formats.of(named) == formats.FORMAT, f"{urn}: its provider's string")
    checked, diff = _provider_says(urn, held, given, str(named))
    must(not checked.failures, f"{urn}: its inputs are refused")
    found = {**checked.inputs, PROVIDER_KEY: named}
    must(canonical(found) == canonical(inputs), f"{urn}: its inputs")
    must(not diff.changes and not diff.replaces, f"{urn}: its provider sees a change")


def _provider_says(urn: str, held: Resource, given: Mapping[str, Any], named: str) -> tuple[Any, Any]:
    """Return what a provider answers to *check* and *diff* of a resource.

    A provider finds out which resource it is asked about by `request` and `context`, see
    `tenantry.pulumi_internals.calls`.
    """
    from pulumi.runtime.proto import provider_pb2

    _, _, module = called_by(named) or ("", "", "")
    provider = _provider(module)
    request, context = provider_pb2.CheckRequest(urn=urn), _Context()  # noqa: F841
    checked = provider.check(dict(held["inputs"]), dict(given))
    inputs = {**checked.inputs, PROVIDER_KEY: named}
    return checked, provider.diff(held["id"], dict(held["outputs"]), inputs)


_providers: dict[str, Any] = {}


def _provider(module: str) -> Any:
    if module not in _providers:
        _providers[module] = tenantry.provider(module)
    return _providers[module]


class _Context:
    """Stands in for the gRPC context of a call."""

    def set_trailing_metadata(self, _metadata: object) -> None:
        """Take what would go to the engine."""


def _values(properties: Any) -> dict[str, Any]:
    """Return properties as the engine hands them to a provider. Raises Doubt for what is no plain value."""
    from pulumi.runtime import rpc

    found: dict[str, Any] = rpc.deserialize_properties(properties, True)
    canonical_or_doubt(found)
    return found


def canonical_or_doubt(value: object) -> str:
    """Return the canonical text of a value. Raises Doubt for secrets, assets, unknown values, references."""
    try:
        return canonical(value)
    except (TypeError, ValueError):
        raise Doubt("a value is none of JSON") from None
