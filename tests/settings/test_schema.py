"""The JSON schema for editors and the reference page, which are generated from the models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

import tenantry.settings
from tenantry.settings.messages import names_of
from tenantry.settings.models import Settings
from tenantry.settings.models.block import Block, block_of
from tenantry.settings.schema import schema
from tests.settings.conftest import HEAD
from tools import reference_stack_files as reference

STACKS = Path(__file__).resolve().parents[2] / "stacks"
PAGE = reference.PAGE.read_text("utf-8")
EXAMPLES = [(name, text) for text, name in re.findall(r"```yaml\n(# stacks/(\S+)\n.*?)```", PAGE, re.DOTALL)]


@pytest.fixture(scope="module")
def validator() -> Draft7Validator:
    Draft7Validator.check_schema(schema())
    return Draft7Validator(json.loads(reference.SCHEMA.read_text("utf-8")))


def errors(validator: Draft7Validator, text: str) -> list[str]:
    return [error.message for error in validator.iter_errors(yaml.load(text, _Loader))]


class _Loader(yaml.SafeLoader):
    """A YAML loader that reads dates as text, like the YAML 1.2 of editors."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def test_both_files_are_up_to_date() -> None:
    page = reference.PAGE.read_text("utf-8")
    assert reference.SCHEMA.read_text("utf-8") == reference.schema_text(), "stale: run make docs"
    assert page == reference.page_text(page), "stale: run make docs"


def test_a_page_without_the_mark_of_the_generator_is_not_overwritten() -> None:
    with pytest.raises(SystemExit, match="has no mark"):
        reference.page_text("# Something else\n")


@pytest.mark.parametrize("path", sorted(STACKS.glob("**/*.yaml")), ids=lambda path: path.name)
def test_the_stack_files_of_the_project_match_the_schema(validator: Draft7Validator, path: Path) -> None:
    assert errors(validator, path.read_text("utf-8")) == []
    [schema_path] = re.findall(r"^# yaml-language-server: \$schema=(\S+)", path.read_text("utf-8"))
    assert (path.parent / schema_path).resolve() == reference.SCHEMA


def test_the_examples_on_the_page_match_the_schema_and_load(
    validator: Draft7Validator, tmp_path: Path
) -> None:
    assert len(EXAMPLES) == 4
    for name, text in EXAMPLES:
        (tmp_path / "stacks" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "stacks" / name).write_text(text, "utf-8")
        assert errors(validator, text) == [], name
    for path in sorted(tmp_path.glob("stacks/Pulumi.*.yaml")):
        tenantry.settings.load_file(path)
    for path in tmp_path.glob("stacks/plans/*.yaml"):
        tenantry.settings.check_plan(path)


def test_the_message_on_the_page_is_the_real_one(tmp_path: Path) -> None:
    _, text = EXAMPLES[0]
    path = tmp_path / "stacks" / "Pulumi.acme.yaml"
    path.parent.mkdir()
    path.write_text(
        text.replace("grace_days: 10", "grace_days: 5").replace("[consumer, contributor]", "[viewer]")
    )
    with pytest.raises(tenantry.settings.SettingsError) as caught:
        tenantry.settings.load_file(path)
    assert f"```\n{caught.value}\n```" in reference.PAGE.read_text("utf-8")


INVALID = [
    (f"{HEAD}    colour: red\n", "'colour' was unexpected"),
    (f"{HEAD}    spaces: {{Sales: {{tpye: managed}}}}\n", "'tpye' was unexpected"),
    (f"{HEAD}    lifecycle: {{grace_days: 5}}\n", "is not valid under any"),
    (f"{HEAD}    apps: {{A: {{version: 2.10}}}}\n", "is not valid under any"),
    (f"{HEAD}    spaces: {{S: {{type: shared, access: {{A: [publisher]}}}}}}\n", "is not one of"),
    (f"{HEAD}    alias: ab\n", "is not valid under any"),
    (HEAD.replace("    name: Globex\n", "    plan: x\n"), "'name' is a required property"),
    (HEAD.replace("qlik:region", "qlik:regoin"), "'qlik:regoin' does not match any of the regexes"),
    (HEAD.replace("qlik:region", "tenantry:region"), "'tenantry:region' does not match any of the regexes"),
    ("config: {}\n", "'tenantry:customer' is a required property"),
    ("colour: red\n", "'colour' was unexpected"),
    ("alias: globex\n", "'alias' was unexpected"),
    ("groups: {Analysts: {rolse: []}}\n", "'rolse' was unexpected"),
    (f"{HEAD}    revive: new\n", "'new' is not of type 'object'"),
    (f"{HEAD}    revive: {{host: x.eu.qlikcloud.com}}\n", "'host' was unexpected"),
]


@pytest.mark.parametrize(("text", "expected"), INVALID, ids=[expected for _, expected in INVALID])
def test_a_mistake_does_not_match_the_schema(validator: Draft7Validator, text: str, expected: str) -> None:
    assert any(expected in message for message in _all(validator, text))


def _all(validator: Draft7Validator, text: str) -> Iterator[str]:
    pending = list(validator.iter_errors(yaml.load(text, _Loader)))
    while pending:
        error = pending.pop()
        pending += error.context
        yield error.message


VALID = [
    f"{HEAD}    groups: {{Analysts: , Viewers: null}}\n",
    f"{HEAD}    spaces: {{Sales: {{access: {{Analysts: null}}}}}}\n",
    f"{HEAD}    apps: {{A: {{version: '2.0'}}}}\n    protect: null\n",
    f"{HEAD}    revive: {{hostname: x.eu.qlikcloud.com, tenant_id: T}}\n",
    f"{HEAD}    lifecycle: {{kind: trial, ends_on: 2026-12-31}}\n",
    HEAD.replace("  qlik:region: eu\n", "  aws:region: eu-west-1\n  tenantry:secrets_db: {secure: v1:x}\n"),
    f"encryptionsalt: v1:abc\n{HEAD}",
    "lifecycle: {grace_days: 60}\n",
]


@pytest.mark.parametrize("text", VALID, ids=[text.splitlines()[-1].strip() for text in VALID])
def test_a_customer_without_keys_that_its_plan_can_have_matches_the_schema(
    validator: Draft7Validator, text: str
) -> None:
    assert errors(validator, text) == []


def _blocks(block: type[Block]) -> Iterator[type[Block]]:
    yield block
    for field in block.model_fields.values():
        if inner := block_of(field.annotation):
            yield from _blocks(inner)


def test_every_key_is_described_in_schema_and_page() -> None:
    definitions: dict[str, Any] = schema()["definitions"]
    page = reference.PAGE.read_text("utf-8")
    for block in _blocks(Settings):
        definition = (
            definitions["StackFile"]["properties"]["config"]
            if block is Settings
            else definitions[block.__name__]
        )
        assert block.__doc__
        for name in names_of(block):
            assert definition["properties"][name]["description"].endswith((".", "`")), name
            assert f"| `{name}` |" in page
