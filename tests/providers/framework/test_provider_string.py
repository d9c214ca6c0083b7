"""The type tokens and `__provider` strings, which are in the state of every stack.

A change of a string or token would update or replace every resource of every customer.
"""

from __future__ import annotations

import base64
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tenantry.providers import MODULES, resource_types
from tenantry.providers.framework.adapter import Provider
from tenantry.providers.framework.resource import provider_string

ROOT = Path(__file__).resolve().parents[3]

STRINGS = {
    "TenantProof": "gASVLAAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMDHRlbmFudF9wcm9vZpSFlFKULg==",
    "Tenant": "gASVJgAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBnRlbmFudJSFlFKULg==",
    "TenantLifecycle": "gASVMAAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMEHRlbmFudF9saWZlY3ljbGWUhZRSlC4=",
    "TenantActivation": "gASVMQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMEXRlbmFudF9hY3RpdmF0aW9ulIWUUpQu",
    "User": "gASVJAAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBHVzZXKUhZRSlC4=",
    "TenantAdmin": "gASVLAAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMDHRlbmFudF9hZG1pbpSFlFKULg==",
    "Group": "gASVJQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBWdyb3VwlIWUUpQu",
    "Space": "gASVJQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBXNwYWNllIWUUpQu",
    "SpaceAssignment": "gASVMAAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMEHNwYWNlX2Fzc2lnbm1lbnSUhZRSlC4=",
    "App": "gASVIwAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMA2FwcJSFlFKULg==",
    "AppPublication": "gASVLwAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMD2FwcF9wdWJsaWNhdGlvbpSFlFKULg==",
    "AppReload": "gASVKgAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMCmFwcF9yZWxvYWSUhZRSlC4=",
    "DataConnection": "gASVLwAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMD2RhdGFfY29ubmVjdGlvbpSFlFKULg==",
    "DataFile": "gASVKQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMCWRhdGFfZmlsZZSFlFKULg==",
    "GroupSettings": "gASVLgAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMDmdyb3VwX3NldHRpbmdzlIWUUpQu",
    "LicenseSettings": "gASVMAAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMEGxpY2Vuc2Vfc2V0dGluZ3OUhZRSlC4=",
    "OidcIdentityProvider": "gASVNgAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMFm9pZGNfaWRl"
    "bnRpdHlfcHJvdmlkZXKUhZRSlC4=",
    "SamlIdentityProvider": "gASVNgAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMFnNhbWxfaWRl"
    "bnRpdHlfcHJvdmlkZXKUhZRSlC4=",
    "OAuthClient": "gASVLAAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMDG9hdXRoX2NsaWVudJSFlFKULg==",
    "CspOrigin": "gASVKgAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMCmNzcF9vcmlnaW6UhZRSlC4=",
    "Brand": "gASVJQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBWJyYW5klIWUUpQu",
    "ReloadTask": "gASVKwAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMC3JlbG9hZF90YXNrlIWUUpQu",
    "Automation": "gASVKgAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMCmF1dG9tYXRpb26UhZRSlC4=",
    "PinnedLink": "gASVKwAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMC3Bpbm5lZF9saW5rlIWUUpQu",
    "Theme": "gASVJQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMBXRoZW1llIWUUpQu",
    "Extension": "gASVKQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMCWV4dGVuc2lvbpSFlFKULg==",
    "WebIntegration": "gASVLwAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMD3dlYl9pbnRlZ3JhdGlvbpSFlFKULg==",
    "Webhook": "gASVJwAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMB3dlYmhvb2uUhZRSlC4=",
    "JwtIdentityProvider": "gASVNQAAAAAAAACMCHRlbmFudHJ5lIwIcHJvdmlkZXKUk5SMFWp3dF9pZGVudGl0eV9wcm92"
    "aWRlcpSFlFKULg==",
}
"""The released strings. You may add a resource type, but never change a line."""

TOKEN = "pulumi-python:dynamic/qlik:{name}"
"""The type token. It is also in every state."""

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")

# Runs under each Python version. These may not have the SDK, and the string does not depend on it.
PROGRAM_WITHOUT_SDK = """
import base64, json, pickle, sys, types
from importlib.machinery import ModuleSpec

class NoSdk:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "pulumi" else None
    def create_module(self, spec):
        return AnyAttribute(spec.name)
    def exec_module(self, module):
        pass

class AnyAttribute(types.ModuleType):
    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})

sys.meta_path.insert(0, NoSdk())
import tenantry
import tenantry.providers
from tenantry.providers.framework.resource import provider_string
written = {name: provider_string(module) for name, module in tenantry.providers.MODULES.items()}
tenantry.provider = lambda module: module
read = {name: pickle.loads(base64.b64decode(text)) for name, text in written.items()}
print(json.dumps({"version": sys.version_info[:2], "written": written, "read": read}))
"""


def test_every_resource_type_is_here() -> None:
    """For a new resource type, add a line above."""
    assert STRINGS.keys() == MODULES.keys() == resource_types().keys()


@pytest.mark.parametrize("name", STRINGS)
def test_the_string_is_unchanged_since_its_release(name: str) -> None:
    """It loads the current provider of that resource type."""
    assert provider_string(resource_types()[name].module()) == STRINGS[name]
    loaded = pickle.loads(base64.b64decode(STRINGS[name]))
    assert isinstance(loaded, Provider)
    assert loaded.handler.resource_type is resource_types()[name]


@pytest.mark.parametrize("version", SUPPORTED)
def test_the_string_is_the_same_under_every_supported_python(version: str) -> None:
    """Pickle's default protocol changes with the Python version, so ours must be fixed."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    process = subprocess.run(
        [python, "-c", PROGRAM_WITHOUT_SDK], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    result = json.loads(process.stdout)
    assert ".".join(map(str, result["version"])) == version
    assert result["written"] == STRINGS
    assert result["read"] == MODULES


# Runs in its own process, because the SDK never drops the mocks.
PROGRAM_WITH_MOCKS = """
import json
import pulumi
from tenantry.providers import resource_types

class Recorder(pulumi.runtime.Mocks):
    registered = {}
    def new_resource(self, args):
        self.registered[args.name] = (args.typ, args.inputs["__provider"])
        return args.name, args.inputs
    def call(self, args):
        raise AssertionError(args.token)

pulumi.runtime.set_mocks(Recorder())

@pulumi.runtime.test
def program():
    for name, resource_type in resource_types().items():
        resource_type(name, **{prop.name: "x" for prop in resource_type.inputs()})

program()
print(json.dumps(Recorder.registered))
"""


def test_a_program_registers_exactly_these_tokens_and_strings() -> None:
    """These are the tokens and strings that reach the engine."""
    process = subprocess.run(
        [sys.executable, "-c", PROGRAM_WITH_MOCKS], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    assert json.loads(process.stdout) == {
        name: [TOKEN.format(name=name), text] for name, text in STRINGS.items()
    }


def interpreter(version: str) -> str | None:
    """Return the path of a Python of that version, from pyenv or the system. None if there is none."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    installed = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return str(installed[-1]) if installed else shutil.which(f"python{version}")
