"""JWT identity providers. Interactive identity providers are not imported."""

from __future__ import annotations

from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers import jwt_identity_provider, oidc_identity_provider
from tenantry.providers.values import pem


def find(reader: TenantReader, findings: Findings) -> None:
    """Import the identity providers that have exactly one public key."""
    for provider in reader.listed(jwt_identity_provider.HANDLER.path):
        keys = (provider.get("options") or {}).get("staticKeys") or []
        if provider.get("protocol") == "jwtAuth" and len(keys) == 1:
            _jwt_identity_provider(provider, findings)
        else:
            what = f"identity provider {provider['id']}"
            findings.add_unmanaged(what, _why_not(provider))


def _why_not(provider: Json) -> str:
    """Return the reason why a provider is not managed."""
    protocol = provider.get("protocol", "unknown")
    if not oidc_identity_provider.HANDLER.manages(provider):
        return f"its protocol is {protocol}"
    return (
        "an interactive identity provider is not imported, because Qlik returns neither secrets nor "
        f"metadata: declare it under `{protocol.lower()}_identity_providers`, with `adopt: true`"
    )


def _jwt_identity_provider(provider: Json, findings: Findings) -> None:
    live = jwt_identity_provider.HANDLER.decode(provider)
    entry: dict[str, Any] = live | {"description": live["description"] or None}
    block = "jwt_identity_providers"
    findings.add_entry(block, provider["id"], entry, "issuer", "kid", key=live["kid"])
    planned = (findings.plan.get(block) or {}).get(findings.keys[provider["id"]]) or {}
    same = pem.one_line(planned.get("pem") or "") == live["pem"]
    entry["pem"] = planned["pem"] if same else pem.on_lines(live["pem"])
    entry["pem_file"] = planned.get("pem_file") if same else None
    findings.objects.append(Found("JwtIdentityProvider", provider["id"], live, ("issuer", "kid")))
