"""How pages, applications and people get in: web integrations, JWT identity providers and OAuth clients."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from tenantry.providers.values.oauth_clients import IMPERSONATION, property_problems, redirect_problem
from tenantry.settings.complaints import Complaint
from tenantry.settings.models.block import AT_CREATION, NEVER_CUT_OFF, NO_REQUEST, Block, Makes, key
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


class WebIntegration(Block):
    """Web pages that may show what is in the tenant; its id is an output of the stack. (Web Integrations
    API)
    """

    makes = Makes(
        "WebIntegration", "web integration", identity=("name",), properties={"origins": "valid_origins"}
    )

    name: Name = key(about="Its name at Qlik. Default: the key.")
    origins: list[Origin] = key(
        about="Origins of the pages, `scheme://host[:port]` each; no wildcard, no path.", min_length=1
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same web integration.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over a web integration of that name that somebody else made.", change=AT_CREATION
    )


class JwtIdentityProvider(Block):
    """A public key with which Qlik checks the tokens of one signer. To rotate it, add a second one with a
    `kid` of its own, and take the first out once the signer uses the second. (Identity Providers API)
    """

    makes = Makes(
        "JwtIdentityProvider",
        "JWT identity provider",
        identity=("issuer", "kid"),
        no_inputs=("pem_file",),
        output=False,
    )

    issuer: Text = key(about="The claim `iss` of the tokens.", change=NEVER_CUT_OFF)
    kid: Text = key(
        about="The `kid` in the header of the tokens, once per issuer; in quotes if it looks like a number.",
        change=NEVER_CUT_OFF,
    )
    pem: Pem | None = key(
        None,
        about="The RSA public key or its certificate as PEM. Either this or `pem_file`.",
        change=NEVER_CUT_OFF,
    )
    pem_file: Text | None = key(
        None,
        about="The file with the PEM; its path is from the folder of the file that says this.",
        change=NEVER_CUT_OFF,
    )
    description: IdpDescription | None = key(None, about="Shown in Qlik; 128 characters at most.")
    clock_tolerance_seconds: ClockTolerance = key(
        5, about="How far the signer's clock may be off.", change=NEVER_CUT_OFF
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same provider.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over what is there. Qlik names no maker: the very same key is, without this, too.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """Each has a key, and of one issuer each key has a `kid` of its own."""
        taken: dict[tuple[str, str], str] = {}
        for name, provider in sorted(entries.items()):
            at = block, name
            if not provider.pem and not provider.pem_file:
                text = "pem or pem_file is required"
                yield Complaint((*at, "pem"), text, incomplete=True, unless=(*at, "pem_file"))
            first = taken.setdefault((provider.issuer, provider.kid), name)
            if first != name and None not in (provider.issuer, provider.kid):
                text = (
                    f'"{provider.kid}" is also the kid of "{first}", which has the same issuer; '
                    "each key needs its own kid"
                )
                yield Complaint((*at, "kid"), text)


class OAuthClient(Block):
    """An application that gets tokens of the tenant: to embed what is in it, or to work on it. (OAuth API)

    The client id is an output of the stack, under `oauth_clients`. So is the secret of a `web` client, under
    `oauth_client_secrets`. The state holds it encrypted.
    """

    makes = Makes(
        "OAuthClient",
        "OAuth client",
        identity=("name",),
        properties={
            "origins": "allowed_origins",
            "scopes": "allowed_scopes",
            "grant_types": "allowed_grant_types",
        },
        if_any=True,
    )

    name: OAuthName = key(about="Its name at Qlik. Default: the key.")
    app_type: Literal["web", "spa", "native"] = key(
        about="Kind of application: `web` runs on a server and has a secret, `spa` runs in a browser, "
        "`native` on a device. A machine-to-machine client is `web`.",
        change="replaces the client, under a new id and secret",
    )
    description: OAuthDescription | None = key(
        None, about="Shown to administrators; 4096 characters at most."
    )
    redirect_uris: list[Text] = key(
        default_factory=list,
        about="Where Qlik sends users after they log in: `https`, or `http` on localhost; 5 at most. A "
        "`native` client may have a scheme of its own.",
        max_length=5,
    )
    origins: list[Origin] = key(
        default_factory=list,
        about="Origins of the pages that use the client, `scheme://host[:port]` each; 5 at most. For `spa`, "
        "and for a `web` client that impersonates users.",
        max_length=5,
    )
    scopes: list[Text] = key(
        default_factory=list, about="What the client may ask for, such as `user_default`."
    )
    grant_types: list[GrantType] = key(
        default_factory=list,
        about="What a `web` client may do without a user at the screen: act as itself, `client_credentials`, "
        f"or as any user of the tenant, `{IMPERSONATION}`.",
    )
    consent: Literal["required", "trusted"] = key(
        "required", about="`trusted` asks no user for consent. A machine-to-machine client needs it."
    )
    secret_version: SecretVersion = key(
        1,
        about="A number; another one makes a new secret for a `web` client. The one before it stays valid "
        "until the next rotation.",
        change="a new secret; the former one stays valid until the next rotation",
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same client.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over a client of that name that is there, with a new secret. Qlik names no maker: the "
        "very same client is, without this, too.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """No name is there twice, and each client has only what its kind of application has."""
        yield from super().rules(block, entries)
        keys = {name: key for key, name in cls.inputs().items()}
        for entry, client in sorted(entries.items()):
            if client.app_type is None:
                continue
            at = block, entry
            for name, text in property_problems(client.app_type, client.grant_types, client.origins).items():
                yield Complaint((*at, keys[name]), text, unless=(*at, "grant_types"))
            for uri in client.redirect_uris:
                if wrong := redirect_problem(uri, native=client.app_type == "native"):
                    yield Complaint((*at, "redirect_uris"), wrong, item=uri)
            if client.secret_version not in (None, 1) and client.app_type != "web":
                text = f"only a web client has a secret, but this one is {client.app_type}"
                yield Complaint((*at, "secret_version"), text)
