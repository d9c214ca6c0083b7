"""Access tokens from client credentials (POST /oauth/token). A token is valid on one host."""

from __future__ import annotations

import hashlib
import hmac
import secrets

from tenantry.emulator.apis import oauth_clients
from tenantry.emulator.apis.users import add_user, bot_of, by_subject
from tenantry.emulator.call import ADMIN, Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Refusal
from tenantry.emulator.hosts import Host
from tenantry.emulator.store import SHARED, Doc
from tenantry.emulator.world import World

LIFETIME = 21_600


@operation("oauth", "postOauthToken")
def token(call: Call) -> Reply:
    """Issue a token that only this host accepts."""
    if call.body["grant_type"] != "client_credentials":
        raise Refusal(400, "Unsupported grant type", detail="the emulator supports client_credentials only")
    if "client_secret" not in call.body:
        raise Refusal(400, "Unsupported credentials", detail="the emulator supports client_secret only")
    id, secret = call.body["client_id"], call.body["client_secret"]
    if call.tenant and (tenant_client := oauth_clients.by_secret(call.store, call.tenant_id, id, secret)):
        return _issue_token(call, _bot_of_tenant(call, tenant_client), id)
    client = call.store.get(SHARED, "client", id)
    if client is None or not _accepts(client, call) or not _is_equal(client["secret"], secret):
        raise Refusal(401, "Unauthorized", detail="client credentials are not valid on this host")
    user = bot_of(call.world, call.tenant, client, call.host.region) if call.tenant else {}
    return _issue_token(call, user, id)


def _issue_token(call: Call, user: Doc, client: str) -> Reply:
    if user.get("status") == "disabled":
        raise Refusal(403, "Forbidden", detail="the client's user is disabled")
    secret = issue(call.world, audience(call.host, call.tenant), user, client)
    return Reply(200, _token_set(call, secret))


def _bot_of_tenant(call: Call, client: Doc) -> Doc:
    """Return the user of a client of the tenant itself. Only its scope makes it an administrator."""
    subject = f"qlikbot\\{client['id']}"
    roles = [ADMIN] if "admin_classic" in client.get("allowedScopes", []) else []
    return by_subject(call.world, call.tenant_id, subject) or add_user(
        call.world,
        call.tenant,
        subject=subject,
        name=client["clientName"],
        roles=roles,
        clientId=client["id"],
    )


def issue(world: World, host: str, user: Doc, client: str) -> str:
    """Issue a token. Only its digest is stored.

    Args:
        host: the audience, see `audience`.
        user: the user of the token; `{}` on the register host and the console.
    """
    secret = secrets.token_urlsafe(32)
    world.store.put(
        SHARED,
        "token",
        {
            "id": _digest(secret),
            "audience": host,
            "user": user.get("id", ""),
            "client": client,
            "expires": world.now() + LIFETIME,
        },
    )
    return secret


def find(world: World, secret: str, host: str) -> Doc | None:
    """Return the entry of a token that is valid on a host now, or None."""
    entry = world.store.get(SHARED, "token", _digest(secret))
    if entry is None or entry["audience"] != host or entry["expires"] <= world.now():
        return None
    return entry


def audience(host: Host, tenant: Doc) -> str:
    """Return the audience of a token: the tenant, for any of its hostnames, or else the host."""
    return str(tenant.get("id") or host.name)


def _accepts(client: Doc, call: Call) -> bool:
    """Return whether a client is valid on the host of a call.

    Organisation clients are valid on the console. Region clients are valid on the register host and on the
    tenants of their licence.
    """
    if client["level"] == "organization":
        return call.host.kind == "console"
    if client["region"] != call.host.region:
        return False
    return call.host.kind == "register" or call.tenant.get("_licence") == client["licence"]


def _is_equal(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _token_set(call: Call, secret: str) -> Doc:
    return {
        "access_token": secret,
        "token_type": "bearer",
        "expires_in": LIFETIME,
        "expires_at": iso(call.world.now() + LIFETIME),
    }
