"""The login of a customer's portal, which signs JWTs that an identity provider trusts."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.keys import key, public_pem

ISSUER, KID = "https://portal.example", "key-1"


def claims(**changes: Any) -> dict[str, Any]:
    """Return the claims of a valid token, with changes. None removes a claim."""
    now = int(time.time())
    valid = {
        "iss": ISSUER,
        "aud": "qlik.api/login/jwt-session",
        "sub": "acme\\jdoe",
        "subType": "user",
        "name": "Jo Doe",
        "email": "jo.doe@acme.example",
        "email_verified": True,
        "groups": ["Analysts"],
        "jti": uuid.uuid4().hex,
        "iat": now,
        "nbf": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (valid | changes).items() if value is not None}


def token(signer: str = "one", *, kid: str | None = KID, algorithm: str = "RS256", **changes: Any) -> str:
    """Return a token, signed with the key of that name. `changes` are the same as for `claims`."""
    private: Any = key(signer) if algorithm.startswith("RS") else "x" * 64
    return jwt.encode(claims(**changes), private, algorithm=algorithm, headers={"kid": kid} if kid else None)


def provider(signer: str = "one", *, kid: str = KID, issuer: str = ISSUER, **fields: Any) -> dict[str, Any]:
    """Return the request body that creates the identity provider of a key."""
    pem = "".join(public_pem(signer).splitlines())
    options = {"issuer": issuer, "staticKeys": [{"kid": kid, "pem": pem}], "jwtLoginEnabled": True}
    return {"provider": "external", "protocol": "jwtAuth", "interactive": False, "options": options, **fields}


def private_pem(signer: str = "one") -> bytes:
    """Return the private key of that name, as PEM."""
    return key(signer).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def private_file(folder: Path, signer: str = "one") -> Path:
    """Write the private key of that name to a file and return its path."""
    file = folder / f"{signer}.pem"
    file.write_bytes(private_pem(signer))
    return file
