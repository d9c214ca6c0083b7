"""A login as a member of a group, and a check of the apps that the member can open."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tenantry.errors import TenantryError
from tenantry.providers.qlik import Forbidden, Host, NotFound, QlikError
from tenantry.providers.qlik.session import Session, log_in
from tenantry.settings.rules import choices

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    from tenantry.settings.models import Customer

SUBJECT = "tenantry-smoke"
"""The subject of the test user, the same in every tenant. A licence counts entitlements by subject."""

AUDIENCE = "qlik.api/login/jwt-session"
CLOCK_SKEW_SECONDS, LIFETIME_SECONDS = 30, 60
POLL_SECONDS = 1.0
DATA_ONLY = frozenset({"dataconsumer", "datapreview"})
"""Roles in a space with which a member cannot open apps."""


class SmokeTestRefused(TenantryError):
    """The smoke test cannot run for a stack or group."""


@dataclass(frozen=True)
class Signer:
    """A private key, and the issuer and key id by which the tenant knows its public half."""

    key: RSAPrivateKey
    issuer: str
    kid: str


@dataclass(frozen=True)
class Group:
    """The apps that members of a group may open, according to the stack file and the outputs of the stack.

    `published` and `closed` map app ids to "app in space". `shared` holds the ids of shared spaces. Members
    may see every app in them.
    """

    key: str
    id: str
    published: Mapping[str, str]
    closed: Mapping[str, str]
    shared: frozenset[str]
    roles: tuple[str, ...] = ()


def group_of(customer: Customer, outputs: Mapping[str, Any], key: str) -> Group:
    """Return what members of the group with this key may open. Raises SmokeTestRefused."""
    if key not in customer.groups:
        suggestion = choices(key, customer.groups) if customer.groups else ", which has no groups"
        raise SmokeTestRefused(f'there is no group "{key}" in the stack file{suggestion}')
    group = customer.groups[key]
    if group.provider_type != "idp":
        raise SmokeTestRefused(
            f'group "{key}" is a custom group: Qlik keeps its members, and no token can add one'
        )
    if key not in outputs.get("groups", {}):
        raise SmokeTestRefused(f'group "{key}" is not in the outputs of the stack; run `pulumi up` first')
    open_ = {name for name, space in customer.spaces.items() if set(space.access.get(key, ())) - DATA_ONLY}
    apps = [
        (copy["id"], f"{app} in {space}", space in open_)
        for app, copies in outputs.get("apps", {}).items()
        for space, copy in copies.items()
    ]
    spaces = outputs.get("spaces", {})
    return Group(
        key,
        outputs["groups"][key],
        {id: name for id, name, is_open in apps if is_open},
        {id: name for id, name, is_open in apps if not is_open},
        frozenset(spaces[name] for name in open_ & spaces.keys() if customer.spaces[name].type == "shared"),
        tuple(group.roles),
    )


def signer_for(tenant: Host, key: RSAPrivateKey) -> Signer:
    """Return the key with the issuer and key id that the tenant has for it.

    Raises SmokeTestRefused if the key does not belong to an identity provider of the tenant.
    """
    from tenantry.cli.keys import is_public_half

    providers = [
        (options["issuer"], static_key)
        for provider in tenant.list("/api/v1/identity-providers", {"active": True})
        if provider.get("protocol") == "jwtAuth" and (options := provider.get("options") or {}).get("issuer")
        for static_key in options.get("staticKeys", [])
    ]
    if not providers:
        raise SmokeTestRefused(
            f"{tenant.hostname} has no JWT identity provider. Create a key with `tenantry keypair`, add its "
            "lines to the stack file, and run `pulumi up`"
        )
    for issuer, static_key in providers:
        if is_public_half(static_key.get("pem", ""), key):
            return Signer(key, issuer, static_key["kid"])
    existing = "; ".join(f'issuer "{issuer}", kid "{static_key["kid"]}"' for issuer, static_key in providers)
    raise SmokeTestRefused(
        f"the key belongs to no identity provider of {tenant.hostname}, which has: {existing}"
    )


def entitlements_spent(tenant: Host) -> str:
    """Return a sentence that says whether a login to the tenant uses an entitlement."""
    settings = tenant.get("/api/v1/licenses/settings")
    kinds = [kind for kind in ("professional", "analyzer") if settings.get(f"autoAssign{kind.capitalize()}")]
    if not kinds:
        return "This tenant assigns no entitlements automatically, so the login uses none."
    return (
        f"The login can use an entitlement: this tenant assigns {' or '.join(kinds)} automatically."
        f" The subject {SUBJECT} is the same on all tenants of the licence, so it uses one at most."
    )


def name_of(tenant: Host, group: Group) -> str:
    """Return the name of the group at Qlik.

    Raises SmokeTestRefused if the group is gone, because a login could create it again.
    """
    try:
        return str(tenant.get(f"/api/v1/groups/{group.id}")["name"])
    except NotFound:
        raise SmokeTestRefused(
            f'group "{group.key}" is gone from {tenant.hostname}; run `pulumi up --refresh`'
        ) from None


def check(tenant: Host, signer: Signer, group: Group, name: str, wait_seconds: float) -> list[str]:
    """Log in as a member of a group, and return the problems. Delete the test user at the end.

    `wait_seconds` is how long to wait until Qlik opens apps to a new user. The problems include failed
    requests and logins.
    """
    problems: list[str] = []
    try:
        remove_user(tenant)  # a killed run may have left it, with other groups
        problems += _problems(log_in(tenant, _token(signer, name)), group, wait_seconds)
    except QlikError as error:
        problems.append(str(error))
    finally:
        try:
            remove_user(tenant)
        except QlikError as error:
            problems.append(f"the user {SUBJECT} may still be in {tenant.hostname}: {error}")
    return problems


def remove_user(tenant: Host) -> None:
    """Delete the test user, if there is one."""
    for user in tenant.list("/api/v1/users", {"filter": f'subject eq "{SUBJECT}"'}):
        if user["subject"] == SUBJECT:
            with suppress(NotFound):  # an earlier attempt, whose response was lost, may have deleted it
                tenant.delete(f"/api/v1/users/{user['id']}")


def release_entitlements(tenant: Host) -> list[str]:
    """Release the entitlements of the test user, and return their types (Licenses API)."""
    items = [{"subject": SUBJECT, "type": kind} for kind in ("professional", "analyzer")]
    response = tenant.post("/api/v1/licenses/assignments/actions/delete", {"delete": items}, repeatable=True)
    return [item["type"] for item in response["data"] if item["status"] < 300]


def _token(signer: Signer, group: str) -> str:
    from tenantry.cli.keys import sign

    now = int(time.time())
    claims = {
        "iss": signer.issuer,
        "aud": AUDIENCE,
        "sub": SUBJECT,
        "subType": "user",
        "name": "Tenantry smoke test",
        "email": f"{SUBJECT}@tenantry.invalid",
        "email_verified": True,
        "groups": [group],
        "jti": uuid.uuid4().hex,
        "iat": now,
        "nbf": now - CLOCK_SKEW_SECONDS,
        "exp": now + LIFETIME_SECONDS,
    }
    return sign(signer.key, signer.kid, claims)


def _problems(session: Session, group: Group, wait_seconds: float) -> list[str]:
    return [*_missing_apps(session, group, wait_seconds), *_excess_apps(session, group)]


def _missing_apps(session: Session, group: Group, wait_seconds: float) -> Iterator[str]:
    """Yield the apps that stay closed. Qlik may open them to a new user with a delay after the login."""
    clock = session.cloud.clock
    deadline = clock.monotonic() + wait_seconds
    waiting = dict(group.published)
    while waiting:
        waiting = {id: name for id, name in waiting.items() if not _opens(session, id)}
        if not waiting or clock.monotonic() >= deadline:
            break
        clock.sleep(POLL_SECONDS)
    for id, name in waiting.items():
        problem = f"does not see {name} (app {id}) after {wait_seconds:g} s"
        yield f"{problem}; `pulumi up --refresh` repairs the access"


def _excess_apps(session: Session, group: Group) -> Iterator[str]:
    visible = {id: name for id, name in group.closed.items() if _opens(session, id)}
    for item in session.list("/api/v1/items", {"resourceType": "app"}):
        if item["resourceId"] not in group.published and item.get("spaceId") not in group.shared:
            location = f"space {item['spaceId']}" if item.get("spaceId") else "a personal space"
            visible.setdefault(item["resourceId"], f"{item['name']} in {location}")
    hint = f"; the group's roles ({', '.join(group.roles)}) may open it" if group.roles else ""
    for id, name in visible.items():
        yield f"sees {name} (app {id}), but the stack file gives it no access{hint}"


def _opens(session: Session, app: str) -> bool:
    try:
        session.get(f"/api/v1/apps/{app}")
    except (Forbidden, NotFound):
        return False
    return True
