"""The provider process's part: the SDK's own servicer of dynamic providers, called as the engine calls it.

Values cross as on the wire, in protobuf messages. The frame of the servicer's handler holds the `request` and
the `context` in which `tenantry.providers.framework.engine` looks for the URN and the run, and leaves its
errors.
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
"""How a value that is not known yet crosses the wire."""


@dataclass(frozen=True)
class Call:
    """One call of the engine: "check", "Space Sales". `fresh` is a check that is shown no old inputs."""

    kind: str
    resource: str
    fresh: bool = False

    def __str__(self) -> str:
        return f"{self.kind}{' (fresh)' if self.fresh else ''} {self.resource}"


@dataclass(frozen=True)
class Half:
    """What a call that failed half way returns about the object that exists all the same."""

    id: str
    outputs: Properties
    reasons: list[str]


class CallFailed(Exception):
    """A call failed; the text is what the user sees."""

    def __init__(self, message: str, half: Half | None) -> None:
        super().__init__(message)
        self.half = half


@dataclass(frozen=True)
class Difference:
    """Answer to a diff. `changes` is None where the engine is to compare the inputs itself."""

    changes: bool | None
    replaces: list[str]
    delete_before_replace: bool


class Provider:
    """One provider process, so one run: it knows nothing of any other. `log` hears of each call first."""

    def __init__(self, log: Callable[[Call], object]) -> None:
        self._servicer = _servicer()
        self._log = log
        # By its address a run is told apart from others.
        self._run: Any = {"resource_status_address": f"run-{uuid.uuid4().hex}"}

    def check(self, urn: str, olds: Properties, news: Properties) -> tuple[Properties, list[str]]:
        """The inputs to store, and what is wrong with them."""
        self._log(Call("check", short_name(urn), not olds))
        request = provider_pb2.CheckRequest(urn=urn, olds=_struct(olds), news=_struct(news))
        answer = self._call("Check", request)
        problems = [f"{failure.property} {failure.reason}".strip() for failure in answer.failures]
        return _plain(answer.inputs), problems

    def diff(
        self, urn: str, id: str, old_inputs: Properties, olds: Properties, news: Properties
    ) -> Difference:
        """Whether the object differs, and what must replace it."""
        self._log(Call("diff", short_name(urn)))
        request = provider_pb2.DiffRequest(
            urn=urn, id=id, old_inputs=_struct(old_inputs), olds=_struct(olds), news=_struct(news)
        )
        answer = self._call("Diff", request)
        changes = {answer.DIFF_NONE: False, answer.DIFF_SOME: True}.get(answer.changes)
        return Difference(changes, list(answer.replaces), answer.deleteBeforeReplace)

    def create(self, urn: str, inputs: Properties) -> tuple[str, Properties]:
        """Id and outputs of a new object."""
        self._log(Call("create", short_name(urn)))
        answer = self._call(
            "Create", provider_pb2.CreateRequest(urn=urn, properties=_struct(inputs), **self._run)
        )
        return answer.id, _plain(answer.properties)

    def read(
        self, urn: str, id: str, inputs: Properties, outputs: Properties
    ) -> tuple[str, Properties, Properties | None]:
        """Id, outputs and inputs as they are now. Id "" is gone; no inputs: they stay."""
        self._log(Call("read", short_name(urn)))
        request = provider_pb2.ReadRequest(
            urn=urn, id=id, inputs=_struct(inputs), properties=_struct(outputs), **self._run
        )
        answer = self._call("Read", request)
        found = _plain(answer.inputs) if answer.HasField("inputs") else None
        return answer.id, _plain(answer.properties), found

    def update(
        self, urn: str, id: str, old_inputs: Properties, olds: Properties, news: Properties
    ) -> Properties:
        """Outputs of a changed object."""
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
        """Remove an object."""
        self._log(Call("delete", short_name(urn)))
        request = provider_pb2.DeleteRequest(
            urn=urn, id=id, old_inputs=_struct(inputs), properties=_struct(outputs), **self._run
        )
        self._call("Delete", request)

    def _call(self, method: str, request: Any) -> Any:
        context = _Context()
        try:
            # In a context of its own: nothing of the program's runtime is there in another process.
            return contextvars.Context().run(getattr(self._servicer, method), request, context)
        except _Aborted as error:
            raise context.failure(str(error)) from None


class _Aborted(Exception):
    """Ends a handler, as gRPC does."""


class _Context:
    """What a servicer is given besides the request."""

    def __init__(self) -> None:
        self._trailing: dict[str, bytes] = {}

    def set_trailing_metadata(self, metadata: tuple[tuple[str, bytes], ...]) -> None:
        self._trailing = dict(metadata)

    def abort(self, _code: object, details: str) -> NoReturn:
        raise _Aborted(details)

    def failure(self, details: str) -> CallFailed:
        """The failure as the engine reads it: the status in the metadata, if one is there, else the text."""
        if "grpc-status-details-bin" not in self._trailing:
            return CallFailed(details, None)
        status = Status.FromString(self._trailing["grpc-status-details-bin"])
        half = provider_pb2.ErrorResourceInitFailed()
        if not any(detail.Unpack(half) for detail in status.details):
            return CallFailed(status.message, None)
        return CallFailed(status.message, Half(half.id, _plain(half.properties), list(half.reasons)))


def _without_main(name: str) -> CodeType:
    """Compile a module that starts a server at its end, without that."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text("utf-8"))
    last = tree.body.pop()
    assert ast.unparse(last) == "main()"
    return compile(tree, spec.origin, "exec")


SERVICER = _without_main("pulumi.dynamic.__main__")


def _servicer() -> Any:
    """A servicer as in a new process: its module keeps every provider that it has unpickled."""
    module: dict[str, Any] = {"__name__": "pulumi.dynamic.__main__"}
    exec(SERVICER, module)
    return module["DynamicResourceProviderServicer"]()


def _struct(properties: Properties) -> struct_pb2.Struct:
    message = struct_pb2.Struct()
    message.update(properties)
    return message


def _plain(message: struct_pb2.Struct) -> Properties:
    found: Properties = json_format.MessageToDict(message)
    return found
