"""The content of a state, in the form in which the engine would compare it with a program."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tenantry.fleet.unchanged.doubt import Doubt, require
from tenantry.providers.framework.properties import integers
from tenantry.pulumi_internals import deployment
from tenantry.pulumi_internals.deployment import STACK, Resource, State
from tenantry.pulumi_internals.dynamic_resources import TYPES

PROVIDERS = "pulumi:providers:"
DEFAULT_PROVIDER = f"{PROVIDERS}pulumi-python"

_OTHER_OBJECTS = re.compile(f'"{deployment.SPECIAL}": (?!"{deployment.SECRET}")')

KNOWN_ENTRY_KEYS = frozenset(
    (
        "urn",
        "custom",
        "type",
        "id",
        "inputs",
        "outputs",
        "parent",
        "provider",
        "dependencies",
        "propertyDependencies",
        "deletedWith",
        "additionalSecretOutputs",
        "protect",
        "created",
        "modified",
        "sourcePosition",
        "stackTrace",
        "aliases",
    )
)
"""The allowed keys of an entry of a state.

Any other key gives the engine something to do, for example a pending replacement or an error of the last
update.
"""


def canonical(value: object) -> str:
    """Return a text for a value. Two values have the same text only if the engine considers them equal."""
    return json.dumps(integers(value), sort_keys=True)


@dataclass(frozen=True)
class RecordedState:
    """The entries of a state by URN, and the salt for the passphrase of its secrets.

    `of` checks that the engine can load the state and finds nothing unfinished in it.
    """

    resources: Mapping[str, Resource]
    salt: str

    @classmethod
    def of(cls, state: State) -> RecordedState:
        """Return the content of a state. Raises Doubt."""
        content = state.get("deployment") or {}
        require(content, "the state is empty")
        require(
            not _OTHER_OBJECTS.search(json.dumps(content)), "the state has assets, archives or references"
        )
        require(
            content.keys() <= {"manifest", "secrets_providers", "resources", "metadata"},
            "the state has more than resources",
        )
        require(not content.get("metadata"), "the state has metadata")
        version = str(content["manifest"].get("version"))
        require(
            content["manifest"].get("magic") == hashlib.sha256(version.encode()).hexdigest(),
            "the manifest of the state was not written by the engine",
        )
        resources: dict[str, Resource] = {}
        for resource in content.get("resources") or []:
            for name, value in resource.items():
                require(name in KNOWN_ENTRY_KEYS or not value, f"{resource.get('urn')}: {name}")
            required_urns = [
                resource.get("parent"),
                resource.get("deletedWith"),
                *(resource.get("dependencies") or []),
            ]
            for urn in required_urns:
                require(
                    not urn or urn in resources, f"{resource['urn']}: {urn} must be before it in the state"
                )
            require(resource["urn"] not in resources, f"{resource['urn']} is twice in the state")
            resources[resource["urn"]] = resource
        secrets = content.get("secrets_providers") or {}
        require(
            secrets.get("type") == "passphrase",
            "the secrets of the state are not encrypted with a passphrase",
        )
        return cls(resources, str((secrets.get("state") or {}).get("salt")))

    @cached_property
    def provider(self) -> Resource:
        """The provider of all dynamic resources. Raises Doubt if there is not exactly one."""
        found = [resource for resource in self.resources.values() if resource["type"].startswith(PROVIDERS)]
        require(
            len(found) == 1
            and found[0]["type"] == DEFAULT_PROVIDER
            and found[0]["urn"].endswith("::default"),
            "the state has other providers than the default one",
        )
        return found[0]

    @property
    def provider_reference(self) -> str:
        """The value of `provider` in a dynamic resource."""
        return f"{self.provider['urn']}::{self.provider['id']}"

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the last `up`, as the engine passes it on. Secrets are encrypted."""
        return dict(self.provider.get("inputs") or {})

    def urn(self, parent: str, kind: str, name: str, root: str) -> str:
        """Return the URN of a resource of a program.

        `root` is the URN of the stack, without type and name.
        """
        if parent and (parent_type := parent.split("::", 3)[2]) != STACK:
            kind = f"{parent_type}${kind}"
        return f"{root}::{kind}::{name}"

    def entry(self, urn: str) -> Resource:
        """Return the entry of a resource. Raises Doubt if there is none."""
        try:
            return self.resources[urn]
        except KeyError:
            raise Doubt(f"{urn} is new") from None

    def is_dynamic(self, urn: str) -> bool:
        """Tell whether a resource is dynamic."""
        return str(self.resources[urn]["type"]).startswith(TYPES)
