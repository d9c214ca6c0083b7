"""The type tokens of Tenantry's resources in the engine and in every state. They never change."""

from __future__ import annotations

RESOURCES = "pulumi-python:dynamic/qlik:"
"""The prefix of the type token of a resource at Qlik. The name of its class follows."""

COMPONENTS = "qlik:index:"
"""The prefix of the type token of a component. The name of its class follows."""


def of(resource_type: str) -> str:
    """Return the type token of the resource type with this class name."""
    return RESOURCES + resource_type
