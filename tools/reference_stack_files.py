"""Write `tenantry/settings/schema.json` and the tables of `docs/stack-files.md` from the settings models.

`make docs` runs it. The part of the page above the mark is written by hand, and this module keeps it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic.json_schema import models_json_schema

from tenantry.providers.values.limits import ROLES_BY_SPACE_TYPE
from tenantry.settings.models import BLOCKS, NAMED, Content, Customer, Plan, Settings
from tenantry.settings.models.block import Block, block_of
from tenantry.settings.schema import schema

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "stack-files.md"
SCHEMA = ROOT / "tenantry" / "settings" / "schema.json"
MARK = "<!-- `make docs` writes everything below from tenantry/settings/models -->\n"

_FIRST = ("name", "plan", "alias", "tenant", "lifecycle", "protect", "revive")


def schema_text() -> str:
    """Return the expected content of `tenantry/settings/schema.json`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def page_text(written: str) -> str:
    """Return the expected content of the page: the hand-written part of `written`, then the tables."""
    above, mark, _ = written.partition(MARK)
    if not mark:
        raise SystemExit(f"{PAGE.name} has no mark. Put this line above the tables:\n{MARK}")
    return above + MARK + "\n" + "\n".join(_reference())


def _reference() -> Iterator[str]:
    _, schemas = models_json_schema([(block, "validation") for block in _blocks()])
    yield "## Keys\n"
    for block, key in _blocks().items():
        yield f"### `{key}`\n"
        yield " ".join((block.__doc__ or "").split()) + "\n"
        yield "| Key | Value | Default | What it does | When it changes |"
        yield "| --- | --- | --- | --- | --- |"
        for name, field in _in_order(block):
            value = schemas["$defs"][block.__name__]["properties"][name]
            yield _row(block, name, field, value)
        yield ""
    yield "### Roles in spaces\n"
    yield "| Type of space | Roles |\n| --- | --- |"
    yield from (f"| `{kind}` | {_words(roles)} |" for kind, roles in ROLES_BY_SPACE_TYPE.items())
    yield ""


@cache
def _blocks() -> dict[type[Block], str]:
    """Return each class of stack files and plans with its key, in the order of the page."""
    found: dict[type[Block], str] = {Settings: "config", Customer: "tenantry:customer", Plan: "plan"}
    for name, field in _in_order(Customer):
        if block := block_of(field.annotation):
            found[block] = name
            inner = ((block_of(field.annotation), key) for key, field in _in_order(block))
            found |= {nested: f"{name}.{key}" for nested, key in inner if nested}
    return found


def _in_order(block: type[Block]) -> list[tuple[str, FieldInfo]]:
    fields = [(field.alias or name, field) for name, field in block.model_fields.items()]
    positions = {name: index for index, name in enumerate(_FIRST)}
    if block is Plan:
        return [entry for entry in fields if entry[0] not in Content.model_fields]
    return (
        sorted(fields, key=lambda entry: positions.get(entry[0], len(positions)))
        if block is Customer
        else fields
    )


def _row(block: type[Block], name: str, field: FieldInfo, value: dict[str, Any]) -> str:
    default = value.get("default")
    if field.is_required():
        default_text = (
            "the key" if name == "name" and block in [BLOCKS[model] for model in NAMED] else "**required**"
        )
    else:
        default_text = f"`{json.dumps(default)}`".replace('"', "") if default is not None else "-"
    cells = (f"`{name}`", _kind(value), default_text, value["description"], value["x-change"])
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _kind(value: dict[str, Any] | bool) -> str:
    """Describe the type of a value in words, from its JSON schema."""
    if isinstance(value, bool):
        return "anything"
    options = [option for option in value.get("anyOf", value.get("oneOf", [])) if option != {"type": "null"}]
    if options:
        return " or ".join(dict.fromkeys(_kind(option) for option in options))
    if "$ref" in value:
        name = value["$ref"].rpartition("/")[2]
        key = next(key for block, key in _blocks().items() if block.__name__ == name)
        return f"[{key}](#{re.sub('[:.]', '', key)})"
    if words := value.get("enum", [value["const"]] if "const" in value else None):
        return _words(words)
    match value["type"]:
        case "boolean":
            return "`true` or `false`"
        case "integer":
            end = f"to {value['maximum']}" if "maximum" in value else "or more"
            return f"whole number, {value['minimum']} {end}"
        case "array":
            return f"list of {_kind(value['items'])}"
        case "object":
            return f"for each key: {_kind(value['additionalProperties'])}"
    return "text"


def _words(words: Any) -> str:
    return ", ".join(f"`{word}`" for word in words)


def pages() -> dict[Path, str]:
    """Return the expected content of each generated file."""
    return {SCHEMA: schema_text(), PAGE: page_text(PAGE.read_text("utf-8"))}
