"""Regular expressions read texts from outside, so their time must be proportional to the text."""

from __future__ import annotations

import ast
import importlib
import re
import time
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

import tenantry
from tenantry.providers.values.limits import Limits

parser: Any = re._parser  # the pattern parser of the standard library

ROOT = Path(tenantry.__file__).parent
SIZES = (500, 4_000, 32_000)
MAX_GROWTH = 3
"""The maximum growth of time beyond the growth of the text.

A pattern that looks at each pair of characters needs 64 times as long for eight times the text.
"""
NOISE_SECONDS = 0.01
"""Growth is noise below this time."""

VARIABLE_PATTERNS = {
    "emulator/contract.py: re.compile",
    "fleet/troubles.py: re.compile",
    "pulumi_cli/golang.py: re.search",
    "pulumi_cli/release.py: re.fullmatch",
    "providers/framework/properties.py: re.search",
    "providers/values/scripts.py: re.compile",
    "providers/values/scripts.py: re.search",
}
"""Uses of patterns in variables.

They are the paths of the contract, a table whose patterns are tested as objects, limits, and escaped texts of
a customer.
"""


class Use(NamedTuple):
    """A pattern and the function of `re` that uses it."""

    module: str
    pattern: str
    flags: int
    function: str


def _modules() -> Iterator[tuple[str, ModuleType, ast.Module]]:
    folders = [ROOT, *(path for path in ROOT.iterdir() if path.is_symlink())]
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        name = path.relative_to(ROOT)
        if name.stem != "__main__":
            dotted = ".".join(("tenantry", *name.with_suffix("").parts)).removesuffix(".__init__")
            yield str(name), importlib.import_module(dotted), ast.parse(path.read_text("utf-8"))


MODULES = list(_modules())


def _functions() -> dict[str, set[str]]:
    """Return the functions that are called on each name, as in `_TIME.fullmatch(…)`, `words._TIME.sub(…)`."""
    found: dict[str, set[str]] = {}
    for _, _, tree in MODULES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                name = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
                found.setdefault(name, set()).add(node.attr)
    return found


def _inline(name: str, module: ModuleType, tree: ast.Module) -> Iterator[Use | str]:
    """Yield the patterns that a module passes to `re`; for a pattern in a variable, yield a text."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("re.") and node.args):
            continue
        function = ast.unparse(node.func).removeprefix("re.")
        if function not in ("compile", *FUNCTIONS):
            continue
        flags = next((keyword.value for keyword in node.keywords if keyword.arg == "flags"), None)
        try:
            pattern = eval(ast.unparse(node.args[0]), vars(module))
            flags_value = eval(ast.unparse(flags), vars(module)) if flags else 0
        except NameError:
            yield f"{name}: re.{function}"
            continue
        if function != "compile":
            yield Use(name, pattern, int(flags_value), function)


FUNCTIONS: dict[str, Any] = {
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "match": lambda pattern, text: pattern.match(text),
    "search": lambda pattern, text: pattern.search(text),
    "findall": lambda pattern, text: pattern.findall(text),
    "finditer": lambda pattern, text: list(pattern.finditer(text)),
    "sub": lambda pattern, text: pattern.sub("", text),
    "split": lambda pattern, text: pattern.split(text),
}


def _objects(value: Any) -> Iterator[re.Pattern[str] | str]:
    """Yield the patterns in a value of a module, at any depth of a table."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, Limits):
        yield from (value.field["pattern"],) if "pattern" in value.field else ()
    elif isinstance(value, dict | list | tuple):
        for element in value.values() if isinstance(value, dict) else value:
            yield from _objects(element)
    elif is_dataclass(value) and not isinstance(value, type):
        for part in fields(value):
            yield from _objects(getattr(value, part.name, None))


def _uses() -> tuple[list[Use], set[str]]:
    called, found, uses_of_variables = _functions(), {}, set()
    for name, module, tree in MODULES:
        for usage in _inline(name, module, tree):
            if isinstance(usage, str):
                uses_of_variables.add(usage)
            else:
                found[usage[1:]] = usage
        for variable, value in list(vars(module).items()):
            for pattern in _objects(value):
                text, flags = (pattern, 0) if isinstance(pattern, str) else (pattern.pattern, pattern.flags)
                known = isinstance(value, re.Pattern) and called.get(variable, set()) & FUNCTIONS.keys()
                for function in sorted(known or {"search"}):
                    use = Use(name, text, flags & ~re.UNICODE, function)
                    found.setdefault(use[1:], use)
    return list(found.values()), uses_of_variables


