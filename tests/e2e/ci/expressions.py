"""The subset of GitHub Actions expressions that our workflows use. An unknown expression fails the test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*(?:(\d+|'(?:[^']|'')*')|(&&|\|\||==|!=|!|[(),])|([A-Za-z_][\w-]*(?:\.[\w-]+)*))")
WHOLE = re.compile(r"^\$\{\{((?:(?!\}\}).)*)\}\}$", re.DOTALL)
INNER = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
FREE = ("secrets", "vars", "inputs")
"""Contexts whose unset values are empty, like outputs."""

Functions = Mapping[str, Callable[..., Any]]


class Expressions:
    """The contexts (`github`, `vars`, …) and functions for the evaluation of expressions."""

    def __init__(self, contexts: Mapping[str, Any], functions: Functions) -> None:
        self.contexts = contexts
        self.functions: Functions = {"fromJSON": json.loads, **functions}

    def value(self, of: Any) -> Any:
        """Return a value of a workflow with every `${{ … }}` evaluated."""
        if isinstance(of, Mapping):
            return {key: self.value(item) for key, item in of.items()}
        if isinstance(of, list):
            return [self.value(element) for element in of]
        if not isinstance(of, str):
            return of
        if whole := WHOLE.match(of.strip()):
            return self.evaluate(whole[1])
        return INNER.sub(lambda found: text(self.evaluate(found[1])), of)

    def holds(self, condition: str) -> bool:
        """Tell whether the condition of an `if:` holds."""
        return bool(self.evaluate(bare(condition)))

    def evaluate(self, expression: str) -> Any:
        """Evaluate an expression."""
        tokens, end = [], 0
        while end < len(expression.rstrip()):
            found = TOKEN.match(expression, end)
            assert found, f"cannot be read: {expression[end:]!r}"
            tokens.append(found[0].strip())
            end = found.end()
        rest = _Reader(self, tokens)
        value = rest.either()
        assert not rest.tokens, f"left over in {expression!r}: {rest.tokens}"
        return value

    def look_up(self, path: str) -> Any:
        """Return the value at a dotted path."""
        root, *names = path.split(".")
        assert root in self.contexts, f"unknown context: {path}"
        found = self.contexts[root]
        for number, name in enumerate(names):
            if root in FREE or (number and names[number - 1] == "outputs"):
                return found.get(name, "")
            assert isinstance(found, Mapping), f"nothing in it: {path}"
            assert name in found, f"unknown value: {path}"
            found = found[name]
        return found


class _Reader:
    """A recursive parser of an expression; it starts with the operator that binds least."""

    def __init__(self, expressions: Expressions, tokens: list[str]) -> None:
        self.expressions, self.tokens = expressions, tokens

    def either(self) -> Any:
        value = self.both()
        while self._next("||"):
            other = self.both()
            value = value or other
        return value

    def both(self) -> Any:
        value = self.compared()
        while self._next("&&"):
            other = self.compared()
            value = value and other
        return value

    def compared(self) -> Any:
        value = self.single()
        for operator in ("==", "!="):
            if self._next(operator):
                same = text(value).lower() == text(self.single()).lower()
                return same == (operator == "==")
        return value

    def single(self) -> Any:
        token = self.tokens.pop(0)
        if token == "!":
            return not self.single()
        if token == "(":
            value = self.either()
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
        given = []
        while not self._next(")"):
            given.append(self.either())
            self._next(",")
        return self.expressions.functions[name](*given)

    def _next(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True


def bare(condition: str) -> str:
    """Return a condition without its optional `${{ }}`."""
    whole = WHOLE.match(str(condition).strip())
    return whole[1] if whole else str(condition)


def text(value: Any) -> str:
    """Return a value as GitHub writes it into text."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
