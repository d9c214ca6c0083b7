"""Limits and checks of interactive identity providers.

Source: the payloads for creation in https://qlik.dev/apis/rest/identity-providers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tenantry.providers.values.limits import Limits

MAX_CERTIFICATES = 5
CERTIFICATES = Limits(
    f"1 to {MAX_CERTIFICATES} certificates", {"min_length": 1, "max_length": MAX_CERTIFICATES}
)
REALM = Limits(
    "letters, digits, . - and _, at most 254, with a letter or digit first",
    {"max_length": 254, "pattern": r"^[A-Za-z0-9][A-Za-z0-9.\-_]+$"},
)
SCOPE = Limits("254 characters at most", {"max_length": 254})
NAME_ID_FORMATS = (
    "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
    "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
)
VERIFIES_NO_EMAIL = ("adfs", "azureAD")
"""The products for which every address can be treated as verified."""


def name_id_format_problem(value: Any) -> str | None:
    """Return what is wrong with the format of a name id. None if it is valid."""
    return None if value in NAME_ID_FORMATS else f"use one of {', '.join(NAME_ID_FORMATS)}"


NAME_ID_FORMAT = Limits(", ".join(NAME_ID_FORMATS), problem=name_id_format_problem)


def verification_problem(product: str | None, value: bool | None) -> str | None:
    """Return what is wrong with `email_verified_always_true` for a product. None if it is valid."""
    if value is None or product is None or product in VERIFIES_NO_EMAIL:
        return None
    return f"only {' and '.join(VERIFIES_NO_EMAIL)} have this key, and this provider is {product}"


CLAIMS = {
    "OIDC": (
        ("sub", "name", "email", "email_verified", "groups", "locale", "zoneinfo", "picture", "client_id"),
        ("sub",),
    ),
    "SAML": (("sub", "name", "email", "groups", "picture"), ("sub", "name", "email", "groups", "picture")),
}
"""The allowed and the required claims of a mapping, by protocol."""


def unknown_claims_problem(protocol: str, mapping: Mapping[str, Any]) -> str | None:
    """Return a message about the claims of a mapping that the protocol does not have. None without any."""
    known, _ = CLAIMS[protocol]
    unknown = sorted(set(mapping) - set(known))
    return f"unknown claim {', '.join(unknown)}; {protocol} has {', '.join(known)}" if unknown else None


def missing_claims_problem(protocol: str, mapping: Mapping[str, Any]) -> str | None:
    """Return a message about the required claims that a mapping does not have. None without any."""
    _, required = CLAIMS[protocol]
    missing = [name for name in required if not mapping.get(name)]
    return f"{protocol} needs a source for {', '.join(missing)}" if missing else None


def _claims(protocol: str) -> Limits:
    def problem(mapping: Any) -> str | None:
        if not isinstance(mapping, dict):
            return None
        return unknown_claims_problem(protocol, mapping) or missing_claims_problem(protocol, mapping)

    return Limits(f"a mapping of {', '.join(CLAIMS[protocol][0])}", problem=problem)


OIDC_CLAIMS, SAML_CLAIMS = _claims("OIDC"), _claims("SAML")
