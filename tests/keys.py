"""RSA keys for tests. They are created in each process, so the project contains no private key."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def key(name: str = "one") -> rsa.RSAPrivateKey:
    """Return the private key of that name."""
    del name
    return rsa.generate_private_key(65537, 2048)


def public_pem(name: str = "one") -> str:
    """Return the public key of that name, as PEM with line breaks."""
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    return key(name).public_key().public_bytes(serialization.Encoding.PEM, public).decode()
