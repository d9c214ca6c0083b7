"""YAML documents, read as the engine reads them, with the line of every value."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tenantry.settings.document import display_path, holds, read
from tenantry.settings.scalars import as_text, resolve

SCALARS: list[tuple[str, Any]] = [
    ("text", "text"),
    ("yes", "yes"),
    ("off", "off"),
    ("y", "y"),
    ("true", True),
    ("True", True),
    ("TRUE", True),
    ("tRue", "tRue"),
    ("false", False),
    ("null", None),
    ("Null", None),
    ("~", None),
    ("", None),
    ("7", 7),
    ("+7", 7),
    ("-7", -7),
    ("-0", 0),
    ("007", 7),
    ("010", 8),
    ("08", 8),
    ("0o17", 15),
    ("0x1F", 31),
    ("0b11", 3),
    ("1_000", 1000),
    ("2.10", 2.1),
    ("2.0", 2),
    ("30e0", 30),
    (".5", 0.5),
    ("1.", 1),
    ("1e3", 1000),
    ("1e", "1e"),
    ("1e21", 1e21),
    ("1.2.3", "1.2.3"),
    ("1:30", "1:30"),
    ("=", "="),
    ("2026-12-31", "2026-12-31 00:00:00 +0000 UTC"),
    ("2026-1-2", "2026-01-02 00:00:00 +0000 UTC"),
    ("2026-12-31T10:00:00Z", "2026-12-31 10:00:00 +0000 UTC"),
    ("2026-12-31 10:00:00", "2026-12-31 10:00:00 +0000 UTC"),
    ("2026-12-31T10:00:00.50+02:00", "2026-12-31 10:00:00.5 +0200 +0200"),
    ("2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43.1 -0500 -0500"),
    ("2026-12-31 10:00:00+02:00", "2026-12-31 10:00:00+02:00"),
    ("2026-12-31T10:00:00+24:00", "2026-12-31 10:00:00 +2400 +2400"),
    ("2026-12-31T10:00:00-23:60", "2026-12-31 10:00:00 -2400 -2400"),
    ("2026-12-31T10:00:00+25:00", "2026-12-31T10:00:00+25:00"),
    ("9223372036854775807", 9223372036854775807),
    ("9223372036854775808", 9223372036854776000),
    ("18446744073709551616", 18446744073709552000),
    ("100000000000000000000", 100000000000000000000),
    ("-9223372036854775808", -9223372036854775808),
    ("123456789012345678901234", 1.2345678901234568e23),
    ("0xFFFFFFFFFFFFFFFFFF", "0xFFFFFFFFFFFFFFFFFF"),
    ("9" * 400, "9" * 400),
    ("2026-02-30", "2026-02-30"),
    ("2026-12", "2026-12"),
]
KEYS_WITHOUT_QUOTES = ["plain", "5", "true", "2.10", "2026-01-01", "007"]


@pytest.mark.parametrize(("text", "value"), SCALARS, ids=[repr(row[0]) for row in SCALARS])
def test_a_plain_scalar_has_its_value_and_type(text: str, value: Any) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


def _document(tmp_path: Path, text: str) -> Any:
    path = tmp_path / "file.yaml"
    path.write_text(text, "utf-8")
    return read(path)


def test_quoted_and_tagged_scalars_have_the_stated_type(tmp_path: Path) -> None:
    document = _document(tmp_path, "[\"7\", '007', !!str 7, !!int '7', !ours 7]")
    assert document.value == ["7", "007", "7", 7, "7"]


def test_block_scalars_and_flow_collections_are_read(tmp_path: Path) -> None:
    document = _document(tmp_path, "a: |\n  one\n  two\nb: {c: [1, ~, {}]}\n")
    assert document.value == {"a": "one\ntwo\n", "b": {"c": [1, None, {}]}}


def test_every_value_has_the_line_of_its_key(tmp_path: Path) -> None:
    document = _document(tmp_path, "# comment\na:\n\n  b:\n  - x\n  - {c: 1}\nd: 2.10\n")
    lines = {keys: place.line for keys, place in document.places.items()}
    assert lines == {
        (): 2, ("a",): 2, ("a", "b"): 4, ("a", "b", 0): 5, ("a", "b", 1): 6, ("a", "b", 1, "c"): 6, ("d",): 7
    }  # fmt: skip
    assert document.places[("d",)].text == "2.10"
    assert document.line(("a", "b", 1, "nothing", "here")) == 6


def test_an_alias_has_the_line_where_it_is_used(tmp_path: Path) -> None:
    document = _document(tmp_path, "a: &one\n  b: 1\nc: *one\n")
    assert document.value == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.line(("c",)) == 3


def test_a_merge_key_adds_only_missing_keys(tmp_path: Path) -> None:
    document = _document(
        tmp_path, "base: &base {a: 1, b: 2}\nmore: &more {b: 3, c: 4}\nx:\n  b: 0\n  <<: [*base, *more]\n"
    )
    assert document.value["x"] == {"a": 1, "b": 0, "c": 4}
    assert document.problems == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "file.yaml:3: a: this key is already on line 1"),
        ("a: {b: 1, b: 2}\n", "file.yaml:1: a.b: this key is already on line 1"),
        ("007: a\n", 'file.yaml:1: 007: YAML reads this key as 7; put it in quotes: "007"'),
        ("2.10: a\n", 'file.yaml:1: 2.10: YAML reads this key as 2.1; put it in quotes: "2.10"'),
        ("~: a\n", 'file.yaml:1: ~: YAML reads this key as <nil>; put it in quotes: "~"'),
        ("[a]: 1\n", "file.yaml:1: a key must be text"),
        ("a: &a\n  b: *a\n", "file.yaml:1: a.b: this anchor contains itself"),
        ("a:\n  <<: text\n", "file.yaml:2: a: << takes a mapping, or a list of mappings"),
        ("a: [1\n", "file.yaml:2: this is not valid YAML: "),
        ("a: 1\n---\nb: 2\n", "file.yaml:2: this is not valid YAML: "),
        ("a: *nothing\n", "file.yaml:1: this is not valid YAML: "),
    ],
)
def test_yaml_that_the_engine_refuses_or_changes_is_a_problem(
    tmp_path: Path, text: str, message: str
) -> None:
    [problem] = _document(tmp_path, text).problems
    assert message in str(problem)


def test_a_key_that_the_engine_does_not_change_needs_no_quotes(tmp_path: Path) -> None:
    document = _document(tmp_path, "5: a\ntrue: b\n'007': c\n")
    assert document.value == {"5": "a", "true": "b", "007": "c"}
    assert document.problems == []


def test_an_empty_file_is_readable_and_has_no_value(tmp_path: Path) -> None:
    document = _document(tmp_path, "# nothing\n")
    assert document.value is None
    assert document.readable
    assert document.line(("a",)) == 1


def test_holds_tells_whether_values_have_a_path() -> None:
    values = {"a": [{"b": None}]}
    assert holds(values, ("a", 0, "b"))
    assert not holds(values, ("a", 1))
    assert not holds(values, ("a", "b"))
    assert not holds("text", ("a",))


def test_files_are_shown_with_their_path_in_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stacks" / "plans" / "standard.yaml"
    assert display_path(file) == "stacks/plans/standard.yaml"
    monkeypatch.chdir(tmp_path)
    assert display_path(Path("stacks/Pulumi.globex.yaml")) == "stacks/Pulumi.globex.yaml"
    monkeypatch.chdir(tmp_path.parent)
    assert display_path(file) == f"{tmp_path.name}/stacks/plans/standard.yaml"


@pytest.mark.skipif(
    not (Path(sys.executable).parent / "pulumi").exists(), reason="no Pulumi CLI; run make setup"
)
def test_the_engine_reads_the_same_values(tmp_path: Path) -> None:
    """The real CLI reads the values and keys in the tables above as Tenantry does.

    The test fails if a new version of the CLI reads YAML differently.
    """
    scalars = [f"    k{index}: {text}\n" for index, (text, _) in enumerate(SCALARS)]
    keys = [f"    {key}: key\n" for key in KEYS_WITHOUT_QUOTES]
    config = "config:\n  qlik:region: 2.10\n  qlik:flag: true\n  tenantry:customer:\n" + "".join(
        scalars + keys
    )
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    (tmp_path / "Pulumi.one.yaml").write_text(config)
    document = read(tmp_path / "Pulumi.one.yaml")

    config_of_cli = json.loads(_pulumi(tmp_path, "config", "--json", "--stack", "one"))
    config_of_file = document.value["config"]
    assert json.loads(config_of_cli["tenantry:customer"]["value"]) == config_of_file["tenantry:customer"]
    assert config_of_cli["qlik:region"]["value"] == as_text(config_of_file["qlik:region"])
    assert config_of_cli["qlik:flag"]["value"] == as_text(config_of_file["qlik:flag"])


@pytest.mark.skipif(
    not (Path(sys.executable).parent / "pulumi").exists(), reason="no Pulumi CLI; run make setup"
)
def test_a_file_that_pulumi_rewrote_is_recognised(tmp_path: Path) -> None:
    """Tenantry recognises rewritten keys that were dates or null, but it cannot know that 2.1 was 2.10."""
    (tmp_path / "Pulumi.yaml").write_text("name: tenantry\nruntime: python\n")
    file = tmp_path / "Pulumi.one.yaml"
    file.write_text("config:\n  a:b:\n    2026-01-02: a\n    ~: b\n    2.10: c\n    5: d\n    v: 2.10\n")
    assert len(read(file).problems) == 3
    _pulumi(tmp_path, "config", "--stack", "one")
    document = read(file)
    assert document.is_rewritten_by_pulumi
    originals = sorted(problem.text.rpartition(" ")[2] for problem in document.problems)
    assert originals == ['"2026-01-02"', '"~"']


def _pulumi(folder: Path, *args: str) -> str:
    home, backend = folder / "home", folder / "backend"
    backend.mkdir()
    environment = os.environ | {
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{backend}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    command = [str(Path(sys.executable).parent / "pulumi"), "--non-interactive"]
    for arguments in (("stack", "init", "one"), args):
        process = subprocess.run(
            [*command, *arguments], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert process.returncode == 0, process.stderr
    return process.stdout
