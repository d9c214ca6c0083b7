"""The result of a request for a tenant whose response was lost, and the errors that ask a person to decide.

It is certain in two cases that no tenant was created. Either a note on this disk says that Qlik refused the
request or that it was never sent. Or the organisation's list, read late enough, has no tenant that could be
it. Tenantry never uses a tenant only because it looks right, as another stack may have created it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import (
    NothingCreated,
    ResourceError,
    StateUnreadable,
    TenantUndecided,
)
from tenantry.providers.framework.facts import nothing_created, renewal, revive_line
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.stack import current_stack, state_resources
from tenantry.providers.framework.waiting import creation_seconds, lag_seconds
from tenantry.providers.qlik import Cloud, QlikError
from tenantry.providers.tenants.tenant_list import (
    DEACTIVATED,
    DELETED,
    Tenant,
    describe,
    is_unnamed,
    list_tenants,
)

CLOCK_SKEW = timedelta(minutes=2)
"""How far the clocks of two of Qlik's hosts may be apart."""

PASTE = "add its line to the stack file and run `pulumi up`"


def verdict(cloud: Cloud, want: Properties, *, nothing_noted: bool) -> TenantUndecided:
    """Return the error for a proof of an earlier run.

    The error is NothingCreated if it is certain that no tenant was created, otherwise TenantUndecided.
    `nothing_noted`: a note on this disk says that no tenant was created. Requests are sent only if the
    organisation's client is set. Raises the errors of these requests and of `refuse_namesake`.
    """
    proof = want["proof"]
    if nothing_noted or proof.get("unused"):
        refuse_namesake(cloud, want)
        reason = "the request was refused or never sent" if nothing_noted else "it was not requested"
        return _nothing_created(proof["id"], reason)
    request = _request_text(want)
    if not cloud.has_organisation:
        text = (
            "Only the organisation's list could show whether the tenant was created, and its credentials "
            "(QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET) are not set. Set them, or look for the "
            "tenant in My Qlik."
        )
        return TenantUndecided(f"{request} {text}{_options(proof['id'])}")
    tenants, read_at = list_tenants(cloud, want["region"])
    if candidates := [tenant for tenant in tenants if _may_be_it(tenant, want)]:
        return TenantUndecided(f"{request} {_candidates_text(candidates)}\n{_new_tenant_option(proof['id'])}")
    settled_at = _settled_at(proof)
    if settled_at is None or read_at is None:
        text = "No such tenant exists yet. Qlik's responses had no date, so the end of the wait is not known."
        return TenantUndecided(f"{request} {text}{_options(proof['id'])}")
    if datetime.fromtimestamp(read_at, UTC) < settled_at:
        return TenantUndecided(
            f"{request} No such tenant exists yet, but Qlik may still create it. Run `pulumi up` again after "
            f"{settled_at:%Y-%m-%d %H:%M:%S} UTC. By then Qlik has created it, or never will."
        )
    refuse_namesake(cloud, want, tenants)
    reason = f"the organisation's list of {settled_at:%H:%M:%S} UTC or later has no tenant that could be it"
    return _nothing_created(proof["id"], reason)


def refuse_namesake(
    cloud: Cloud, want: Properties, tenants: Iterable[Tenant] | None = None, *, unless_renewed: bool = False
) -> None:
    """Raise TenantUndecided if a deactivated tenant has the customer's name.

    Tenantry never brings a tenant back by its name, because it may belong to another stack. `tenants` is the
    list, if already read. `unless_renewed` is for the run that created the proof. If this proof replaced an
    earlier one, a person or an earlier run has already decided.
    """
    if not cloud.has_organisation:
        return
    tenants = list_tenants(cloud, want["region"]).tenants if tenants is None else tenants
    namesakes = [tenant for tenant in tenants if tenant.get("name") == want["name"]]
    namesakes = [tenant for tenant in namesakes if tenant.get("status") in DEACTIVATED]
    if namesakes and not (unless_renewed and is_renewed()):
        number = len(namesakes)
        subject = f"{number} deactivated tenants have" if number > 1 else "A deactivated tenant has"
        raise TenantUndecided(
            f'{subject} the name "{want["name"]}". Nothing was created. If this customer comes back, {PASTE}:'
            f"{''.join(map(describe, namesakes))}\nIf this is another customer, create a new tenant:"
            f"\n  {renewal(want['proof']['id'], current_stack().name)}"
        )


def refused(proof: str, error: QlikError) -> ResourceError:
    """Return the error for a request that Qlik refused or that was never sent, with the next step."""
    up = f"`tenantry up {current_stack().name}`".replace(" `", "`")
    return ResourceError(
        f"{error}\nNo tenant was created. Once the cause is fixed, run {up}, or with Pulumi alone:"
        f"\n  {renewal(proof, current_stack().name)}"
    )


