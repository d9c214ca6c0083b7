"""A proof in the state of the stack that a run is about to request a tenant.

A request for a tenant has no idempotency key, and its response can be lost. A file on the machine can be
lost, too, and a URN can change. The state is safe. With every backend, the engine saves the proof there
before the tenant is created, and the proof is still there after a killed run.

Source: https://qlik.dev/manage/platform-operations/create-a-tenant.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from typing import Any

from tenantry.providers.framework import notes
from tenantry.providers.framework.errors import CheckpointsRefused, TrialEnded, ended_message
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
    """A record that a run is about to request a tenant. One proof allows one request, in the run that created
    it.

    Its creation also gets the access token for the register host and the licence of the source tenant, which
    the request needs. So wrong credentials or a missing network end the run before a proof exists. A run that
    finds the proof of an earlier run does not request a tenant. It finds out the result of the earlier
    request, see `tenantry.providers.tenants.registration`. If no tenant was created, a new proof replaces the
    old one first. This does not change an existing tenant.
    """

    region: Property[str] = prop("Region of the tenant.", change=Change.AT_CREATION, limits=REGION)
    source_tenant: Property[str] = prop(
        "Hostname of the tenant whose licence the new tenant uses.",
        change=Change.AT_CREATION,
        limits=NOT_EMPTY,
    )
    name: Property[str] = prop("Name that the tenant will get.", change=Change.AT_CREATION, limits=NOT_EMPTY)
    revives: Property[bool] = prop(
        "Whether the run reactivates a tenant. Then it requests none, and does not read the licence.",
        default=None,
        change=Change.AT_CREATION,
    )
    ends_on: Property[str] = prop(
        "Last day of a trial: YYYY-MM-DD, and its time zone if not UTC. Tenantry creates no tenant for a "
        "trial that has ended.",
        default=None,
        change=Change.AT_CREATION,
        limits=DAY,
    )

    proof: Property[dict[str, Any]] = output(
        "The proof, with `id`, `name`, `made_at` and `valid_until` by Qlik's clock, and `unused`, which is "
        "true if the run requests no tenant."
    )


class TenantProofHandler(Handler):
    """CRUD handler of `TenantProof`. A proof is created before the tenant and deleted after it.

    It exists only in the state, and not at Qlik.
    """

    resource_type = TenantProof
    is_object = False

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse a new tenant for a trial that has ended, by this machine's clock."""
        if not have and has_ended(want.get("ends_on")):
            return {"ends_on": ended_message(want["ends_on"])}
        return {}

    def property_to_renew(self, id: str) -> str:
        """Return `proof`, which replaces this proof, if the environment names its id."""
        return "proof" if os.environ.get(RENEW) == id else ""

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Get the token and the licence for the request, and create a proof with Qlik's own time."""
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
        """Return no differences, because the proof exists only in the state."""
        return {}

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Keep the proof. Send no request."""
        return {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Delete the note of the request under this proof."""
        notes.clear(id)


def facts(id: str, want: Properties, now: float | None) -> dict[str, Any]:
    """Return the content of a proof. `now` is Qlik's time in seconds since 1970.

    Without a time from Qlik, the proof contains no times. Then only a person can judge its age.
    """
    proof: dict[str, Any] = {"id": id, "name": want["name"], "unused": bool(want.get("revives"))}
    if now is None:
        return proof
    return proof | {"made_at": _iso(now), "valid_until": _iso(now + permits.PERMIT_SECONDS)}


def _licence_key(source: Host) -> str:
    licence = source.get("/api/v1/licenses/overview")
    return str(licence["licenseKey"])


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


HANDLER = TenantProofHandler()
