"""The proof that a tenant is about to be asked for, kept in the state of the stack before it is.

A request for a tenant has no key and its answer can be lost. What is on the disk of the machine that sent
it can be lost, too, and a URN can be renamed. The state cannot: the engine saves the proof there before it
has the tenant made, in whatever backend, and a killed run leaves it. Source:
https://qlik.dev/manage/platform-operations/create-a-tenant.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from typing import Any

from tenantry.providers.framework import notes
from tenantry.providers.framework.errors import CheckpointsRefused, TrialEnded, ended
from tenantry.providers.framework.facts import RENEW
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.properties import Change, Property, output, prop
from tenantry.providers.framework.resource import Resource
from tenantry.providers.framework.waiting import meanwhile
from tenantry.providers.qlik import Cloud, Host
from tenantry.providers.tenants import permits
from tenantry.providers.tenants.lifetime import has_ended
from tenantry.providers.values.limits import DAY, NOT_EMPTY, REGION
from tenantry.pulumi_internals.environment import SKIP_CHECKPOINTS, checkpoints_are_skipped


class TenantProof(Resource):
    """That a run is about to ask Qlik for a tenant. One proof allows one request, in the run that made it.

    Making it does what comes before that request anyway: the access token for the register host and the
    licence of the source tenant. So wrong credentials, or no network, end the run before there is a proof. A
    run that finds the proof of an earlier run asks for nothing: it finds out what came of that request, see
    `tenantry.providers.tenants.registration`. If nothing was made, the proof is replaced by a new one first;
    a tenant that lives is not touched by that.
    """

    region: Property[str] = prop("Region of the tenant.", change=Change.AT_CREATION, limits=REGION)
    source_tenant: Property[str] = prop(
        "Hostname of the tenant whose licence the new one is made under.",
        change=Change.AT_CREATION,
        limits=NOT_EMPTY,
    )
    name: Property[str] = prop("Name that the tenant will get.", change=Change.AT_CREATION, limits=NOT_EMPTY)
    revives: Property[bool] = prop(
        "Whether a tenant is taken back. Then none is asked for, and the licence is not looked at.",
        default=None,
        change=Change.AT_CREATION,
    )
    ends_on: Property[str] = prop(
        "Last day of a trial: YYYY-MM-DD, and its time zone if not UTC. No tenant is made for a trial "
        "that has ended.",
        default=None,
        change=Change.AT_CREATION,
        limits=DAY,
    )

    proof: Property[dict[str, Any]] = output(
        "What the tenant is made under: `id`; `made_at` and `valid_until`, by Qlik's clock; `name`; and "
        "whether it is `unused`, as nothing was to be asked for under it."
    )


class TenantProofHandler(Handler):
    """Made before the tenant and deleted after it; nothing of it is at Qlik."""

    resource_type = TenantProof
    is_object = False

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """A trial that has ended gets no tenant; a preview says so by this machine's clock."""
        if not have and has_ended(want.get("ends_on")):
            return {"ends_on": ended(want["ends_on"])}
        return {}

    def property_to_renew(self, id: str) -> str:
        """Have exactly this proof replaced if the environment names it."""
        return "proof" if os.environ.get(RENEW) == id else ""

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Do what comes before the request for a tenant, and keep Qlik's own time."""
        if checkpoints_are_skipped(os.environ):
            raise CheckpointsRefused(SKIP_CHECKPOINTS)
        id = secrets.token_hex(16)
        register, source = cloud.register(want["region"]), cloud.tenant(want["source_tenant"])
        key = ""
        if want.get("revives"):
            register.authenticate()
            now = register.time
        else:
            with meanwhile(register.authenticate):
                key = _licence_key(source)
            now = source.time
        if has_ended(want.get("ends_on"), now):
            raise TrialEnded(want["ends_on"])
        if key:
            permits.issue(cloud, id, key)
        return id, {"proof": facts(id, want, now)}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Return itself: it is in the state alone."""
        return {}

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Keep what it was made for; no request."""
        return {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Remove the note of what was asked for under it."""
        notes.clear(id)


def facts(id: str, want: Properties, now: float | None) -> dict[str, Any]:
    """Return what a proof says. Without a time of Qlik's it says none: then only a person can judge its
    age.
    """
    known: dict[str, Any] = {"id": id, "name": want["name"], "unused": bool(want.get("revives"))}
    if now is None:
        return known
    return known | {"made_at": _iso(now), "valid_until": _iso(now + permits.PERMIT_SECONDS)}


def _licence_key(source: Host) -> str:
    licence = source.get("/api/v1/licenses/overview")
    return str(licence["licenseKey"])


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


HANDLER = TenantProofHandler()
