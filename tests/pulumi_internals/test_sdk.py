"""Canaries for the SDK alone."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from google.protobuf import struct_pb2
from pulumi.dynamic import dynamic
from pulumi.runtime import resource as sdk
from pulumi.runtime import rpc, settings
from pulumi.runtime.proto.source_pb2 import StackTrace

from tenantry.providers import Space
from tenantry.pulumi_internals import stack_traces
from tenantry.pulumi_internals.config_values import is_secret
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY, TYPES
from tenantry.pulumi_internals.environment import PYTHON_COMMAND
from tenantry.pulumi_internals.stack_traces import no_stack_trace
from tenantry.pulumi_internals.unknown_values import PLACEHOLDER, is_unknown
from tests.providers.samples import SAMPLES
from tests.pulumi_internals import changed
from tests.pulumi_internals.conftest import PULUMI
from tests.pulumi_internals.things import Thing


def source(module: str) -> str:
    """Return the source text of a module that must not be imported."""
    spec = importlib.util.find_spec(module)
    assert spec, changed("attaching", f"Find what has replaced {module}.")
    assert spec.origin
    return Path(spec.origin).read_text("utf-8")


def test_a_resource_is_registered_with_the_stack_trace_of_the_function() -> None:
    next_step = "Find where the SDK gets the stack trace of a resource, and return an empty one there."
    advice = changed("stack_traces", next_step)
    assert callable(getattr(sdk, stack_traces.NAME, None)), advice
    assert f"{stack_traces.NAME}()" in inspect.getsource(sdk.register_resource), advice
    assert isinstance(getattr(sdk, stack_traces.NAME)(), StackTrace), advice


class Mocks(pulumi.runtime.Mocks):
    """A provider that creates nothing."""

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, object], None]:
        return {}, None

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, object]]:
        return "id", dict(args.inputs)


@pytest.fixture
def mocked_engine() -> Iterator[None]:
    """Register resources with mocks instead of an engine."""
    before = settings.SETTINGS.__dict__.copy()
    # The SDK uses the loop of this thread, which another test may have closed.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.set_mocks(Mocks(), project="canary", stack="one")
    yield
    settings.SETTINGS.__dict__.update(before)
    remaining = asyncio.all_tasks(loop)
    for task in remaining:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*remaining, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("mocked_engine")
def test_other_resources_of_a_program_keep_their_stack_traces() -> None:
    """The SDK's own function is restored after each block, even after a failure."""
    original = getattr(sdk, stack_traces.NAME)

    Space("one", **SAMPLES["Space"])
    assert getattr(sdk, stack_traces.NAME) is original
    with pytest.raises(ZeroDivisionError), no_stack_trace():
        sys.exit(1 // int(getattr(sdk, stack_traces.NAME) is not StackTrace))
    assert getattr(sdk, stack_traces.NAME) is original


def test_no_stack_trace_does_nothing_without_the_function_of_the_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sdk, stack_traces.NAME)
    with no_stack_trace():
        assert not hasattr(sdk, stack_traces.NAME)
    assert not hasattr(sdk, stack_traces.NAME)


def test_an_unknown_value_is_an_instance_of_the_class() -> None:
    advice = changed(
        "unknown_values", "Find the value that the provider's check and diff receive for an unknown value."
    )
    wire = struct_pb2.Struct()
    wire.update({"a": PLACEHOLDER, "b": {"c": [PLACEHOLDER, "x"]}})
    found = rpc.deserialize_properties(wire, True)
    assert rpc.UNKNOWN == PLACEHOLDER, advice
    assert is_unknown(found["a"]), advice
    assert is_unknown(found["b"]["c"][0]), advice
    assert not is_unknown(found["b"]["c"][1])


def test_the_provider_is_under_the_key_and_the_type_has_the_prefix() -> None:
    advice = changed(
        "dynamic_resources",
        "Existing states have the former key and types, and an upgrade must still read them.",
    )
    assert dynamic.PROVIDER_KEY == PROVIDER_KEY, advice
    assert f'PROVIDER_KEY = "{PROVIDER_KEY}"' in source("pulumi.dynamic.__main__"), advice
    assert f"pulumi-python:{Thing._resource_type_name}" == f"{TYPES}/canary:Thing", advice


def test_the_sdk_distinguishes_secret_values() -> None:
    before = settings.SETTINGS.__dict__.copy()
    try:
        pulumi.runtime.set_all_config({"canary:a": "x", "canary:b": "y"}, ["canary:b"])
        found = is_secret("canary:a"), is_secret("canary:b")
    finally:
        settings.SETTINGS.__dict__.update(before)
        pulumi.runtime.set_all_config({})
    assert found == (False, True), changed("config_values", "Find how the SDK marks secrets.")


def test_the_provider_process_registers_its_servicer_where_attach_is_added() -> None:
    """If `test_the_engine_attaches_to_a_running_provider` fails too, this test shows what has changed."""
    text = source("pulumi.dynamic.__main__")
    next_step = "Find how `pulumi.dynamic` serves, and add `Attach` there."
    assert "provider_pb2_grpc.add_ResourceProviderServicer_to_server(" in text, changed(
        "attaching", next_step
    )
    assert "def Attach" not in text, (
        "The SDK supports `Attach` now, so tenantry/pulumi_internals/attaching.py no longer has to add it."
    )


def test_the_provider_process_serves_with_a_pool_of_few_threads() -> None:
    """`test_more_calls_than_four_run_at_once` shows that Tenantry raises the number."""
    found = re.search(r"ThreadPoolExecutor\(max_workers=(\d+)\)", source("pulumi.dynamic.__main__"))
    assert found, changed("workers", "Find how `pulumi.dynamic` limits the calls that it handles at once.")
    assert int(found[1]) < 16, "The SDK has enough threads now: see tenantry/pulumi_internals/workers.py"


def test_the_provider_process_creates_each_provider_with_one_function() -> None:
    """If `test_a_foreign_provider_string_is_refused` fails too, this test shows what has changed."""
    text = source("pulumi.dynamic.__main__")
    next_step = (
        "Find where `pulumi.dynamic` unpickles `__provider`, and check the string before that in `guard`."
    )
    assert text.count("dill.loads(") == 1, changed("provider_strings", next_step)
    assert "def get_provider(props: " in text, changed("provider_strings", next_step)
    assert "class DynamicResourceProviderServicer" in text, changed("provider_strings", next_step)
    handlers = re.findall(r"def (?:Check|Diff|Create|Read|Update|Delete)\(self, request, context\)", text)
    assert len(re.findall(r"= get_provider\((?:props|olds|news), self\._config\)", text)) >= len(handlers)


def test_the_provider_process_runs_in_the_python_of_the_variable() -> None:
    """The engine sets the last arguments."""
    path = os.pathsep.join((str(PULUMI.parent), str(PULUMI.parents[1] / "pulumi"), os.environ["PATH"]))
    script = shutil.which("pulumi-resource-pulumi-python", path=path)
    assert script, changed("environment", "Find what starts the provider process.")
    process = subprocess.run(
        [script, "127.0.0.1:1"],
        env={"PATH": os.environ["PATH"], PYTHON_COMMAND: shutil.which("echo") or "echo"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout.split() == ["-u", "-m", "pulumi.dynamic", "127.0.0.1:1"], changed(
        "environment", f"Find what chooses the Python of the provider process. This one is {sys.executable}."
    )
