"""YAML that every reader takes for the same values."""

from __future__ import annotations

import re

import yaml

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._/()-]*|[a-z]+:[a-z_]+")


class Dumper(yaml.SafeDumper):
    """Quotes whatever another reader of YAML might take for a number, a date or a word of its own."""

    def ignore_aliases(self, data: object) -> bool:
        """Write a value out each time that it comes: people read these files."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None if _PLAIN.fullmatch(value) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


Dumper.add_representer(str, _text)
