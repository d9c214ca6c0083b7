"""The types of our resources, as the engine and every state name them. They never change."""

from __future__ import annotations

RESOURCES = "pulumi-python:dynamic/qlik:"
"""How the type of each resource at Qlik begins; the name of its class follows."""

COMPONENTS = "qlik:index:"
"""How the types of components begin."""


def of(kind: str) -> str:
    """Return the type of a resource at Qlik, by the name of its class."""
    return RESOURCES + kind
