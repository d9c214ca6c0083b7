"""Tests of the command line: every command has help, an example and an entry in the reference."""

from __future__ import annotations

import builtins
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import tenantry.cli
from tenantry.cli.app import app
from tools import reference_cli

BIN = Path(sys.executable).parent


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield every command below `command`, with its full name."""
    for name, subcommand in getattr(command, "commands", {}).items():
        yield " ".join((*path, name)), subcommand
        yield from commands(subcommand, (*path, name))


ALL_COMMANDS = dict(commands(typer.main.get_command(app)))


def block_imports(monkeypatch: pytest.MonkeyPatch, *libraries: str) -> None:
    """Make the import of these libraries fail."""
    original_import = builtins.__import__

    def import_(name: str, *args: Any, **options: Any) -> Any:
        if any(f"{name}.".startswith(f"{library}.") for library in libraries):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return original_import(name, *args, **options)

    for module in list(sys.modules):
        if module.partition(".")[0] in libraries or module.startswith(
            ("tenantry.emulator", "tenantry.cli.app")
        ):
            monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(builtins, "__import__", import_)


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_every_command_and_option_has_help(words: str) -> None:
    command = ALL_COMMANDS[words]
    assert command.help
    assert all(option.help for option in command.params if option.param_type_name == "option")


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_the_summary_of_every_command_fits_on_one_line(words: str) -> None:
    assert ALL_COMMANDS[words].short_help.endswith(".")
    assert len(ALL_COMMANDS[words].short_help) <= 56


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_every_command_has_an_example_that_it_can_parse(words: str) -> None:
    tenantry, name, *arguments = shlex.split(ALL_COMMANDS[words].epilog.removeprefix("Example: ").strip("`"))
    assert (tenantry, name) == ("tenantry", words)
    ALL_COMMANDS[words].make_context(name, arguments)


@pytest.mark.parametrize("words", ["", *ALL_COMMANDS])
def test_help_shows_no_python_types(words: str) -> None:
    page = CliRunner().invoke(app, [*words.split(), "--help"], env={"COLUMNS": "200"}).stdout
    assert re.findall(r"<(bool|str|int|float|path|list)[^>]*>", page) == []


@pytest.mark.parametrize("words", ALL_COMMANDS)
def test_every_command_is_in_the_reference_page(words: str) -> None:
    assert f"`tenantry {words}`" in reference_cli.PAGE.read_text("utf-8")


def test_the_installed_command_lists_all_commands() -> None:
    lines = subprocess.run([BIN / "tenantry", "--help"], capture_output=True, text=True, check=True).stdout
    assert [words for words in ALL_COMMANDS if words.split()[0] not in lines] == []


@pytest.mark.parametrize("command", ["version", "--version"])
def test_version_names_both_versions(command: str) -> None:
    result = CliRunner().invoke(app, [command])
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.output.splitlines()] == ["tenantry", "pulumi"]
    assert all(line.split()[1][0].isdigit() for line in result.output.splitlines())


def test_the_emulator_command_passes_arguments_and_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[Sequence[str]] = []

    def main(argv: Sequence[str]) -> int:
        calls.append(argv)
        return 3

    monkeypatch.setattr("tenantry.emulator.__main__.main", main)
    result = CliRunner().invoke(app, ["emulator", "--port", "0", "--help"])
    assert (calls, result.exit_code) == ([["--port", "0", "--help"]], 3)


def test_the_error_about_a_missing_extra_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    block_imports(monkeypatch, "starlette")
    result = CliRunner().invoke(app, ["emulator"])
    assert result.exit_code == 1
    assert "needs starlette" in result.output
    assert 'pip install "tenantry[emulator] @ file://' in result.output


def test_without_its_libraries_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    block_imports(monkeypatch, "typer")
    with pytest.raises(SystemExit, match=r'needs typer.*pip install "tenantry\[cli\] @ file://'):
        tenantry.cli.main()


def test_an_import_error_of_tenantry_is_not_reported_as_a_missing_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    block_imports(monkeypatch, "tenantry.emulator")
    with pytest.raises(ModuleNotFoundError, match=r"tenantry\.emulator"):
        CliRunner().invoke(app, ["emulator"], catch_exceptions=False)
