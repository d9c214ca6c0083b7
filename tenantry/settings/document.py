"""One YAML file: its values as Pulumi's engine would pass them, and the line of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tenantry.settings.errors import Problem
from tenantry.settings.files import STACK_FILE_BYTES, read_text
from tenantry.settings.nodes import MAX_DEPTH, PLAIN, STRING, DocumentTooLarge, compose
from tenantry.settings.scalars import ENGINE_TIME, Scalar, as_text, resolve

Keys = tuple[str | int, ...]
"""The path of a value: the keys that lead to it, and the index (from 0) in a list."""

PULUMI_KEYS = ("encryptionsalt", "encryptedkey", "secretsprovider")
"""The keys in which Pulumi stores how the secrets of a stack are encrypted."""

_MERGE = "<<"
ENGINE_NULL = "<nil>"
"""A key without a value, as the engine writes it."""
MAX_VALUES = 100_000
"""The largest number of values of a file once its aliases and merges are expanded. With them, a few hundred
bytes can expand to more values than any machine can hold.
"""


@dataclass(frozen=True)
class Place:
    """The place of a value: its line (from 1), and the text of a plain scalar as written in the file."""

    line: int
    text: str | None = None


@dataclass
class Document:
    """A parsed YAML file. `name` is its name in messages. `problems` are the errors that the parser found."""

    name: str
    value: Any = None
    places: dict[Keys, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def is_rewritten_by_pulumi(self) -> bool:
        """Whether Pulumi has rewritten the file, as `pulumi stack init` does for the encryption key."""
        return isinstance(self.value, dict) and not self.value.keys().isdisjoint(PULUMI_KEYS)

    @property
    def readable(self) -> bool:
        """Whether the file was valid YAML."""
        return () in self.places

    def line(self, keys: Keys) -> int:
        """Return the line of a value, or of the nearest one around it; 0 if the file could not be read."""
        for end in range(len(keys), -1, -1):
            if place := self.places.get(keys[:end]):
                return place.line
        return 0


def read(path: Path) -> Document:
    """Parse the YAML file `path`. Errors in its content are in `Document.problems`.

    Raises OSError if the file does not exist, cannot be opened, or is not a plain file.
    """
    name = display_path(path)
    try:
        node = compose(read_text(path, STACK_FILE_BYTES))
        document = Document(name)
        document.value = _Builder(document).value(node, ()) if node else None
        document.places.setdefault((), Place(1))
    except UnicodeDecodeError:
        return Document(name, problems=[Problem(name, 0, "", "this file is not UTF-8 text")])
    except yaml.YAMLError as error:
        return Document(name, problems=[_syntax_problem(name, error)])
    return document


def display_path(path: Path) -> str:
    """Return the name of a file in messages: its path from the current folder, or its project."""
    path = path.absolute()
    if path.is_relative_to(Path.cwd()):
        return path.relative_to(Path.cwd()).as_posix()
    return "/".join(path.parts[-3 if path.parent.name == "plans" else -2 :])


def _syntax_problem(name: str, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    what = getattr(error, "problem", None) or str(error)
    column = f" (column {mark.column + 1})" if mark else ""
    text = (
        f"this file is refused: {what}"
        if isinstance(error, DocumentTooLarge)
        else f"this is not valid YAML: {what}{column}"
    )
    return Problem(name, mark.line + 1 if mark else 0, "", text)


class _Builder:
    """Builder of plain values from YAML nodes. It records the place of each value."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.open: list[yaml.Node] = []
        self.values = 0

    def value(self, node: yaml.Node, keys: Keys) -> Any:
        line = node.start_mark.line + 1
        self.count(node)
        # The line of a key is more useful than the line on which its block begins.
        self.document.places.setdefault(keys, Place(line))
        if isinstance(node, yaml.ScalarNode):
            self.document.places[keys] = Place(self.document.places[keys].line, node.value)
            return _scalar(node)
        if not self.enter(node, keys):
            return None
        if isinstance(node, yaml.SequenceNode):
            built: Any = [self.value(item, (*keys, index)) for index, item in enumerate(node.value)]
        else:
            built = self.mapping(node.value, keys)
        self.open.pop()
        return built

    def count(self, node: yaml.Node) -> None:
        """Count one more value. Raises DocumentTooLarge if there are too many."""
        self.values += 1
        if self.values > MAX_VALUES:
            text = f"it has more than {MAX_VALUES:,} values once its aliases are expanded"
            raise DocumentTooLarge(text, node.start_mark)

    def enter(self, node: yaml.Node, keys: Keys) -> bool:
        """Enter a mapping or list, and return whether that is possible. `self.open.pop()` leaves it."""
        if any(node is outer for outer in self.open):
            self.add_problem(node.start_mark.line + 1, keys, "this anchor contains itself")
            return False
        if len(self.open) == MAX_DEPTH:
            raise DocumentTooLarge(f"it is nested more than {MAX_DEPTH} levels deep", node.start_mark)
        self.open.append(node)
        return True

    def mapping(self, pairs: list[tuple[yaml.Node, yaml.Node]], keys: Keys) -> dict[str, Any]:
        built: dict[str, Any] = {}
        inherited: list[yaml.Node] = []
        lines: dict[str, int] = {}
        for key_node, value_node in pairs:
            line = key_node.start_mark.line + 1
            if key_node.tag == PLAIN and key_node.value == _MERGE:
                inherited += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
                continue
            key = self.key(key_node, keys)
            if key in lines:
                self.add_problem(line, (*keys, key), f"this key is already on line {lines[key]}")
            lines[key] = line
            self.document.places[(*keys, key)] = Place(line)
            built[key] = self.value(value_node, (*keys, key))
        for source in inherited:
            self.inherit(source, keys, built)
        return built

    def inherit(self, source: yaml.Node, keys: Keys, built: dict[str, Any]) -> None:
        self.count(source)
        if not isinstance(source, yaml.MappingNode):
            self.add_problem(source.start_mark.line + 1, keys, "<< takes a mapping, or a list of mappings")
        elif self.enter(source, keys):
            wanted = [pair for pair in source.value if self.key(pair[0], keys) not in built]
            for key, value in self.mapping(wanted, keys).items():
                built.setdefault(key, value)
            self.open.pop()

    def key(self, node: yaml.Node, keys: Keys) -> str:
        line = node.start_mark.line + 1
        self.count(node)
        if not isinstance(node, yaml.ScalarNode):
            self.add_problem(line, keys, "a key must be text")
            return ""
        value = _scalar(node)
        if isinstance(value, str) and value == node.value:
            if was := _before_pulumi(value):
                text = f'Pulumi has rewritten this key; restore it, in quotes: "{was}"'
                self.add_problem(line, (*keys, value), text)
            return value
        key = ENGINE_NULL if value is None else as_text(value)
        if key != node.value:
            self.add_problem(
                line, (*keys, node.value), f'YAML reads this key as {key}; put it in quotes: "{node.value}"'
            )
        return key

    def add_problem(self, line: int, keys: Keys, text: str) -> None:
        self.document.problems.append(Problem(self.document.name, line, path_text(keys), text))


def _scalar(node: yaml.ScalarNode) -> Scalar:
    if node.tag == STRING or node.tag.startswith("!"):
        return str(node.value)
    return resolve(node.value)


def _before_pulumi(key: str) -> str | None:
    """Return the original key in a file that Pulumi has rewritten, if it can be recognised."""
    if key == ENGINE_NULL:
        return "~"
    moment = ENGINE_TIME.fullmatch(key)
    return moment and moment["day"]


def path_text(keys: Keys) -> str:
    """Return keys in the form for messages: `customer.apps.Sales.publish_to[0]`."""
    if keys[:1] == ("config",):
        keys = keys[1:]
    if keys[:1] == ("tenantry:customer",):
        keys = ("customer", *keys[1:])
    return "".join(f"[{k}]" if isinstance(k, int) else f".{k}" for k in keys).removeprefix(".")


def holds(value: Any, keys: Keys) -> bool:
    """Return whether a value exists at `keys`, including null."""
    for key in keys:
        in_list = isinstance(value, list) and isinstance(key, int) and key < len(value)
        if not in_list and not (isinstance(value, Mapping) and key in value):
            return False
        value = value[key]
    return True
