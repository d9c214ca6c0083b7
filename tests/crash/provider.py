"""The provider process: the SDK's own servicer of dynamic providers, called like the engine calls it.

Values are protobuf messages, as on the wire. The frame of the servicer's handler has the variables
`request` and `context`. `tenantry.providers.framework.engine` reads the URN and the run from them, and stores
its errors there.
"""

from __future__ import annotations

import ast
import contextvars
import importlib.util
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import CodeType
from typing import Any, NoReturn

from google.protobuf import json_format, struct_pb2
from google.rpc.status_pb2 import Status
from pulumi.runtime.proto import provider_pb2

from tests.crash.resources import Properties
from tests.e2e.result import short_name

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""An unknown value on the wire."""


@dataclass(frozen=True)
class Call:
    """One call of the engine: a method ("check") and a resource ("Space Sales").

    `fresh` marks a check without old inputs.
    """

    method: str
    resource: str
    fresh: bool = False

    def __str__(self) -> str:
        return f"{self.method}{' (fresh)' if self.fresh else ''} {self.resource}"


@dataclass(frozen=True)
class PartialResult:
    """The properties of an object that exists although its call failed."""

    id: str
    outputs: Properties
    reasons: list[str]


class CallFailed(Exception):
    """A failed call; the text is the error message for the user."""

    def __init__(self, message: str, partial: PartialResult | None) -> None:
        super().__init__(message)
        self.partial = partial


@dataclass(frozen=True)
class Difference:
    """The response to a diff. `changes` is None if the engine must compare the inputs."""

    changes: bool | None
    replaces: list[str]
    delete_before_replace: bool


class Provider:
    """One provider process, for one run. It shares nothing with other runs. `log` gets each call first."""

    def __init__(self, log: Callable[[Call], object]) -> None:
        self._servicer = _servicer()
        self._log = log
        # The address identifies a run.
        self._run: Any = {"resource_status_address": f"run-{uuid.uuid4().hex}"}

    def check(self, urn: str, olds: Properties, news: Properties) -> tuple[Properties, list[str]]:
        """Return the inputs to store, and their problems."""
        self._log(Call("check", short_name(urn), not olds))
        request = provider_pb2.CheckRequest(urn=urn, olds=_struct(olds), news=_struct(news))
        response = self._call("Check", request)
        problems = [f"{failure.property} {failure.reason}".strip() for failure in response.failures]
        return _plain(response.inputs), problems

    def diff(
        self, urn: str, id: str, old_inputs: Properties, olds: Properties, news: Properties
    ) -> Difference:
        """Compare the object with the new inputs."""
        self._log(Call("diff", short_name(urn)))
        request = provider_pb2.DiffRequest(
            urn=urn, id=id, old_inputs=_struct(old_inputs), olds=_struct(olds), news=_struct(news)
        )
        response = self._call("Diff", request)
        changes = {response.DIFF_NONE: False, response.DIFF_SOME: True}.get(response.changes)
        return Difference(changes, list(response.replaces), response.deleteBeforeReplace)

    def create(self, urn: str, inputs: Properties) -> tuple[str, Properties]:
        """Create an object; return its id and outputs."""
        self._log(Call("create", short_name(urn)))
        response = self._call(
            "Create", provider_pb2.CreateRequest(urn=urn, properties=_struct(inputs), **self._run)
        )
        return response.id, _plain(response.properties)

    def read(
        self, urn: str, id: str, inputs: Properties, outputs: Properties
    ) -> tuple[str, Properties, Properties | None]:
        """Return the current id ("" after a deletion), outputs, and inputs (None if they are unchanged)."""
        self._log(Call("read", short_name(urn)))
        request = provider_pb2.ReadRequest(
            urn=urn, id=id, inputs=_struct(inputs), properties=_struct(outputs), **self._run
        )
        response = self._call("Read", request)
        found = _plain(response.inputs) if response.HasField("inputs") else None
        return response.id, _plain(response.properties), found

    def update(
        self, urn: str, id: str, old_inputs: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Update an object; return its outputs."""
        self._log(Call("update", short_name(urn)))
        request = provider_pb2.UpdateRequest(
            urn=urn,
            id=id,
            old_inputs=_struct(old_inputs),
            olds=_struct(olds),
            news=_struct(news),
            **self._run,
        )
        return _plain(self._call("Update", request).properties)

    def delete(self, urn: str, id: str, inputs: Properties, outputs: Properties) -> None:
        """Delete an object."""
        self._log(Call("delete", short_name(urn)))
        request = provider_pb2.DeleteRequest(
            urn=urn, id=id, old_inputs=_struct(inputs), properties=_struct(outputs), **self._run
        )
        self._call("Delete", request)

    def _call(self, method: str, request: Any) -> Any:
        context = _Context()
        try:
            # Use a new context, because another process does not have the program's runtime.
            return contextvars.Context().run(getattr(self._servicer, method), request, context)
        except _Aborted as error:
            raise context.failure(str(error)) from None


class _Aborted(Exception):
    """The error with which gRPC ends a handler."""


class _Context:
    """The context that a servicer gets with the request."""

    def __init__(self) -> None:
        self._trailing: dict[str, bytes] = {}

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self._trailing = dict(metadata)

    def abort(self, _code: object, details: str) -> NoReturn:
        raise _Aborted(details)

    def failure(self, details: str) -> CallFailed:
        """Return the failure as the engine reads it: the status in the metadata, or else the text."""
        if "grpc-status-details-bin" not in self._trailing:
            return CallFailed(details, None)
        status = Status.FromString(self._trailing["grpc-status-details-bin"])
        partial = provider_pb2.ErrorResourceInitFailed()
        if not any(detail.Unpack(partial) for detail in status.details):
            return CallFailed(status.message, None)
        return CallFailed(
            status.message, PartialResult(partial.id, _plain(partial.properties), list(partial.reasons))
        )


def _without_main(name: str) -> CodeType:
    """Compile a module without its last part, which starts a server."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    last = tree.body.pop()
    assert ast.unparse(last) == "main()"
    return compile(tree, spec.origin, "exec")


SERVICER = _without_main("pulumi.dynamic.__main__")


def _servicer() -> Any:
    """Return a servicer as in a new process: its module caches every provider that it has unpickled."""
    module: dict[str, Any] = {"__name__": "pulumi.dynamic.__main__"}
    exec(SERVICER, module)
    return module["DynamicResourceProviderServicer"]()


def _struct(properties: Properties) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(properties)
    return message


def _plain(message: struct_pb2.Struct) -> Properties:
    properties: Properties = json_format.MessageToDict(message)
    return properties
