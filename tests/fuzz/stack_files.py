"""Odd stack files and plans, generated from the schema or damaged copies of real ones."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from tenantry.settings.models import BLOCKS
from tenantry.settings.schema import schema
from tests.keys import public_pem

STACKS = Path(__file__).parents[2] / "stacks"

ODD_TEXTS = (
    "", " ", "\0", "\u00a0", "\u202e", "\ud7ff", "\U0001f600", "Cafe\u0301", "Café", "a\nb", "a\r\nb",
    "{}", "%s", "..", ".", "/", "../../x", "-", "~", "<<", "*a", "&a", "!!int", "007", "2.10", "1e3",
    "yes", "null", "2026-12-31", "0x1F", "a" * 300, "9" * 5000, "gold", "trial", "Globex", "Sales",
    "a.eu.qlikcloud.com", "[1]", "{secure: x}", "€", "'", '"', "\\", "#", ": ",
)  # fmt: skip
ODD_SCALARS: tuple[Any, ...] = (
    None, True, False, 0, -1, 7, 1.5, 2.10, 1e300, 10**18, 10**25, [], {}, [[]], {"": None}, [None],
    {"secure": "x"},
)  # fmt: skip
ODD_YAML = (
    "&a", "*a", "<<: *a", "? ", "!!binary x", "!!set", "[", "]", "{", "}", "- ", "|", ">", "'", '"',
    "\t", "\r", "---", "...", "%YAML 1.1", "@", "`", "&t {<<: *t}", "2026-12-31T10:00:00+24:00",
    "1" * 4400, "-" * 90, "[" * 60, "\ufeff", "\x85", "\u2028", "~", ".inf", ".nan", "0x", "1_", "<<",
    "<<: [*a, *a]", "\0",
)  # fmt: skip

odd_values = st.one_of(st.sampled_from(ODD_TEXTS), st.sampled_from(ODD_SCALARS), st.text(max_size=8))
keys = st.one_of(st.sampled_from(("Sales", "Ada", "Q1", "in", *ODD_TEXTS)), st.text(max_size=5))


@cache
def _schema() -> dict[str, Any]:
    return schema()


@cache
def _values_of_definition(definition: str) -> st.SearchStrategy[Any]:
    return _values(_schema()["definitions"][definition])


def _values(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Generate values that a part of the schema allows, and occasionally others."""
    return st.integers(0, 11).flatmap(lambda number: odd_values if number == 0 else _allowed(node))


def _allowed(node: dict[str, Any]) -> st.SearchStrategy[Any]:
    if reference := node.get("$ref"):
        return st.deferred(lambda: _values_of_definition(reference.rpartition("/")[2]))
    if options := node.get("anyOf") or node.get("oneOf"):
        return st.one_of([_values(option) for option in options])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    if "const" in node:
        return st.just(node["const"])
    match node.get("type"):
        case "object":
            return _mapping(node)
        case "array":
            return st.lists(_values(node.get("items", {})), max_size=3)
        case "boolean":
            return st.booleans()
        case "integer":
            return st.integers(-1, 100)
        case "null":
            return st.none()
        case "string":
            return _text(node)
    return odd_values


def _text(node: dict[str, Any]) -> st.SearchStrategy[str]:
    if "BEGIN" in node.get("pattern", ""):
        return st.sampled_from(
            (public_pem(), public_pem()[:-40], public_pem() * 3, "-----BEGIN A-----" * 500)
        )
    if "pattern" in node and "A-Za-z][A-Za-z0-9+" not in node["pattern"]:
        return st.from_regex(node["pattern"])
    return st.sampled_from(("Sales", "Ada", "Q1", "EMEA in Q1", "gold", "https://a.example", *ODD_TEXTS))


def _mapping(node: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    known = {key: _values(value) for key, value in node.get("properties", {}).items()}
    required = {key: known[key] for key in node.get("required", ())}
    entries = node.get("additionalProperties")
    if isinstance(entries, dict):
        return st.dictionaries(keys, _values(entries), max_size=3)
    optional = {key: value for key, value in known.items() if key not in required}
    return st.fixed_dictionaries(required, optional=optional)


def _yaml(values: Any) -> str:
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    return text if isinstance(text, str) else json.dumps(values)


@cache
def _plan_texts() -> tuple[str, ...]:
    return tuple(path.read_text("utf-8") for path in sorted((STACKS / "plans").glob("*.yaml")))


def _stack_file_text() -> str:
    return (STACKS / "Pulumi.globex.yaml").read_text("utf-8").replace("plan: standard", "plan: gold")


@st.composite
def generated_files(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Draw a stack file and a plan that follow the schema, except for occasional odd values."""
    customer = draw(_values_of_definition("Customer"))
    if isinstance(customer, dict) and draw(st.booleans()):
        customer = {**customer, "name": "Globex", "plan": "gold"}
    settings = {"qlik:region": "eu", "qlik:source_tenant": "templates.eu.qlikcloud.com"}
    plan = draw(st.one_of(_values_of_definition("Plan").map(_yaml), st.sampled_from(_plan_texts())))
    stack_file = {"config": {**settings, "tenantry:customer": customer}}
    return _yaml(stack_file).encode(), plan.encode()


@st.composite
def damaged_files(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Draw a damaged copy of a real stack file and plan."""
    plan = draw(st.sampled_from(_plan_texts()))
    return draw(_damaged(_stack_file_text())), draw(st.one_of(st.just(plan.encode()), _damaged(plan)))


@st.composite
def _damaged(draw: st.DrawFn, text: str) -> bytes:
    for _ in range(draw(st.integers(0, 4))):
        lines = text.split("\n")
        position = draw(st.integers(0, len(lines) - 1))
        line = lines[position]
        cut = draw(st.integers(0, len(line)))
        odd = draw(st.one_of(st.sampled_from(ODD_YAML), st.sampled_from(ODD_TEXTS)))
        match draw(st.integers(0, 9)):
            case 0:
                lines[position] = line[:cut] + odd + line[cut:]
            case 1:
                lines[position] = f"{line.partition(':')[0]}: {odd}"
            case 2:
                lines[position : position + 1] = []
            case 3:
                lines[position : position + 1] = [line, line]
            case 4:
                lines[position] = " " * draw(st.integers(0, 12)) + line.lstrip()
            case 5:
                other = draw(st.integers(0, len(lines) - 1))
                lines[position], lines[other] = lines[other], line
            case 6:
                lines[position] = f"{line.partition(':')[0]}: {draw(odd_values)!r}"
            case 7:
                lines[position:] = [line[:cut]]
            case _:
                block, key = draw(st.sampled_from(tuple(BLOCKS))), draw(st.sampled_from(("Sales", "a", "")))
                lines.append(f"    {block}: {{{key!r}: {draw(odd_values)!r}}}")
        text = "\n".join(lines) or "\n"
    content = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 19)) == 0:
        position = draw(st.integers(0, len(content)))
        content = content[:position] + draw(st.binary(min_size=1, max_size=4)) + content[position:]
    return content
