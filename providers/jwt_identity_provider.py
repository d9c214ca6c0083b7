"""JWT identity providers (https://qlik.dev/apis/rest/identity-providers, protocol `jwtAuth`)."""

from __future__ import annotations

from typing import Any

from tenantry.providers.framework import run
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Keyless
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import ApiError, Cloud, Host, QlikError
from tenantry.providers.values import pem
from tenantry.providers.values.limits import CLOCK_TOLERANCE, IDP_DESCRIPTION, NOT_EMPTY

ROTATION_STEPS = (
    "Qlik would refuse every token signed with the old key at once. 1. Add a second provider with its own "
    "kid. 2. Run `pulumi up`. 3. Switch the signer to the new key. 4. Remove this provider"
)


class JwtIdentityProvider(Resource):
    """A public key with which Qlik checks the tokens of one signer, with its issuer and key id.

    Qlik can change only the description. To rotate the key, have two providers for a while.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that users log in to.")
    issuer: Property[str] = prop(
        "The claim `iss` of the tokens.", change=Change.REFUSED, limits=NOT_EMPTY, instead=ROTATION_STEPS
    )
    kid: Property[str] = prop(
        "Key id: the `kid` in the header of the tokens, unique per issuer and tenant.",
        change=Change.REFUSED,
        limits=NOT_EMPTY,
        instead=ROTATION_STEPS,
    )
    pem: Property[str] = prop(
        "The public key or its certificate as PEM. Line breaks make no difference.",
        change=Change.REFUSED,
        limits=pem.PEM,
        form=pem.one_line,
        sensitive=True,
        instead=ROTATION_STEPS,
    )
    description: Property[str] = prop("Description of the key.", default="", limits=IDP_DESCRIPTION)
    clock_tolerance_seconds: Property[int] = prop(
        "How many seconds the signer's clock can be off.",
        default=5,
        change=Change.REFUSED,
        limits=CLOCK_TOLERANCE,
        instead=ROTATION_STEPS,
    )
    adopt: Property[bool] = prop(
        "Take over an existing provider with this issuer and `kid`. Qlik does not say who created it, so "
        "Tenantry takes over an identical provider even without `adopt`.",
        default=None,
        change=Change.AT_CREATION,
    )


class JwtIdentityProviderHandler(Keyless):
    """CRUD handler of `JwtIdentityProvider`, which finds a provider by issuer and key id.

    Qlik documents no 409 for a duplicate, so a 400 may also mean a duplicate.
    """

    resource_type = JwtIdentityProvider
    path = "/api/v1/identity-providers"
    natural_key = ("tenant", "issuer", "kid")
    advice = "Give this key its own kid, or delete the other provider if nothing is signed with its key."

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in the response. Its options contain one key."""
        options = found.get("options") or {}
        key = (options.get("staticKeys") or [{}])[0]
        return {
            "issuer": options.get("issuer", ""),
            "kid": key.get("kid", ""),
            "pem": pem.one_line(key.get("pem", "")),
            "description": found.get("description") or "",
            "clock_tolerance_seconds": found.get("clockToleranceSec", 5),
        }

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Return the body of the POST, as in Qlik's own samples."""
        tenant_id = run.current().active_tenants.get(host.hostname)
        return {
            "tenantIds": [tenant_id or host.get("/api/v1/tenants/me")["id"]],
            "provider": "external",
            "protocol": "jwtAuth",
            "interactive": False,
            "active": True,
            "description": want["description"],
            "clockToleranceSec": want["clock_tolerance_seconds"],
            "options": {
                "issuer": want["issuer"],
                "jwtLoginEnabled": True,
                "staticKeys": [{"kid": want["kid"], "pem": want["pem"]}],
            },
        }

    def candidates(self, host: Host, want: Properties) -> list[dict[str, Any]]:
        """Return the providers with the requested issuer and key id. Qlik has no filter for them."""
        key = want["issuer"], want["kid"]
        providers = (
            (provider, self.decode(provider))
            for provider in host.list(self.path)
            if provider.get("protocol") == "jwtAuth"
        )
        return [provider for provider, live in providers if (live["issuer"], live["kid"]) == key]

    def shares_key(self) -> bool:
        """Return False, because two keys of one issuer never have the same id."""
        return False

    def may_be_there(self, error: QlikError) -> bool:
        """Tell whether the provider may exist after an error, for example because another run was faster."""
        return super().may_be_there(error) or (isinstance(error, ApiError) and error.status in (400, 409))

    def label(self, want: Properties, id: str) -> str:
        """Return the issuer and key id for messages."""
        return f'JwtIdentityProvider of "{want["issuer"]}" with kid "{want["kid"]}"'

    def shown(self, name: str, value: Any) -> Any:
        """Return the fingerprint of the key, and any other value unchanged."""
        return pem.fingerprint(value) if name == "pem" else value


HANDLER = JwtIdentityProviderHandler()
