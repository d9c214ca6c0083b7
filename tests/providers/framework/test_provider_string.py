"""What the state of every stack holds: type tokens and the `__provider` string.

A change here would be an update, or a replacement, of every resource of every customer.
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
"""Shipped: a kind may be added, but no line may ever change."""

TOKEN = "pulumi-python:dynamic/qlik:{name}"
"""In every state, too."""

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")

# Run by an interpreter that need not have the SDK: writing and reading the string needs none of it.
ELSEWHERE = """
import base64, json, pickle, sys, types
from importlib.machinery import ModuleSpec

class NoSdk:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self, is_package=True) if name.split(".")[0] == "pulumi" else None
    def create_module(self, spec):
        return Anything(spec.name)
    def exec_module(self, module):
        pass

class Anything(types.ModuleType):
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
    """A new kind gets its line above."""
    assert STRINGS.keys() == MODULES.keys() == resource_types().keys()


@pytest.mark.parametrize("name", STRINGS)
def test_the_string_is_the_one_that_was_shipped(name: str) -> None:
    """And what it loads is the provider of that kind, as today's code has it."""
    assert provider_string(resource_types()[name].module()) == STRINGS[name]
    loaded = pickle.loads(base64.b64decode(STRINGS[name]))
    assert isinstance(loaded, Provider)
    assert loaded.handler.resource_type is resource_types()[name]


@pytest.mark.parametrize("version", SUPPORTED)
def test_the_string_is_the_same_under_every_supported_python(version: str) -> None:
    """The protocol that pickle chooses by itself changes with Python; ours must not."""
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    done = subprocess.run([python, "-c", ELSEWHERE], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert ".".join(map(str, found["version"])) == version
    assert found["written"] == STRINGS
    assert found["read"] == MODULES


# In a process of its own: what the SDK keeps for mocks, it keeps for good.
PROGRAM = """
import json
import pulumi
from tenantry.providers import resource_types

class Registered(pulumi.runtime.Mocks):
    seen = {}
    def new_resource(self, args):
        self.seen[args.name] = (args.typ, args.inputs["__provider"])
        return args.name, args.inputs
    def call(self, args):
        raise AssertionError(args.token)

pulumi.runtime.set_mocks(Registered())

@pulumi.runtime.test
def program():
    for name, kind in resource_types().items():
        kind(name, **{each.name: "x" for each in kind.inputs()})

program()
print(json.dumps(Registered.seen))
"""


def test_a_program_registers_exactly_these_tokens_and_strings() -> None:
    """The token and the string that reach the engine, not those that the class means to send."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        name: [TOKEN.format(name=name), text] for name, text in STRINGS.items()
    }


def interpreter(version: str) -> str | None:
    """The path of a Python of that version, as pyenv or the system keeps it; None if there is none."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    return str(kept[-1]) if kept else shutil.which(f"python{version}")
