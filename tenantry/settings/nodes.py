"""The nodes of a YAML file, built from the events of the parser, with a limit on depth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import yaml

from tenantry.errors import TenantryError

PLAIN = "plain"
"""The tag for an unquoted scalar that has no tag."""

STRING = "tag:yaml.org,2002:str"
MAX_DEPTH = 50

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class DocumentTooLarge(yaml.MarkedYAMLError, TenantryError):
    """A file that is nested too deeply, or grows too much when its aliases are expanded."""

    def __init__(self, what: str, mark: Any) -> None:
        super().__init__(problem=what, problem_mark=mark)


def compose(text: str) -> yaml.Node | None:
    """Return the root node of the document in `text`, or None. An alias becomes the node that it names.

    PyYAML's own composer is recursive, so a hostile file could end the process. Raises yaml.YAMLError.
    """
    loader = _Loader(text)
    composer = _Composer()
    try:
        while loader.check_event():
            composer.take(loader.get_event())
    finally:
        loader.dispose()
    return composer.root


@dataclass
class _Composer:
    root: yaml.Node | None = None
    anchors: dict[str, yaml.Node] = field(default_factory=dict)
    open: list[yaml.CollectionNode] = field(default_factory=list)
    keys: list[yaml.Node | None] = field(default_factory=list)
    """For each open mapping, the key whose value follows."""

    def take(self, event: Any) -> None:
        """Process one event."""
        mark = event.start_mark
        if isinstance(event, yaml.DocumentStartEvent) and self.root is not None:
            raise yaml.MarkedYAMLError(problem="a second document begins here", problem_mark=mark)
        if isinstance(event, yaml.CollectionEndEvent):
            self.open.pop()
            self.keys.pop()
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                raise yaml.MarkedYAMLError(
                    problem=f"found undefined alias '{event.anchor}'", problem_mark=mark
                )
            self.add(self.anchors[event.anchor])
        elif isinstance(event, yaml.NodeEvent):
            node = _node(event)
            self.add(node)
            if event.anchor is not None:
                self.anchors[event.anchor] = node
            if isinstance(node, yaml.CollectionNode):
                if len(self.open) == MAX_DEPTH:
                    raise DocumentTooLarge(f"it is nested more than {MAX_DEPTH} levels deep", mark)
                self.open.append(node)
                self.keys.append(None)

    def add(self, node: yaml.Node) -> None:
        """Add a node at the current position: as the root, an item, a key, or a value."""
        if not self.open:
            self.root = node
        elif isinstance(self.open[-1], yaml.SequenceNode):
            self.open[-1].value.append(node)
        elif self.keys[-1] is None:
            self.keys[-1] = node
        else:
            self.open[-1].value.append((self.keys[-1], node))
            self.keys[-1] = None


def _node(event: Any) -> yaml.Node:
    tag = None if event.tag == "!" else event.tag
    make: Any = yaml.SequenceNode if isinstance(event, yaml.SequenceStartEvent) else yaml.MappingNode
    value: Any = []
    if isinstance(event, yaml.ScalarEvent):
        make, value = yaml.ScalarNode, event.value
        tag = tag or (PLAIN if event.implicit[0] else STRING)
    node: yaml.Node = make(tag, value, event.start_mark, event.end_mark)
    return node
