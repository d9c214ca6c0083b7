"""The guide describes all APIs, options, settings and faults of the emulator, and no others."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from tenantry.emulator import faults
from tenantry.emulator.__main__ import main
from tenantry.emulator.apis import apps  # noqa: F401 - registers the handlers
from tenantry.emulator.call import HANDLERS
from tenantry.emulator.contract import FOLDER, contract
from tenantry.emulator.settings import LENIENT_RULES, Settings
from tests.emulator.api import SECRETS

GUIDE = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text("utf-8")


def test_the_list_of_uncovered_operations_is_correct() -> None:
    covered = {(operation.api, operation.id) for operation in contract().operations} & set(HANDLERS)
    missing = {
        (operation.method, operation.path)
        for operation in contract().operations
        if (operation.api, operation.id) not in covered
    }
    documented = {
        (method, path)
        for methods, path in re.findall(r"^- `([A-Z, ]+) (/[^`]+)`$", GUIDE, re.MULTILINE)
        for method in methods.split(", ")
    }
    assert documented == missing


def test_the_list_of_apis_is_correct() -> None:
    sentence = re.search(r"It knows these APIs: ([^.]+)\.", GUIDE)
    assert sentence
    assert re.split(r",\s+", sentence.group(1)) == sorted(path.stem for path in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", [field.name for field in fields(Settings)])
def test_every_setting_is_described(name: str) -> None:
    assert f"`{name}`" in GUIDE.partition("### Settings")[2].partition("### Faults")[0]


@pytest.mark.parametrize(
    "key", sorted(faults.NUMBERS | faults.FLAGS | faults.TEXTS | faults.OBJECTS | {"body"})
)
def test_every_key_of_a_fault_is_described(key: str) -> None:
    assert f"`{key}`" in GUIDE.partition("### Faults")[2].partition("## Behaviour")[0]


def test_every_option_is_described(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    options = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) - {"--help"}
    assert options == set(re.findall(r"^\| `(--[a-z-]+)", GUIDE, re.MULTILINE))


def test_every_lenient_rule_is_described() -> None:
    part = GUIDE.partition("### Strictness")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `([a-z-]+)`", part, re.MULTILINE)) == set(LENIENT_RULES)


def test_the_seed_is_described() -> None:
    for client, secret in SECRETS.items():
        assert f"`{client}`/`{secret}`" in GUIDE
