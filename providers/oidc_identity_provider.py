"""OpenID Connect identity providers (https://qlik.dev/apis/rest/identity-providers, protocol `OIDC`)."""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.lookups import login_services
from tenantry.providers.lookups.interactive_logins import InteractiveIdentityProvider
from tenantry.providers.qlik import Cloud
from tenantry.providers.values.identity_providers import OIDC_CLAIMS, REALM, SCOPE, verification_problem
from tenantry.providers.values.limits import CLOCK_TOLERANCE, IDP_DESCRIPTION, NOT_EMPTY
from tenantry.providers.values.urls import HTTPS


class OidcIdentityProvider(Resource):
    """The service where the users of a tenant log in, by OpenID Connect.

    A tenant has at most one active interactive provider. Without one, users log in with a Qlik account.
    Tenantry activates a provider only after the service has answered, and only if an administrator can log in
    to recover the tenant.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that users log in to.")
    provider: Property[Literal["auth0", "okta", "generic", "salesforce", "keycloak", "adfs", "azureAD"]] = (
        prop("Product, as Qlik names it.", change=Change.REPLACES)
    )
    description: Property[str] = prop("Shown to administrators.", default="", limits=IDP_DESCRIPTION)
    active: Property[bool] = prop("Whether users log in with this provider.", default=True)
    discovery_url: Property[str] = prop(
        "URL of the discovery document.", change=Change.REPLACES, limits=HTTPS
    )
    client_id: Property[str] = prop(
        "Id of the client that the provider has for the tenant.", change=Change.REPLACES, limits=NOT_EMPTY
    )
    client_secret: Property[str] = prop(
        "Secret of that client. Always a Pulumi secret. Qlik never returns it, so Tenantry cannot see a "
        "change at Qlik. A new secret replaces the provider.",
        change=Change.REPLACES,
        limits=NOT_EMPTY,
        sensitive=True,
    )
    realm: Property[str] = prop("Realm of the subjects.", default=None, change=Change.REPLACES, limits=REALM)
    scope: Property[str] = prop(
        "Scopes of the login, separated by spaces. Default: Qlik's, by product.",
        default=None,
        change=Change.REPLACES,
        limits=SCOPE,
    )
    email_verified_always_true: Property[bool] = prop(
        "With `adfs` or `azureAD`: treat every e-mail address as verified.",
        default=None,
        change=Change.REPLACES,
    )
    block_offline_access_scope: Property[bool] = prop(
        "Do not request the scope `offline_access`.", default=None, change=Change.REPLACES
    )
    claims_mapping: Property[dict[str, list[str]]] = prop(
        "JSON pointers for each claim, such as `email`. Qlik uses the first pointer that exists.",
        limits=OIDC_CLAIMS,
    )
    create_new_users_on_login: Property[bool] = prop(
        "Whether a first login creates the user.", default=True, change=Change.REPLACES
    )
    post_logout_redirect_uri: Property[str] = prop(
        "Where users go after they log out.", default=None, limits=HTTPS
    )
    clock_tolerance_seconds: Property[int] = prop(
        "How many seconds the clock of the provider can be off.", default=5, limits=CLOCK_TOLERANCE
    )
    adopt: Property[bool] = prop(
        "Replace an active provider that somebody else created. The old provider stays, deactivated.",
        default=None,
        change=Change.AT_CREATION,
    )


class OidcIdentityProviderHandler(InteractiveIdentityProvider):
    """CRUD handler of `OidcIdentityProvider`.

    Qlik tests a new secret in a browser, so a new secret replaces the provider.
    """

    resource_type = OidcIdentityProvider
    protocol = "OIDC"
    fields = {  # noqa: RUF012
        "discovery_url": "discoveryUrl",
        "client_id": "clientId",
        "realm": "realm",
        "scope": "scope",
        "email_verified_always_true": "emailVerifiedAlwaysTrue",
        "block_offline_access_scope": "blockOfflineAccessScope",
        "claims_mapping": "claimsMapping",
    }
    has_secret = True
    service = ("discovery_url", "client_id")
    patched = {  # noqa: RUF012
        **InteractiveIdentityProvider.patched,
        "claims_mapping": "/options/claimsMapping",
    }

    def input_problems(self, have: Properties, want: Properties) -> dict[str, str]:
        """Refuse `email_verified_always_true` for products for which Qlik does not allow it."""
        problem = verification_problem(want["provider"], want.get("email_verified_always_true"))
        return {"email_verified_always_true": problem} if problem else {}

    def options(self, want: Properties) -> dict[str, Any]:
        """Return the options with the secret."""
        return super().options(want) | {"clientSecret": want["client_secret"]}

    def check_service(self, cloud: Cloud, want: Properties) -> None:
        """GET the discovery document and the keys. Raises LoginServiceUnusable."""
        login_services.check_discovery(cloud, want["discovery_url"])


HANDLER = OidcIdentityProviderHandler()
