"""The subset of GitHub's expressions that the workflows use. An unknown expression fails the test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*(?:(\d+|'(?:[^']|'')*')|(&&|\|\||==|!=|!|[(),])|([A-Za-z_][\w-]*(?:\.[\w-]+)*))")
ONLY_EXPRESSION = re.compile(r"^\$\{\{((?:(?!\}\}).)*)\}\}$", re.DOTALL)
EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
OPTIONAL_CONTEXTS = ("secrets", "vars", "inputs")
"""Contexts whose missing values are empty, as in outputs."""

Functions = Mapping[str, Callable[..., Any]]


class Expressions:
    """An evaluator of expressions, with its contexts (`github`, `vars`, …) and functions."""

    def __init__(self, contexts: Mapping[str, Any], functions: Functions) -> None:
        self.contexts = contexts
        self.functions: Functions = {"fromJSON": json.loads, **functions}

    def value(self, template: Any) -> Any:
        """Return a value of a workflow with every `${{ … }}` evaluated."""
        if isinstance(template, Mapping):
            return {key: self.value(item) for key, item in template.items()}
        if isinstance(template, list):
            return [self.value(element) for element in template]
        if not isinstance(template, str):
            return template
        if match := ONLY_EXPRESSION.match(template.strip()):
            return self.evaluate(match[1])
        return EXPRESSION.sub(lambda found: text(self.evaluate(found[1])), template)

    def holds(self, condition: str) -> bool:
        """Tell whether the condition of an `if:` holds."""
        return bool(self.evaluate(without_braces(condition)))

    def evaluate(self, expression: str) -> Any:
        """Evaluate an expression."""
        tokens, end = [], 0
        while end < len(expression.rstrip()):
            found = TOKEN.match(expression, end)
            assert found, f"unknown syntax: {expression[end:]!r}"
            tokens.append(found[0].strip())
            end = found.end()
        parser = _Parser(self, tokens)
        value = parser.parse_or()
        assert not parser.tokens, f"unexpected rest of {expression!r}: {parser.tokens}"
        return value

    def look_up(self, path: str) -> Any:
        """Return the value at a dotted path."""
        root, *names = path.split(".")
        assert root in self.contexts, f"unknown context: {path}"
        found = self.contexts[root]
        for number, name in enumerate(names):
            if root in OPTIONAL_CONTEXTS or (number and names[number - 1] == "outputs"):
                return found.get(name, "")
            assert isinstance(found, Mapping), f"not a mapping: {path}"
            assert name in found, f"unknown value: {path}"
            found = found[name]
        return found


class _Parser:
    """A recursive parser of an expression, which starts with the weakest operator."""

    def __init__(self, expressions: Expressions, tokens: list[str]) -> None:
        self.expressions, self.tokens = expressions, tokens

    def parse_or(self) -> Any:
        value = self.parse_and()
        while self._next("||"):
            other = self.parse_and()
            value = value or other
        return value

    def parse_and(self) -> Any:
        value = self.parse_comparison()
        while self._next("&&"):
            other = self.parse_comparison()
            value = value and other
        return value

    def parse_comparison(self) -> Any:
        value = self.parse_operand()
        for operator in ("==", "!="):
            if self._next(operator):
                same = text(value).lower() == text(self.parse_operand()).lower()
                return same == (operator == "==")
        return value

    def parse_operand(self) -> Any:
        token = self.tokens.pop(0)
        if token == "!":
            return not self.parse_operand()
        if token == "(":
            value = self.parse_or()
            assert self._next(")")
            return value
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        if self._next("("):
            return self._call(token)
        return self.expressions.look_up(token)

    def _call(self, name: str) -> Any:
        assert name in self.expressions.functions, f"unknown function: {name}"
        arguments = []
        while not self._next(")"):
            arguments.append(self.parse_or())
            self._next(",")
        return self.expressions.functions[name](*arguments)

    def _next(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True


def without_braces(condition: str) -> str:
    """Return a condition without its optional `${{ }}`."""
    match = ONLY_EXPRESSION.match(str(condition).strip())
    return match[1] if match else str(condition)


def text(value: Any) -> str:
    """Return a value as GitHub writes it into text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
