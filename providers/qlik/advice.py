"""What to do next, for the errors of Qlik that have an answer to that."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from tenantry.providers.qlik.hostnames import region
from tenantry.providers.qlik.messages import Request
from tenantry.providers.qlik.settings import DEADLINE

DISABLED = frozenset({"TENANT_DISABLED", "TENANT_DEACTIVATED"})

BY_CODE = {
    "TENANTS-21": "Qlik got no licence key: read it from the source tenant, and see that it is valid there.",
    "TENANTS-22": "The licence has no tenant left: take down trials that have ended, or ask Qlik for more.",
    "TENANTS-23": "Qlik refuses the licence key: look at the licence on the source tenant (status, dates).",
}


def advice(request: Request, status: int, codes: AbstractSet[str]) -> str:
    """Return the next step for an error, empty if there is none that holds in general."""
    if codes & DISABLED:
        return (
            "The tenant is deactivated; it is not gone, and the credentials are not at fault."
            f" Reactivate it on register.{region(request.host)}.qlikcloud.com before it is purged,"
            " or take it down for good."
        )
    for code in sorted(codes & BY_CODE.keys()):
        return BY_CODE[code]
    if request.proof is not None and status in (400, 401):
        return _not_let_in(request)
    if request.credentials and status in (404, 410):
        return (
            f"No tenant answers at {request.host}: it was purged, or something on the way answered in Qlik's"
            " place (a proxy, an ingress). The credentials are not at fault."
        )
    if request.credentials and status == 403:
        return "The OAuth client's bot user is disabled on this host, or it holds too many tokens."
    if request.credentials and 400 <= status < 500 and status != 429:
        return _wrong_client(request)
    if status == 429:
        return f"Qlik limits requests per user and tenant: run less at once, or allow more time ({DEADLINE})."
    if status == 401:
        return "A new token is refused too: see whether the OAuth client and its bot user still exist here."
    if status >= 500:
        return (
            "Qlik failed, not this program: try again later; with the traceId Qlik's support can look it up."
        )
    return ""


def _not_let_in(request: Request) -> str:
    if request.method == "POST":
        return (
            "See whether the tenant has a JWT identity provider with the token's issuer and key id and its"
            " signer's public key, and whether this machine's clock is right."
        )
    return "The session has ended, or its user is gone: log in again with a new token."


def _wrong_client(request: Request) -> str:
    where = region(request.host)
    if not where:
        return f"Look at {request.credentials}: this host takes the organisation's OAuth client only."
    upper = where.upper().replace("-", "_")
    return (
        f"Look at {request.credentials}. A region's OAuth client works in its own region only:"
        f" for {where} it can be set apart as QLIK_CLIENT_ID_{upper} and QLIK_CLIENT_SECRET_{upper}."
    )