USES, USES_OF_VARIABLES = _uses()


def _samples(parsed: Any) -> list[str]:
    """Return a short text for each step of a pattern, and for each of its alternatives."""
    texts = []
    for code, value in parsed:
        match str(code):
            case "LITERAL":
                texts.append(chr(value))
            case "NOT_LITERAL" | "ANY":
                texts.append("~")
            case "IN":
                texts.append(_sample_of_class(value))
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                texts.append("".join(_samples(value[2])) * max(1, min(value[0], 50)))
            case "SUBPATTERN":
                texts.append("".join(_samples(value[3])))
            case "BRANCH":
                texts.append("".join(_samples(value[1][-1])))
            case _:
                texts.append("")
    return texts


def _sample_of_class(items: Any) -> str:
    for code, value in items:
        match str(code):
            case "LITERAL":
                return chr(value)
            case "RANGE":
                return chr(value[0])
            case "CATEGORY":
                return {"DIGIT": "0", "SPACE": " ", "WORD": "a"}.get(str(value).rpartition("_")[2], "a")
    return "~"


def _hostile(use: Use, size: int) -> Iterator[str]:
    """Yield texts that make a pattern restart many times, or fail only at the very end."""
    steps = _samples(parser.parse(use.pattern, use.flags))
    atoms = dict.fromkeys([*filter(None, steps), "a", "0", " ", "-", ".", "a.", "\n"])
    heads = ["".join(steps[:end]) for end in range(len(steps) + 1)]
    for text in dict.fromkeys([*heads, *atoms]):
        yield (text * (size // max(1, len(text)) + 1))[:size] + "\0"
    for head in dict.fromkeys(heads):
        for atom in atoms:
            yield (head + atom * size)[:size] + "\0"


def _seconds(use: Use, pattern: re.Pattern[str], text: str) -> float:
    started = time.thread_time()
    FUNCTIONS[use.function](pattern, text)
    return time.thread_time() - started


def _worst(use: Use) -> str:
    """Return a text that takes too long, with its times; an empty string if there is none."""
    pattern = re.compile(use.pattern, use.flags)
    texts = {size: list(_hostile(use, size)) for size in SIZES}
    for index in range(len(texts[SIZES[0]])):
        previous_size, previous_duration = 0, 0.0
        for size in SIZES:
            text = texts[size][index]
            duration = _seconds(use, pattern, text)
            if duration > NOISE_SECONDS and previous_size:
                duration = min(duration, _seconds(use, pattern, text))
                allowed = MAX_GROWTH * size / previous_size * max(previous_duration, NOISE_SECONDS / 10)
                if duration > allowed and duration > NOISE_SECONDS:
                    return (
                        f"{text[:60]!r}…: {previous_duration:.4f} s for {previous_size} characters, "
                        f"{duration:.4f} s for {size}"
                    )
            previous_size, previous_duration = size, duration
    return ""


def test_all_patterns_in_variables_are_known() -> None:
    assert USES_OF_VARIABLES == VARIABLE_PATTERNS


@pytest.mark.parametrize(
    "use", USES, ids=[f"{usage.module}-{usage.function}-{usage.pattern[:30]!a}" for usage in USES]
)
def test_the_time_of_a_pattern_is_proportional_to_the_text(use: Use) -> None:
    assert _worst(use) == ""


@pytest.mark.parametrize(
    ("pattern", "function"),
    [("(a+)+b", "match"), (r"\S+?\.yaml", "search"), ("-BEGIN (.*?)-END", "findall"), (r"\s+$", "sub")],
)
def test_a_slow_pattern_is_found(pattern: str, function: str) -> None:
    sizes = SIZES if pattern != "(a+)+b" else (16, 23, 26)
    use = Use("here", pattern, 0, function)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{__name__}.SIZES", sizes)
        assert _worst(use)
