"""YAML that every parser reads as the same values."""

from __future__ import annotations

import re

import yaml

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9 ._/()-]*|[a-z]+:[a-z_]+")


class Dumper(yaml.SafeDumper):
    """YAML dumper that quotes every text that a parser could read as a number, a date or a keyword."""

    def ignore_aliases(self, data: object) -> bool:
        """Return True, so that repeated values are written in full: people read these files."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None if _PLAIN.fullmatch(value) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


Dumper.add_representer(str, _text)
