"""An overlay for the spec of each Stack. It is validated as far as possible without a cluster."""

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
"""The fields of a Stack's spec that an overlay may set, with their types in the operator's schema.

An overlay cannot set fields that differ per customer (`stack`, `prerequisites`), fields with values of
secrets (`secrets`), fields that the operator has deprecated, and fields that select parts of a stack.
"""

TYPES = {str: "text", bool: "true or false", int: "a whole number", dict: "a mapping", list: "a list"}

_SECRET = re.compile(r"SECRET|PASS|TOKEN|CREDENTIAL|PRIVATE|(^|_)(API)?KEY(_|$)|PWD", re.IGNORECASE)
_REFERENCE_ENDINGS = ("_ID", "_FILE", "_PATH", "_COMMAND")
"""Endings of variable names that refer to a secret but do not contain one."""


def looks_secret(variable: str) -> bool:
    """Tell whether an environment variable probably contains a secret, judging by its name."""
    return bool(_SECRET.search(variable)) and not variable.upper().endswith(_REFERENCE_ENDINGS)


def load(file: Path) -> dict[str, Any]:
    """Read an overlay. Raises SettingsError, and OSError if the file cannot be read."""
    document = read(file)
    if not document.problems:
        value = document.value
        fields = _fields(value, FIELDS) if isinstance(value, dict) else [((), _NO_FIELDS)]
        document.problems += [
            Problem(document.name, document.line(keys), path_text(keys), text)
            for keys, text in (*fields, *_plain_text_secrets(value))
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
            yield keys, f"this field is not allowed in an overlay{choices(key, fields)}"
        elif item is not None and type(item) is not kind:
            yield keys, f"it must be {TYPES[kind]}"
        elif isinstance(known, Mapping) and item is not None:
            yield from _fields(item, known, keys)


def _plain_text_secrets(value: Any, at: Keys = ()) -> Iterator[tuple[Keys, str]]:
    """Yield plain-text secrets, and references that version 2 of the operator refuses."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _plain_text_secrets(item, (*at, index))
    if not isinstance(value, dict):
        return
    if "env" in value or "filesystem" in value:
        if value.get("type") in ("Env", "FS"):
            yield (
                at,
                f"the operator refuses the type {value['type']}: use Secret, or Literal for a plain value",
            )
    elif "literal" in value and ("gitAuth" in at or looks_secret(str(at[-1:]))):
        yield at, "this would write a secret into the manifest: refer to it with `type: Secret`"
    elif value.get("value") and looks_secret(str(value.get("name"))):
        yield at, "this would write a secret into the manifest: refer to it with `valueFrom`"
    for key, item in value.items():
        yield from _plain_text_secrets(item, (*at, key))


def merged(spec: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Return a spec with an overlay applied. This merges mappings, and null removes a field."""
    result = dict(spec)
    for key, value in overlay.items():
        base_value = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(base_value, Mapping):
            result[key] = merged(base_value, value)
        else:
            result[key] = value
    return result
