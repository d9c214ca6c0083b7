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
    """The text of a module that must not be imported."""
    found = importlib.util.find_spec(module)
    assert found, changed("attaching", f"Find what has taken the place of {module}.")
    assert found.origin
    return Path(found.origin).read_text("utf-8")


def test_a_resource_is_registered_with_what_the_function_returns() -> None:
    then = "Find where the SDK takes the stack trace of a resource from, and put an empty one there."
    why = changed("stack_traces", then)
    assert callable(getattr(sdk, stack_traces.NAME, None)), why
    assert f"{stack_traces.NAME}()" in inspect.getsource(sdk.register_resource), why
    assert isinstance(getattr(sdk, stack_traces.NAME)(), StackTrace), why


class Mocks(pulumi.runtime.Mocks):
    """A provider that creates nothing."""

    def call(self, args: pulumi.runtime.MockCallArgs) -> tuple[dict[str, object], None]:
        return {}, None

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, object]]:
        return "id", dict(args.inputs)


@pytest.fixture
def mocked() -> Iterator[None]:
    before = settings.SETTINGS.__dict__.copy()
    # The SDK asks for the loop of this thread, which another test may have closed.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.set_mocks(Mocks(), project="canary", stack="one")
    yield
    settings.SETTINGS.__dict__.update(before)
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("mocked")
def test_other_resources_of_a_program_keep_their_stack_traces() -> None:
    """The SDK's own function is restored after each block, even after a failure."""
    theirs = getattr(sdk, stack_traces.NAME)

    Space("one", **SAMPLES["Space"])
    assert getattr(sdk, stack_traces.NAME) is theirs
    with pytest.raises(ZeroDivisionError), no_stack_trace():
        sys.exit(1 // int(getattr(sdk, stack_traces.NAME) is not StackTrace))
    assert getattr(sdk, stack_traces.NAME) is theirs


def test_an_sdk_without_the_function_does_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sdk, stack_traces.NAME)
    with no_stack_trace():
        assert not hasattr(sdk, stack_traces.NAME)
    assert not hasattr(sdk, stack_traces.NAME)


def test_an_unknown_value_comes_as_an_instance_of_the_class() -> None:
    why = changed("unknown_values", "Find what the provider's check and diff get for an unknown value.")
    wire = struct_pb2.Struct()
    wire.update({"a": PLACEHOLDER, "b": {"c": [PLACEHOLDER, "x"]}})
    found = rpc.deserialize_properties(wire, True)
    assert rpc.UNKNOWN == PLACEHOLDER, why
    assert is_unknown(found["a"]), why
    assert is_unknown(found["b"]["c"][0]), why
    assert not is_unknown(found["b"]["c"][1])


def test_the_provider_is_under_the_key_and_the_type_begins_so() -> None:
    why = changed("dynamic_resources", "States hold the former key and types: an upgrade must read them.")
    assert dynamic.PROVIDER_KEY == PROVIDER_KEY, why
    assert f'PROVIDER_KEY = "{PROVIDER_KEY}"' in source("pulumi.dynamic.__main__"), why
    assert f"pulumi-python:{Thing._resource_type_name}" == f"{TYPES}/canary:Thing", why


def test_whether_a_value_is_secret_is_told() -> None:
    before = settings.SETTINGS.__dict__.copy()
    try:
        pulumi.runtime.set_all_config({"canary:a": "x", "canary:b": "y"}, ["canary:b"])
        found = is_secret("canary:a"), is_secret("canary:b")
    finally:
        settings.SETTINGS.__dict__.update(before)
        pulumi.runtime.set_all_config({})
    assert found == (False, True), changed("config_values", "Find how the SDK tells secrets from the rest.")


def test_the_provider_process_registers_its_servicer_where_attach_is_added() -> None:
    """`test_the_engine_attaches_to_a_provider_that_runs` shows that it works; this shows what has changed."""
    text = source("pulumi.dynamic.__main__")
    then = "Find how `pulumi.dynamic` serves, and add `Attach` there."
    assert "provider_pb2_grpc.add_ResourceProviderServicer_to_server(" in text, changed("attaching", then)
    assert "def Attach" not in text, (
        "The SDK answers `Attach` by itself now: tenantry/pulumi_internals/attaching.py need not add it."
    )


def test_the_provider_process_serves_with_a_pool_of_few_threads() -> None:
    """`test_more_calls_than_four_are_answered_at_once` shows that the number is raised."""
    found = re.search(r"ThreadPoolExecutor\(max_workers=(\d+)\)", source("pulumi.dynamic.__main__"))
    assert found, changed("workers", "Find how `pulumi.dynamic` limits the calls that it answers at once.")
    assert int(found[1]) < 16, "The SDK has enough threads now: see tenantry/pulumi_internals/workers.py"


def test_the_provider_process_makes_each_provider_with_one_function() -> None:
    """`test_a_foreign_provider_string_is_refused` shows that the process asks before; this says what has
    moved.
    """
    text = source("pulumi.dynamic.__main__")
    then = "Find where `pulumi.dynamic` unpickles `__provider`, and have `guard` ask before it does."
    assert text.count("dill.loads(") == 1, changed("provider_strings", then)
    assert "def get_provider(props: " in text, changed("provider_strings", then)
    assert "class DynamicResourceProviderServicer" in text, changed("provider_strings", then)
    handlers = re.findall(r"def (?:Check|Diff|Create|Read|Update|Delete)\(self, request, context\)", text)
    assert len(re.findall(r"= get_provider\((?:props|olds|news), self\._config\)", text)) >= len(handlers)


def test_the_provider_process_runs_in_the_python_of_the_variable() -> None:
    """The last arguments come from the engine."""
    path = os.pathsep.join((str(PULUMI.parent), str(PULUMI.parents[1] / "pulumi"), os.environ["PATH"]))
    script = shutil.which("pulumi-resource-pulumi-python", path=path)
    assert script, changed("environment", "Find what starts the provider process.")
    done = subprocess.run(
        [script, "127.0.0.1:1"],
        env={"PATH": os.environ["PATH"], PYTHON_COMMAND: shutil.which("echo") or "echo"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["-u", "-m", "pulumi.dynamic", "127.0.0.1:1"], changed(
        "environment", f"Find what chooses the Python of the provider process. This one is {sys.executable}."
    )
