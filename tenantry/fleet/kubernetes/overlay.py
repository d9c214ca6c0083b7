"""What is added to the spec of each Stack: merged, and checked as far as it can be without a cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.settings.document import Keys, path_text, read
from tenantry.settings.errors import Problem, SettingsError
from tenantry.settings.rules import choices

Fields = Mapping[str, Any]

_WORKSPACE: Fields = {
    "apiVersion": str,
    "kind": str,
    "metadata": {"annotations": dict, "labels": dict},
    "spec": {
        "env": list,
        "envFrom": list,
        "image": str,
        "imagePullPolicy": str,
        "podTemplate": dict,
        "pulumiLogLevel": int,
        "resources": {"claims": list, "limits": dict, "requests": dict},
        "securityProfile": str,
        "serviceAccountName": str,
        "serviceTemplate": dict,
    },
}
FIELDS: Fields = {
    "backend": str,
    "branch": str,
    "commit": str,
    "continueResyncOnCommitMatch": bool,
    "destroyOnFinalize": bool,
    "envRefs": dict,
    "environment": list,
    "expectNoRefreshChanges": bool,
    "fluxSource": {"dir": str, "sourceRef": {"apiVersion": str, "kind": str, "name": str}},
    "gitAuth": dict,
    "preview": bool,
    "projectRepo": str,
    "refresh": bool,
    "repoDir": str,
    "resyncFrequencySeconds": int,
    "retryMaxBackoffDurationSeconds": int,
    "retryOnUpdateConflict": bool,
    "secretsProvider": str,
    "serviceAccountName": str,
    "shallow": bool,
    "updateTemplate": dict,
    "useLocalStackOnly": bool,
    "workspaceReclaimPolicy": str,
    "workspaceTemplate": _WORKSPACE,
}
"""The fields of a Stack's spec that an overlay may have, and the type of each, as the operator has them.

Left out are those that each customer has for itself (`stack`, `prerequisites`), those with values of secrets
(`secrets`), those that the operator no longer recommends, and what selects parts of a stack.
"""

TYPES = {str: "text", bool: "true or false", int: "a whole number", dict: "a mapping", list: "a list"}

_SECRET = re.compile(r"SECRET|PASS|TOKEN|CREDENTIAL|PRIVATE|(^|_)(API)?KEY(_|$)|PWD", re.IGNORECASE)
_NAMES_ONE = ("_ID", "_FILE", "_PATH", "_COMMAND")
"""How variables end that name a secret, or where it is, and are none."""


def looks_secret(variable: str) -> bool:
    """Whether the value of an environment variable is a secret, by its name."""
    return bool(_SECRET.search(variable)) and not variable.upper().endswith(_NAMES_ONE)


def load(file: Path) -> dict[str, Any]:
    """Return what a file adds to the spec of each Stack. Raises SettingsError, and OSError for no file."""
    document = read(file)
    if not document.problems:
        value = document.value
        fields = _fields(value, FIELDS) if isinstance(value, dict) else [((), _NO_FIELDS)]
        document.problems += [
            Problem(document.name, document.line(keys), path_text(keys), text)
            for keys, text in (*fields, *_in_clear(value))
        ]
    if document.problems:
        raise SettingsError(f"the overlay {document.name}", document.problems)
    return dict(document.value)


_NO_FIELDS = "write fields of a Stack's spec, such as `refresh: true`"


def _fields(value: Mapping[str, Any], fields: Fields, at: Keys = ()) -> Iterator[tuple[Keys, str]]:
    for key, item in value.items():
        known, keys = fields.get(key), (*at, key)
        kind = dict if isinstance(known, Mapping) else known
        if kind is None:
            yield keys, f"there is no such field for an overlay{choices(key, fields)}"
        elif item is not None and type(item) is not kind:
            yield keys, f"it must be {TYPES[kind]}"
        elif isinstance(known, Mapping) and item is not None:
            yield from _fields(item, known, keys)


def _in_clear(value: Any, at: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Yield secrets that stand there themselves, and references that version 2 of the operator refuses."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _in_clear(item, (*at, index))
    if not isinstance(value, dict):
        return
    if "env" in value or "filesystem" in value:
        if value.get("type") in ("Env", "FS"):
            yield at, f"the operator refuses the type {value['type']}: write Secret, or Literal for no secret"
    elif "literal" in value and ("gitAuth" in at or looks_secret(str(at[-1:]))):
        yield at, "this would write a secret into the manifest: refer to it with `type: Secret`"
    elif value.get("value") and looks_secret(str(value.get("name"))):
        yield at, "this would write a secret into the manifest: refer to it with `valueFrom`"
    for key, item in value.items():
        yield from _in_clear(item, (*at, key))


def merged(spec: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec with an overlay on it: mappings are merged, null takes a field away."""
    found = dict(spec)
    for key, value in overlay.items():
        former = found.get(key)
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(former, Mapping):
            found[key] = merged(former, value)
        else:
            found[key] = value
    return found
