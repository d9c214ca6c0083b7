"""The release of licence entitlements that the users of a tenant hold, before the tenant ends.

An entitlement belongs to the subject of a user, across all tenants of a licence, and outlives the tenant.
Qlik does not say which tenants use a subject. So Tenantry takes the other tenants of the licence from the
organisation's list and searches each for the subject. It releases only those that provably no other tenant
uses.

Sources: https://qlik.dev/apis/rest/licenses and
https://qlik.dev/manage/automate/find-orphaned-license-assignments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tenantry.providers.framework.errors import NotReleased, UseUnknown
from tenantry.providers.lookups import scim
from tenantry.providers.qlik import Cloud, Host, QlikError, TenantDisabled, current_deadline
from tenantry.providers.tenants.tenant_list import DELETED, Tenant, hostname_of
from tenantry.providers.values.words import counted

ASSIGNMENTS = "/api/v1/licenses/assignments"
CONCURRENT_TENANTS = 8
"""The number of tenants that are searched at the same time."""

ASSIGNMENTS_PER_REQUEST = 100

MAX_LISTED = 10
"""The most entitlements or tenants that a message lists."""

ABSENT = 404
"""The status of an assignment that does not exist (LICENSES-016), so it is already released."""


class Entitlement(NamedTuple):
    """An entitlement that a subject holds, such as `analyzer`."""

    subject: str
    type: str


def release(cloud: Cloud, hostname: str, tenant_id: str) -> None:
    """Release the entitlements of the users of a tenant that no other tenant of the licence uses.

    Tells the user which were released, and which were not and why. Raises NotReleased, which lists those
    released so far, if Qlik refuses one. Raises the errors of reading the tenant.
    """
    host = cloud.tenant(hostname)
    try:
        entitlements = _entitlements(host)
    except TenantDisabled as error:
        cloud.notify(
            f"tenant {hostname} is already deactivated ({error.summary}), so no entitlement of its users can "
            "be released"
        )
        return
    if not entitlements:
        cloud.notify(f"no user of tenant {hostname} holds an entitlement")
        return
    subjects = {entitlement.subject for entitlement in entitlements}
    try:
        used = _used(cloud, hostname, tenant_id, subjects)
    except UseUnknown as reason:
        cloud.notify(
            f"{_describe(entitlements)} of tenant {hostname} not released, because other tenants may use "
            f"them: {reason}"
        )
        return
    shared = [entitlement for entitlement in entitlements if entitlement.subject.casefold() in used]
    if shared:
        cloud.notify(
            f"{_describe(shared)} not released, because other tenants of the licence have these users"
        )
    unshared = [entitlement for entitlement in entitlements if entitlement.subject.casefold() not in used]
    if unshared:
        _release(host, unshared)
        cloud.notify(f"{_describe(unshared)} of tenant {hostname} released")


def _entitlements(host: Host) -> list[Entitlement]:
    """Return the entitlements of the users of a tenant, including bot users."""
    subjects = {str(user["subject"]) for user in host.list("/api/v1/users")}
    assigned = (Entitlement(found["subject"], found["type"]) for found in host.list(ASSIGNMENTS))
    return sorted(entitlement for entitlement in assigned if entitlement.subject in subjects)


def _used(cloud: Cloud, hostname: str, tenant_id: str, subjects: Collection[str]) -> set[str]:
    """Return the subjects, in lower case, that other tenants of the licence have. Raises UseUnknown."""
    others = _others(cloud, hostname, tenant_id)
    deadline = current_deadline()

    def users_of(other: Tenant) -> set[str]:
        if deadline and deadline.remaining() <= 0:
            raise deadline.exceeded("the users of the other tenants of the licence")
        return _users(cloud.tenant(hostname_of(other)), subjects)

    used: set[str] = set()
    with ThreadPoolExecutor(CONCURRENT_TENANTS) as pool:
        try:
            for users in pool.map(users_of, others):
                used |= users
        except QlikError as error:
            raise UseUnknown(f"the users of another tenant cannot be read. {error}") from error
        finally:
            pool.shutdown(cancel_futures=True)
    return used


def _others(cloud: Cloud, hostname: str, tenant_id: str) -> list[Tenant]:
    """Return the other tenants of the licence. Raises UseUnknown if one of them cannot be read."""
    if not cloud.has_organisation:
        raise UseUnknown(
            "only the organisation's list has all tenants, and no organisation client is set "
            "(QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET)"
        )
    try:
        tenants = list(cloud.organisation().list("/api/core/tenants", {"sort": "-createdAt"}))
    except QlikError as error:
        raise UseUnknown(f"the organisation's list of tenants cannot be read. {error}") from error
    own = next(
        (tenant for tenant in tenants if tenant["id"] == tenant_id or hostname_of(tenant) == hostname), None
    )
    if own is None:
        raise UseUnknown(
            "the organisation's list does not have this tenant, so others may be missing as well"
        )
    others = [
        tenant
        for tenant in tenants
        if tenant is not own and tenant.get("status") != DELETED and not _has_another_licence(tenant, own)
    ]
    unreadable = [hostname_of(tenant) or str(tenant["id"]) for tenant in others if not _is_readable(tenant)]
    if unreadable:
        raise UseUnknown(
            f"{counted(len(unreadable), 'tenant')} of the licence cannot be read: deactivated, or without a "
            f"hostname ({_shortened(unreadable)})"
        )
    return others


def _has_another_licence(tenant: Tenant, own: Tenant) -> bool:
    """Tell whether a tenant certainly has another licence. Return False if its licence is unknown."""
    numbers = {
        str(candidate.get("licenseNumber") or candidate.get("subscriptionId") or "")
        for candidate in (tenant, own)
    }
    return len(numbers) == 2 and "" not in numbers


def _is_readable(tenant: Tenant) -> bool:
    return tenant.get("status") == "active" and bool(hostname_of(tenant))


def _users(host: Host, subjects: Iterable[str]) -> set[str]:
    """Return those subjects, in lower case, that are users of a tenant."""
    return {
        subject.casefold()
        for subject in subjects
        for _ in host.list("/api/v1/users", {"filter": scim.equals("subject", subject)})
    }


def _release(host: Host, entitlements: list[Entitlement]) -> None:
    """Release entitlements. Raises NotReleased at the first response that contains a refusal."""
    released: list[Entitlement] = []
    for batch in _batches(entitlements):
        body: dict[str, Any] = {"delete": [entitlement._asdict() for entitlement in batch]}
        try:
            # The response to a repeated request has ABSENT for those that the first one released.
            response = host.post(f"{ASSIGNMENTS}/actions/delete", body, repeatable=True)
        except QlikError as error:
            raise NotReleased(_refusal(host, released, str(error))) from error
        refused = []
        for sent, result in zip(batch, response["data"], strict=False):
            entitlement = Entitlement(result.get("subject") or sent.subject, result.get("type") or sent.type)
            if result["status"] < 300 or result["status"] == ABSENT:
                released.append(entitlement)
            else:
                code = " ".join(str(result[name]) for name in ("code", "title") if result.get(name))
                refused.append(
                    f"{entitlement.type} of {entitlement.subject}: {result['status']} {code}".rstrip()
                )
        if refused or len(response["data"]) != len(batch):
            reason = (
                _shortened(refused)
                if refused
                else f"Qlik's response covers {len(response['data'])} of {len(batch)} entitlements"
            )
            raise NotReleased(_refusal(host, released, reason))


def _refusal(host: Host, released: list[Entitlement], reason: str) -> str:
    progress = f"{_describe(released)} released before that" if released else "none was released"
    return (
        f"Not all entitlements of the users of {host.hostname} could be released: {reason}. {progress}. The "
        "tenant is still active. Repeat the destroy. Or to destroy without a release: 1. remove "
        "`release_entitlements` from the lifecycle, 2. run `pulumi up`, 3. run the destroy."
    )


def _batches(items: list[Entitlement]) -> Iterator[list[Entitlement]]:
    for start in range(0, len(items), ASSIGNMENTS_PER_REQUEST):
        yield items[start : start + ASSIGNMENTS_PER_REQUEST]


def _describe(entitlements: list[Entitlement]) -> str:
    texts = [f"{entitlement.type} of {entitlement.subject}" for entitlement in entitlements]
    return f"{counted(len(entitlements), 'entitlement')} ({_shortened(texts)})"


def _shortened(texts: list[str]) -> str:
    ending = f", and {len(texts) - MAX_LISTED:,} more" if len(texts) > MAX_LISTED else ""
    return "; ".join(texts[:MAX_LISTED]) + ending
