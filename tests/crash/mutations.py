"""Mutations that each break the product in one place, and that the search for sequences must find."""

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
from tenantry.providers.tenants import lost_answers, permits, registration
from tenantry.providers.tenants.permits import Permit
from tenantry.providers.tenants.registration import Found
from tenantry.providers.tenants.tenant_list import Tenant, is_unnamed
from tests.crash import truth
from tests.crash.deeds import REVIVE

KEY = "emulator-licence-key-eu"


class Mutation(NamedTuple):
    """A function that breaks the product in the process of a run, and the promise that it breaks."""

    breaks: Callable[[], None]
    promise: str


def _every_proof_has_a_permit() -> None:
    take = permits.take

    def taken(proof: str) -> Permit | None:
        clock = adapter._cloud().clock
        return take(proof) or Permit(KEY, clock.monotonic(), clock.time())

    permits.take = taken


def _the_only_candidate_is_taken() -> None:
    made_before = registration._made_before

    def taken(cloud: Cloud, want: Properties) -> Found:
        try:
            return made_before(cloud, want)
        except TenantUndecided as question:
            if len(lines := REVIVE.findall(str(question))) != 1:
                raise
            return Found(*lines[0])

    vars(registration)["_made_before"] = taken


def _a_note_is_anybodys() -> None:
    vars(notes)["current_stack"] = StackId


def _what_is_late_is_not_waited_for() -> None:
    def settled_at(proof: Properties) -> datetime:
        return datetime.fromisoformat(proof["made_at"])

    vars(lost_answers)["_settled_at"] = settled_at


def _only_unnamed_candidates() -> None:
    may_be_it = lost_answers._may_be_it

    def unnamed(tenant: Tenant, want: Properties) -> bool:
        return is_unnamed(tenant) and may_be_it(tenant, want)

    vars(lost_answers)["_may_be_it"] = unnamed


def _a_renewal_names_no_proof() -> None:
    def renewed(self: Handler, id: str) -> str:
        return "proof" if os.environ.get(RENEW) else ""

    TenantProofHandler.property_to_renew = renewed  # type: ignore[method-assign]


def _nothing_wakes_a_tenant() -> None:
    def create(self: Handler, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        return want["tenant"], {}

    TenantActivationHandler.create = create  # type: ignore[method-assign]


MUTATIONS = {
    "every proof has a permit": Mutation(_every_proof_has_a_permit, truth.ONE_REQUEST),
    "the only candidate is taken": Mutation(_the_only_candidate_is_taken, truth.EVIDENCE),
    "a note is anybody's": Mutation(_a_note_is_anybodys, truth.EVIDENCE),
    "what is late is not waited for": Mutation(_what_is_late_is_not_waited_for, truth.NOTHING_MADE),
    "only tenants without a name are candidates": Mutation(_only_unnamed_candidates, truth.LOST),
    "a renewal names no proof": Mutation(_a_renewal_names_no_proof, truth.NOTHING_MADE),
    "nothing wakes a tenant after a destroy that was cut off": Mutation(
        _nothing_wakes_a_tenant, truth.ASLEEP
    ),
}

QUICK = ("every proof has a permit", "the only candidate is taken", "what is late is not waited for")
"""Mutations that a few sequences find."""
