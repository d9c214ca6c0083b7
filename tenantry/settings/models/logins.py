"""Web integrations, JWT identity providers and OAuth clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from tenantry.providers.values.oauth_clients import IMPERSONATION, property_problems, redirect_problem
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, REFUSED, Block, ResourceMapping, key
from tenantry.settings.values import (
    ClockTolerance,
    FormerKeys,
    GrantType,
    IdpDescription,
    Name,
    OAuthDescription,
    OAuthName,
    Origin,
    Pem,
    SecretVersion,
    Switch,
    Text,
)
from tenantry.settings.violations import Violation


class WebIntegration(Block):
    """Web pages that can embed content of the tenant. The id is an output of the stack. (Web Integrations
    API)
    """

    mapping = ResourceMapping(
        "WebIntegration", "web integration", identity=("name",), properties={"origins": "valid_origins"}
    )

    name: Name = key(about="Its name at Qlik. Default: the key.")
    origins: list[Origin] = key(
        about="Origins of the pages, each as `scheme://host[:port]` without wildcard or path.", min_length=1
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same web integration.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing web integration with this name that somebody else created.",
        change=AT_CREATION,
    )


class JwtIdentityProvider(Block):
    """A public key with which Qlik checks the tokens of one signer. To rotate it: 1. add a second entry with
    its own `kid`, 2. switch the signer to the new key, 3. remove the first entry. (Identity Providers API)
    """

    mapping = ResourceMapping(
        "JwtIdentityProvider",
        "JWT identity provider",
        identity=("issuer", "kid"),
        no_inputs=("pem_file",),
        output=False,
    )

    issuer: Text = key(about="The claim `iss` of the tokens.", change=REFUSED)
    kid: Text = key(
        about="The `kid` in the header of the tokens, unique per issuer. Quote it if it looks like a number.",
        change=REFUSED,
    )
    pem: Pem | None = key(
        None,
        about="The RSA public key or its certificate as PEM. Set either this or `pem_file`.",
        change=REFUSED,
    )
    pem_file: Text | None = key(
        None,
        about="The file with the PEM. The path starts at the folder of the file that names it.",
        change=REFUSED,
    )
    description: IdpDescription | None = key(None, about="Shown in Qlik; 128 characters at most.")
    clock_tolerance_seconds: ClockTolerance = key(
        5, about="How many seconds the signer's clock can be off.", change=REFUSED
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same provider.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing provider with this issuer and `kid`. Qlik does not say who created it, "
        "so Tenantry takes over an identical provider even without `adopt`.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that each entry has a key, and that the keys of one issuer differ in `kid`."""
        taken: dict[tuple[str, str], str] = {}
        for name, provider in sorted(entries.items()):
            at = block, name
            if not provider.pem and not provider.pem_file:
                text = "pem or pem_file is required"
                yield Violation((*at, "pem"), text, incomplete=True, unless=(*at, "pem_file"))
            first = taken.setdefault((provider.issuer, provider.kid), name)
            if first != name and None not in (provider.issuer, provider.kid):
                text = (
                    f'"{provider.kid}" is also the kid of "{first}", which has the same issuer; '
                    "each key needs its own kid"
                )
                yield Violation((*at, "kid"), text)


class OAuthClient(Block):
    """An application that gets tokens for the tenant, to embed its content or to call its APIs. (OAuth API)

    The client id is an output of the stack, under `oauth_clients`. The secret of a `web` client is one too,
    under `oauth_client_secrets`. The state contains it in encrypted form.
    """

    mapping = ResourceMapping(
        "OAuthClient",
        "OAuth client",
        identity=("name",),
        properties={
            "origins": "allowed_origins",
            "scopes": "allowed_scopes",
            "grant_types": "allowed_grant_types",
        },
        only_if_any=True,
    )

    name: OAuthName = key(about="Its name at Qlik. Default: the key.")
    app_type: Literal["web", "spa", "native"] = key(
        about="Type of application: `web` runs on a server and has a secret, `spa` runs in a browser, "
        "`native` on a device. A machine-to-machine client is `web`.",
        change="replaces the client, under a new id and secret",
    )
    description: OAuthDescription | None = key(
        None, about="Shown to administrators; 4096 characters at most."
    )
    redirect_uris: list[Text] = key(
        default_factory=list,
        about="URLs to which Qlik sends users after they log in: `https`, or `http` on localhost; 5 at "
        "most. A `native` client can use its own scheme.",
        max_length=5,
    )
    origins: list[Origin] = key(
        default_factory=list,
        about="Origins of the pages that use the client, each as `scheme://host[:port]`; 5 at most. For "
        "`spa`, and for a `web` client that impersonates users.",
        max_length=5,
    )
    scopes: list[Text] = key(
        default_factory=list, about="Scopes that the client can request, such as `user_default`."
    )
    grant_types: list[GrantType] = key(
        default_factory=list,
        about="What a `web` client can do without a user: act as itself (`client_credentials`), or as any "
        f"user of the tenant (`{IMPERSONATION}`).",
    )
    consent: Literal["required", "trusted"] = key(
        "required", about="`trusted`: Qlik does not ask for consent. A machine-to-machine client needs it."
    )
    secret_version: SecretVersion = key(
        1,
        about="A number. Change it to create a new secret for a `web` client. The previous secret stays "
        "valid until the next rotation.",
        change="creates a new secret; the previous one stays valid until the next rotation",
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same client.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing client with this name, and create a new secret for it. Qlik does not "
        "say who created a client, so Tenantry takes over an identical client even without `adopt`.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that names differ, and that each client sets only what its type of application has."""
        yield from super().rules(block, entries)
        keys = {name: key for key, name in cls.inputs().items()}
        for entry, client in sorted(entries.items()):
            if client.app_type is None:
                continue
            at = block, entry
            for name, text in property_problems(client.app_type, client.grant_types, client.origins).items():
                yield Violation((*at, keys[name]), text, unless=(*at, "grant_types"))
            for uri in client.redirect_uris:
                if wrong := redirect_problem(uri, native=client.app_type == "native"):
                    yield Violation((*at, "redirect_uris"), wrong, item=uri)
            if client.secret_version not in (None, 1) and client.app_type != "web":
                text = f"only a web client has a secret, but this one is {client.app_type}"
                yield Violation((*at, "secret_version"), text)
