"""Everything on the pages exists: commands, options, make targets, tests. Each command is run or listed."""

from __future__ import annotations

import ast
import re
import shlex
from collections import Counter
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException

from tenantry.cli.app import app
from tests.documents import GENERATED, PAGES, ROOT, RUN, blocks, not_run, run_headings

PAGE = (ROOT / "docs" / "steps.md").read_text("utf-8")
NAMED = re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)*)`", PAGE)


def names_in(file: Path) -> set[str]:
    """Return the functions and classes of a module, and the methods of its classes as `::Class::method`."""
    found = set()
    for statement in ast.parse(file.read_text("utf-8")).body:
        if isinstance(statement, ast.ClassDef | ast.FunctionDef):
            found.add(f"::{statement.name}")
        if isinstance(statement, ast.ClassDef):
            found |= {
                f"::{statement.name}::{inner.name}"
                for inner in statement.body
                if isinstance(inner, ast.FunctionDef)
            }
    return found


def test_each_test_of_a_step_exists() -> None:
    missing = [
        f"{file}{name}"
        for file, name in NAMED
        if not (ROOT / file).is_file() or (name and name not in names_in(ROOT / file))
    ]
    assert len(NAMED) > 15
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_each_command_is_tested_or_has_a_reason(page: str) -> None:
    if page == GENERATED:
        return
    shown = [
        line for block in blocks(page) for line in block.lines if block.heading not in run_headings(page)
    ]
    unlisted = Counter(shown) - Counter({line: len(shown) for line in not_run(page)})
    assert sorted(unlisted) == [], "let a test run them, or say in tests/documents.toml why not"
    everywhere = {line for block in blocks(page) for line in block.lines}
    assert [line for line in not_run(page) if line not in everywhere] == [], "no longer on the page"


@pytest.mark.parametrize(("page", "test", "headings"), RUN)
def test_listed_commands_and_their_tests_exist(page: str, test: str, headings: tuple[str, ...]) -> None:
    shown = {block.heading for block in blocks(page)}
    assert [heading for heading in headings if heading not in shown] == []
    file, _, name = test.partition("::")
    assert f"::{name}" in names_in(ROOT / file)


CLI = typer.main.get_command(app)
COMMAND = re.compile(r"(?<![\w./\-\"])tenantry (?P<words>[a-z][^\n|;&`)<]*)")
INLINE = re.compile(r"`(tenantry [a-z][^`]*)`")


def given(text: str) -> list[list[str]]:
    """Return the words after `tenantry` in each command of a script."""
    return [shlex.split(match["words"], comments=True) for match in COMMAND.finditer(text)]


def problem(words: list[str], *, whole: bool) -> str:
    """Return the error of the command line for a command. If not `whole`, required values can be missing."""
    assert isinstance(CLI, TyperGroup)
    name, *rest = words
    command = CLI.commands.get(name)
    if command is None:
        return "there is no such command"
    try:
        command.make_context(name, rest, parent=typer.Context(CLI, info_name="tenantry"))
    except TyperException as wrong:
        lacks = type(wrong).__name__ == "MissingParameter"
        return "" if lacks and not whole else f"{type(wrong).__name__}: {wrong}"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_the_command_line_accepts_the_commands_on_the_page(page: str) -> None:
    wrong = {}
    if page != GENERATED:
        for block in blocks(page):
            for words in given("\n".join(block.lines)):
                wrong[" ".join(words)] = problem(words, whole=True)
    for code in INLINE.findall((ROOT / page).read_text("utf-8")):
        for words in given(" ".join(code.split())):
            wrong[" ".join(words)] = problem(words, whole=False)
    assert {words: what for words, what in wrong.items() if what} == {}


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("nothing", "there is no such command"),
        ("up --everything", "NoSuchOption"),
        ("up --all --jobs many", "BadParameter"),
        ("forget", "MissingParameter"),
    ],
)
def test_wrong_commands_are_found(words: str, what: str) -> None:
    [found] = [problem(word, whole=True) for word in given(f"tenantry {words}  # a remark")]
    assert found.startswith(what)


def test_each_make_target_exists() -> None:
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = set()
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        for code in (
            *re.findall(r"`([^`\n]+)`", text),
            *(line for block in blocks(page) for line in block.lines),
        ):
            shown |= set(re.findall(r"(?:^|[;&] *)make ([a-z-]+)", code))
    assert len(shown) > 8
    assert sorted(shown - there) == []


ITEM = re.compile(r"(?P<indent> *)(?:-|\d+\.) \S")


def misread_lists(text: str) -> list[str]:
    """Return the list items that only one of forge and site shows as list items."""
    found = []
    before = ""
    for line in re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines():
        if item := ITEM.match(line):
            follows = not before or ITEM.match(before) or before.startswith(" ")
            if not follows or len(item["indent"]) % 4:
                found.append(line)
        before = line
    return found


@pytest.mark.parametrize("page", PAGES)
def test_lists_are_lists_in_both_views(page: str) -> None:
    """The site needs an empty line before a list, and four spaces before a nested list."""
    if page != GENERATED:
        assert misread_lists((ROOT / page).read_text("utf-8")) == []


def test_text_that_is_not_a_list() -> None:
    good = "- one\n  and more\n- two\n\n    - within\n"
    assert misread_lists(good) == []
    assert misread_lists("Words:\n- one\n") == ["- one"]
    assert misread_lists("- one\n  - within\n") == ["  - within"]


NAMED_PATH = re.compile(r"`((?:bench|components|docs|providers|tenantry|tests|tools)/[\w./-]*\w/?)`")
TO_BE_WRITTEN = "banner"
"""A word in the names of the files that the recipe for a new resource type creates."""


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_each_file_on_a_page_exists(page: str) -> None:
    named = NAMED_PATH.findall((ROOT / page).read_text("utf-8"))
    assert [name for name in named if not (ROOT / name).exists() and TO_BE_WRITTEN not in name] == []


OF_OTHERS = (
    "401 ",
    "403 ",
    "400 ",
    "pip finds",
    "pulumi shows",
    "the stack is currently locked",
    "tenantry smoke:",
)
"""The beginnings of quoted messages that do not come from the product, but from Qlik, Pulumi or pip."""


def texts_of_the_product() -> str:
    """Return every text in the code, on one line, without code marks, and with a gap for each value."""
    found = []
    for folder in ("components", "providers", "tenantry"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
                    found.append("".join(map(str, parts)))
    return " ".join("\n".join(found).replace("`", "").lower().split())


def test_each_message_in_the_table_exists_in_the_product() -> None:
    rows = [
        line.split(" | ")[0].removeprefix("| ").replace("`", "")
        for line in (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").splitlines()
        if line.startswith("| ") and not line.startswith("| what you see")
    ]
    product_texts = texts_of_the_product()
    missing = []
    for row in rows:
        parts = [part.strip(" ,:.").lower() for part in re.split("…|, or ", row)]
        if not row.startswith(OF_OTHERS):
            missing += [
                f"{part!r} of {row}" for part in parts if part.count(" ") and part not in product_texts
            ]
    assert len(rows) > 40
    assert missing == []
