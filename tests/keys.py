"""RSA keys for tests, made once per process, and the JWTs that a customer's portal would sign with them."""

from __future__ import annotations

import time
import uuid
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

ISSUER, KID = "https://portal.example", "key-1"


@cache
def key(name: str = "one") -> rsa.RSAPrivateKey:
    """The private key of that name."""
    del name
    return rsa.generate_private_key(65537, 2048)


def private_pem(name: str = "one") -> bytes:
    """It, as PEM."""
    private = serialization.PrivateFormat.PKCS8
    return key(name).private_bytes(serialization.Encoding.PEM, private, serialization.NoEncryption())


def public_pem(name: str = "one") -> str:
    """Its public half, as PEM with line breaks."""
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    return key(name).public_key().public_bytes(serialization.Encoding.PEM, public).decode()


def claims(*, now: float | None = None, **changes: Any) -> dict[str, Any]:
    """The claims of a good token, with changes; None leaves a claim out."""
    started = int(time.time() if now is None else now)
    good = {
        "iss": ISSUER,
        "aud": "qlik.api/login/jwt-session",
        "sub": "acme\\jdoe",
        "subType": "user",
        "name": "Jo Doe",
        "email": "jo.doe@acme.example",
        "email_verified": True,
        "groups": ["Analysts"],
        "jti": uuid.uuid4().hex,
        "iat": started,
        "nbf": started,
        "exp": started + 60,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(signer: str = "one", *, kid: str | None = KID, algorithm: str = "RS256", **changes: Any) -> str:
    """A signed token; `changes` as for `claims`."""
    private: Any = key(signer) if algorithm.startswith("RS") else "x" * 64
    return jwt.encode(claims(**changes), private, algorithm=algorithm, headers={"kid": kid} if kid else None)


def provider(name: str = "one", *, kid: str = KID, issuer: str = ISSUER, **fields: Any) -> dict[str, Any]:
    """The body that makes an identity provider of that key."""
    pem = "".join(public_pem(name).splitlines())
    options = {"issuer": issuer, "staticKeys": [{"kid": kid, "pem": pem}], "jwtLoginEnabled": True}
    return {"provider": "external", "protocol": "jwtAuth", "interactive": False, "options": options, **fields}
