"""The rules of docs/style.md that a test can hold: errors state, in plain words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("providers", "components", "tenantry")
REPORTING = {"Complaint", "Problem", "Finding", "CheckFailure", "fail", "refuse", "problem"}
"""Calls that report a problem, besides `raise`."""

FOREIGN = (
    r"(?<![tT]here )\bis no (?!longer)[a-zA-Z]+\b",
    r"\bthat is for\b",
    r"\bnothing was said\b",
    r"\bnobody knows\b",
    r"\bas a production customer is\b",
    r"\bno more is\b",
    r"\bmay not have been said\b",
    r"\bis told\b",
    r"\bare told\b",
    r"\bis to be had\b",
    r"\bwhich one\b.*\?",
    r"\bnor is there\b",
)
"""Phrases that an English colleague would not write, as regular expressions. Add those that you find."""

FILES = sorted(
    file.relative_to(ROOT)
    for package in PACKAGES
    for file in (ROOT / package).rglob("*.py")
    if not any(parent.is_symlink() for parent in file.parents)
)


def literals(node: ast.AST) -> str:
    """The text of a string or f-string; `…` stands for each value in it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(literals(part) or "…" for part in node.values)
    return ""


def reports(node: ast.AST) -> bool:
    """Whether a node raises or reports something."""
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in REPORTING or (name == "__init__" and isinstance(node.func, ast.Attribute))


def messages(file: Path) -> Iterator[tuple[int, str]]:
    """Each text of a raised error or reported problem, with its line."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    for node in ast.walk(tree):
        if reports(node):
            inner = [part for part in ast.walk(node) if isinstance(part, ast.JoinedStr | ast.Constant)]
            within = {id(part) for text in inner if isinstance(text, ast.JoinedStr) for part in text.values}
            for text in inner:
                if id(text) not in within and (words := literals(text)).count(" ") > 1:
                    yield text.lineno, words


def problems(text: str) -> list[str]:
    """What is wrong with a message."""
    found = [phrase for phrase in FOREIGN if re.search(phrase, text)]
    return found + (["it ends with a question mark"] if text.rstrip().endswith("?") else [])


@pytest.mark.parametrize("file", FILES, ids=str)
def test_errors_state_in_plain_words(file: Path) -> None:
    wrong = [f"{file}:{line}: {text!r}: {problems(text)}" for line, text in messages(file) if problems(text)]
    assert not wrong, "\n".join(wrong)


def test_the_walk_finds_messages() -> None:
    """Else the test above would hold nothing."""
    assert sum(len(list(messages(file))) for file in FILES) > 500


@pytest.mark.parametrize(
    "text", ["a path that is no path", '"acme" is no hostname of a tenant', "is it the right key?"]
)
def test_what_is_refused(text: str) -> None:
    assert problems(text)
