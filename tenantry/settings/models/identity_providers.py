"""Interactive identity providers: where the users of a tenant log in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from tenantry.providers.values.identity_providers import (
    missing_claims_problem,
    unknown_claims_problem,
    verification_problem,
)
from tenantry.settings.document import Keys
from tenantry.settings.models.appearance import FromFiles
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.values import (
    ClockTolerance,
    FormerKeys,
    HttpsUrl,
    IdpDescription,
    NameIdFormat,
    Realm,
    Scope,
    SecretName,
    Switch,
    Text,
)
from tenantry.settings.violations import Violation

REPLACED = "replaces the provider: the new one is activated, then the old one is deleted"
CREATE_USERS = "Whether a first login creates the user."
AFTER_LOGOUT = "Where users go after they log out."
TOLERANCE = "How many seconds the clock of the provider can be off."
DESCRIPTION = "Shown in Qlik; 128 characters at most."
RENAMED = "The former key, or a list of former keys, so that the new key keeps the same provider."
ADOPT = "Replace an active provider that somebody else created. The old provider stays, deactivated."

LOGIN_BLOCKS = ("oidc_identity_providers", "saml_identity_providers")
"""The blocks that say where users log in. Together they have at most one entry."""


class OidcIdentityProvider(Block):
    """The service where users log in, by OpenID Connect. A tenant has one interactive provider at most, OIDC
    or SAML. Without one, users log in with a Qlik account. (Identity Providers API)

    Tenantry activates it only after the service has answered, and only if the tenant has an active
    administrator besides the bot user. See Operating for how an administrator gets back in if the login
    fails.
    """

    mapping = ResourceMapping(
        "OidcIdentityProvider",
        "OIDC identity provider",
        identity=("discovery_url",),
        after=("admins",),
        output=False,
    )

    provider: Literal["auth0", "okta", "generic", "salesforce", "keycloak", "adfs", "azureAD"] = key(
        about="Product.", change=REPLACED
    )
    description: IdpDescription | None = key(None, about=DESCRIPTION)
    discovery_url: HttpsUrl = key(
        about="URL of the discovery document, which ends in `/.well-known/openid-configuration`.",
        change=REPLACED,
    )
    client_id: Text = key(about="Id of Qlik's client at the identity provider.", change=REPLACED)
    client_secret: SecretName = key(
        about="Name of the secret of the stack that contains the client secret. Set it with `pulumi config "
        "set --secret tenantry:secrets_NAME`. A change of the secret replaces the provider, too.",
        change=REPLACED,
    )
    realm: Realm | None = key(None, about="Realm of the subjects.", change=REPLACED)
    scope: Scope | None = key(
        None, about="Scopes of the login, separated by spaces. Default: Qlik's.", change=REPLACED
    )
    email_verified_always_true: Switch | None = key(
        None, about="With `adfs` or `azureAD`: treat every e-mail address as verified.", change=REPLACED
    )
    block_offline_access_scope: Switch | None = key(
        None, about="Do not request the scope `offline_access`.", change=REPLACED
    )
    claims_mapping: dict[str, list[Text]] = key(
        about="JSON pointers for each claim, such as `sub`, `name`, `email` and `groups`. Qlik uses the "
        "first pointer that exists."
    )
    create_new_users_on_login: Switch = key(True, about=CREATE_USERS, change=REPLACED)
    post_logout_redirect_uri: HttpsUrl | None = key(None, about=AFTER_LOGOUT)
    clock_tolerance_seconds: ClockTolerance = key(5, about=TOLERANCE)
    renamed_from: FormerKeys | None = key(None, about=RENAMED, change=NO_REQUEST)
    adopt: Switch = key(False, about=ADOPT, change=AT_CREATION)

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check the claims of each entry, and that its product can treat every address as verified."""
        for name, entry in sorted(entries.items()):
            yield from _claims_problems("OIDC", (block, name, "claims_mapping"), entry.claims_mapping)
            if wrong := verification_problem(entry.provider, entry.email_verified_always_true):
                yield Violation((block, name, "email_verified_always_true"), wrong)


class SamlIdentityProvider(FromFiles):
    """The service where users log in, by SAML 2.0. A tenant has one interactive provider at most, OIDC or
    SAML. Without one, users log in with a Qlik account. (Identity Providers API)

    The metadata file of the provider contains its entity id, its sign-on URL and its certificates. Tenantry
    activates the provider only after it has answered, and only if an active administrator could repair it.
    """

    mapping = ResourceMapping(
        "SamlIdentityProvider",
        "SAML identity provider",
        identity=("metadata_file",),
        no_inputs=("metadata_file",),
        from_content=("entity_id", "sign_on_url", "certificates"),
        after=("admins",),
        output=False,
    )
    files = ("metadata_file",)

    provider: Literal["okta", "generic", "adfs", "azureAD"] = key(about="Product.", change=REPLACED)
    description: IdpDescription | None = key(None, about=DESCRIPTION)
    metadata_file: Text = key(
        about="The metadata file of the provider, 1 MB at most. The path starts at the folder of the file "
        "that names it.",
        change=REPLACED,
    )
    name_id_format: NameIdFormat | None = key(None, about="Format of the name id.", change=REPLACED)
    allow_idp_initiated_login: Switch | None = key(
        None, about="Accept logins that start at the provider.", change=REPLACED
    )
    claims_mapping: dict[str, list[Text]] = key(
        about="Names of attributes for each of the claims `sub`, `name`, `email`, `groups` and `picture`. "
        "Qlik uses the first attribute that exists.",
        change=REPLACED,
    )
    create_new_users_on_login: Switch = key(True, about=CREATE_USERS, change=REPLACED)
    post_logout_redirect_uri: HttpsUrl | None = key(None, about=AFTER_LOGOUT)
    clock_tolerance_seconds: ClockTolerance = key(5, about=TOLERANCE)
    renamed_from: FormerKeys | None = key(None, about=RENAMED, change=NO_REQUEST)
    adopt: Switch = key(False, about=ADOPT, change=AT_CREATION)

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check the claims of each entry."""
        for name, entry in sorted(entries.items()):
            yield from _claims_problems("SAML", (block, name, "claims_mapping"), entry.claims_mapping)

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return entity id, sign-on URL and certificates of the metadata file."""
        from tenantry.providers.values import saml_metadata

        return saml_metadata.read_metadata(path)._asdict()


def _claims_problems(protocol: str, keys: Keys, mapping: Mapping[str, Any] | None) -> Iterator[Violation]:
    if mapping is None:
        return
    if wrong := unknown_claims_problem(protocol, mapping):
        yield Violation(keys, wrong)
    elif wrong := missing_claims_problem(protocol, mapping):
        yield Violation(keys, wrong, incomplete=True)
