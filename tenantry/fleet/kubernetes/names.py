"""Kubernetes names for stacks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from tenantry.errors import TenantryError

MAX_NAME_CHARACTERS = 42
"""The longest name of a Stack in the operator's schema. Names of pods and labels are derived from it."""

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
"""A name that Kubernetes accepts for any resource (RFC 1123)."""

_DIGITS = 10
_HAS_DIGEST = re.compile(rf"-[0-9a-f]{{{_DIGITS}}}$")


class ManifestsRefused(TenantryError):
    """The manifests for Kubernetes cannot be written. The message is one line."""


def label(stack: str) -> str:
    """Return the resource name of a stack: its own name if Kubernetes accepts it, or a name with a digest.

    A name that already seems to end in a digest also gets one. So two stacks never share a name.
    """
    if LABEL.fullmatch(stack) and len(stack) <= MAX_NAME_CHARACTERS and not _HAS_DIGEST.search(stack):
        return stack
    digest = hashlib.sha256(stack.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    words = (
        re.sub(r"[^a-z0-9]+", "-", stack.lower()).strip("-")[: MAX_NAME_CHARACTERS - _DIGITS - 1].rstrip("-")
    )
    return f"{words or 'stack'}-{digest}"


def labels(stacks: Iterable[str]) -> dict[str, str]:
    """Return the resource names of stacks. Raises ManifestsRefused if two are the same."""
    names = {stack: label(stack) for stack in stacks}
    by_name: dict[str, str] = {}
    for stack, name in names.items():
        if by_name.setdefault(name, stack) != stack:
            raise ManifestsRefused(
                f"the stacks {by_name[name]} and {stack} would both be named {name}: rename one"
            )
    return names
