"""The type tokens of our resources in the engine and in every state. They never change."""

from __future__ import annotations

RESOURCES = "pulumi-python:dynamic/qlik:"
"""The prefix of a type token of a resource at Qlik. The name of its class follows."""

COMPONENTS = "qlik:index:"
"""The prefix of a type token of a component."""


def of(resource_type: str) -> str:
    """Return the type token of a resource at Qlik, by the name of its class."""
    return RESOURCES + resource_type
