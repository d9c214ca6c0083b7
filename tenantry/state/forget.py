"""Removal of a tenant from the state of its stack. The tenant stays unchanged at Qlik."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tenantry.errors import TenantryError
from tenantry.providers.framework import notes
from tenantry.providers.framework.stack import stack_of
from tenantry.pulumi_internals.deployment import Resource, State
from tenantry.state.backend import Backend, StateChanged
from tenantry.state.entries import Split, name_of, split


class CannotForget(TenantryError):
    """The tenant of a stack cannot be removed from its state; the message says why."""


@dataclass(frozen=True)
class ForgetReport:
    """The plan to forget the tenants of a stack. Nothing is changed before `forget`."""

    backend: Backend
    stack: str
    state: State
    parts: Split

    @classmethod
    def look(cls, backend: Backend, stack: str) -> ForgetReport:
        """Read the state of a stack. Raises CannotForget, PulumiFailed, NoSuchStack."""
        state = backend.state(stack)
        parts = split(state)
        if not parts.tenants:
            raise CannotForget(f"The state of stack {stack} has no tenant to forget.")
        if parts.dependents:
            names = "".join(f"\n  - {name_of(urn)}" for urn in parts.dependents)
            raise CannotForget(
                f"Other resources of stack {stack} depend on the tenant. First remove them from the state "
                f"(`pulumi state delete`) or from the program:{names}"
            )
        return cls(backend, stack, state, parts)

    @property
    def revive_lines(self) -> list[str]:
        """The lines for the stack file that bring the tenants back under management."""
        return [_revive(tenant) for tenant in self.parts.tenants]

    @property
    def adopted(self) -> list[str]:
        """The adopted objects, which need `adopt: true` again."""
        return [
            name_of(resource["urn"])
            for resource in self.parts.ours
            if (resource.get("inputs") or {}).get("adopt")
        ]

    def forget(self) -> Path:
        """Replace the state by one without the tenants, and clear their notes.

        Returns the file with the former state. Raises PulumiFailed, and StateChanged if another run has
        changed the state in the meantime.
        """
        kept = _keep(self.stack, self.state)
        try:
            self.backend.replace_state(self.stack, self.parts.rest, seen=self.state)
        except StateChanged:
            kept.unlink()
            raise
        for stack in {stack_of(resource["urn"], self.backend.root) for resource in self.parts.ours}:
            notes.forget(stack)
        return kept


def _revive(tenant: Resource) -> str:
    tenant_id = (tenant.get("outputs") or {}).get("tenant_id", "")
    return f"revive: {{hostname: {tenant['id']}, tenant_id: {tenant_id}}}"


def _keep(stack: str, state: State) -> Path:
    """Write a state into a file beside the notes that only the user can read."""
    folder = notes.directory().parent / "forgotten"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    file = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '-', stack)}-{moment}.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(state, indent=2), "utf-8")
    return file
