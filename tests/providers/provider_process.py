"""The provider process as the engine starts it, driven over gRPC without the engine."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import grpc
from google.protobuf import struct_pb2
from google.rpc.status_pb2 import Status
from pulumi.runtime import rpc
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from tenantry.demo.environment import client_environment, private_environment
from tenantry.providers.framework.resource import provider_string
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY

ROOT = Path(__file__).resolve().parents[2]


class Engine:
    """A server that listens like the engine. The provider process watches its address. `die` closes it."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def die(self) -> None:
        """Stop listening, as a killed engine does."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        while True:
            try:
                self._listening.accept()[0].close()
            except OSError:
                return


class ProviderProcess:
    """`python -m pulumi.dynamic` for one resource type, and the calls of the engine. A context manager.

    Args:
        module: the module of the resource type.
        qlik: URL of an emulator.
        folder: the folder for notes and caches.
        before: Python code that the process runs before it serves, for example to patch a module.
    """

    def __init__(self, module: str, qlik: str, folder: Path, before: str = "", **env: str) -> None:
        self.engine = Engine()
        self._provider = provider_string(module)
        environment = private_environment(folder / "pulumi") | client_environment(qlik) | env
        environment |= {"HOME": str(folder), "PYTHONPATH": str(ROOT)}
        start = (
            f"{before}\nimport runpy\nrunpy.run_module('pulumi.dynamic', run_name='__main__', alter_sys=True)"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-c", start, self.engine.address],
            env=environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout is not None
        self._channel = grpc.insecure_channel(f"127.0.0.1:{int(self.process.stdout.readline())}")
        self._stub = provider_pb2_grpc.ResourceProviderStub(self._channel)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self.process.kill()
        self.output = self.process.communicate()[0]

    def check(
        self, olds: Mapping[str, Any], news: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        """Check the inputs. Return the checked inputs, and the failures as (property, reason)."""
        request = provider_pb2.CheckRequest(urn=urn("x"), olds=self._wire(olds), news=self._wire(news))
        answer = self._stub.Check(request)
        failures = [(failure.property, failure.reason) for failure in answer.failures]
        return self._read(answer.inputs), failures

    def diff(self, id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> list[str]:
        """Compare the properties. Return the names of those whose change replaces the object."""
        request = provider_pb2.DiffRequest(id=id, urn=urn("x"), olds=self._wire(olds), news=self._wire(news))
        return list(self._stub.Diff(request).replaces)

    def create(
        self, inputs: Mapping[str, Any], name: str = "x", module: str = ""
    ) -> tuple[str, dict[str, Any]]:
        """Create an object. Return its id and outputs.

        `module` names another resource type than that of this process.
        """
        own_provider = self._provider
        if module:
            self._provider = provider_string(module)
        try:
            request = provider_pb2.CreateRequest(urn=urn(name), properties=self._wire(inputs))
            answer = self._stub.Create(request)
            return answer.id, self._read(answer.properties)
        finally:
            self._provider = own_provider

    def create_proof(self, name: str = "Globex") -> dict[str, Any]:
        """Create a tenant proof. Return its `proof` output."""
        inputs = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": name}
        proof: dict[str, Any] = self.create(inputs, module="tenant_proof")[1]["proof"]
        return proof

    def read(self, id: str, outputs: Mapping[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Read the object. Return its id, outputs and inputs."""
        wire = self._wire(outputs)
        answer = self._stub.Read(provider_pb2.ReadRequest(id=id, urn=urn("x"), properties=wire, inputs=wire))
        return answer.id, self._read(answer.properties), self._read(answer.inputs)

    def update(self, id: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
        """Update the object. Return its outputs."""
        request = provider_pb2.UpdateRequest(
            id=id, urn=urn("x"), olds=self._wire(olds), news=self._wire(news)
        )
        return self._read(self._stub.Update(request).properties)

    def delete(self, id: str, outputs: Mapping[str, Any]) -> None:
        """Delete the object."""
        self._stub.Delete(provider_pb2.DeleteRequest(id=id, urn=urn("x"), properties=self._wire(outputs)))

    def _wire(self, properties: Mapping[str, Any]) -> struct_pb2.Struct:
        return asyncio.run(rpc.serialize_properties({**properties, PROVIDER_KEY: self._provider}, {}))

    def _read(self, wire: struct_pb2.Struct) -> dict[str, Any]:
        properties: dict[str, Any] = rpc.deserialize_properties(wire)
        assert properties.pop(PROVIDER_KEY) == self._provider
        return properties


def urn(name: str) -> str:
    """Return a URN in the format of the engine."""
    return f"urn:pulumi:globex::tenantry::pulumi-python:dynamic/qlik:Any::{name}"


class FailedCall:
    """The result of a failed call: the message, and the unfinished object that the engine records.

    Raises AssertionError if the call does not fail.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        try:
            returned = call()
        except grpc.RpcError as error:
            self.details = error.details() or ""
            trailing: dict[str, Any] = dict(error.trailing_metadata())  # type: ignore[arg-type]
        else:
            raise AssertionError(f"the call did not fail, it returned {returned}")
        self.status: Status | None = None
        self.unfinished: provider_pb2.ErrorResourceInitFailed | None = None
        if "grpc-status-details-bin" in trailing:
            self.status = Status.FromString(trailing["grpc-status-details-bin"])
            for detail in self.status.details:
                self.unfinished = provider_pb2.ErrorResourceInitFailed()
                assert detail.Unpack(self.unfinished)

    @property
    def text(self) -> str:
        """Return the message that the engine shows."""
        return self.status.message if self.status else self.details
