"""The JSON schema of stack files and plans, generated from the models, for completion and checks in editors.

It sees one file at a time. So it does not require keys that a plan can supply, and it allows an empty value
wherever that removes an entry of the plan. The program checks the rest.
"""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import models_json_schema

from tenantry.providers.values.limits import ROLES_BY_SPACE_TYPE
from tenantry.settings.document import PULUMI_KEYS
from tenantry.settings.models import Plan, Settings
from tenantry.settings.models.block import IN_PLACE

Schema = dict[str, Any]

_SECRET: Schema = {
    "type": "object",
    "properties": {"secure": {"type": "string"}},
    "required": ["secure"],
    "additionalProperties": False,
    "description": "A secret, set with `pulumi config set --secret`.",
}
_ONLY_IN_STACK_FILES: dict[str, tuple[str, ...]] = {"Settings": ("tenantry:customer",), "Customer": ("name",)}
_ACCESS = ("access", "user_access", "bot_access")


def schema() -> Schema:
    """Return the schema for both types of file: a file with `config:` is a stack file, any other a plan."""
    _, schemas = models_json_schema(
        [(Settings, "validation"), (Plan, "validation")], ref_template="#/definitions/{model}"
    )
    blocks = {
        name: _block(block, own=_ONLY_IN_STACK_FILES.get(name, ()))
        for name, block in schemas["$defs"].items()
    }
    blocks["Space"]["allOf"] = [_roles_of(space_type) for space_type in ROLES_BY_SPACE_TYPE]
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A stack file or a plan of Tenantry",
        "if": {"type": "object", "required": ["config"]},
        "then": {"$ref": "#/definitions/StackFile"},
        "else": {"$ref": "#/definitions/Plan"},
        "definitions": {"StackFile": _stack_file(blocks.pop("Settings")), **blocks},
    }


def _stack_file(config: Schema) -> Schema:
    # Shared values can be in Pulumi.yaml. Other namespaces do not belong to Tenantry.
    config["patternProperties"] = {"^tenantry:secrets_": _SECRET, "^(?!qlik:|tenantry:).*:": {}}
    return {
        "type": "object",
        "description": "The settings of one stack: one customer.",
        "properties": {"config": config, **{key: {"type": "string"} for key in PULUMI_KEYS}},
        "additionalProperties": False,
    }


def _block(block: Schema, *, own: tuple[str, ...]) -> Schema:
    """Return the schema of a block, without details of Python, with the empty values that a merge allows."""
    properties = {key: _property(value) for key, value in block["properties"].items()}
    for key in own:
        properties[key]["anyOf"].pop()
    block_schema: Schema = {
        "type": "object",
        "description": " ".join(block["description"].split()),
        "properties": properties,
        "additionalProperties": False,
    }
    return {**block_schema, "required": list(own)} if own else block_schema


def _property(value: Schema) -> Schema:
    about, change, default = value.pop("description"), value.pop("x-change"), value.pop("default", None)
    value.pop("title", None)
    hover = about if change == IN_PLACE else f"{about} Change: {change}."
    kept = {"default": default} if default not in (None, {}, []) else {}
    return {"description": hover, **_or_empty(value), **kept}


def _or_empty(value: Schema) -> Schema:
    if isinstance(value.get("additionalProperties"), dict):
        value["additionalProperties"] = _or_empty(value["additionalProperties"])
    options = value["anyOf"] if set(value) == {"anyOf"} else [value]
    return {"anyOf": [*(option for option in options if option != {"type": "null"}), {"type": "null"}]}


def _roles_of(space_type: str) -> Schema:
    roles = {"type": ["array", "null"], "items": {"enum": list(ROLES_BY_SPACE_TYPE[space_type])}}
    return {
        "if": {"properties": {"type": {"const": space_type}}, "required": ["type"]},
        "then": {"properties": {field: {"additionalProperties": roles} for field in _ACCESS}},
    }
