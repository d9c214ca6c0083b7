"""The resource monitor: the engine's service for the SDK of a program."""

from __future__ import annotations

from typing import Any

from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import resource_pb2

from tests.crash.deployment import Deployment
from tests.crash.goals import Goal, Stop
from tests.crash.program import Deferred, EngineQueue, EngineStopped
from tests.crash.resources import STACK, urn_of

FEATURES = [
    resource_pb2.RESOURCE_MONITOR_FEATURE_ALIAS_SPECS,
    resource_pb2.RESOURCE_MONITOR_FEATURE_DELETED_WITH,
]
UNKNOWN_OPTIONS = {
    "importId",
    "ignoreChanges",
    "replaceOnChanges",
    "replace_with",
    "retainOnDelete",
    "provider",
    "remote",
    "transforms",
    "replacement_trigger",
}
"""Options that this engine does not support, so programs must not use them.

The engine has no secrets, so it ignores the list of secret outputs.
"""


class Monitor:
    """Responds to the SDK's requests in order. After a failure, it only finishes steps that had begun."""

    def __init__(self, run: Deployment, queue: EngineQueue, *, project: str, stack: str) -> None:
        self._run, self._queue = run, queue
        self._project, self._stack = project, stack
        self._requests_at_failure = 0
        self._free_slots = 0
        self.stack_outputs: dict[str, Any] = {}

    def GetDeploymentInfo(self, _request: Any) -> Any:
        """Return the supported features of the SDK. Without secrets, values are plain."""
        return resource_pb2.DeploymentInfo(supportedFeatures=FEATURES)

    def RegisterResource(self, request: Any) -> Any:
        """Run the steps for a resource."""
        if self._run.stopped and not self._take_free_slot():
            raise EngineStopped
        urn = urn_of(self._stack, self._project, request.parent, request.type, request.name)
        try:
            entry = self._run.register(_goal(request), urn)
        except Stop as error:
            self._run.errors.append(str(error))
            if not self._run.stopped:
                self._run.stopped = True
                self._requests_at_failure = self._queue.request_count
                self._free_slots = self._run.options.parallel - 1
            # The program sees the error only after all begun steps are finished.
            raise Deferred from None
        response = resource_pb2.RegisterResourceResponse(urn=entry.urn, id=entry.id)
        response.unknown = entry.urn in self._run.skipped
        if entry.custom:
            response.object.update(entry.outputs)
        return response

    def RegisterResourceOutputs(self, request: Any) -> Any:
        """Store the outputs of a component; keep the outputs of the stack until the end."""
        if self._run.stopped:
            raise EngineStopped
        outputs = json_format.MessageToDict(request.outputs)
        if request.urn.split("::")[2] == STACK:
            self.stack_outputs = outputs
        else:
            self._run.outputs(request.urn, outputs)
        return empty_pb2.Empty()

    def SignalAndWaitForShutdown(self, _request: Any) -> Any:
        """Confirm the end of the program."""
        return empty_pb2.Empty()

    def _take_free_slot(self) -> bool:
        """Use a free slot for a registration from before the failure; return False if that is impossible."""
        has_begun = self._queue.current_number <= self._requests_at_failure and self._free_slots > 0
        self._free_slots -= has_begun
        return has_begun


def _goal(request: Any) -> Goal:
    unknown = {field.name for field, _ in request.ListFields()} & UNKNOWN_OPTIONS
    assert not unknown, f"{request.name} has the options {unknown}"
    inputs = json_format.MessageToDict(request.object)
    by_property = {
        name: sorted(dependencies.urns) for name, dependencies in request.propertyDependencies.items()
    }
    if not by_property:
        by_property = {name: sorted(request.dependencies) for name in inputs}
    return Goal(
        type=request.type,
        name=request.name,
        custom=request.custom,
        inputs=inputs,
        parent=request.parent,
        protect=request.protect,
        delete_before_replace=request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else None,
        deleted_with=request.deletedWith,
        dependencies=sorted(request.dependencies),
        property_dependencies={name: urns for name, urns in by_property.items() if urns},
        former_names=[_former_name(alias, request.parent) for alias in request.aliases],
    )


def _former_name(alias: Any, parent: str) -> str:
    spec = alias.spec
    other = [alias.urn, spec.type, spec.stack, spec.project, spec.noParent]
    assert not any(other), f"an alias with more than a name: {alias}"
    assert spec.parentUrn in ("", parent), f"an alias under another parent: {alias}"
    return str(spec.name)
