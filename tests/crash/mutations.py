"""Mutations that break the product in one place each. The search for sequences must find every one."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from tenantry.providers.framework import adapter, notes
from tenantry.providers.framework.errors import TenantUndecided
from tenantry.providers.framework.facts import RENEW
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.stack import StackId
from tenantry.providers.qlik import Cloud
from tenantry.providers.tenant_activation import TenantActivationHandler
from tenantry.providers.tenant_proof import TenantProofHandler
from tenantry.providers.tenants import lost_responses, permits, registration
from tenantry.providers.tenants.permits import Permit
from tenantry.providers.tenants.registration import Found
from tenantry.providers.tenants.tenant_list import Tenant, is_unnamed
from tests.crash import invariants
from tests.crash.actions import REVIVE

KEY = "emulator-licence-key-eu"


class Mutation(NamedTuple):
    """A function that breaks the product in the process of a run, and the invariant that this violates."""

    apply: Callable[[], None]
    invariant: str


def _permit_every_proof() -> None:
    take = permits.take

    def take_or_create(proof: str) -> Permit | None:
        clock = adapter._cloud().clock
        return take(proof) or Permit(KEY, clock.monotonic(), clock.time())

    permits.take = take_or_create


def _take_the_only_candidate() -> None:
    created_before = registration._created_before

    def created_before_or_only_candidate(cloud: Cloud, want: Properties) -> Found:
        try:
            return created_before(cloud, want)
        except TenantUndecided as error:
            if len(candidates := REVIVE.findall(str(error))) != 1:
                raise
            return Found(*candidates[0])

    vars(registration)["_created_before"] = created_before_or_only_candidate


def _use_any_note() -> None:
    vars(notes)["current_stack"] = StackId


def _skip_waiting() -> None:
    def settled_at(proof: Properties) -> datetime:
        return datetime.fromisoformat(proof["made_at"])

    vars(lost_responses)["_settled_at"] = settled_at


def _accept_only_unnamed_candidates() -> None:
    may_be_it = lost_responses._may_be_it

    def may_be_it_without_name(tenant: Tenant, want: Properties) -> bool:
        return is_unnamed(tenant) and may_be_it(tenant, want)

    vars(lost_responses)["_may_be_it"] = may_be_it_without_name


def _renew_any_proof() -> None:
    def property_to_renew(self: Handler, id: str) -> str:
        return "proof" if os.environ.get(RENEW) else ""

    TenantProofHandler.property_to_renew = property_to_renew  # type: ignore[method-assign]


def _skip_reactivation() -> None:
    def create(self: Handler, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        return want["tenant"], {}

    TenantActivationHandler.create = create  # type: ignore[method-assign]


MUTATIONS = {
    "every proof has a permit": Mutation(_permit_every_proof, invariants.ONE_REQUEST),
    "the only candidate is taken": Mutation(_take_the_only_candidate, invariants.EVIDENCE),
    "any stack can use a note": Mutation(_use_any_note, invariants.EVIDENCE),
    "runs do not wait for late requests": Mutation(_skip_waiting, invariants.NOTHING_CREATED),
    "only tenants without a name are candidates": Mutation(_accept_only_unnamed_candidates, invariants.LOST),
    "a renewal does not name its proof": Mutation(_renew_any_proof, invariants.NOTHING_CREATED),
    "no run reactivates a tenant after an interrupted destroy": Mutation(
        _skip_reactivation, invariants.ACTIVE
    ),
}

QUICK = ("every proof has a permit", "the only candidate is taken", "runs do not wait for late requests")
"""Mutations that a few sequences are enough to find."""
