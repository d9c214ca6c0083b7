"""Commands, options, make targets and tests on the pages exist. Each command has a test or a reason."""

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
NAMED_TESTS = re.findall(r"`(tests/[\w/]+\.py)((?:::\w+)*)`", PAGE)


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
        for file, name in NAMED_TESTS
        if not (ROOT / file).is_file() or (name and name not in names_in(ROOT / file))
    ]
    assert len(NAMED_TESTS) > 15
    assert missing == []


@pytest.mark.parametrize("page", PAGES)
def test_each_command_has_a_test_or_a_reason(page: str) -> None:
    if page == GENERATED:
        return
    shown = [
        line for block in blocks(page) for line in block.lines if block.heading not in run_headings(page)
    ]
    unlisted = Counter(shown) - Counter({line: len(shown) for line in not_run(page)})
    assert sorted(unlisted) == [], "let a test run them, or add them to tests/documents.toml with a reason"
    all_lines = {line for block in blocks(page) for line in block.lines}
    assert [line for line in not_run(page) if line not in all_lines] == [], "no longer on the page"


@pytest.mark.parametrize(("page", "test", "headings"), RUN)
def test_listed_commands_and_their_tests_exist(page: str, test: str, headings: tuple[str, ...]) -> None:
    shown = {block.heading for block in blocks(page)}
    assert [heading for heading in headings if heading not in shown] == []
    file, _, name = test.partition("::")
    assert f"::{name}" in names_in(ROOT / file)


CLI = typer.main.get_command(app)
COMMAND = re.compile(r"(?<![\w./\-\"])tenantry (?P<words>[a-z][^\n|;&`)<]*)")
INLINE = re.compile(r"`(tenantry [a-z][^`]*)`")


def commands_in(text: str) -> list[list[str]]:
    """Return the words after `tenantry` in each command of a script."""
    return [shlex.split(match["words"], comments=True) for match in COMMAND.finditer(text)]


def problem(words: list[str], *, complete: bool) -> str:
    """Return the error of the command line for a command; "" without an error.

    Without `complete`, required values can be missing.
    """
    assert isinstance(CLI, TyperGroup)
    name, *rest = words
    command = CLI.commands.get(name)
    if command is None:
        return "unknown command"
    try:
        command.make_context(name, rest, parent=typer.Context(CLI, info_name="tenantry"))
    except TyperException as error:
        is_incomplete = type(error).__name__ == "MissingParameter"
        return "" if is_incomplete and not complete else f"{type(error).__name__}: {error}"
    return ""


@pytest.mark.parametrize("page", PAGES)
def test_the_command_line_accepts_the_commands_on_the_page(page: str) -> None:
    problems = {}
    if page != GENERATED:
        for block in blocks(page):
            for words in commands_in("\n".join(block.lines)):
                problems[" ".join(words)] = problem(words, complete=True)
    for code in INLINE.findall((ROOT / page).read_text("utf-8")):
        for words in commands_in(" ".join(code.split())):
            problems[" ".join(words)] = problem(words, complete=False)
    assert {words: error for words, error in problems.items() if error} == {}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("nothing", "unknown command"),
        ("up --everything", "NoSuchOption"),
        ("up --all --jobs many", "BadParameter"),
        ("forget", "MissingParameter"),
    ],
)
def test_a_wrong_command_is_found(words: str, expected: str) -> None:
    [found] = [problem(command, complete=True) for command in commands_in(f"tenantry {words}  # a comment")]
    assert found.startswith(expected)


def test_each_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    shown = set()
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        for code in (
            *re.findall(r"`([^`\n]+)`", text),
            *(line for block in blocks(page) for line in block.lines),
        ):
            shown |= set(re.findall(r"(?:^|[;&] *)make ([a-z-]+)", code))
    assert len(shown) > 8
    assert sorted(shown - targets) == []


ITEM = re.compile(r"(?P<indent> *)(?:-|\d+\.) \S")


def misread_lists(text: str) -> list[str]:
    """Return the list items that only the forge or only the site shows as list items."""
    misread = []
    previous = ""
    for line in re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL).splitlines():
        if item := ITEM.match(line):
            can_start = not previous or ITEM.match(previous) or previous.startswith(" ")
            if not can_start or len(item["indent"]) % 4:
                misread.append(line)
        previous = line
    return misread


@pytest.mark.parametrize("page", PAGES)
def test_the_forge_and_the_site_show_the_same_lists(page: str) -> None:
    """The site needs an empty line before a list, and four spaces before a nested list."""
    if page != GENERATED:
        assert misread_lists((ROOT / page).read_text("utf-8")) == []


def test_misread_list_items_are_found() -> None:
    correct = "- one\n  and more\n- two\n\n    - within\n"
    assert misread_lists(correct) == []
    assert misread_lists("Words:\n- one\n") == ["- one"]
    assert misread_lists("- one\n  - within\n") == ["  - within"]


NAMED_PATH = re.compile(r"`((?:bench|components|docs|providers|tenantry|tests|tools)/[\w./-]*\w/?)`")
RECIPE_WORD = "banner"
"""A word in the names of the files that the recipe for a new resource type creates."""


@pytest.mark.parametrize("page", [page for page in PAGES if page != "CHANGELOG.md"])
def test_each_file_on_a_page_exists(page: str) -> None:
    paths = NAMED_PATH.findall((ROOT / page).read_text("utf-8"))
    assert [path for path in paths if not (ROOT / path).exists() and RECIPE_WORD not in path] == []


FOREIGN_MESSAGES = (
    "401 ",
    "403 ",
    "400 ",
    "pip finds",
    "pulumi shows",
    "the stack is currently locked",
    "tenantry smoke:",
)
"""The beginnings of quoted messages that come from Qlik, Pulumi or pip, and not from the product."""


def texts_of_the_product() -> str:
    """Return all texts in the code on one line, without code marks, and with a gap for each value."""
    texts = []
    for folder in ("components", "providers", "tenantry"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    texts.append(node.value)
                elif isinstance(node, ast.JoinedStr):
                    parts = (part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
                    texts.append("".join(map(str, parts)))
    return " ".join("\n".join(texts).replace("`", "").lower().split())


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
        if not row.startswith(FOREIGN_MESSAGES):
            missing += [
                f"{part!r} of {row}" for part in parts if part.count(" ") and part not in product_texts
            ]
    assert len(rows) > 40
    assert missing == []