def lost(cloud: Cloud, want: Properties, error: QlikError) -> TenantUndecided:
    """Return the error for a request of this run that Qlik may have carried out.

    It lists the tenants that the request may have created, if the organisation's client is set.
    """
    advice = "Run `pulumi up` again. It determines the result, and does not create a second tenant."
    if cloud.has_organisation:
        try:
            tenants = list_tenants(cloud, want["region"]).tenants
        except QlikError as list_error:
            advice = f"{advice}\nThe organisation's list could not be read: {list_error}"
        else:
            candidates = [tenant for tenant in tenants if _may_be_it(tenant, want)]
            advice = _candidates_text(candidates) if candidates else advice
    return TenantUndecided(f"{error}\nA tenant may have been created. {advice}")


def created_but_missing(want: Properties, hostname: str, tenant_id: str, error: QlikError) -> TenantUndecided:
    """Return the error for a tenant that was created under the proof, but does not answer now."""
    return TenantUndecided(
        f"{error}\nAn earlier run created tenant {hostname} under this proof. To continue with it, {PASTE}:"
        f"\n  {revive_line(hostname, tenant_id)}\n{_new_tenant_option(want['proof']['id'])}"
    )


def refuse_forced_replacement() -> None:
    """Raise ResourceError if the state has an active tenant for this resource, but no new proof.

    This happens if only the tenant was marked for replacement.
    """
    current, stack = run.current().urn, current_stack().name
    try:
        resources = state_resources()
    except StateUnreadable:
        return
    present = [
        resource for resource in resources if resource.get("urn") == current and not resource.get("delete")
    ]
    if present:
        proof = current.replace("qlik:Tenant::", "qlik:TenantProof::").rpartition("::")[0] + "::proof"
        raise ResourceError(
            f"`--replace` or a taint would replace tenant {present[0].get('id')}, but its proof allows only "
            "one tenant. To replace both, run this command. It creates a new, empty tenant and deactivates "
            "the present one.\n"
            f"  pulumi up --stack {stack} --replace '{proof}' --replace '{current}'\n"
            f"To undo a taint: pulumi state untaint --stack {stack} '{current}'"
        )


def is_renewed() -> bool:
    """Tell whether the proof replaces an earlier one. Until the end of the run, the state has both."""
    try:
        types = [str(resource.get("type")) for resource in state_resources()]
    except StateUnreadable:
        return False
    return sum(type_.endswith("dynamic/qlik:TenantProof") for type_ in types) > 1


def _nothing_created(proof: str, reason: str) -> NothingCreated:
    stack = current_stack().name
    up = f"`tenantry up {stack}`".replace(" `", "`")
    return NothingCreated(
        f"An earlier run prepared a tenant, but none was created: {reason}. To create one, run {up}, or with "
        "Pulumi alone:\n"
        f"  {renewal(proof, stack)}\n"
        f"{nothing_created(proof)}"
    )


def _request_text(want: Properties) -> str:
    made_at = want["proof"].get("made_at", "an unknown time")
    register = f"register.{want['region']}.qlikcloud.com"
    return f"A run requested a tenant from {register} after {made_at}, and the response was lost."


def _candidates_text(candidates: list[Tenant]) -> str:
    beginning = "One of these may be it" if len(candidates) > 1 else "This may be it"
    lines = "".join(map(describe, candidates))
    return f"{beginning}. If you know that it belongs to this customer, {PASTE}:{lines}"


def _options(proof: str) -> str:
    placeholders = revive_line("…", "…")
    return (
        f"\nTo continue with a tenant that you know belongs to this customer, {PASTE}:\n  {placeholders}"
        f"\n{_new_tenant_option(proof)}"
    )


def _new_tenant_option(proof: str) -> str:
    return f"If you know that none was created, create one:\n  {renewal(proof, current_stack().name)}"


def _may_be_it(tenant: Tenant, want: Properties) -> bool:
    """Tell whether a tenant may be the requested one.

    It must be newer than the proof, and have no name or the name of the customer. Its creator does not count,
    because Qlik does not document `createdBy`.
    """
    proof = want["proof"]
    if tenant.get("status") == DELETED:
        return False
    if not is_unnamed(tenant) and tenant.get("name") not in (want["name"], proof.get("name")):
        return False
    since, created = _moment(proof.get("made_at")), _moment(tenant.get("createdAt"))
    return since is None or created is None or created >= since - CLOCK_SKEW


def _settled_at(proof: Properties) -> datetime | None:
    """Return the time, by Qlik's clock, after which the list has every tenant requested under the proof."""
    valid_until = _moment(proof.get("valid_until"))
    if valid_until is None:
        return None
    return valid_until + CLOCK_SKEW + timedelta(seconds=creation_seconds() + lag_seconds())


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
