"""The SCIM filter language (RFC 7644, section 3.4.2.2), as far as Qlik's lists support it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tenantry.emulator.errors import Invalid

Test = Callable[[dict[str, Any]], bool]

TOKEN = re.compile(
    r"""\s*(?:
        (?P<punctuation>[()])
        | "(?P<double>(?:[^"\\]|\\.)*)"
        | '(?P<single>(?:[^'\\]|\\.)*)'
        | (?P<word>[^\s()"']+)
    )""",
    re.VERBOSE,
)

OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "eq": lambda left, right: left == right,
    "ne": lambda left, right: left != right,
    "co": lambda left, right: right in left,
    "sw": lambda left, right: left.startswith(right),
    "gt": lambda left, right: left > right,
    "ge": lambda left, right: left >= right,
    "lt": lambda left, right: left < right,
    "le": lambda left, right: left <= right,
}
MAX_DEPTH = 50


def compile_filter(text: str, attributes: Mapping[str, str], *, parameter: str = "filter") -> Test:
    """Convert a filter to a function that tests one document. Comparisons ignore case, as in Qlik's lists.

    Args:
        text: such as `name eq "Finance" and (status eq "active" or not (id eq "1"))`.
        attributes: the attributes that a filter can use -> their operators, such as `eq co`; empty allows all
            operators. A dotted attribute looks into lists of objects.
        parameter: the query parameter that an error names.

    Raises:
        Invalid: the text is not a filter, or it uses an attribute that is not allowed.
    """
    return _Parser(text, attributes, parameter).parse()


class _Parser:
    def __init__(self, text: str, attributes: Mapping[str, str], parameter: str) -> None:
        self.attributes = {name.casefold(): name for name in attributes}
        self.operators = attributes
        self.parameter = parameter
        self.tokens = list(self._split(text))
        self.position = 0

    def parse(self) -> Test:
        test = self._or_expression(0)
        if self.position < len(self.tokens):
            raise self._error(f"unexpected {self.tokens[self.position][1]!r}")
        return test

    def _split(self, text: str) -> Iterable[tuple[str, str]]:
        position = 0
        text = text.strip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if match is None:
                raise self._error("a quotation mark is not closed")
            position = match.end()
            kind = match.lastgroup or ""
            token = match.group(kind)
            yield ("value", re.sub(r"\\(.)", r"\1", token)) if kind in ("double", "single") else (kind, token)

    def _or_expression(self, depth: int) -> Test:
        tests = [self._and_expression(depth)]
        while self._keyword("or"):
            tests.append(self._and_expression(depth))
        return tests[0] if len(tests) == 1 else lambda doc: any(test(doc) for test in tests)

    def _and_expression(self, depth: int) -> Test:
        tests = [self._term(depth)]
        while self._keyword("and"):
            tests.append(self._term(depth))
        return tests[0] if len(tests) == 1 else lambda doc: all(test(doc) for test in tests)

    def _term(self, depth: int) -> Test:
        if depth > MAX_DEPTH:
            raise self._error("too complex")
        if self._keyword("not"):
            inner = self._term(depth + 1)
            return lambda doc: not inner(doc)
        if self._punctuation("("):
            inner = self._or_expression(depth + 1)
            if not self._punctuation(")"):
                raise self._error("a bracket is not closed")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        attribute = self.attributes.get(self._take("word", "an attribute").casefold())
        if attribute is None:
            raise self._error(f"filter on one of {', '.join(self.attributes.values())}")
        allowed = self.operators[attribute].split() or list(OPERATORS)
        name = self._take("word", "an operator").casefold()
        if name not in allowed:
            raise self._error(f"operators of {attribute} are {', '.join(allowed)}")
        operator = OPERATORS[name]
        right = self._value().casefold()
        if name == "ne":
            return lambda doc: all(left != right for left in _values(doc, attribute))
        return lambda doc: any(operator(left, right) for left in _values(doc, attribute))

    def _value(self) -> str:
        kind, text = self.tokens[self.position] if self.position < len(self.tokens) else ("end", "")
        if kind not in ("value", "word"):
            raise self._error("a value is missing")
        self.position += 1
        return text

    def _take(self, kind: str, label: str) -> str:
        if self.position >= len(self.tokens) or self.tokens[self.position][0] != kind:
            raise self._error(f"{label} is missing")
        self.position += 1
        return self.tokens[self.position - 1][1]

    def _keyword(self, word: str) -> bool:
        return self._accept(lambda kind, text: kind == "word" and text.casefold() == word)

    def _punctuation(self, mark: str) -> bool:
        return self._accept(lambda kind, text: kind == "punctuation" and text == mark)

    def _accept(self, is_match: Callable[[str, str], bool]) -> bool:
        if self.position < len(self.tokens) and is_match(*self.tokens[self.position]):
            self.position += 1
            return True
        return False

    def _error(self, detail: str) -> Invalid:
        return Invalid(f"not a valid filter: {detail}", parameter=self.parameter)


def _values(doc: dict[str, Any], attribute: str) -> list[str]:
    """Return the values of an attribute as text. A dotted attribute has the values of every list entry."""
    found: list[Any] = [doc]
    for step in attribute.split("."):
        found = [
            part for item in found for part in _items(item.get(step) if isinstance(item, dict) else None)
        ]
    return [str(value).casefold() for value in found]


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
