"""How pages and people get in: web integrations and JWT identity providers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tenantry.settings.complaints import Complaint
from tenantry.settings.models.block import AT_CREATION, NEVER_CUT_OFF, NO_REQUEST, Block, Makes, key
from tenantry.settings.values import (
    ClockTolerance,
    FormerKeys,
    IdpDescription,
    Name,
    Origin,
    Pem,
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
                text = "which key? give pem, or pem_file: the path of a file with it"
                yield Complaint((*at, "pem"), text, incomplete=True, unless=(*at, "pem_file"))
            first = taken.setdefault((provider.issuer, provider.kid), name)
            if first != name and None not in (provider.issuer, provider.kid):
                text = (
                    f'"{provider.kid}" is the kid of "{first}", of the same issuer; '
                    "each key has a kid of its own"
                )
                yield Complaint((*at, "kid"), text)
