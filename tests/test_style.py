"""The rules of docs/style.md that a test can check: errors state, in plain words."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("providers", "components", "tenantry")
REPORTING = {"Violation", "Problem", "Finding", "CheckFailure", "fail", "refuse", "problem"}
"""Calls that report a problem, besides `raise`."""

FOREIGN = (
    r"(?<![tT]here )\bis no (?!longer|more than)[a-zA-Z]+\b",
    r"\bthat is for\b",
    r"\bnothing was said\b",
    r"\bnobody knows\b",
    r"\bas a production customer is\b",
    r"\bno more is\b",
    r"\b(is|are) told\b",
    r"\b(is|are) to be \w+",
    r"\bnor is there\b",
    r"\bwhat it is\b",
)
"""Phrases that an English colleague would not write, as regular expressions. Add those that you find."""

FILES = sorted(
    file.relative_to(ROOT)
    for package in PACKAGES
    for file in (ROOT / package).rglob("*.py")
    if not any(parent.is_symlink() for parent in file.parents)
)


def literals(node: ast.AST) -> str:
    """Return the text of a string or f-string, with `…` for each value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(literals(part) or "…" for part in node.values)
    return ""


def reports(node: ast.AST) -> bool:
    """Tell whether a node raises or reports an error."""
    if isinstance(node, ast.Raise):
        return True
    if not isinstance(node, ast.Call):
        return False
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return name in REPORTING or (name == "__init__" and isinstance(node.func, ast.Attribute))


def messages(file: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield each text of several words, except docstrings: its line, its text, and whether it is an error."""
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    reported = {id(part) for node in ast.walk(tree) if reports(node) for part in ast.walk(node)}
    skipped = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    skipped |= {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    } - {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    for node in ast.walk(tree):
        if id(node) in skipped or not isinstance(node, ast.JoinedStr | ast.Constant):
            continue
        if (text := literals(node)).count(" ") > 1:
            yield node.lineno, text, id(node) in reported


def problems(text: str, reported: bool) -> list[str]:
    """Return the problems of a text. Only a prompt can ask; an error cannot."""
    found = [phrase for phrase in FOREIGN if re.search(phrase, text)]
    asks = reported and text.rstrip(' "').endswith("?")
    return [*found, "it ends with a question mark"] if asks else found


@pytest.mark.parametrize("file", FILES, ids=str)
def test_messages_are_in_plain_words(file: Path) -> None:
    errors = [
        f"{file}:{line}: {text!r}: {found}"
        for line, text, reported in messages(file)
        if (found := problems(text, reported))
    ]
    assert not errors, "\n".join(errors)


def test_many_messages_are_found() -> None:
    """Otherwise, the test above would check nothing."""
    found = [reported for file in FILES for _, _, reported in messages(file)]
    assert sum(found) > 500
    assert len(found) > 2000


@pytest.mark.parametrize(
    ("text", "reported"),
    [
        ("a path that is no path", False),
        ('"acme" is no hostname of a tenant', False),
        ("pem or pem_file: which key?", True),
        ("which tenant is to be removed", False),
    ],
)
def test_a_foreign_phrase_and_a_question_are_refused(text: str, reported: bool) -> None:
    assert problems(text, reported)


def test_a_prompt_can_ask() -> None:
    assert not problems("Remove it from the state?", False)
