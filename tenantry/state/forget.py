"""Letting go of a tenant: it leaves the state of its stack, and stays at Qlik as it is."""

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
    """The tenant of a stack cannot be taken out of its state; the message says why."""


@dataclass(frozen=True)
class Farewell:
    """A stack whose tenants are about to be forgotten. Nothing is done before `forget`."""

    backend: Backend
    stack: str
    state: State
    parts: Split

    @classmethod
    def look(cls, backend: Backend, stack: str) -> Farewell:
        """Read the state of a stack. Raises CannotForget, PulumiFailed, NoSuchStack."""
        state = backend.state(stack)
        parts = split(state)
        if not parts.tenants:
            raise CannotForget(f"There is no tenant in the state of stack {stack}: nothing to forget.")
        if parts.leaning:
            names = "".join(f"\n  - {name_of(urn)}" for urn in parts.leaning)
            raise CannotForget(
                f"Other resources of stack {stack} depend on the tenant. Take them out of the state first "
                f"(`pulumi state delete`), or out of the program:{names}"
            )
        return cls(backend, stack, state, parts)

    @property
    def revival(self) -> list[str]:
        """The line for the customer in the stack file that brings each tenant back under management."""
        return [_revive(tenant) for tenant in self.parts.tenants]

    @property
    def adopted(self) -> list[str]:
        """What somebody else made and this stack adopted: it needs `adopt: true` again."""
        return [name_of(each["urn"]) for each in self.parts.ours if (each.get("inputs") or {}).get("adopt")]

    def forget(self) -> Path:
        """Replace the state by one without the tenants, clear their notes, and return the file in which the
        former state is kept. Raises PulumiFailed; StateChanged where another run came in between.
        """
        kept = _keep(self.stack, self.state)
        try:
            self.backend.replace_state(self.stack, self.parts.rest, seen=self.state)
        except StateChanged:
            kept.unlink()
            raise
        for stack in {stack_of(each["urn"], self.backend.root) for each in self.parts.ours}:
            notes.forget(stack)
        return kept


def _revive(tenant: Resource) -> str:
    tenant_id = (tenant.get("outputs") or {}).get("tenant_id", "")
    return f"revive: {{hostname: {tenant['id']}, tenant_id: {tenant_id}}}"


def _keep(stack: str, state: State) -> Path:
    """Write a state where the notes are, readable by the user alone."""
    folder = notes.directory().parent / "forgotten"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    file = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '-', stack)}-{moment}.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(state, indent=2), "utf-8")
    return file
