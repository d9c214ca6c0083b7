"""Entitlements of the licence that the users of a tenant hold, released before the tenant ends.

An entitlement belongs to the subject of a user, across all tenants of a licence, and outlives the tenant.
Qlik does not tell which tenants use a subject. That nobody else uses one is proven by asking each other
tenant of the licence for its users; the organisation lists those tenants. What is not proven is not released.

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
AT_ONCE = 8
"""Tenants that are asked at the same time."""

IN_ONE_REQUEST = 100
SHOWN = 10
ABSENT = 404
"""The status of an assignment that is not there (LICENSES-016): it is released."""


class Entitlement(NamedTuple):
    """What a subject holds, such as an analyzer entitlement."""

    subject: str
    type: str


def release(cloud: Cloud, hostname: str, tenant_id: str) -> None:
    """Release the entitlements of the users of a tenant that no other tenant of the licence uses.

    Says which were released, and which were not and why. Raises NotReleased, with what was released until
    then, if Qlik refuses one, and what reading the tenant raises.
    """
    host = cloud.tenant(hostname)
    try:
        held = _held(host)
    except TenantDisabled as error:
        cloud.notify(
            f"tenant {hostname} is deactivated already ({error.summary}): no entitlement of its users can be "
            "released"
        )
        return
    if not held:
        cloud.notify(f"no user of tenant {hostname} holds an entitlement")
        return
    subjects = {each.subject for each in held}
    try:
        used = _used(cloud, hostname, tenant_id, subjects)
    except UseUnknown as reason:
        cloud.notify(
            f"{_named(held)} of tenant {hostname} not released, as nothing proves that no other tenant uses "
            f"them: {reason}"
        )
        return
    kept = [each for each in held if each.subject.casefold() in used]
    if kept:
        cloud.notify(f"{_named(kept)} not released, as other tenants of the licence have such users")
    free = [each for each in held if each.subject.casefold() not in used]
    if free:
        _release(host, free)
        cloud.notify(f"{_named(free)} of tenant {hostname} released")


def _held(host: Host) -> list[Entitlement]:
    """Return the entitlements of the users that a tenant has, bot users included."""
    subjects = {str(each["subject"]) for each in host.list("/api/v1/users")}
    assigned = (Entitlement(each["subject"], each["type"]) for each in host.list(ASSIGNMENTS))
    return sorted(each for each in assigned if each.subject in subjects)


def _used(cloud: Cloud, hostname: str, tenant_id: str, subjects: Collection[str]) -> set[str]:
    """Return the subjects, in lower case, that other tenants of the licence have; raises UseUnknown."""
    others = _others(cloud, hostname, tenant_id)
    deadline = current_deadline()

    def ask(other: Tenant) -> set[str]:
        if deadline and deadline.remaining() <= 0:
            raise deadline.exceeded("the users of the other tenants of the licence")
        return _users(cloud.tenant(hostname_of(other)), subjects)

    used: set[str] = set()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for users in pool.map(ask, others):
                used |= users
        except QlikError as error:
            raise UseUnknown(f"another tenant does not tell its users. {error}") from error
        finally:
            pool.shutdown(cancel_futures=True)
    return used


def _others(cloud: Cloud, hostname: str, tenant_id: str) -> list[Tenant]:
    """Return the other tenants of the licence, each of which can be asked; raises UseUnknown."""
    if not cloud.has_organisation:
        raise UseUnknown(
            "only the organisation's list has all tenants, and no organisation client is set "
            "(QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET)"
        )
    try:
        listed = list(cloud.organisation().list("/api/core/tenants", {"sort": "-createdAt"}))
    except QlikError as error:
        raise UseUnknown(f"the organisation does not list its tenants. {error}") from error
    own = next((each for each in listed if each["id"] == tenant_id or hostname_of(each) == hostname), None)
    if own is None:
        raise UseUnknown(
            "the organisation's list does not have this tenant, so others may be missing as well"
        )
    others = [
        each
        for each in listed
        if each is not own and each.get("status") != DELETED and not _of_another_licence(each, own)
    ]
    silent = [hostname_of(each) or str(each["id"]) for each in others if not _can_be_asked(each)]
    if silent:
        raise UseUnknown(
            f"{counted(len(silent), 'tenant')} of the licence cannot be asked, being deactivated or without "
            f"a host name ({_some(silent)})"
        )
    return others


def _of_another_licence(tenant: Tenant, own: Tenant) -> bool:
    """Tell whether a tenant is certainly under another licence; one of which that is not told is not."""
    numbers = {str(each.get("licenseNumber") or each.get("subscriptionId") or "") for each in (tenant, own)}
    return len(numbers) == 2 and "" not in numbers


def _can_be_asked(tenant: Tenant) -> bool:
    return tenant.get("status") == "active" and bool(hostname_of(tenant))


def _users(host: Host, subjects: Iterable[str]) -> set[str]:
    """Return which of the subjects, in lower case, are users of a tenant."""
    return {
        subject.casefold()
        for subject in subjects
        for _ in host.list("/api/v1/users", {"filter": scim.equals("subject", subject)})
    }


def _release(host: Host, free: list[Entitlement]) -> None:
    """Release entitlements; raises NotReleased at the first answer that is a refusal."""
    done: list[Entitlement] = []
    for some in _portions(free):
        body: dict[str, Any] = {"delete": [each._asdict() for each in some]}
        try:
            # Repeating does no harm: what is released already is absent.
            answer = host.post(f"{ASSIGNMENTS}/actions/delete", body, repeatable=True)
        except QlikError as error:
            raise NotReleased(_refusal(host, done, str(error))) from error
        refused = []
        for asked, result in zip(some, answer["data"], strict=False):
            each = Entitlement(result.get("subject") or asked.subject, result.get("type") or asked.type)
            if result["status"] < 300 or result["status"] == ABSENT:
                done.append(each)
            else:
                code = " ".join(str(result[name]) for name in ("code", "title") if result.get(name))
                refused.append(f"{each.type} of {each.subject}: {result['status']} {code}".rstrip())
        if refused or len(answer["data"]) != len(some):
            why = _some(refused) if refused else f"Qlik answered for {len(answer['data'])} of {len(some)}"
            raise NotReleased(_refusal(host, done, why))


def _refusal(host: Host, done: list[Entitlement], why: str) -> str:
    released = f"{_named(done)} released before that" if done else "none was released"
    return (
        f"The entitlements of the users of {host.hostname} cannot all be released: {why}. {released}. The "
        "tenant is still active. Repeat the destroy, or take `release_entitlements` out of the lifecycle, "
        "run `pulumi up`, and destroy without it."
    )


def _portions(items: list[Entitlement]) -> Iterator[list[Entitlement]]:
    for start in range(0, len(items), IN_ONE_REQUEST):
        yield items[start : start + IN_ONE_REQUEST]


def _named(held: list[Entitlement]) -> str:
    return (
        f"{counted(len(held), 'entitlement')} ({_some([f'{each.type} of {each.subject}' for each in held])})"
    )


def _some(texts: list[str]) -> str:
    more = f", and {len(texts) - SHOWN:,} more" if len(texts) > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more
