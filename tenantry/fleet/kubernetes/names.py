"""Names that Kubernetes takes, made of those of stacks."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

from tenantry.errors import TenantryError

MAX_NAME_CHARACTERS = 42
"""The longest name of a Stack that the operator's schema allows: names of pods and labels are made of it."""

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
"""A name that Kubernetes takes for any resource (RFC 1123)."""

_DIGITS = 10
_MADE = re.compile(rf"-[0-9a-f]{{{_DIGITS}}}$")


class ManifestsRefused(TenantryError):
    """Manifests for Kubernetes cannot be written; the message is one line."""


def label(stack: str) -> str:
    """Return the name of a stack's resource: its own where Kubernetes takes that, else one with a digest.

    A name that merely looks as if it had a digest gets one, too, so that no stack has the name of another.
    """
    if LABEL.fullmatch(stack) and len(stack) <= MAX_NAME_CHARACTERS and not _MADE.search(stack):
        return stack
    digest = hashlib.sha256(stack.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
    words = (
        re.sub(r"[^a-z0-9]+", "-", stack.lower()).strip("-")[: MAX_NAME_CHARACTERS - _DIGITS - 1].rstrip("-")
    )
    return f"{words or 'stack'}-{digest}"


def labels(stacks: Iterable[str]) -> dict[str, str]:
    """Return the names of the resources of stacks. Raises ManifestsRefused should two have one."""
    names = {stack: label(stack) for stack in stacks}
    by_name: dict[str, str] = {}
    for stack, name in names.items():
        if by_name.setdefault(name, stack) != stack:
            raise ManifestsRefused(f"the stacks {by_name[name]} and {stack} would both be {name}: rename one")
    return names
