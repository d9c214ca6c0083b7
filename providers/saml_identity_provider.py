"""SAML identity providers (https://qlik.dev/apis/rest/identity-providers, protocol `SAML`)."""

from __future__ import annotations

from typing import Any, Literal

from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.properties import Change, Property, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.lookups import login_services
from tenantry.providers.lookups.interactive_logins import InteractiveIdentityProvider
from tenantry.providers.qlik import Cloud
from tenantry.providers.values.identity_providers import CERTIFICATES, NAME_ID_FORMAT, SAML_CLAIMS
from tenantry.providers.values.limits import CLOCK_TOLERANCE, IDP_DESCRIPTION, NOT_EMPTY
from tenantry.providers.values.saml_metadata import plain
from tenantry.providers.values.urls import HTTPS


class SamlIdentityProvider(Resource):
    """The service where the users of a tenant log in, by SAML.

    A tenant has at most one active interactive provider. Without one, users log in with a Qlik account.
    Tenantry activates a provider only after the service has answered, and only if an administrator can log in
    to recover the tenant.
    `tenantry.providers.values.saml_metadata.read_metadata` reads `entity_id`, `sign_on_url` and
    `certificates` from a metadata file.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that users log in to.")
    provider: Property[Literal["okta", "generic", "adfs", "azureAD"]] = prop(
        "Product, as Qlik names it.", change=Change.REPLACES
    )
    description: Property[str] = prop("Shown to administrators.", default="", limits=IDP_DESCRIPTION)
    active: Property[bool] = prop("Whether users log in with this provider.", default=True)
    entity_id: Property[str] = prop("Entity id of the provider.", change=Change.REPLACES, limits=NOT_EMPTY)
    sign_on_url: Property[str] = prop("URL where users sign on.", change=Change.REPLACES, limits=HTTPS)
    certificates: Property[list[str]] = prop(
        "1 to 5 certificates that sign the responses, each as base64 of its DER form.",
        change=Change.REPLACES,
        limits=CERTIFICATES,
    )
    name_id_format: Property[str] = prop(
        "Format of the name id.", default=None, change=Change.REPLACES, limits=NAME_ID_FORMAT
    )
    allow_idp_initiated_login: Property[bool] = prop(
        "Accept logins that start at the provider.", default=None, change=Change.REPLACES
    )
    claims_mapping: Property[dict[str, list[str]]] = prop(
        "Names of attributes for each of the claims `sub`, `name`, `email`, `groups` and `picture`. All of "
        "these claims are required. Qlik uses the first attribute that exists.",
        change=Change.REPLACES,
        limits=SAML_CLAIMS,
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


class SamlIdentityProviderHandler(InteractiveIdentityProvider):
    """CRUD handler of `SamlIdentityProvider`.

    Qlik tests changed SAML options in a browser, so a change replaces the provider.
    """

    resource_type = SamlIdentityProvider
    protocol = "SAML"
    fields = {  # noqa: RUF012
        "entity_id": "entityId",
        "sign_on_url": "signOnUrl",
        "certificates": "certificates",
        "name_id_format": "nameIdFormat",
        "allow_idp_initiated_login": "allowIdpInitiatedLogin",
        "claims_mapping": "claimsMapping",
    }
    has_secret = False
    service = ("entity_id",)

    def options(self, want: Properties) -> dict[str, Any]:
        """Return the options, with the certificates in Qlik's format."""
        certificates = [{"certificate": certificate} for certificate in want["certificates"]]
        return super().options(want) | {"certificates": certificates}

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in the response, with each certificate in a uniform format."""
        options = found.get("options") or {}
        certificates = [plain(item.get("certificate", "")) for item in options.get("certificates") or []]
        return super().decode(found | {"options": options | {"certificates": certificates}})

    def check_service(self, cloud: Cloud, want: Properties) -> None:
        """GET the sign-on URL, and check the certificates. Raises LoginServiceUnusable."""
        login_services.check_sign_on(cloud, want["sign_on_url"], want["certificates"])


HANDLER = SamlIdentityProviderHandler()
