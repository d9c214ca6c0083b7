"""A look at a tenant with the eyes of a group's member: which apps open, and which must not."""

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
"""The test user's subject, the same in every tenant: entitlements are held per subject across a licence."""

AUDIENCE = "qlik.api/login/jwt-session"
CLOCKS_DIFFER, LIFETIME = 30, 60
POLL = 1.0
DATA_ONLY = frozenset({"dataconsumer", "datapreview"})
"""Roles in a space that open no app."""


class Unfit(TenantryError):
    """What was asked for cannot be checked."""


@dataclass(frozen=True)
class Signer:
    """A private key, and the issuer and key id by which the tenant knows its public half."""

    key: RSAPrivateKey
    issuer: str
    kid: str


@dataclass(frozen=True)
class Group:
    """What members of a group may open, as the stack file and the outputs of the stack have it.

    `published` and `closed` are "app in space" by app id; `shared` are the ids of the shared spaces in which
    they may see whatever apps there are.
    """

    key: str
    id: str
    published: Mapping[str, str]
    closed: Mapping[str, str]
    shared: frozenset[str]
    roles: tuple[str, ...] = ()


def group_of(customer: Customer, outputs: Mapping[str, Any], key: str) -> Group:
    """Return what members of the group with that key may open; raises Unfit."""
    if key not in customer.groups:
        there = choices(key, customer.groups) if customer.groups else ", which has none"
        raise Unfit(f'there is no group "{key}" in the stack file{there}')
    group = customer.groups[key]
    if group.provider_type != "idp":
        raise Unfit(f'group "{key}" is a custom one: its members are kept in Qlik, a token makes nobody one')
    if key not in outputs.get("groups", {}):
        raise Unfit(f'group "{key}" is not among the outputs of the stack: run `pulumi up` first')
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
    """Return the key as the tenant knows it; raises Unfit if no identity provider of the tenant has it."""
    from tenantry.cli.keys import is_half_of

    providers = [
        (options["issuer"], each)
        for found in tenant.list("/api/v1/identity-providers", {"active": True})
        if found.get("protocol") == "jwtAuth" and (options := found.get("options") or {}).get("issuer")
        for each in options.get("staticKeys", [])
    ]
    if not providers:
        raise Unfit(
            f"{tenant.hostname} has no JWT identity provider: make a key (`tenantry keypair`), put its lines "
            "into the stack file, and run `pulumi up`"
        )
    for issuer, each in providers:
        if is_half_of(each.get("pem", ""), key):
            return Signer(key, issuer, each["kid"])
    there = "; ".join(f'issuer "{issuer}", kid "{each["kid"]}"' for issuer, each in providers)
    raise Unfit(f"the key is not that of an identity provider of {tenant.hostname}, which has: {there}")


def entitlements_spent(tenant: Host) -> str:
    """Say what a login costs on this tenant, by its licence settings."""
    settings = tenant.get("/api/v1/licenses/settings")
    kinds = [kind for kind in ("professional", "analyzer") if settings.get(f"autoAssign{kind.capitalize()}")]
    if not kinds:
        return "No entitlement is assigned by itself here, so the login spends none."
    return (
        f"The login can spend an entitlement of the licence: {' or '.join(kinds)} is assigned by itself here."
        f" The subject {SUBJECT} holds it on all tenants of the licence: it is one at most, however often"
        " this runs."
    )


def name_of(tenant: Host, group: Group) -> str:
    """Return the group's name at Qlik; raises Unfit if it is gone, as a login might make it anew."""
    try:
        return str(tenant.get(f"/api/v1/groups/{group.id}")["name"])
    except NotFound:
        raise Unfit(
            f'group "{group.key}" is gone from {tenant.hostname}: run `pulumi up --refresh`'
        ) from None


def check(tenant: Host, signer: Signer, group: Group, name: str, patience: float) -> list[str]:
    """Log in as a member of a group and return what is wrong with what it sees; removes the user at the end.

    `patience`: seconds that Qlik may take to open to a new user what it may see. Errors of the login and of
    requests are among what is returned.
    """
    problems: list[str] = []
    try:
        remove_user(tenant)  # one that a killed run left, whose groups may be others
        problems += _wrong(log_in(tenant, _token(signer, name)), group, patience)
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
            with suppress(NotFound):  # a first try, whose answer was lost, may have removed it
                tenant.delete(f"/api/v1/users/{user['id']}")


def release_entitlements(tenant: Host) -> list[str]:
    """Give back what the licence assigned to the test user; return the kinds (Licenses API)."""
    items = [{"subject": SUBJECT, "type": kind} for kind in ("professional", "analyzer")]
    answer = tenant.post("/api/v1/licenses/assignments/actions/delete", {"delete": items}, repeatable=True)
    return [item["type"] for item in answer["data"] if item["status"] < 300]


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
        "nbf": now - CLOCKS_DIFFER,
        "exp": now + LIFETIME,
    }
    return sign(signer.key, signer.kid, claims)


def _wrong(session: Session, group: Group, patience: float) -> list[str]:
    return [*_not_seen(session, group, patience), *_seen_too_much(session, group)]


def _not_seen(session: Session, group: Group, patience: float) -> Iterator[str]:
    """Yield what stays closed: Qlik may open it to a new user a while after the login."""
    clock = session.cloud.clock
    ends = clock.monotonic() + patience
    waiting = dict(group.published)
    while waiting:
        waiting = {id: name for id, name in waiting.items() if not _opens(session, id)}
        if not waiting or clock.monotonic() >= ends:
            break
        clock.sleep(POLL)
    for id, name in waiting.items():
        yield f"does not see {name} (app {id}) after {patience:g} s; `pulumi up --refresh` puts access right"


def _seen_too_much(session: Session, group: Group) -> Iterator[str]:
    seen = {id: name for id, name in group.closed.items() if _opens(session, id)}
    for item in session.list("/api/v1/items", {"resourceType": "app"}):
        if item["resourceId"] not in group.published and item.get("spaceId") not in group.shared:
            where = f"space {item['spaceId']}" if item.get("spaceId") else "a personal space"
            seen.setdefault(item["resourceId"], f"{item['name']} in {where}")
    hint = f"; the group's roles ({', '.join(group.roles)}) may open it" if group.roles else ""
    for id, name in seen.items():
        yield f"sees {name} (app {id}), to which it has no access in the stack file{hint}"


def _opens(session: Session, app: str) -> bool:
    try:
        session.get(f"/api/v1/apps/{app}")
    except (Forbidden, NotFound):
        return False
    return True
